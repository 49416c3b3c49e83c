"""Turns the published weights into an ONNX file, once a machine."""

import os
import tempfile
from pathlib import Path

from safetensors.numpy import load_file

from rl_emails_assets.embedding.onnx_graph import GRAPH_VERSION, build_model
from rl_emails_assets.embedding.weights import WEIGHTS_SHA256, MiniLmFiles, check


def converted_path(cache_dir: Path) -> Path:
    """Where the converted model belongs; the name changes with the weights and with the graph."""
    return cache_dir / f"all-MiniLM-L6-v2-{WEIGHTS_SHA256[:12]}-v{GRAPH_VERSION}.onnx"


def ensure_converted(files: MiniLmFiles, cache_dir: Path) -> Path:
    """The converted model's path, made if it is not there (about 2 s).

    Any number of processes may call this at the same time: each that finds no file makes a whole one of its own under
    a temporary name and renames it, and all of them are the same bytes. Raises ModelFileError when the weights are
    not the published ones, and OSError when the folder cannot be written.
    """
    path = converted_path(cache_dir)
    if path.is_file():
        return path
    check(files.weights, WEIGHTS_SHA256)
    model = build_model(load_file(files.weights))
    cache_dir.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=cache_dir, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(model)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes it private; the weights are public, and a second user of the folder must be able to read them.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path
