"""What the sender wrote this time, what is quoted or forwarded, and the signature.

One pass over the lines. A line that begins with ">" is quoted. A boundary (attribution, divider, header block of
Outlook or Lotus Notes) is quoted too and decides about what follows: when the next text begins with ">", only such
lines are quoted and the rest stays the sender's (replies between the lines); otherwise everything below is quoted.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from rl_emails_assets.mail.boundaries import boundary_at, ends_attribution, is_prefixed, may_begin
from rl_emails_assets.mail.greetings import greeting_index
from rl_emails_assets.mail.signatures import disclaimer_start, signature_start
from rl_emails_assets.mail.zone_patterns import LONGEST_LINE, PROMPT


class Zone(StrEnum):
    """What a line of a mail is."""

    GREETING = "greeting"
    NEW = "new"
    QUOTED = "quoted"
    FORWARDED = "forwarded"
    SIGNATURE = "signature"
    DISCLAIMER = "disclaimer"


class Span(NamedTuple):
    """Neighbouring lines of one zone; the spans of a text cover each of its lines once, in order."""

    start: int
    end: int
    """The line after it."""
    zone: Zone


@dataclass(frozen=True, slots=True)
class Zones:
    """The lines of a text, sorted; line order is kept inside each zone, surrounding blank lines are not.

    Each line is in one of the first three. The others are parts of these: of `new_text` the greeting, of `quoted_text`
    what is forwarded and not answered, of `signature` what an office, a list or a provider put below it.
    """

    new_text: str
    quoted_text: str
    signature: str
    greeting: str = ""
    forwarded: str = ""
    disclaimer: str = ""


_WRAPPED_FROM = 60
"""Characters of a line from which it may have been wrapped."""
_GREETED_LINES = 12
"""Lines in which a greeting is looked for."""
_PART_OF = {
    Zone.NEW: ("new", False),
    Zone.GREETING: ("new", True),
    Zone.QUOTED: ("quoted", False),
    Zone.FORWARDED: ("quoted", True),
    Zone.SIGNATURE: ("signature", False),
    Zone.DISCLAIMER: ("signature", True),
}
"""Which of the three texts has the lines of a zone, and whether it is only a part of it."""


def split_zones(text: str, *, html: str = "", sender: str = "", is_forward: bool = False) -> Zones:
    """Sort the lines of a plain text body into new, quoted and signature, with their parts.

    `sender` is the sender's name and address, which helps to recognize a bare name as a signature. `html` is the HTML
    body of the same mail: with one, a text that is all ">" lines and quotes nobody is indented, not quoted.
    `is_forward` says that the subject calls the mail forwarded, which a header block alone does not tell.
    """
    lines = lines_of(text)
    spans = zone_spans(lines, html=html, sender=sender, is_forward=is_forward)
    if len(spans) == 1 and spans[0].zone is Zone.NEW:
        return Zones(_joined(lines), "", "")
    whole: dict[str, list[str]] = {"new": [], "quoted": [], "signature": []}
    parts: dict[Zone, list[str]] = {}
    for start, end, zone in spans:
        run = lines[start:end]
        name, is_part = _PART_OF[zone]
        whole[name] += run
        if is_part:
            parts.setdefault(zone, []).extend(run)
    return Zones(
        _joined(whole["new"]),
        _joined(whole["quoted"]),
        _joined(whole["signature"]),
        _joined(parts.get(Zone.GREETING, [])),
        _joined(parts.get(Zone.FORWARDED, [])),
        _joined(parts.get(Zone.DISCLAIMER, [])),
    )


def lines_of(text: str) -> list[str]:
    """The lines that zones are counted in, whatever the line ends are."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if "\r" in text else text.split("\n")


def zone_spans(lines: list[str], *, html: str = "", sender: str = "", is_forward: bool = False) -> list[Span]:
    """The zones of `lines` as spans, whose parameters are those of `split_zones`."""
    marks, cuts = _quoted_lines(lines, is_forward=is_forward)
    if not cuts and (not any(marks) or (html and _is_all_quoted(lines, marks)) or _is_session(lines, marks)):
        return _own_spans(lines, 0, len(lines), sender, is_first=True, is_last=True)
    return _assembled(lines, marks, cuts, sender)


def _assembled(lines: list[str], marks: list[Zone | None], cuts: list[int], sender: str) -> list[Span]:
    """The spans; a signature is looked for above the first boundary and at the end of the sender's lines."""
    runs: list[tuple[int, int, Zone | None]] = []
    end = 0
    for key, run in groupby(marks):
        start, end = end, end + sum(1 for _ in run)
        runs.append((start, end, key))
    has_text = [any(map(str.strip, lines[start:end])) for start, end, _ in runs]
    first_cut = cuts[0] if cuts else -1
    last_new = max((at for at, run in enumerate(runs) if run[2] is None and has_text[at]), default=-1)
    spans: list[Span] = []
    for at, (start, end, key) in enumerate(runs):
        if key is not None:
            spans.append(Span(start, end, key))
        elif 0 < at < len(runs) - 1 and not has_text[at]:
            # A blank run between two quotes belongs to them.
            spans.append(Span(start, end, spans[-1].zone))
        else:
            spans += _own_spans(lines, start, end, sender, is_first=at == 0, is_last=at == last_new or end == first_cut)
    return spans


def _own_spans(lines: list[str], start: int, end: int, sender: str, *, is_first: bool, is_last: bool) -> list[Span]:
    """The spans of lines that the sender wrote."""
    run = lines if end - start == len(lines) else lines[start:end]
    signature = start + signature_start(run, sender) if is_last else end
    spans = []
    if is_first:
        greeting = greeting_index(lines[start : min(signature, start + _GREETED_LINES)])
        if greeting is not None:
            if greeting:
                spans.append(Span(start, start + greeting, Zone.NEW))
            spans.append(Span(start + greeting, start + greeting + 1, Zone.GREETING))
            start += greeting + 1
    if start < signature:
        spans.append(Span(start, signature, Zone.NEW))
    if signature < end:
        disclaimer = signature + disclaimer_start(lines[signature:end])
        if signature < disclaimer:
            spans.append(Span(signature, disclaimer, Zone.SIGNATURE))
        if disclaimer < end:
            spans.append(Span(disclaimer, end, Zone.DISCLAIMER))
    return spans


def _is_all_quoted(lines: list[str], marks: list[Zone | None]) -> bool:
    return all(mark is not None or not line.strip() for line, mark in zip(lines, marks, strict=True))


def _is_session(lines: list[str], marks: list[Zone | None]) -> bool:
    """Whether most of the lines with a ">" are code behind a prompt; asked only where nobody is quoted by name."""
    marked = [line[:LONGEST_LINE] for mark, line in zip(marks, lines, strict=True) if mark is not None]
    return 2 * sum(PROMPT.match(line) is not None for line in marked) > len(marked)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n \t")


def _is_wrapped_rest(lines: list[str], index: int) -> bool:
    """Whether this line is the end of the long quoted line above, which a program wrapped without marking it."""
    line = lines[index].strip() if index + 1 < len(lines) else ""
    return line[:1].islower() and len(line) < _WRAPPED_FROM and lines[index + 1].lstrip()[:1] == ">"


def _quoted_lines(lines: list[str], *, is_forward: bool) -> tuple[list[Zone | None], list[int]]:
    """For each line whether it is quoted or forwarded, and the first lines of the boundaries."""
    marks: list[Zone | None] = [None] * len(lines)
    cuts: list[int] = []
    next_index = 0
    for index, raw in enumerate(lines):
        if index < next_index or marks[index] is not None:
            continue
        line = raw.strip()
        if not line:
            continue
        is_marked = line[0] == ">"
        if is_marked and not ends_attribution(lines, index, line):
            boundary = None
        elif not is_marked and not may_begin(line):
            continue
        else:
            boundary = boundary_at(lines, index, line)
        if boundary is None:
            if is_marked:
                marks[index] = Zone.QUOTED
                if len(line) >= _WRAPPED_FROM and _is_wrapped_rest(lines, index + 1):
                    marks[index + 1] = Zone.QUOTED
            continue
        cuts.append(boundary.start)
        zone = Zone.FORWARDED if boundary.is_forward or is_forward else Zone.QUOTED
        if not is_prefixed(lines, boundary.end):
            marks[boundary.start :] = [zone] * (len(lines) - boundary.start)
            break
        marks[boundary.start : boundary.end] = [zone] * (boundary.end - boundary.start)
        next_index = boundary.end
    return marks, cuts
