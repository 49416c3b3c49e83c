"""The default encoder: all-MiniLM-L6-v2 in int8 on onnxruntime, without torch."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from rl_emails_assets.embedding.conversion import ensure_converted
from rl_emails_assets.embedding.distinct_texts import Vector, encode_distinct
from rl_emails_assets.embedding.encoder import MAX_TOKENS
from rl_emails_assets.embedding.onnx_graph import GRAPH_VERSION, INPUT_NAME, OUTPUT_NAME
from rl_emails_assets.embedding.weights import MODEL_NAME, TOKENIZER_SHA256, WEIGHTS_SHA256, check, find_files
from rl_emails_assets.errors import ModelFileError


class MiniLmEncoder:
    """An `Encoder` whose vectors are bit-identical whatever else is encoded with them.

    Texts are computed one at a time, by as many single-threaded workers as the process may use cores, over one shared
    session. No thread outlives a call, so the process may fork between calls. Of a text only the first
    `text.MAX_CHARACTERS` characters and `MAX_TOKENS` word pieces count.
    """

    def __init__(self, cache_dir: Path, *, workers: int | None = None) -> None:
        """Converts the installed weights into `cache_dir` if that has not been done. Raises ModelFileError when they
        are missing, not the published ones, or the converted file cannot be read."""
        files = find_files()
        check(files.tokenizer, TOKENIZER_SHA256)
        self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = _session(ensure_converted(files, cache_dir))
        self._workers = workers or _usable_cores()

    @property
    def model(self) -> str:
        return f"{MODEL_NAME}@{WEIGHTS_SHA256[:12]}"

    @property
    def precision(self) -> str:
        return f"int8.{GRAPH_VERSION}"

    def encode(self, texts: Sequence[str]) -> Vector:
        return encode_distinct(texts, self._encode)

    def _encode(self, texts: list[str]) -> list[Vector]:
        if min(self._workers, len(texts)) == 1:
            return [self._vector(text) for text in texts]
        with ThreadPoolExecutor(self._workers) as executor:
            return list(executor.map(self._vector, texts))

    def _vector(self, text: str) -> Vector:
        # Not encode_batch: it starts threads of its own, which a later fork would leave in an unknown state.
        token_ids = np.array([self._tokenizer.encode(text).ids], np.int32)
        vectors: list[Vector] = self._session.run([OUTPUT_NAME], {INPUT_NAME: token_ids})
        vector: Vector = vectors[0][0]
        return vector


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelFileError(f"{path} cannot be read ({error}). Delete it: the next start makes it again.") from error
