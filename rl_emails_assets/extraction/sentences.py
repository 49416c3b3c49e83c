"""Sentences of mail text, as spans of the text they come from.

Mail is not prose: lines are wrapped at 72 columns, lists have no full stops, a greeting is a line of its own. A newline
therefore ends a sentence unless the line looks wrapped. One pass over the lines and one over the terminators, so the
time is linear in the text, and everything is bounded.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_TEXT_CHARS = 20_000
"""Of a longer text only the beginning is read; what somebody asks stands near the top."""
MAX_SENTENCES = 400
MAX_SENTENCE_CHARS = 600
"""A longer run without an end is cut at a space; it is a table, a signature block or hostile."""
_WRAPPED_LINE_CHARS = 48
"""A line at least this long that goes on without punctuation was wrapped by the mail program."""

_TERMINATOR = re.compile(r"[.!?…]{1,8}[\"'”’)\]]{0,3}(?=\s|$)")
_LINE = re.compile(r"[^\n]*\n?")
_BULLET = re.compile(r"\s{0,12}(?:[-*•·–—+>]|\(?\d{1,2}[.)]|\(?[a-zA-Z][.)])\s")
_LAST_WORD = re.compile(r"[\w.&]{1,24}$")
_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof sr jr st ave blvd rd vs etc approx dept inc ltd co corp no nr tel fax ext fig ref vol ca resp
    bzw usw z.b d.h u.a i.e e.g a.m p.m u.s jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur
    thurs fri sat sun hr hrs min est attn cf al p pp mme mlle av avda sra srta dra ud uds inkl zzgl ggf evtl str
    """.split()  # noqa: SIM905
)
"""Words after which a full stop seldom ends a sentence; single letters are treated the same."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is exactly `source[start:end]`, without surrounding white space, never empty."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=8)  # deadlines and tasks of one message are looked for in the same sentences
def split_sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of `text` in order, at most MAX_SENTENCES, none longer than MAX_SENTENCE_CHARS."""
    text = text[:MAX_TEXT_CHARS]
    found: list[Sentence] = []
    for start, end in _blocks(text):
        for piece_start, piece_end in _split_block(text, start, end):
            if len(found) >= MAX_SENTENCES:
                return tuple(found)
            found.append(Sentence(text[piece_start:piece_end], piece_start, piece_end))
    return tuple(found)


def _blocks(text: str) -> list[tuple[int, int]]:
    """Spans of lines that belong together: a wrapped paragraph, a bullet with its continuation, a lone line."""
    blocks: list[tuple[int, int]] = []
    start = end = 0
    previous = ""
    for match in _LINE.finditer(text):
        line = match.group().strip()
        if not line:
            if end > start:
                blocks.append((start, end))
            start = end = match.end()
            previous = ""
            continue
        if previous and not _continues(previous, line, match.group()):
            blocks.append((start, end))
            start = match.start()
        end = match.end()
        previous = line
    return blocks


def _continues(previous: str, line: str, raw_line: str) -> bool:
    """Whether `line` goes on with the sentence that `previous` left open."""
    if _BULLET.match(raw_line):
        return False
    if previous[-1] in ".!?:;…":
        # Ended, or an abbreviation at the margin; the terminator pass decides about the latter.
        return len(previous) >= _WRAPPED_LINE_CHARS and previous[-1] == "."
    if line[0].islower():
        return True
    return len(previous) >= _WRAPPED_LINE_CHARS


def _split_block(text: str, start: int, end: int) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    begin = start
    for match in _TERMINATOR.finditer(text, start, end):
        if _ends_sentence(text, begin, match.start(), match.end(), end):
            _add_trimmed(text, begin, match.end(), pieces)
            begin = match.end()
    _add_trimmed(text, begin, end, pieces)
    return pieces


def _ends_sentence(text: str, begin: int, dot: int, after: int, end: int) -> bool:
    if text[dot] != "." or after - dot > 1:
        return True
    following = text[after : min(after + 3, end)].strip()
    if following and following[0].islower():
        return False
    word = _LAST_WORD.search(text[max(begin, dot - 24) : dot])
    if word is None:
        return True
    last = word.group().lower()
    if last.isdigit():
        # "12. Mai" is a date and "1. Item" a list; a year or an amount ends the sentence.
        return len(last) > 2
    return last not in _ABBREVIATIONS and (len(last) > 1 or not last.isalpha())


def _add_trimmed(text: str, start: int, end: int, pieces: list[tuple[int, int]]) -> None:
    piece = text[start:end].rstrip()
    end = start + len(piece)
    start = end - len(piece.lstrip())
    while end - start > MAX_SENTENCE_CHARS:
        space = text.rfind(" ", start + MAX_SENTENCE_CHARS // 2, start + MAX_SENTENCE_CHARS)
        cut = space if space > 0 else start + MAX_SENTENCE_CHARS
        pieces.append((start, cut))
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        pieces.append((start, end))
