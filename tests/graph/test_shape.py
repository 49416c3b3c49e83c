"""The graph itself: its assets, their order, what each shows in the UI, and what starts a run."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import yaml

from rl_emails_assets import asset_keys, definitions
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.definitions import FLOW, defs
from rl_emails_assets.steps.flow import STEPS

ROOT = Path(definitions.__file__).parents[1]
GROUPS = [group.__name__.rpartition(".")[2] for group in FLOW]
KEYS = {value for name, value in vars(asset_keys).items() if name.isupper()}
TABLES_OF_VERSIONS = {asset_keys.MODELS_RANKER, asset_keys.MODELS_CLASSIFIER, asset_keys.MODELS_SERVING}
GRAPH = defs.resolve_asset_graph()
SPECS = {tuple(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}


def test_every_key_is_an_asset_and_every_asset_a_key() -> None:
    """A mistyped key silently becomes a new external asset, and its downstream never runs."""
    assert set(SPECS) == KEYS
    assert {tuple(key.path) for key in GRAPH.external_asset_keys} == {asset_keys.MAILBOXES_CONNECTIONS}


def test_the_flow_names_every_group_in_order_and_nothing_flows_back() -> None:
    """A dependency against the flow would make the group names a lie."""
    assert GROUPS == [
        "mailboxes", "raw", "mail", "signals", "embeddings", "classifications", "entities", "priorities",
        "models",
    ]  # fmt: skip
    for key in KEYS:
        for parent in GRAPH.get(dg.AssetKey(key)).parent_keys:
            assert GROUPS.index(parent.path[0]) <= GROUPS.index(key[0])


def test_path_key_group_and_table_are_the_same() -> None:
    """When a file, an asset and a table have different names nobody finds the one from the other."""
    for key, spec in SPECS.items():
        assert spec.group_name == key[0]
        # A candidate and what serves are states of the same row.
        table = "models.versions" if key in TABLES_OF_VERSIONS else ".".join(key)
        assert spec.metadata["dagster/table_name"] == table
        assert table in metadata.tables
        if key[0] != "raw":  # written by one transaction, and so by one module
            assert (ROOT / "rl_emails_assets" / "defs" / key[0] / f"{key[1]}.py").exists()


def test_every_asset_shows_its_columns_owner_version_and_partitions() -> None:
    """Column schemas, owners and partitions are what a data engineer steers by."""
    for spec in SPECS.values():
        columns = spec.metadata["dagster/column_schema"].columns
        assert columns
        assert all(column.description for column in columns)
        assert spec.owners
        assert spec.code_version
        assert spec.description
        assert isinstance(spec.partitions_def, dg.DynamicPartitionsDefinition)
        assert spec.partitions_def.name == "mailboxes"


def test_the_steps_run_in_an_order_that_the_graph_allows() -> None:
    """Benchmarks and tests run STEPS; an order of their own would measure and prove another program."""
    order = list(STEPS)
    for key in order:
        for parent in GRAPH.get(dg.AssetKey(key)).parent_keys:
            path = (parent.path[0], parent.path[1])
            if path in STEPS:
                assert order.index(path) < order.index(key)
    written = {asset_keys.MAILBOXES_CONNECTIONS, asset_keys.RAW_LABELS, asset_keys.RAW_GAPS}
    learned = {key for key in KEYS if key[0] == "models"}
    assert set(STEPS) | written | learned == KEYS


def test_the_jobs_and_checks_are_these() -> None:
    """A job that vanished from the code location would stop the sync without an error."""
    assert {job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")} == {
        "sync", "recompute", "checks", "disconnect", "redrive_dead_letters", "watch_renewal", "full_sync", "poll",
        "stale_connections", "pruning", "maintenance", "identity_sync", "erasures", "sealing", "learn",
    }  # fmt: skip
    assert {(key.asset_key.path[0], key.name) for key in GRAPH.asset_check_keys} == {
        ("mailboxes", "watch_expiry"),
        ("raw", "current"),
        ("raw", "backlog_age"),
        ("raw", "no_dead_letters"),
        ("raw", "completeness"),
        ("raw", "sources_read"),
        ("mail", "all_parsed"),
        ("mail", "html_yields_text"),
        ("embeddings", "coverage"),
        ("embeddings", "one_encoder"),
        ("classifications", "class_mix"),
        ("priorities", "freshness"),
        ("priorities", "score_drift"),
        ("models", "better_than_serving"),
        ("models", "carries_out_corrections"),
        ("models", "score_shift"),
        ("models", "calibration"),
    }


def test_the_sensors_and_schedules_are_these_at_these_times_and_run_from_the_start() -> None:
    """A schedule that is off, or comes at another time than its reason says, is missed only when its work is."""
    repository = defs.get_repository_def()
    assert {sensor.name: (sensor.minimum_interval_seconds, sensor.default_status.value)
            for sensor in repository.sensor_defs} == {
        "sync_requests": (1, "RUNNING"),
        "sync_requests_2": (1, "RUNNING"),
        "sync_requests_3": (1, "RUNNING"),
        "failed_runs": (5, "RUNNING"),
        "cancelled_runs": (5, "RUNNING"),
        "corrections": (2, "RUNNING"),
    }  # fmt: skip
    assert {schedule.name: (schedule.cron_schedule, schedule.job_name, schedule.default_status.value)
            for schedule in repository.schedule_defs} == {
        "watch_renewal": ("7 * * * *", "watch_renewal", "RUNNING"),
        "full_sync": ("17 * * * *", "full_sync", "RUNNING"),
        "poll": ("* * * * *", "poll", "RUNNING"),
        "stale_connections": ("*/5 * * * *", "stale_connections", "RUNNING"),
        "erasures": ("* * * * *", "erasures", "RUNNING"),
        "sealing": ("37 * * * *", "sealing", "RUNNING"),
        "pruning": ("23 3 * * *", "pruning", "RUNNING"),
        "maintenance": ("41 4 * * 0", "maintenance", "RUNNING"),
        "identity_sync": ("29 * * * *", "identity_sync", "RUNNING"),
        "checks": ("11,41 * * * *", "checks", "RUNNING"),
        "learning": ("37 2 * * *", "learn", "RUNNING"),
    }  # fmt: skip
    for each in [*repository.sensor_defs, *repository.schedule_defs, *defs.resolve_all_job_defs()]:
        assert each.description or each.name.startswith("__"), f"{each.name} does not say what it is for"


def test_a_sync_asks_no_check() -> None:
    """The checks look at every mailbox; asked on the way of each new message they would cost more than it."""
    for name in ("sync", "recompute"):
        assert not defs.resolve_job_def(name).asset_layer.asset_graph.asset_check_keys


def test_recomputing_reads_no_source() -> None:
    """A backfill must work when the imported file is long gone."""
    job = defs.resolve_job_def("recompute")
    groups = {key.path[0] for key in job.asset_layer.executable_asset_keys}
    assert groups == set(GROUPS) - {"mailboxes", "raw", "models"}


def test_mail_does_not_wait_for_learning_and_what_is_refused_does_not_serve() -> None:
    """Training in the way of every new message; or a gate that lets through what it refuses."""
    groups = {key.path[0] for key in defs.resolve_job_def("sync").asset_layer.executable_asset_keys}
    assert "models" not in groups
    learn = defs.resolve_job_def("learn").asset_layer.asset_graph
    assert {key.name for key in learn.asset_check_keys} == {"better_than_serving", "carries_out_corrections"}
    assert all(learn.get(key).blocking for key in learn.asset_check_keys)


def test_the_code_location_loads_in_a_fresh_interpreter_without_heavy_imports() -> None:
    """Work at import time makes every process of Dagster slow, and one that fails keeps the location from loading."""
    check = (
        "import sys; from rl_emails_assets.definitions import defs; defs.resolve_asset_graph(); "
        "print({'torch', 'sentence_transformers', 'openai', 'sklearn'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "set()"), done.stderr


def test_plain_dagster_dev_reads_what_up_writes() -> None:
    """Two instance files that differ would give `dagster dev` another behaviour than `rl-emails up`."""
    package = ROOT / "rl_emails_assets" / "instance" / "dagster.yaml"
    assert (ROOT / "dagster.yaml").read_text() == package.read_text()
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace["load_from"][0]["python_module"]["module_name"] == "rl_emails_assets.definitions"
