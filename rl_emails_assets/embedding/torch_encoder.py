"""The optional encoder: a sentence-transformers model on torch, on a GPU when there is one.

Needs the extra `torch`; neither torch nor sentence_transformers is imported before an encoder is made.
"""

import hashlib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_emails_assets.embedding.distinct_texts import encode_distinct
from rl_emails_assets.embedding.encoder import DIMENSIONS, MAX_TOKENS
from rl_emails_assets.embedding.weights import (
    MODEL_NAME,
    TOKENIZER_SHA256,
    WEIGHTS_SHA256,
    check,
    find_files,
)
from rl_emails_assets.errors import ModelFileError, SettingsError

GPU_BATCH_SIZE = 64
_PRECISIONS = {"torch.float32": "fp32", "torch.bfloat16": "bf16", "torch.float16": "fp16"}


class SentenceTransformersEncoder:
    """An `Encoder` over any sentence-transformers model of `DIMENSIONS` dimensions.

    A text's vector must not depend on the texts around it, and the rounding of a matrix product depends on the
    product's shape. So the CPU computes one text at a time, and a GPU batches of one shape: `GPU_BATCH_SIZE` texts,
    each padded to the model's longest.
    """

    def __init__(self, model: str | None = None, *, device: str | None = None) -> None:
        """`model` is a name or a folder; None is all-MiniLM-L6-v2 from the installed wheel, without any network.
        `device` is torch's name for it; None is "cuda" when torch sees one, else "cpu".

        Raises SettingsError when the extra is not installed or the model's vectors have another dimension, and
        ModelFileError when the model cannot be found or is not the published one.
        """
        try:
            torch = import_module("torch")
            sentence_transformers = import_module("sentence_transformers")
        except ImportError as error:
            raise SettingsError(
                "The sentence-transformers encoder needs torch, which is not installed "
                f"({error}): run `pip install 'rl-emails[torch]'`, or use the encoder \"minilm\"."
            ) from error
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._fixed_shape = device.partition(":")[0] != "cpu"
        self._model: Any = _loaded(sentence_transformers.SentenceTransformer, model, device)
        dimensions = self._model.get_embedding_dimension()
        if dimensions != DIMENSIONS:
            raise SettingsError(
                f"The model {model} makes vectors of {dimensions} dimensions, the database holds {DIMENSIONS}: "
                f"choose a model of {DIMENSIONS} dimensions, such as {MODEL_NAME}."
            )
        self._model.max_seq_length = min(self._model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
        self._name = f"{MODEL_NAME}@{WEIGHTS_SHA256[:12]}" if model is None else f"{model}@{_weights_hash(self._model)}"
        dtype = str(next(self._model.parameters()).dtype)
        self._precision = _PRECISIONS.get(dtype, dtype)

    @property
    def model(self) -> str:
        return self._name

    @property
    def precision(self) -> str:
        return self._precision

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return encode_distinct(texts, self._encode)

    def _encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        count = len(texts)
        options: dict[str, Any] = {"batch_size": 1}
        if self._fixed_shape:
            texts = texts + [""] * (-count % GPU_BATCH_SIZE)
            padding = {"padding": "max_length", "max_length": self._model.max_seq_length}
            options = {"batch_size": GPU_BATCH_SIZE, "processing_kwargs": {"text": padding}}
        vectors = self._model.encode(texts, show_progress_bar=False, normalize_embeddings=True, **options)
        return np.asarray(vectors, np.float32)[:count]


def _loaded(factory: Any, model: str | None, device: str) -> Any:
    if model is None:
        files = find_files()
        check(files.weights, WEIGHTS_SHA256)
        check(files.tokenizer, TOKENIZER_SHA256)
        return factory(str(files.folder), device=device, local_files_only=True)
    try:
        return factory(model, device=device)
    except (OSError, ValueError) as error:
        kind = "folder" if Path(model).is_absolute() else "name"
        raise ModelFileError(f"No sentence-transformers model has the {kind} {model} ({error}): correct it.") from error


def _weights_hash(model: Any) -> str:
    """The first 12 hexadecimal digits of the sha256 over the parameters, in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:12]
