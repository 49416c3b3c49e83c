"""New text, quotes and signatures of replies, against what nine other parsers expect of their own fixtures.

Each set is measured by its own convention. A fixture counts as right only if everything that its parser asserts about
it holds; one whose expected output is neither in the set nor in its parser's assertions is counted as not compared.
"""

import re
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rl_emails_assets.errors import SourceError
from rl_emails_assets.evaluation import zoning_expected as expected
from rl_emails_assets.evaluation.section import SEED, Figure, Section, Table
from rl_emails_assets.evaluation.statistics import wilson
from rl_emails_assets.mail.html_text import html_to_text
from rl_emails_assets.mail.parse import parse
from rl_emails_assets.mail.zones import Zone, lines_of, zone_spans

GOAL = 0.95
_OWN = frozenset({Zone.NEW, Zone.GREETING})
_QUOTED = frozenset({Zone.QUOTED, Zone.FORWARDED})
_SIGNATURE = frozenset({Zone.SIGNATURE, Zone.DISCLAIMER})
_ALLOWED = {"n": _OWN, "q": _QUOTED, "s": _SIGNATURE, "h": _QUOTED | _SIGNATURE}
_CALLED = {"n": "the sender's own", "q": "quoted", "s": "a signature", "h": "hidden"}
_RANGE = re.compile(r"([nqsh])(\d+)(-?)(\d*)")
_TAGS = re.compile(r"<[^>]*>")
_NO_ASSERTION = "no assertion about its text in the parser's tests"

Files = Mapping[str, bytes]
Zoned = list[tuple[str, Zone]]
"""Lines, each with its zone."""
Zoner = Callable[[str, str, str], Zoned]
"""Of a text, the HTML that it was made from ("" for none) and the sender."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fixture. `is_right` is None where nothing could be compared; `note` is why, or what is wrong."""

    parser: str
    name: str
    is_right: bool | None
    note: str = ""


def evaluate(data: Path, *, seed: int = SEED) -> Section:  # noqa: ARG001 - what every section is called with
    """Measure every set in `data`/replies. Nothing is drawn at random: `seed` is not used.

    Raises:
        SourceError: A set is not there.
    """
    figures, rows, wrong_rows, missing_rows = [], [], [], []
    failures: Counter[str] = Counter()
    for parser in PARSERS:
        cases = list(measure(data, parser))
        compared = [case for case in cases if case.is_right is not None]
        baseline = sum(bool(case.is_right) for case in measure(data, parser, simple_zones)) / len(compared)
        right = sum(bool(case.is_right) for case in compared)
        low, high = wilson(right, len(compared))
        figures.append(
            Figure(
                name=f"{parser}: fixtures with all that is expected",
                value=right / len(compared),
                low=low,
                high=high,
                count=len(compared),
                goal=GOAL,
                split="nothing is trained; every fixture with an expected output",
                baselines={"first marker": baseline},
            )
        )
        rows.append((parser, len(cases), len(compared), right, right / len(compared), baseline))
        for case in compared:
            if not case.is_right:
                failures[f"{parser}: {case.note}"] += 1
                why = expected.REASONS.get((parser, case.name), "")
                wrong_rows.append((parser, case.name, case.note, why))
        for note, count in Counter(case.note for case in cases if case.is_right is None).items():
            missing_rows.append((parser, count, note))
    figures += _signature_figures(data)
    return Section(
        key="zoning",
        title="Zoning: new text, quotes, signatures",
        method=(
            "Each fixture of nine reply parsers is zoned, and every line or text that its parser asserts something "
            "about is compared by that parser's convention, white space aside. The baseline cuts at the first line "
            "that begins with '>', looks like 'On ... wrote:', 'From:' or '-----Original Message-----', and takes "
            "what follows '--' for a signature. Of forge, which marks signature lines in Enron mail, the signature "
            "must be the same lines."
        ),
        figures=tuple(figures),
        tables=(
            Table(
                title="Fixtures",
                headings=("set", "fixtures", "compared", "right", "share", "first marker"),
                rows=tuple(rows),
            ),
            Table(title="Not right", headings=("set", "fixture", "what", "why"), rows=tuple(wrong_rows)),
            Table(title="Not compared", headings=("set", "fixtures", "why"), rows=tuple(missing_rows)),
        ),
        failures=failures,
    )


def engine_zones(text: str, html: str, sender: str) -> Zoned:
    """What the engine says."""
    lines = lines_of(text)
    return [
        (line, zone) for start, end, zone in zone_spans(lines, html=html, sender=sender) for line in lines[start:end]
    ]


_FIRST_MARK = re.compile(r"\s*(?:>|On .{5,200}wrote:|-{3,}\s?Original Message|_{10,}|\*?From:)")


def simple_zones(text: str, _html: str, _sender: str) -> Zoned:
    """The baseline: everything from the first usual marker on is quoted, what follows "--" is a signature."""
    zone = Zone.NEW
    zoned = []
    for line in lines_of(text):
        if _FIRST_MARK.match(line):
            zone = Zone.QUOTED
        elif zone is Zone.NEW and line.rstrip() == "--":
            zone = Zone.SIGNATURE
        zoned.append((line, zone))
    return zoned


def measure(data: Path, parser: str, zoner: Zoner | None = None) -> Iterator[Case]:
    """The fixtures of one parser's set, zoned and compared.

    Raises:
        SourceError: The set is not there.
    """
    yield from PARSERS[parser](parser, _read(data / "replies" / f"{parser}.tar.gz"), zoner or engine_zones)


def _read(archive: Path) -> dict[str, bytes]:
    if not archive.is_file():
        raise SourceError(f"{archive} is not there. Zoning is measured on the fixtures of reply parsers: see --data.")
    with tarfile.open(archive) as opened:
        members = [member for member in opened if member.isfile()]
        return {member.name: opened.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _compared(parser: str, name: str, note: str) -> Case:
    return Case(parser, name, not note, note)


def _lines_set(parser: str, files: Files, zoner: Zoner) -> Iterator[Case]:
    """Plain texts whose lines are asserted."""
    wanted = expected.LINES.get(parser, {})
    for path, data in sorted(files.items()):
        name = PurePosixPath(path).name
        if not path.endswith(".txt"):
            continue
        if name not in wanted:
            yield Case(parser, name, None, _NO_ASSERTION)
            continue
        slot, fillings = expected.FILLED.get(name, ("", ("",)))
        texts = [_text(data).replace(slot, filling) if slot else _text(data) for filling in fillings]
        notes = [_unlike(zoner(text, "", ""), wanted[name]) for text in texts]
        yield _compared(parser, name, next(filter(None, notes), ""))


def _unlike(zoned: Zoned, spec: str) -> str:
    """What the first line is that is not as expected, "" if all are."""
    for kind, first, dash, last in _RANGE.findall(spec):
        end = int(last) if last else len(zoned) if dash else int(first)
        for line, zone in zoned[int(first) - 1 : end]:
            if line.strip() and zone not in _ALLOWED[kind]:
                return f"{_CALLED[kind]} by their convention, {zone} by ours"
    return ""


def _squeezed(zoned: Zoned, *zones: frozenset[Zone]) -> str:
    """The lines of these zones without spaces and quote marks."""
    kept = frozenset().union(*zones)
    return "".join("".join(line.lstrip("> ").split()) for line, zone in zoned if zone in kept)


def _forge_set(parser: str, files: Files, zoner: Zoner) -> Iterator[Case]:
    """Bodies with the signature's lines marked; every such line and no other must be found."""
    for name, text, gold, sender in forge_cases(files):
        got = _signature(zoner(text, "", sender))
        missed, added = sum(line not in got for line in gold), sum(line not in gold for line in got)
        if got == gold:
            note = ""
        elif not gold:
            note = "a signature where none is marked"
        elif not got:
            note = "no signature where one is marked"
        elif missed and added:
            note = "other lines than the marked ones"
        else:
            note = "fewer lines than the marked ones" if missed else "more lines than the marked ones"
        yield _compared(parser, name, note)


def forge_cases(files: Files) -> Iterator[tuple[str, str, list[str], str]]:
    """The name, body, marked lines and sender of each mail in forge."""
    for path, data in sorted(files.items()):
        if path.endswith("_body"):
            marked = _text(data)
            gold = [line[5:].strip() for line in marked.split("\n") if line.startswith("#sig#")]
            body = _unmarked(data)
            sender = _text(files[path.removesuffix("body") + "sender"]).strip()
            yield "/".join(PurePosixPath(path).parts[-2:]), body, [line for line in gold if line], sender


def _unmarked(data: bytes) -> str:
    return re.sub(r"^#(?:sig|reply)#", "", _text(data), flags=re.MULTILINE)


def _signature(zoned: Zoned) -> list[str]:
    return [line.strip() for line, zone in zoned if zone in _SIGNATURE and line.strip()]


def _signature_figures(data: Path) -> list[Figure]:
    """Whether forge's mails have a signature, and its lines one by one."""
    present = absent = right_present = right_absent = found = marked = both = 0
    for _, text, gold, sender in forge_cases(_read(data / "replies" / "forge.tar.gz")):
        got = _signature(engine_zones(text, "", sender))
        present, absent = present + bool(gold), absent + (not gold)
        right_present, right_absent = right_present + bool(gold and got), right_absent + (not gold and not got)
        found, marked = found + len(got), marked + len(gold)
        both += sum((Counter(got) & Counter(gold)).values())
    split = "nothing is trained; all mails of forge"
    figures = []
    for name, right, count, goal in (
        ("forge: mails with a signature where one is found", right_present, present, GOAL),
        ("forge: mails without a signature where none is found", right_absent, absent, GOAL),
        ("forge: lines called signature that are", both, found, None),
        ("forge: signature lines that are found", both, marked, None),
    ):
        low, high = wilson(right, count)
        figures.append(Figure(name=name, value=right / count, low=low, high=high, count=count, goal=goal, split=split))
    return figures


def _nylas_set(parser: str, files: Files, zoner: Zoner) -> Iterator[Case]:
    """HTML mails beside what is left of them: quotes at the end are removed with a signature below them that they
    repeat, quotes that text follows stay, and a mail that is all quote stays whole."""
    names = {PurePosixPath(path).name: data for path, data in files.items() if "/emails/" in path}
    for name, data in sorted(names.items()):
        stripped = names.get(name.replace(".html", "_stripped.html")) if name.endswith(".html") else None
        if stripped is None:
            if not name.endswith("_stripped.html"):
                yield Case(parser, name, None, _NO_ASSERTION)
            continue
        html = _text(data)
        zoned = [pair for pair in zoner(html_to_text(html), html, "") if pair[0].strip()]
        repeated = {line.lstrip("> ") for line, zone in zoned if zone in _QUOTED}
        quoted = next((at for at, (_, zone) in enumerate(zoned) if zone in _QUOTED), len(zoned))
        dropped = [
            zone in _QUOTED or (zone in _SIGNATURE and at > quoted and line.strip() in repeated)
            for at, (line, zone) in enumerate(zoned)
        ]
        last = max((at for at, is_dropped in enumerate(dropped) if not is_dropped), default=len(zoned) - 1)
        want, got = (
            "".join(line.lstrip("> ") for line in lines).split()
            for lines in (html_to_text(_text(stripped)).split("\n"), [line for line, _ in zoned[: last + 1]])
        )
        note = "" if want == got else "more is left" if len(got) > len(want) else "less is left"
        yield _compared(parser, name, note)


def _talon_set(parser: str, files: Files, zoner: Zoner) -> Iterator[Case]:
    """Mails and HTML whose reply, signature included, is a given text; bodies whose signature is."""
    for path, data in sorted(files.items()):
        folder, name = PurePosixPath(path).parts[-2:]
        wanted = expected.TALON_OTHER_REPLIES.get(name)
        if folder == "standard_replies" and name.endswith(".eml"):
            beside = files.get(path.removesuffix(".eml") + "_reply_text")
            wanted = expected.digest(_text(beside)) if beside is not None else expected.TALON_REPLY
            yield _reply_case(parser, name, zoner(parse(data).text, "", ""), wanted)
        elif name.endswith(".html") and (wanted or folder == "html_replies"):
            html = _text(data)
            yield _reply_case(parser, name, zoner(html_to_text(html), html, ""), wanted or expected.TALON_HTML_REPLY)
        elif name == "reply-quotations-share-block.eml":
            own = _squeezed(zoner(parse(data).text, "", ""), _OWN, _SIGNATURE)
            yield _compared(parser, name, "" if own and "From" not in own else "a header block is left")
        elif folder == "stripped" and name.endswith("_body"):
            stem = path.removesuffix("body")
            gold = [line.strip() for line in _unmarked(files[stem + "signature"]).split("\n") if line.strip()]
            got = _signature(zoner(_unmarked(data), "", _text(files[stem + "sender"])))
            yield _compared(parser, name, "" if got == gold else "another signature")
        elif folder in {"P", "N"} and not name.endswith("_sender"):
            yield Case(parser, name, None, _NO_ASSERTION)


def _reply_case(parser: str, name: str, zoned: Zoned, wanted: str) -> Case:
    own = _squeezed(zoned, _OWN, _SIGNATURE)
    return _compared(parser, name, "" if expected.digest(own) == wanted else "another reply")


def _planer_set(parser: str, files: Files, zoner: Zoner) -> Iterator[Case]:
    """HTML with words that must be in the reply and words that must not."""
    for path, data in sorted(files.items()):
        name = PurePosixPath(path).name
        if name not in expected.PLACES:
            continue
        html = _text(data)
        own = _squeezed(zoner(html_to_text(html), html, ""), _OWN, _SIGNATURE)
        reply, quote = ("".join(_TAGS.sub("", html[slice(*place)]).split()) for place in expected.PLACES[name])
        note = "the reply is hidden" if reply not in own else "the quote is left" if quote in own else ""
        yield _compared(parser, name, note)


def _quotequail_set(parser: str, files: Files, zoner: Zoner) -> Iterator[Case]:
    """HTML replies and forwards: what stands above the quote, and that the quoted text is in it."""
    names = {PurePosixPath(path).name: data for path, data in files.items() if path.endswith(".html")}
    for name, data in sorted(names.items()):
        if "_unwrapped" in name:
            continue
        html = _text(data)
        zoned = zoner(html_to_text(html), html, "")
        above, below = (names.get(name.replace(".html", f"_unwrapped{part}.html")) for part in ("_top", ""))
        if name in expected.QUOTEQUAIL:
            top, quote = expected.QUOTEQUAIL[name]
        elif below is not None:
            top = expected.digest(html_to_text(_text(above)) if above is not None else "")
            quote = expected.digest(re.sub("(?m)^[> ]+", "", html_to_text(_text(below))))
        else:
            yield Case(parser, name, None, "only the address in its header is asserted")
            continue
        note = ""
        first = next((at for at, (_, zone) in enumerate(zoned) if zone in _QUOTED), len(zoned))
        if expected.digest(_squeezed(zoned[:first], _OWN, _SIGNATURE)) != top:
            note = "another text above the quote"
        elif not _ends_with(zoned, quote):
            note = "another quoted text"
        yield _compared(parser, name, note)


def _ends_with(zoned: Zoned, quote: str) -> bool:
    """Whether the quoted lines end with the text of this digest."""
    quoted = [pair for pair in zoned if pair[1] in _QUOTED]
    return any(expected.digest(_squeezed(quoted[start:], _QUOTED)) == quote for start in range(len(quoted)))


PARSERS: Mapping[str, Callable[[str, Files, Zoner], Iterator[Case]]] = {
    "crisp": _lines_set,
    "forge": _forge_set,
    "github": _lines_set,
    "nylas-mail": _nylas_set,
    "planer": _planer_set,
    "quotequail": _quotequail_set,
    "talon": _talon_set,
    "willdurand": _lines_set,
    "zapier": _lines_set,
}
"""The sets, each with what reads it."""
