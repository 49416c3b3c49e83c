"""What the unwanted-mail model reads of the words: rows of a hashed table for text, subject, links and sender.

A row counts once however often it occurs: repetition is cheap for those who send in bulk.
"""

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification.hashing import MASK, PRIME, SPREAD, token_hash
from rl_emails_assets.classification.reading import Reading

ROW_BITS = 18
ROWS = 1 << ROW_BITS
MAX_TOKENS = 600
MAX_CHARS = 4_200
_ROW_SHIFT = 32 - ROW_BITS
_MAX_SUBJECT_TOKENS = 40
_MAX_LINKS = 20
_MAX_LINK_WORDS = 15
_MAX_MEMORY = 60_000
_REMEMBERED_CHARS = 40
_LINK = re.compile(r"https?://\S{1,300}")
_LINK_WORD = re.compile(r"[a-z]{2,30}")
_DIGITS = str.maketrans("123456789", "000000000")

Rows = npt.NDArray[np.int64]
_NO_ROWS: Rows = np.zeros(0, dtype=np.int64)


class _Hashes(dict[str, int]):
    """Remembers the hash of every word it is asked for."""

    def __missing__(self, word: str) -> int:
        found = self[word] = token_hash(word)
        return found


class WordRows:
    """Finds the rows of a message, with a memory of the words it has hashed; the memory changes the speed alone."""

    def __init__(self) -> None:
        self._tokens = _Hashes()
        self._subject_words: dict[str, tuple[int, ...]] = {}

    def of(self, reading: Reading) -> Rows:
        """The distinct rows of a message, sorted."""
        given = reading.given
        text = (given.text or reading.body)[:MAX_CHARS]
        tokens = self._hashes("", reading.lexer.tokens(text)[:MAX_TOKENS])
        subject = self._hashes("s:", reading.subject_tokens[:_MAX_SUBJECT_TOKENS])
        found = [*tokens, *subject]
        for link in _LINK.findall(text)[:_MAX_LINKS]:
            # The first word is the scheme.
            found += self._hashes("u:", _LINK_WORD.findall(link.lower())[1 : _MAX_LINK_WORDS + 1])
        for word in reading.plain_subject.lower().translate(_DIGITS).split()[:_MAX_SUBJECT_TOKENS]:
            found += self._pieces(word)
        found += self._hashes("f:", reading.lexer.tokens(given.from_name[:100])[:5])
        local = f"^{reading.sender.local[:24].translate(_DIGITS)}$"
        found += self._hashes("l:", [local[start : start + 3] for start in range(len(local) - 2)])
        hashed = np.array(found, dtype=np.uint64)
        of_text, of_subject = hashed[: len(tokens)], hashed[len(tokens) : len(tokens) + len(subject)]
        pairs = [((part[:-1] * 31 + part[1:]) % PRIME * SPREAD) & MASK for part in (of_text, of_subject)]
        rows = np.concatenate([hashed, *pairs]) >> _ROW_SHIFT
        rows.sort()
        # np.unique does the same and takes ten times as long on arrays as short as these.
        return rows[np.concatenate([[True], rows[1:] != rows[:-1]])].astype(np.int64) if len(rows) else _NO_ROWS

    def _hashes(self, mark: str, words: Iterable[str]) -> list[int]:
        known = self._tokens
        if len(known) >= _MAX_MEMORY:
            known.clear()
        return [known[mark + word] for word in words] if mark else [known[word] for word in words]

    def _pieces(self, word: str) -> tuple[int, ...]:
        """The hashes of a subject word's pieces of three and four characters: what survives odd spelling."""
        known = self._subject_words
        found = known.get(word)
        if found is None:
            if len(known) >= _MAX_MEMORY:
                known.clear()
            bordered = f"^{word[:20]}$"
            found = tuple(
                token_hash(f"n:{bordered[start : start + size]}")
                for size in (3, 4)
                for start in range(len(bordered) - size + 1)
            )
            if len(word) <= _REMEMBERED_CHARS:
                known[word] = found
        return found
