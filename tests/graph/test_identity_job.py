"""The comparison with the identity provider, as Dagster runs it."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.definitions import defs
from rl_emails_assets.defs.automation import upkeep_jobs


def test_the_comparison_runs_where_there_is_a_clerk_and_leaves_its_record(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Webhooks that were lost and never made up for; or a run each hour where nobody signs in."""

    def ticks() -> bool:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime.now(UTC), repository_def=defs.get_repository_def()
        )
        return bool(defs.resolve_schedule_def("identity_sync").evaluate_tick(context).run_requests)

    assert not ticks()
    for name, value in {
        "OIDC_ISSUER": "https://clerk.example.org",
        "OIDC_KIND": "clerk",
        "OIDC_AUTHORIZED_PARTIES": "https://mail.example.org",
        "CLERK_SECRET_KEY": "sk_test_1",
    }.items():
        monkeypatch.setenv(f"RL_EMAILS_{name}", value)
    assert ticks()
    monkeypatch.setattr(upkeep_jobs, "reconcile", lambda _engine, settings: {settings.oidc_kind: 3})
    assert defs.resolve_job_def("identity_sync").execute_in_process(instance=instance).success
    with engine.connect() as connection:
        row = connection.execute(text("select name, counts, error from sync_queue.upkeep_runs")).one()
    assert tuple(row) == ("identity_sync", {"clerk": 3}, None)
