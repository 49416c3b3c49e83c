"""What is measured, in order: the modules of this package that have `evaluate(data, *, seed) -> Section`."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from rl_emails_assets.evaluation.section import Section

KEYS = ("zoning", "categories", "requests", "dates", "tasks", "people", "projects", "ranking", "injection")
"""Each is the name of a module here and the key of the section that it makes."""

Evaluate = Callable[..., Section]


def module(key: str) -> ModuleType:
    """The module that measures a section."""
    return import_module(f"rl_emails_assets.evaluation.{key}")


def evaluate_section(key: str, data: Path, *, seed: int) -> Section:
    """One section, measured now.

    Raises:
        SourceError: What it measures on is not in `data`; the message says what to get.
    """
    evaluate: Evaluate = module(key).evaluate
    return evaluate(data, seed=seed)
