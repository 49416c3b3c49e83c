"""GET /metrics: the same figures as the status, described one by one, with nobody's address."""

import re
from pathlib import Path

import live_state
import pytest
from live_state import MAILBOX
from mails import OWNER
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "monitor.md"


def scraped(client):
    """(name, labels) to value of every sample, and the families."""
    answer = client.get("/metrics").raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain")
    families = list(text_string_to_metric_families(answer.text))
    samples = {
        (sample.name.removeprefix("rl_emails_"), *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }
    return samples, families


@pytest.fixture
def busy(client, engine):
    """A client on a Gmail mailbox with all of its live state."""
    live_state.make_gmail(engine)
    live_state.add_operations(engine)
    live_state.add_dead_letter(engine)
    live_state.add_backlog(engine, 2)
    live_state.add_notice(engine, "behind", "The inbox is behind.")
    return client


def test_the_figures_are_those_of_the_status(busy):
    """An alert that looks at another number than the administrator."""
    found, _ = scraped(busy)
    status = busy.get("/v1/admin/status").json()
    mailbox, name = status["mailboxes"][0], str(MAILBOX)
    assert found["database_up",] == 1
    assert found["build_info", status["version"]] == 1
    assert found["mailbox_info", *sorted((name, "gmail", "fetching"))] == 1
    assert found["mailbox_current_age_seconds", name] == pytest.approx(mailbox["current_age_seconds"], abs=60)
    assert found["mailbox_watch_remaining_seconds", name] == pytest.approx(mailbox["watch"]["seconds_left"], abs=60)
    assert found["mailbox_watch_failing", name] == 0
    assert found["mailbox_backlog_messages", name] == mailbox["backlog_count"] == 2
    assert found["mailbox_gap_messages", name] == mailbox["gap_count"] == 1
    assert found["mailbox_stored_messages", name] == mailbox["stored_count"] == 16
    assert found["mailbox_ranked_messages", name] == mailbox["ranked_count"] == 13
    assert found["mailbox_pending_messages", name] == mailbox["pending_count"] == 2
    assert found["mailbox_open_notices", name] == 1
    assert found["mailbox_failing", name] == 1
    assert 3000 <= found["mailbox_quota_remaining_units", name] <= 6000
    assert found["mailbox_quota_used_today_units", name] == 123456
    assert found["mailbox_quota_batch_messages", name] == 25
    assert found["mailbox_pushes_total", name] == 42
    assert found["mailbox_cost_usd", name] == 0.0021
    assert found["queue_requests", "todo"] == found["queue_requests", "doing"] == 1
    assert found["queue_dead_letters",] == 1
    assert 360 <= found["queue_oldest_due_seconds",] < 480
    assert found["queue_lapsed_claims",] == 1
    assert (found["workers_alive",], found["worker_slots",], found["worker_busy_slots",]) == (2, 4, 2)
    assert 180 <= found["last_push_age_seconds",] < 300
    assert (found["pushes_today", "queued"], found["pushes_today", "garbage"]) == (40, 2)
    assert (found["upkeep_failed", "watch_renewal"], found["upkeep_failed", "pruning"]) == (1, 0)
    assert found["upkeep_last_success_timestamp_seconds", "pruning"] == pytest.approx(
        live_state.ago(hours=4.9).timestamp(), abs=120
    )
    assert ("upkeep_last_success_timestamp_seconds", "full_sync") not in found
    assert found["webhook_requests_total", "refused"] == 0


def test_an_empty_system_has_zeros_and_no_inventions(serve, engine):
    """An alert that never fires because its metric only appears with the first trouble; a made-up age."""
    with serve().client() as client:
        found, _ = scraped(client)
    for name in ("queue_dead_letters", "queue_oldest_due_seconds", "queue_lapsed_claims", "workers_alive"):
        assert found[name,] == 0
    assert found["queue_requests", "todo"] == 0
    assert ("last_push_age_seconds",) not in found


def test_what_a_mailbox_has_not_got_is_left_out(client):
    """A watch of 0 seconds for a mailbox that has none: an alarm for ever."""
    found, _ = scraped(client)
    name = str(MAILBOX)
    assert found["mailbox_info", *sorted((name, "files", "imported"))] == 1
    for left_out in ("current_age_seconds", "watch_remaining_seconds", "watch_failing", "quota_remaining_units"):
        assert (f"mailbox_{left_out}", name) not in found


def test_no_address_and_no_text_is_told(busy):
    """People's addresses in a time series database, and in everything that reads it."""
    answer = busy.get("/metrics").text
    for secret in (OWNER, OWNER.split("@")[1], "The inbox is behind", "Gmail answered"):
        assert secret not in answer


def test_the_token_is_needed(shared_server):
    """Counts of somebody's mail for any process of this machine."""
    import httpx  # noqa: PLC0415 - only here without a client of the fixtures

    assert httpx.get(f"{shared_server.url}/metrics").status_code == 401


def test_a_database_that_is_away_is_a_figure(serve, mailbox_id):
    """A scrape that fails, so that the one alert that matters has no data."""
    running = serve()
    running.engine.dispose()
    with running.client() as client:
        running.app.state.engine = create_engine(
            "postgresql+psycopg://nobody@127.0.0.1:9/none", connect_args={"connect_timeout": 2}
        )
        found, _ = scraped(client)
    assert found["database_up",] == 0
    assert ("queue_dead_letters",) not in found
    assert found["webhook_requests_total", "queued"] == 0


def test_openmetrics_is_spoken_to_who_asks(busy):
    """A scraper that gets another format than it reads."""
    answer = busy.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_every_metric_is_described_and_no_other(busy):
    """A metric that nobody can read, or an alert on one that is gone."""
    page = PAGE.read_text()
    described = dict(re.findall(r"^\| `(rl_emails_\w+)` \| (\w+) \|", page, re.MULTILINE))
    _, families = scraped(busy)
    served = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in families
        if not family.name.endswith("_created")
    }
    assert described == served
    for name in re.findall(r"\brl_emails_\w+", page):
        assert name in served or name.removesuffix("_bucket") in served, name


def test_names_follow_prometheus(busy):
    """Names that need a table of their own to be read: base units, total for counters, help for each."""
    _, families = scraped(busy)
    for family in families:
        assert re.fullmatch(r"rl_emails_[a-z]+(_[a-z]+)*", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(r"(minutes|hours|milliseconds|_ms|percent)", family.name)
