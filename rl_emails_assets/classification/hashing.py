"""Turns tokens into rows of a table of weights, without keeping the words.

A table has 2^16 rows, shared by tokens and by pairs of neighbouring tokens. Character n-grams were measured as well
and left out: see docs/reference/classification.md.
"""

import zlib
from typing import Any, TypeVar

import numpy.typing as npt

BITS = 16
SIZE = 1 << BITS
SPREAD = 2_654_435_761  # Knuth's multiplicative hash: crc32 alone leaves close words in close rows.
SHIFT = 32 - BITS
MASK = 0xFFFFFFFF
PRIME = 4_294_967_291  # the largest below 2^32

Hash = TypeVar("Hash", int, npt.NDArray[Any])


def token_hash(token: str) -> int:
    """A 32-bit hash that is the same in every process."""
    return (zlib.crc32(token.encode("utf-8", "replace")) * SPREAD) & MASK


def row_of(hashed: Hash) -> Hash:
    """The row of a token, from its hash."""
    return hashed >> SHIFT


def pair_row(left: Hash, right: Hash) -> Hash:
    """The row of a pair of neighbours, from their hashes; the order counts."""
    spread: Hash = (((left * 31 + right) % PRIME) * SPREAD) & MASK
    return spread >> SHIFT
