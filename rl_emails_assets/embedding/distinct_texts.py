"""Encodes each distinct text of a call once."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from rl_emails_assets.embedding.encoder import DIMENSIONS
from rl_emails_assets.embedding.text import MAX_CHARACTERS

Vector = npt.NDArray[np.float32]


def encode_distinct(texts: Sequence[str], encode: Callable[[list[str]], Iterable[Vector]]) -> Vector:
    """The vectors of `texts`, in their order, where `encode` is asked only for the distinct ones, cut to
    `MAX_CHARACTERS`, and in the order of their first appearance."""
    places: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        # A lone surrogate, which JSON can carry into a search query, is no Unicode text: tokenizers refuse it.
        readable = text[:MAX_CHARACTERS].encode(errors="replace").decode()
        places.setdefault(readable, []).append(place)
    vectors = np.empty((len(texts), DIMENSIONS), np.float32)
    if places:
        for where, vector in zip(places.values(), encode(list(places)), strict=True):
            vectors[where] = vector
    return vectors
