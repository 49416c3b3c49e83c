"""Cuts text into sentences and tokens, fast, bounded, and the same way when training and when classifying.

Text is cut at white space first, and what each chunk becomes is remembered, so that the regular expression runs once
for every distinct chunk instead of once for every chunk. The memory changes the speed, never the result.
"""

import re

from rl_emails_assets.classification.words import word_set

MAX_CHARS = 4_000
"""Characters looked at; requests stand early, and what follows is history, a digest or a disclaimer."""
MAX_SENTENCES = 60
MAX_SENTENCE_CHARS = 600
_MAX_CHUNK_CHARS = 48
_MAX_MEMORY = 60_000
_WRAPPED_LINE_CHARS = 50
"""A line at least this long that does not end a sentence goes on in the next: mail is wrapped at 60 to 78."""

_PIECE = re.compile(r"[^\W\d_]+(?:'[^\W\d_]{1,4}(?![^\W\d_]))?|\d[\d.,:/%-]*|[?!¿¡？！؟;$€£¥]")
_SENTENCE_END = re.compile(r"[.!?…][\"')\]]{0,2} +|[。！？؟] *")
_BULLET = re.compile(r"(?:[-*•·o–—]|\(?\d{1,2}[.)]|\(?[a-z][.)]) ")
_ABBREVIATIONS = (
    " mr.", " mrs.", " ms.", " dr.", " prof.", " st.", "e.g.", "i.e.", " vs.", " approx.", " inc.", " corp.", " co.",
    " ltd.", " no.", " nr.", "z.b.", "d.h.", " bzw.", " usw.", " ca.", " sig.", " sr.", " sra.", " dott.",
    " m.", " mme.",
    "a.m.", "p.m.", " jan.", " feb.", " aug.", " sept.", " oct.", " nov.", " dec.",
)  # fmt: skip

_MONTHS = word_set(
    """january february march april june july august september october november december jan feb mar apr jun jul
    aug sep sept oct nov dec januar februar märz juni juli oktober dezember janvier février mars avril mai
    juin juillet août septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto
    septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre
    dicembre janeiro fevereiro março maio junho julho setembro outubro novembro dezembro januari februari
    maart augustus"""
)
_WEEKDAYS = word_set(
    """monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri montag
    dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes martes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì sabato
    domenica segunda terça quarta quinta sexta maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"""
)
_CLASSED = dict.fromkeys(_MONTHS, "<month>") | dict.fromkeys(_WEEKDAYS, "<weekday>")


def _pieces(chunk: str) -> tuple[str, ...]:
    low = chunk[:_MAX_CHUNK_CHARS].lower().replace("’", "'")
    if "://" in low or low.startswith(("www.", "<www.")):
        return ("<url>",)
    if "@" in low[1:]:
        return ("<address>",)
    pieces = []
    for piece in _PIECE.findall(low):
        if piece[0].isdigit():
            pieces.append("<number>")
        else:
            pieces.append("?" if piece in "？؟" else _CLASSED.get(piece, piece))
    return tuple(pieces)


class Lexer:
    """Cuts text into tokens, with a memory of the chunks it has seen."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, ...]] = {}

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text: lower-case words; numbers, links, addresses, months, weekdays as classes; ? ! $ €."""
        seen = self._seen
        found: list[str] = []
        for chunk in text.split():
            pieces = seen.get(chunk)
            if pieces is None:
                if len(seen) >= _MAX_MEMORY:
                    seen.clear()
                pieces = _pieces(chunk)
                if len(chunk) <= _MAX_CHUNK_CHARS:
                    seen[chunk] = pieces
            found += pieces
        return found


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, unwrapped, without quoted lines, at most `MAX_SENTENCES`."""
    found: list[str] = []
    for paragraph in _paragraphs(text[:MAX_CHARS]):
        start = 0
        for match in _SENTENCE_END.finditer(paragraph):
            end = match.end()
            if match[0][0] == "." and paragraph[max(start, match.start() - 8) : match.start() + 1].lower().endswith(
                _ABBREVIATIONS
            ):
                continue
            _add(found, paragraph[start:end])
            start = end
        _add(found, paragraph[start:])
        if len(found) >= MAX_SENTENCES:
            return found[:MAX_SENTENCES]
    return found


def _add(found: list[str], piece: str) -> None:
    stripped = piece.strip()
    if stripped:
        found.append(stripped[:MAX_SENTENCE_CHARS])


def _paragraphs(text: str) -> list[str]:
    paragraphs: list[str] = []
    open_lines: list[str] = []
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line[0] == ">" or (open_lines and _BULLET.match(line)):
            if open_lines:
                paragraphs.append(" ".join(open_lines))
                open_lines = []
            if not line or line[0] == ">":
                continue
        open_lines.append(line)
        if len(line) < _WRAPPED_LINE_CHARS:
            paragraphs.append(" ".join(open_lines))
            open_lines = []
    if open_lines:
        paragraphs.append(" ".join(open_lines))
    return paragraphs
