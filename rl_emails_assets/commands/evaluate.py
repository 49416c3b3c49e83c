"""`rl-emails eval`: measure every engine on a folder of labelled mail, and write the report."""

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from rl_emails_assets.commands.output import ExitCode, console, print_json, shown
from rl_emails_assets.errors import SourceError
from rl_emails_assets.evaluation.report import write
from rl_emails_assets.evaluation.run import run
from rl_emails_assets.evaluation.section import Section


def evaluate(data: Path, keys: Sequence[str], out: Path, *, seed: int, is_json: bool) -> ExitCode:
    """Measure and write. FAILED when a section does not keep its contract, INCOMPLETE when data is missing.

    Raises:
        SourceError: There is nothing to measure on, or the report cannot be written.
    """
    progress = console(is_error=True)
    began = time.monotonic()

    def begin(key: str) -> None:
        nonlocal began
        began = time.monotonic()
        progress.print(f"{key}: measuring", markup=False)

    def end(key: str, section: Section | None) -> None:
        seconds = time.monotonic() - began
        goals = [figure for figure in section.figures if figure.goal is not None] if section else []
        said = (
            f"{sum(bool(figure.is_met) for figure in goals)} of {len(goals)} goals met" if section else "data missing"
        )
        progress.print(f"{key}: {said} ({seconds:.0f} s)", markup=False)

    command = shlex.join(["rl-emails", "eval", "--data", str(data), "--seed", str(seed)])
    evaluation = run(data, keys, seed=seed, command=command, on_section=begin, on_result=end)
    try:
        written = write(evaluation, out)
    except OSError as error:
        raise SourceError(f"{out} cannot be written to ({error.strerror}); give --out another folder.") from error
    if is_json:
        print_json(evaluation.as_json())
    else:
        out_console = console()
        for section in evaluation.sections:
            for figure in section.figures:
                if figure.goal is not None:
                    word = "met" if figure.is_met else "NOT MET"
                    out_console.print(shown(f"{section.title}: {figure.name} {figure.value:.3f} {word}"))
        out_console.print(shown(f"{len(written)} files in {out}"))
    for key, reason in evaluation.missing.items():
        progress.print(shown(f"missing: {key}: {reason}"))
    for fault in evaluation.faults:
        progress.print(shown(f"fault: {fault}"))
    if evaluation.faults:
        return ExitCode.FAILED
    return ExitCode.INCOMPLETE if evaluation.missing else ExitCode.OK
