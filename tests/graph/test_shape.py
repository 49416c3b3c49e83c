"""The graph itself: its assets, their order, what each shows in the UI, and what starts a run."""

import subprocess
import sys
import uuid
from pathlib import Path

import dagster as dg
import yaml

from rl_emails_assets import asset_keys, definitions
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.definitions import FLOW, defs
from rl_emails_assets.defs.automation.sensors import requests_for
from rl_emails_assets.steps.flow import STEPS
from rl_emails_assets.sync_queue.queue import Due

ROOT = Path(definitions.__file__).parents[1]
GROUPS = [group.__name__.rpartition(".")[2] for group in FLOW]
KEYS = {value for name, value in vars(asset_keys).items() if name.isupper()}
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
    ]  # fmt: skip
    for key in KEYS:
        for parent in GRAPH.get(dg.AssetKey(key)).parent_keys:
            assert GROUPS.index(parent.path[0]) <= GROUPS.index(key[0])


def test_path_key_group_and_table_are_the_same() -> None:
    """When a file, an asset and a table have different names nobody finds the one from the other."""
    for key, spec in SPECS.items():
        assert spec.group_name == key[0]
        assert spec.metadata["dagster/table_name"] == ".".join(key)
        assert ".".join(key) in metadata.tables
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
    assert set(STEPS) | written == KEYS


def test_the_jobs_sensors_and_checks_are_these() -> None:
    """A job or sensor that vanished from the code location would stop the sync without an error."""
    assert {job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")} == {"sync", "recompute"}
    repository = defs.get_repository_def()
    assert {sensor.name for sensor in repository.sensor_defs} == {"sync_requests"}
    assert {(key.asset_key.path[0], key.name) for key in GRAPH.asset_check_keys} == {
        ("raw", "completeness"),
        ("raw", "sources_read"),
        ("mail", "all_parsed"),
        ("mail", "html_yields_text"),
        ("embeddings", "coverage"),
        ("embeddings", "one_encoder"),
        ("classifications", "class_mix"),
        ("priorities", "freshness"),
        ("priorities", "score_drift"),
    }


def test_recomputing_reads_no_source() -> None:
    """A backfill must work when the imported file is long gone."""
    job = defs.resolve_job_def("recompute")
    groups = {key.path[0] for key in job.asset_layer.executable_asset_keys}
    assert groups == set(GROUPS) - {"mailboxes", "raw"}


def test_a_request_gets_one_run_and_another_one_when_it_is_tried_again() -> None:
    """Dagster never forgets a run key: a fixed one would start the first run and no other, ever."""
    request_id, mailbox_id = uuid.uuid4(), uuid.uuid4()
    first, again, retried = (requests_for([Due(request_id, mailbox_id, attempts)])[0].run_key for attempts in (0, 0, 1))
    assert first == again != retried
    assert requests_for([Due(request_id, mailbox_id, 0)])[0].partition_key == str(mailbox_id)


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
