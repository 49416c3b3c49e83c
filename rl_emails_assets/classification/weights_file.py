"""Reading a trained model's arrays: numpy's archive, held to the sha256 that the card beside it names."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_emails_assets.errors import ModelFileError


def read_arrays(
    path: Path, card: Path, names: Iterable[str], *, what: str, made_by: str
) -> tuple[dict[str, npt.NDArray[Any]], str]:
    """The named arrays, and the start of the file's sha256, which is the model's version.

    `what` names the model in errors ("request model"), `made_by` the module that trains it.

    Raises:
        ModelFileError: a file is missing, is damaged, or is not the one the card names.
    """
    try:
        content = path.read_bytes()
        expected = json.loads(card.read_text("utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"the {what} {path.name} or its card {card.name} cannot be read ({error}); install rl-emails again, or "
            f"make them with python -m {made_by}"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise ModelFileError(
            f"{path.name} has sha256 {digest[:12]}, its card says {str(expected)[:12]}; the two do not belong "
            "together: install rl-emails again, or train again"
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}, digest[:12]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path.name} is not a {what} ({error}); train it again") from error
