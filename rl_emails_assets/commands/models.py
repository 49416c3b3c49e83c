"""`rl-emails models`: what a mailbox learned, what it would change, and taking it back."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlalchemy import Connection, Engine

from rl_emails_assets.commands.output import ExitCode, console, print_json, shown
from rl_emails_assets.db.mailbox_rows import Mailbox, find_mailbox
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.steps import models_serving as serving
from rl_emails_assets.steps import models_versions as versions
from rl_emails_assets.steps import models_what_if as what_if
from rl_emails_assets.steps.models_serving import Change
from rl_emails_assets.steps.models_versions import Kind, Version
from rl_emails_assets.steps.models_what_if import Report

KINDS: tuple[Kind, ...] = ("ranker", "classifier")
TOP = 15


def list_models(engine: Engine, mailbox_name: str | None, *, is_json: bool) -> ExitCode:
    """Every model of a mailbox, newest first, and what came of the last training."""
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
        found = versions.listed(connection, mailbox.mailbox_id)
        trainings = {kind: versions.last_training(connection, mailbox.mailbox_id, kind) for kind in KINDS}
    notes = {kind: (row["trained_at"], row["note"]) for kind, row in trainings.items() if row is not None}
    if is_json:
        print_json(
            {
                "mailbox": mailbox.address,
                "models": [_as_json(model) for model in found],
                "trainings": {kind: {"trained_at": at, "note": note} for kind, (at, note) in notes.items()},
            }
        )
        return ExitCode.OK
    out = console()
    if found:
        table = Table(box=None, pad_edge=False)
        for name in ("kind", "version", "state", "made", "served since", "moved", "why"):
            table.add_column(name, overflow="fold")
        for model in found:
            table.add_row(
                model.kind,
                model.version,
                model.state,
                _moment(model.created_at),
                _moment(model.served_at),
                str(model.moved_count),
                shown(model.reason),
            )
        out.print(table)
    else:
        out.print("This mailbox has no model of its own; what all share serves alone.")
    for kind, (at, note) in notes.items():
        out.print(shown(f"last training of its {kind}, {_moment(at)}: {note}"))
    return ExitCode.OK


def show_model(engine: Engine, mailbox_name: str | None, name: str, *, is_json: bool) -> ExitCode:
    """What a model was made of, what it was measured to be, and what it moved."""
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
        model = find_model(connection, mailbox, name)
        report = what_if.recorded(connection, mailbox.mailbox_id, model)
        said = what_if.subjects(connection, [each.message_id for each in report.shifts[:TOP]])
    if is_json:
        print_json({**_as_json(model), "weights": model.weights, "moved": what_if.as_json(report, said, TOP)})
        return ExitCode.OK
    out = console()
    out.print(f"[bold]{model.kind} {model.version}[/]  {model.model_id}  {model.state}")
    out.print(shown(model.reason))
    for title, values in (("made of", model.trained_from), ("measured", model.evaluation.get("comparison") or {})):
        out.print(f"\n{title}")
        _facts(values)
    _print_report(report, said)
    return ExitCode.OK


def promote_model(engine: Engine, mailbox_name: str | None, name: str, *, force: bool, is_json: bool) -> ExitCode:
    """Let a model serve. One that the gate refused only with `force`."""
    with engine.begin() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
        model = find_model(connection, mailbox, name)
        if model.state == "rejected" and not force:
            console(is_error=True).print(
                shown(f"error: {model.version} was refused: {model.reason} Repeat with --force to let it serve.")
            )
            return ExitCode.FAILED
        change = serving.promote(connection, model, why="Promoted by its owner.")
    return _receipt(mailbox, change, "promoted", is_json=is_json)


def roll_back(engine: Engine, mailbox_name: str | None, kind: Kind, *, is_json: bool) -> ExitCode:
    """Let the former model serve again, or what all share where there was none."""
    with engine.begin() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
        change = serving.roll_back(connection, mailbox.mailbox_id, kind)
    return _receipt(mailbox, change, "rolled back", is_json=is_json)


def run_what_if(
    engine: Engine,
    mailbox_name: str | None,
    name: str | None,
    *,
    sender: tuple[str, bool] | None,
    weights: Path | None,
    is_json: bool,
) -> ExitCode:
    """Lay a model, a rule about a sender, or another file of shared weights over the mailbox, and say what moves."""
    with engine.begin() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
        model: Version | None = None
        if sender is not None:
            model, report = what_if.of_rule(
                connection, mailbox.mailbox_id, sender[0], is_important=sender[1], run_id=f"what-if {uuid.uuid4()}"
            )
        elif weights is not None:
            report = what_if.of_weights(connection, mailbox.mailbox_id, weights)
        else:
            model = find_model(connection, mailbox, name)
            report = what_if.of_model(connection, mailbox.mailbox_id, model)
        said = what_if.subjects(connection, [each.message_id for each in report.shifts[:TOP]])
    if is_json:
        print_json({"model": None if model is None else _as_json(model), **what_if.as_json(report, said, TOP)})
        return ExitCode.OK
    _print_report(report, said)
    if model is not None and model.state != "serving":
        console().print(f"\nNothing has changed. `rl-emails models promote {model.version}` lets it serve.")
    return ExitCode.OK


def find_model(connection: Connection, mailbox: Mailbox, name: str | None) -> Version:
    """The model of the mailbox that `name` (an id or a version, or how one begins) names; the newest when nothing is
    said. Raises NotFoundError, naming what there is."""
    everything = versions.listed(connection, mailbox.mailbox_id)
    wanted = (name or "").strip().lower()
    found = [each for each in everything if each.version.startswith(wanted) or str(each.model_id).startswith(wanted)]
    if found and (name is None or len({each.version for each in found}) == 1):
        return found[0]
    there = ", ".join(each.version for each in everything[:10]) or "none yet; a correction makes one"
    what = "Several models are called" if found else "No model is called"
    raise NotFoundError(f"{what} {name!r} in {mailbox.address}. There are: {there}.")


def _receipt(mailbox: Mailbox, change: Change, what: str, *, is_json: bool) -> ExitCode:
    if is_json:
        print_json(
            {
                "mailbox": mailbox.address,
                "kind": change.kind,
                "before": None if change.before is None else change.before.version,
                "after": None if change.after is None else change.after.version,
                "moved_count": change.moved_count,
            }
        )
        return ExitCode.OK
    names = [
        "what all share, alone" if model is None else f"{model.version}, made {_moment(model.created_at)}"
        for model in (change.before, change.after)
    ]
    out = console()
    out.print(f"{what}: the {change.kind} of {shown(mailbox.address)}")
    out.print(f"  served: {names[0]}\n  serves: {names[1]}")
    out.print(f"  {change.moved_count} messages change their score; the next sync ranks them, within a minute.")
    return ExitCode.OK


def _print_report(report: Report, said: Mapping[uuid.UUID, tuple[str, str]]) -> None:
    out = console()
    out.print(
        f"\n{report.moved_count} of {report.message_count} messages would move; {report.to_first_page_count} onto the "
        f"first page of {what_if.FIRST_PAGE}, {report.from_first_page_count} off it"
    )
    sections = Table(box=None, pad_edge=False)
    for name in ("category", "messages", "up", "down"):
        sections.add_column(name)
    for section in report.sections:
        if section.up_count or section.down_count:
            sections.add_row(
                section.category, str(section.message_count), str(section.up_count), str(section.down_count)
            )
    if report.moved_count:
        out.print(sections)
        table = Table(box=None, pad_edge=False)
        for name, ratio in (("score", None), ("place", None), ("from", 3), ("subject", 6)):
            table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=ratio)
        for each in report.shifts[:TOP]:
            subject, address = said.get(each.message_id, ("", ""))
            table.add_row(
                f"{each.score_before:.2f} -> {each.score_after:.2f}",
                f"{each.place_before} -> {each.place_after}",
                shown(address),
                shown(subject) or "(no subject)",
            )
        out.print(table)


def _facts(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        console().print(shown(f"  {name.replace('_', ' ')}: {'unknown' if value is None else value}"))
    if not values:
        console().print("  nothing to measure on yet")


def _as_json(model: Version) -> dict[str, Any]:
    names = (
        "model_id", "kind", "version", "state", "is_passed", "is_rolled_back", "reason", "took_over_from",
        "moved_count", "trained_from", "evaluation", "run_id", "created_at", "served_at", "applied_at", "ended_at",
    )  # fmt: skip
    return {name: getattr(model, name) for name in names}


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"
