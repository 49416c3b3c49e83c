"""Dagster's own folder below the home folder: its dagster.yaml, and a workspace that points at our code server."""

import os
from importlib import resources
from pathlib import Path

import yaml

LOCATION_NAME = "rl_emails"


def dagster_home(home: Path) -> Path:
    """Make `home/dagster` ready and name it in DAGSTER_HOME for this process and its children. Returns it."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    content = resources.files("rl_emails_assets.instance").joinpath("dagster.yaml").read_text()
    _write(folder / "dagster.yaml", content)
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


def write_workspace(folder: Path, port: int) -> Path:
    """A workspace.yaml for Dagster's daemon and UI: the code server that listens on `port`."""
    server = {"host": "127.0.0.1", "port": port, "location_name": LOCATION_NAME}
    path = folder / "workspace.yaml"
    _write(path, yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
    return path


def _write(path: Path, content: str) -> None:
    """Write in one step, and only what changed: processes that run may be reading it."""
    if path.exists() and path.read_text() == content:
        return
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.write_text(content)
    scratch.replace(path)
