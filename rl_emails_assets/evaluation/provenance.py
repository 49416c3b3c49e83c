"""What an evaluation was made with, so that somebody else can make it again: code, model files, data, machine."""

import ast
import hashlib
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
ENGINES = ("mail", "signals", "classification", "extraction", "ranking", "language_models", "steps")
DATA_FOLDERS = ("mailboxes", "labelled", "dates", "replies")
LIBRARIES = ("numpy", "polars", "scikit-learn")
_HASH_LENGTH = 12
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """`engines` has each `VERSION` of the code, `models` and `data` the start of each file's SHA-256."""

    command: str
    release: str
    engines: dict[str, str]
    models: dict[str, str]
    data: dict[str, str]
    machine: dict[str, str]


def provenance(data: Path, command: str) -> Provenance:
    """Of this installation and this data folder."""
    return Provenance(
        command=command,
        release=version("rl-emails"),
        engines=dict(engine_versions()),
        models=dict(model_files()),
        data=dict(_data_files(data)),
        machine=_machine(),
    )


def engine_versions() -> Iterator[tuple[str, str]]:
    """The version constants of the engines and of the steps that call them, by module."""
    for path in _files(".py"):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
                for name in names:
                    if name == "VERSION":
                        yield module, str(node.value.value)
                    elif name.endswith("_VERSION"):
                        yield f"{module} {name.removesuffix('_VERSION').lower()}", str(node.value.value)


def model_files() -> Iterator[tuple[str, str]]:
    """The weights that are shipped."""
    for suffix in (".json", ".npz"):
        for path in _files(suffix):
            yield str(path.relative_to(PACKAGE)), _hash(path)


def _files(suffix: str) -> Iterator[Path]:
    for engine in ENGINES:
        yield from sorted((PACKAGE / engine).rglob(f"*{suffix}"))


def _data_files(data: Path) -> Iterator[tuple[str, str]]:
    for folder in DATA_FOLDERS:
        for path in sorted((data / folder).glob("*")):
            if path.is_file():
                yield f"{folder}/{path.name}", _hash(path)


def _hash(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as opened:
        while block := opened.read(_READ_BYTES):
            found.update(block)
    return found.hexdigest()[:_HASH_LENGTH]


def _machine() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "Python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }
