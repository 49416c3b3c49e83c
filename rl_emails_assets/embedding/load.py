"""Encoders by name, as settings name them."""

from pathlib import Path

from rl_emails_assets.embedding.encoder import Encoder
from rl_emails_assets.errors import SettingsError

DEFAULT_ENCODER = "minilm"
_TORCH = "sentence-transformers"


def load_encoder(name: str, cache_dir: Path) -> Encoder:
    """The encoder that is called `name`; files it makes go into `cache_dir`.

    * "minilm": all-MiniLM-L6-v2 on onnxruntime;
    * "sentence-transformers": the same weights on torch;
    * "sentence-transformers:MODEL": any model, by its name or its folder.

    Raises SettingsError for any other name, or when torch is needed and absent, ModelFileError when the files are.
    """
    family, _, model = name.partition(":")
    if name == DEFAULT_ENCODER:
        from rl_emails_assets.embedding.minilm import MiniLmEncoder  # noqa: PLC0415 - onnxruntime only when it is used

        return MiniLmEncoder(cache_dir)
    if family == _TORCH:
        from rl_emails_assets.embedding.torch_encoder import SentenceTransformersEncoder  # noqa: PLC0415 - as above

        return SentenceTransformersEncoder(model or None)
    raise SettingsError(
        f'There is no encoder called "{name}": set "{DEFAULT_ENCODER}", "{_TORCH}" or "{_TORCH}:MODEL" instead.'
    )
