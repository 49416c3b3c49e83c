"""The default encoder: all-MiniLM-L6-v2 in int8 on onnxruntime, without torch."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from rl_emails_assets.embedding.conversion import ensure_converted
from rl_emails_assets.embedding.encoder import DIMENSIONS, MAX_TOKENS
from rl_emails_assets.embedding.onnx_graph import GRAPH_VERSION, INPUT_NAME, OUTPUT_NAME
from rl_emails_assets.embedding.text import MAX_CHARACTERS
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
        self._workers = workers or len(os.sched_getaffinity(0))

    @property
    def model(self) -> str:
        return f"{MODEL_NAME}@{WEIGHTS_SHA256[:12]}"

    @property
    def precision(self) -> str:
        return f"int8.{GRAPH_VERSION}"

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            places.setdefault(text[:MAX_CHARACTERS], []).append(place)
        encodings = self._tokenizer.encode_batch_fast(list(places))
        token_ids = [np.array([encoding.ids], np.int32) for encoding in encodings]
        for where, vector in zip(places.values(), self._run(token_ids), strict=True):
            vectors[where] = vector
        return vectors

    def _run(self, token_ids: Sequence[npt.NDArray[np.int32]]) -> list[npt.NDArray[np.float32]]:
        if min(self._workers, len(token_ids)) <= 1:
            return [self._vector(ids) for ids in token_ids]
        with ThreadPoolExecutor(self._workers) as executor:
            return list(executor.map(self._vector, token_ids))

    def _vector(self, token_ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        (vector,) = self._session.run([OUTPUT_NAME], {INPUT_NAME: token_ids})
        return np.asarray(vector, np.float32)[0]


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelFileError(f"{path} cannot be read ({error}). Delete it; it is made again at the next start.") from error
