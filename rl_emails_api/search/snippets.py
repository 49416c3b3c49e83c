"""The part of a text that shows why it was found: pure functions, and what they return is plain text."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

LENGTH = 180
"""Characters of a snippet, without the ellipses."""
_LEAD = 30
"""Characters shown before the first match."""
_MARKS = "\u0300-\u036f"
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_WORD = re.compile(rf"[^\W_][^\W_{_MARKS}]*(?:[{_MARKS}]+[^\W_]*)*")
_ELLIPSIS = "…"


class _Folding(dict[int, str]):
    """For each character the small letter without its accent, one for one, so that places stay the same."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        base = unicodedata.normalize("NFKD", character)[0]
        folded = (base if base.isalnum() or not character.isalnum() else character).lower()[:1] or character
        self[code] = folded
        return folded


_FOLDING = _Folding()


@dataclass(frozen=True, slots=True)
class Snippet:
    """Plain text on one line, and where in it the matches are."""

    text: str
    matches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is marked: words in any form, and beginnings of words, all folded."""

    words: frozenset[str]
    beginnings: frozenset[str]

    @classmethod
    def of(cls, words: Iterable[tuple[str, bool]]) -> "Sought":
        """Of texts and whether the last word of each is unfinished."""
        whole: set[str] = set()
        beginnings: set[str] = set()
        for text, is_unfinished in words:
            found = folded_words(text)
            if is_unfinished and found:
                beginnings.add(found.pop())
            whole.update(found)
        return cls(frozenset(whole), frozenset(beginnings))

    def __bool__(self) -> bool:
        return bool(self.words or self.beginnings)


def folded_words(text: str) -> list[str]:
    """The words of a text in small letters without accents."""
    return [_bare(match.group()) for match in _WORD.finditer(text.translate(_FOLDING))]


Hit = tuple[int, int, str]
"""Where a word begins and ends, and the word."""


def candidates(text: str, sought: Sought) -> list[Hit]:
    """The words of a text that begin as one that is sought does: forms of a word share its first three letters."""
    starts = {word[:3] for word in sought.words | sought.beginnings}
    if not starts:
        return []
    alternatives = "|".join(sorted(map(re.escape, starts), key=len, reverse=True))
    pattern = re.compile(rf"(?<![^\W_])(?:{alternatives})[^\W_{_MARKS}]*(?:[{_MARKS}]+[^\W_]*)*")
    folded = text.translate(_FOLDING)
    return [(match.start(), match.end(), _bare(match.group())) for match in pattern.finditer(folded)]


def is_hit(sought: Sought, stems: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether a word is one that is sought: by its stem, or by its beginning."""
    wanted = {stems.get(word, word) for word in sought.words | sought.beginnings}

    def decide(word: str) -> bool:
        return stems.get(word, word) in wanted or any(word.startswith(start) for start in sought.beginnings)

    return decide


def snippet(text: str, hits: Sequence[Hit], stems: Mapping[str, str]) -> Snippet:
    """About `LENGTH` characters where most different words of `hits` are; the text's start when there are none."""
    start = max(0, _densest(hits, stems) - _LEAD) if hits else 0
    if start:
        # To the beginning of a word, unless it is a very long one.
        space = text.find(" ", start, start + _LEAD)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + LENGTH)
    if end < len(text):
        space = text.rfind(" ", start + LENGTH // 2, end)
        end = space if space >= 0 else end
    return _on_one_line(text, start, end, hits)


def _densest(hits: Sequence[Hit], stems: Mapping[str, str]) -> int:
    """Where the window begins that has most different words, then most words, then comes first."""
    best, best_value = 0, (0, 0)
    for first, (begins_at, _, _) in enumerate(hits):
        inside = []
        for _, ends_at, word in hits[first:]:
            if ends_at - begins_at > LENGTH - _LEAD:
                break
            inside.append(stems.get(word, word))
        value = (len(set(inside)), len(inside))
        if value > best_value:
            best, best_value = begins_at, value
    return best


def _on_one_line(text: str, start: int, end: int, hits: Sequence[Hit]) -> Snippet:
    """A part of a text with its white space folded; matches keep to their words."""
    within = [(begin, stop) for begin, stop, _ in hits if start <= begin and stop <= end]
    parts: list[str] = []
    length = 0
    matches: list[tuple[int, int]] = []

    def add(piece: str) -> None:
        nonlocal length
        folded = _SPACES.sub(" ", piece)
        if folded.startswith(" ") and (not parts or parts[-1].endswith(" ")):
            folded = folded[1:]
        if folded:
            parts.append(folded)
            length += len(folded)

    if start > 0:
        add(_ELLIPSIS)
    at = start
    for begin, stop in within:
        add(text[at:begin])
        before = length
        add(text[begin:stop])
        matches.append((before, length))
        at = stop
    add(text[at:end])
    line = "".join(parts).rstrip()
    if end < len(text) and text[end:].strip():
        line += _ELLIPSIS
    return Snippet(line, tuple(matches))


def _bare(word: str) -> str:
    return "".join(character for character in word if not unicodedata.combining(character))
