"""Make what is generated in docs/reference: data, settings, cli, assets, the OpenAPI file. Run by `make docs`."""

import argparse
import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import typer
from pydantic.fields import FieldInfo

from rl_emails_api.app import create_app
from rl_emails_api.organizations import roles_page
from rl_emails_assets.cli import app
from rl_emails_assets.commands import output
from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.db import reference as data
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.definitions import FLOW, defs
from rl_emails_assets.settings import Settings, default_home

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


# -- settings ----------------------------------------------------------------------------------------------------

_SETTINGS = """\
# Settings

Made by `make docs` from `rl_emails_assets/settings.py`; do not edit it by hand. A setting is an environment variable,
read when a command starts. A wrong value stops the command with exit code 2 and a line that names the setting.
"""


def settings_page() -> str:
    """Every setting: its variable, what it is, its default."""
    names = {name: f"RL_EMAILS_{name.upper()}" for name in Settings.model_fields}
    parts = [_SETTINGS, "| variable | default |\n|---|---|"]
    for name, field in Settings.model_fields.items():
        parts[-1] += f"\n| [`{names[name]}`](#{names[name].lower()}) | {_default(name, field)} |"
    parts[-1] += "\n"
    for name, field in Settings.model_fields.items():
        parts.append(f"## {names[name]}\n\n{field.description}\n\nDefault: {_default(name, field)}.{_bounds(field)}\n")
    return "\n".join(parts)


def _default(name: str, field: FieldInfo) -> str:
    if name == "home":
        return (inspect.getdoc(default_home) or "").rstrip(".")
    return "not set" if field.default is None else f"`{field.default}`"


def _bounds(field: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    found = [f"{words[name]} {getattr(item, name)}" for item in field.metadata for name in words if hasattr(item, name)]
    return f" It is {' and '.join(found)}." if found else ""


# -- cli -----------------------------------------------------------------------------------------------------------

_CLI = """\
# The command line

Made by `make docs` from `rl_emails_assets/cli.py`; do not edit it by hand. `make install` puts the command at
`.venv/bin/rl-emails`; each has `--help`. A command that needs the embedded database starts it when it does not run, and
stops it again. Results go to stdout, progress and errors to stderr. A time is written `2026-11-01`,
`2026-11-01T09:00:00` or `2026-11-01T09:00:00+0100`; without an offset it is UTC.
"""


def commands() -> Mapping[str, Any]:
    """Every command by its name, as typer has made it."""
    group: Any = typer.main.get_command(app)
    made: Mapping[str, Any] = group.commands
    return made


def cli_page() -> str:
    """Every command with its arguments, options and help, and the exit codes."""
    parts = [_CLI, "| command | what it does |\n|---|---|"]
    for name, command in commands().items():
        parts[-1] += f"\n| [`{name}`](#{name}) | {_one_line(command.help)} |"
    parts[-1] += "\n"
    parts += [_command(name, command) for name, command in commands().items()]
    parts.append(_exit_codes())
    return "\n".join(parts)


def _command(name: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if not parameter.opts[0].startswith("-")]
    options = [parameter for parameter in command.params if parameter.opts[0].startswith("-")]
    usage = " ".join(["rl-emails", name, *(_usage(parameter) for parameter in arguments + options)])
    lines = [f"## {name}", "", _one_line(command.help), "", "```text", usage, "```", ""]
    if command.params:
        lines += ["| argument or option | what it is | default |", "|---|---|---|"]
        lines += [_parameter(parameter) for parameter in arguments + options]
        lines.append("")
    return "\n".join(lines)


def _usage(parameter: Any) -> str:
    if not parameter.opts[0].startswith("-"):
        shown = str(parameter.name).upper()
    elif parameter.is_flag:
        shown = parameter.opts[0]
        if parameter.secondary_opts:
            # The one that changes something.
            shown = parameter.secondary_opts[0] if parameter.default else parameter.opts[0]
    else:
        shown = f"{parameter.opts[0]} {_value(parameter)}"
    shown += " ..." if parameter.multiple else ""
    return shown if parameter.required else f"[{shown}]"


def _value(parameter: Any) -> str:
    return str(parameter.metavar or parameter.opts[0].lstrip("-").upper())


def _parameter(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    if not parameter.opts[0].startswith("-"):
        names = f"`{str(parameter.name).upper()}`"
    elif not parameter.is_flag:
        names += f" `{_value(parameter)}`"
    if parameter.required:
        default = "required"
    elif getattr(parameter, "is_flag", False) and parameter.secondary_opts:
        default = f"`{parameter.opts[0] if parameter.default else parameter.secondary_opts[0]}`"
    else:
        default = f"`{parameter.default}`" if parameter.default not in (None, "", False) else ""
    return f"| {names} | {_one_line(parameter.help).replace('|', chr(92) + '|')} | {default} |"


def _exit_codes() -> str:
    said = dict(_attribute_docstrings(output, ExitCode.__name__))
    rows = [f"| {code.value} | {said.get(code.name, 'Done.')} |" for code in ExitCode]
    return "\n".join(["## Exit codes", "", "| code | meaning |", "|---|---|", *rows, ""])


def _attribute_docstrings(module: ModuleType, class_name: str) -> Iterator[tuple[str, str]]:
    """The strings below a class's assignments, by the name assigned."""
    tree = ast.parse(inspect.getsource(module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    for before, after in pairwise(body):
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            target = before.targets[0]
            if isinstance(target, ast.Name):
                yield target.id, _one_line(str(after.value.value))


# -- assets --------------------------------------------------------------------------------------------------------

_ASSETS = """\
# Assets, checks, jobs, sensors and schedules

Made by `make docs` from `rl_emails_assets/definitions.py`; do not edit it by hand. An asset is the table of the same
name. It is partitioned by mailbox; the partition's key is the mailbox's id. A run shows for each asset how many rows
the mailbox has, how many the run wrote, rows a second, seconds and cost, and what the step counted besides.
"""

_SCHEDULES = """\
All of them can be switched off and on in the Dagster UI (Automation). A tick only looks: where there is nothing to do
it says so and starts no run. Each run (but of `checks`) leaves a row in `sync_queue.upkeep_runs`, for the status page.
"""


def assets_page() -> str:
    """Every asset by group, every check, job, sensor and schedule."""
    graph = defs.resolve_asset_graph()
    specs = {tuple(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}
    groups = [group.__name__.rpartition(".")[2] for group in FLOW]
    parts = [_ASSETS, f"Groups, in flow order: {', '.join(f'[{group}](#{group})' for group in groups)}.\n"]
    checks = {key: graph.get(key) for key in sorted(graph.asset_check_keys, key=str)}
    for group in groups:
        parts.append(f"## {group}\n")
        for path, spec in sorted(specs.items(), key=lambda item: _depth(specs, item[0])):
            if path[0] == group:
                of_asset = {key.name: node.description for key, node in checks.items() if key.asset_key == spec.key}
                parts.append(_asset(spec, of_asset))
    parts.append(_jobs_and_sensors())
    return "\n".join(parts)


def _depth(specs: Mapping[tuple[str, ...], dg.AssetSpec], path: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """How far an asset is from the mailboxes, then its name: an order that follows the flow."""
    parents = [_depth(specs, tuple(dep.asset_key.path))[0] for dep in specs[path].deps]
    return 1 + max(parents, default=0), path


def _asset(spec: dg.AssetSpec, checks: Mapping[str, str | None]) -> str:
    table = str(spec.metadata["dagster/table_name"])
    upstream = ", ".join(_link(dep.asset_key) for dep in sorted(spec.deps, key=lambda dep: str(dep.asset_key)))
    lines = [f"### {spec.key.to_user_string()}", "", spec.description or "", ""]
    lines.append(f"* Table: [{table}](data.md#{table.replace('.', '')}).")
    lines.append(f"* Upstream: {upstream or 'none; it is observed, not computed'}.")
    lines.append(f"* Owner: {', '.join(spec.owners)}.")
    lines += [f"* Check `{name}`: {description}" for name, description in checks.items()]
    return "\n".join(lines) + "\n"


def _link(key: dg.AssetKey) -> str:
    return f"[{key.to_user_string()}](#{''.join(key.path)})"


def _jobs_and_sensors() -> str:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    lines = ["## Jobs", ""]
    for job in sorted(jobs, key=lambda job: job.name):
        lines += [f"### {job.name}", "", job.description or "", ""]
    lines += ["## Sensors", ""]
    for sensor in repository.sensor_defs:
        lines += [f"### {sensor.name}", "", sensor.description or "", ""]
        state = "from the start" if sensor.default_status is dg.DefaultSensorStatus.RUNNING else "when switched on"
        targets = " or ".join(f"`{target.job_name}`" for target in sensor.targets)
        starts = f" and starts the job {targets}" if targets else " and starts nothing"
        lines += [f"It looks every {sensor.minimum_interval_seconds} s, {state},{starts}.", ""]
    lines += ["## Schedules", "", _SCHEDULES]
    for schedule in repository.schedule_defs:
        state = "from the start" if schedule.default_status is dg.DefaultScheduleStatus.RUNNING else "when switched on"
        lines += [f"### {schedule.name}", "", schedule.description or "", ""]
        lines += [f"Cron (UTC): `{schedule.cron_schedule}`, {state}. It starts the job `{schedule.job_name}`.", ""]
    return "\n".join(lines)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


# -- openapi -------------------------------------------------------------------------------------------------------


_REQUESTS = re.compile(r"(\| request \| what it does \|\n\|---\|---\|\n)(?:\|.*\n)*")


def openapi_file() -> str:
    """The API's schema as it is served, with its keys in the order of the code, so that a change is a small diff."""
    engine = make_engine("postgresql://nobody@127.0.0.1:1/nothing", "reference")
    made = create_app(engine, Settings(token="unused"))  # noqa: S106 - nothing is served
    return json.dumps(made.openapi(), indent=1, ensure_ascii=False) + "\n"


def api_page() -> str:
    """The page about the API as it is, with the table of requests made from the schema."""
    operations = [
        (method.upper(), path, _one_line(operation["summary"]))
        for path, methods in json.loads(openapi_file())["paths"].items()
        for method, operation in methods.items()
    ]
    table = "".join(f"| `{method} {path}` | {summary} |\n" for method, path, summary in operations)
    return _REQUESTS.sub(lambda found: found[1] + table, (FOLDER / "api.md").read_text())


PAGES: dict[str, Callable[[], str]] = {
    "openapi.json": openapi_file,
    "api.md": api_page,
    "data.md": data.page,
    "settings.md": settings_page,
    "cli.md": cli_page,
    "assets.md": assets_page,
    "roles.md": roles_page.page,
}


def main() -> None:
    """Write every page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    for name, page in PAGES.items():
        (folder / name).write_text(page())
        print(folder / name)


if __name__ == "__main__":
    main()
