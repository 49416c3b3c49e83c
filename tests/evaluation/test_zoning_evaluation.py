"""What the zoning section counts, on fixtures written here, and the shares on the public sets."""

import io
import tarfile
from pathlib import Path

import pytest

from rl_emails_assets.errors import SourceError
from rl_emails_assets.evaluation import zoning, zoning_expected
from rl_emails_assets.evaluation.contract import faults
from rl_emails_assets.evaluation.zoning_expected import digest

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SIGNED = "It is done.\n\n-- \nann"
ANSWERED = "It is done.\n\nOn Mon, Mar 3, 2031 at 9:30 AM Bob <bob@x.test> wrote:\n\n> When?"
HTML = "<div>It is done.</div><div>On 3 Mar 2031, at 09:30, Bob wrote:</div><blockquote>When is it?</blockquote>"


def pack(data: Path, parser: str, files: dict[str, str]) -> Path:
    """An archive as the public ones are: a folder named after the parser."""
    folder = data / "replies"
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / f"{parser}.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"reply-{parser}/{name}")
            raw = text.encode()
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return data


def notes(data: Path, parser: str) -> dict[str, tuple[bool | None, str]]:
    """What is said about each fixture."""
    return {case.name: (case.is_right, case.note) for case in zoning.measure(data, parser)}


def test_lines_are_compared_with_what_is_asserted(tmp_path: Path) -> None:
    """A signature called quoted, or a reply that is hidden, would count as right."""
    data = pack(
        tmp_path,
        "github",
        {
            "correct_sig.txt": SIGNED,
            "email_1_4.txt": ANSWERED,
            "email_iPhone.txt": "It is done.\n\nThis is the second line.",
            "email_1_5.txt": f"It is done.\n\n{SIGNED}",
            "pathological.txt": "x",
            "README.md": "no fixture",
        },
    )
    assert notes(data, "github") == {
        "correct_sig.txt": (True, ""),
        "email_1_4.txt": (True, ""),
        "email_iPhone.txt": (False, "hidden by their convention, new by ours"),
        "email_1_5.txt": (False, "the sender's own by their convention, signature by ours"),
        "pathological.txt": (None, "no assertion about its text in the parser's tests"),
    }


def test_templates_are_filled(tmp_path: Path) -> None:
    """A template would be compared with its placeholder in it, or only with the first of its fillings."""
    data = pack(tmp_path, "willdurand", {"email_with_date_headers.txt": "Thanks a lot for it.\n\n[DATE]\n\nThe mail."})
    assert notes(data, "willdurand")["email_with_date_headers.txt"] == (True, "")
    pack(tmp_path, "willdurand", {"email_with_date_headers.txt": "Thanks a lot for it.\n\nx [DATE]\n\nThe mail."})
    assert notes(data, "willdurand")["email_with_date_headers.txt"][0] is False


def test_forge_wants_the_marked_lines_and_no_other(tmp_path: Path) -> None:
    """Too much or too little of a signature would count as right."""
    long = "#sig#Regards,\n#sig#Ann Example\n#sig#555-010-0100"
    bodies = {
        "P/1": f"It is done.\n\n{long}",
        "P/2": f"It is done.\n\n{long.replace('#sig#Regards', 'Regards')}",
        "P/3": "It is done.\n#sig#It was a very good day for all of us here.",
        "P/4": f"It is done.\n\n#sig#At the end of it all we stay with you.\n\n{long}",
        "P/5": f"It is done.\n#sig#And so it is with all of us here.\n\n{long.replace('#sig#', '')}",
        "N/1": "It is done.\n#reply#Yes.",
        "N/2": f"It is done.\n\n{long.replace('#sig#', '')}",
    }
    files = {f"dataset/{name}_body": text for name, text in bodies.items()}
    data = pack(tmp_path, "forge", files | {name.replace("_body", "_sender"): "Ann Example" for name in files})
    assert notes(data, "forge") == {
        "P/1_body": (True, ""),
        "P/2_body": (False, "more lines than the marked ones"),
        "P/3_body": (False, "no signature where one is marked"),
        "P/4_body": (False, "fewer lines than the marked ones"),
        "P/5_body": (False, "other lines than the marked ones"),
        "N/1_body": (True, ""),
        "N/2_body": (False, "a signature where none is marked"),
    }
    figures = {figure.name: (figure.value, figure.count) for figure in zoning._signature_figures(data)}
    assert figures["forge: mails with a signature where one is found"] == (4 / 5, 5)
    assert figures["forge: mails without a signature where none is found"] == (1 / 2, 2)
    assert figures["forge: lines called signature that are"] == (8 / 15, 15)
    assert figures["forge: signature lines that are found"] == (8 / 11, 11)


def test_nylas_keeps_what_text_follows_and_drops_a_repeated_signature(tmp_path: Path) -> None:
    """A convention for showing mail would count as a fault of zoning."""
    signature = "<div>-- <br>Ann Example<br>555-010-0100</div>"
    between = "<p>One</p><blockquote>When is it?</blockquote><p>At nine.</p>"
    fixtures = {
        "email_1": (HTML, "<div>It is done.</div>"),
        "email_2": (HTML, "<div>It is not done.</div>"),
        "email_3": (f"{between}{HTML}", f"{between}<div>It is done.</div>"),
        "email_4": ("<blockquote>All of it</blockquote>", "<blockquote>All of it</blockquote>"),
        "email_5": (f"{HTML}<blockquote>{signature}</blockquote>{signature}", "<div>It is done.</div>"),
        "email_6": (f"{HTML}{signature}", "<div>It is done.</div>"),
        "email_7": (HTML, f"{HTML}<p>More</p>"),
    }
    files = {
        f"emails/{name}{end}": html
        for name, pair in fixtures.items()
        for end, html in zip((".html", "_stripped.html"), pair, strict=True)
    }
    data = pack(tmp_path, "nylas-mail", files | {"emails/plain.txt": "x", "paste/in.html": "x"})
    assert notes(data, "nylas-mail") == {
        "email_1.html": (True, ""),
        "email_2.html": (False, "less is left"),
        "email_3.html": (True, ""),
        "email_4.html": (True, ""),
        "email_5.html": (True, ""),
        "email_6.html": (False, "more is left"),
        "email_7.html": (False, "less is left"),
        "plain.txt": (None, "no assertion about its text in the parser's tests"),
    }


def test_talon_keeps_signatures_with_the_reply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set without signatures in its convention would be measured by ours."""
    monkeypatch.setattr(zoning_expected, "TALON_REPLY", digest("It is done. -- ann"))
    monkeypatch.setattr(zoning_expected, "TALON_HTML_REPLY", digest("It is done."))
    monkeypatch.setattr(zoning_expected, "TALON_OTHER_REPLIES", {"other.html": digest("It is not done.")})
    head = "From: a@x.test\n\n"
    data = pack(
        tmp_path,
        "talon",
        {
            "standard_replies/a.eml": f"{head}{SIGNED}",
            "standard_replies/b.eml": f"{head}{ANSWERED}",
            "standard_replies/b_reply_text": "It is done.\n",
            "html_replies/c.html": HTML,
            "fixtures/other.html": HTML,
            "fixtures/unknown.html": HTML,
            "fixtures/reply-quotations-share-block.eml": f"{head}{ANSWERED}",
            "stripped/d_body": "It is done.\n\n#sig#Regards,\n#sig#Ann",
            "stripped/d_signature": "#sig#Regards,\n#sig#Ann",
            "stripped/d_sender": "Ann",
            "P/e_body": "x",
            "P/e_sender": "x",
        },
    )
    assert notes(data, "talon") == {
        "a.eml": (True, ""),
        "b.eml": (True, ""),
        "c.html": (True, ""),
        "other.html": (False, "another reply"),
        "reply-quotations-share-block.eml": (True, ""),
        "d_body": (True, ""),
        "e_body": (None, "no assertion about its text in the parser's tests"),
    }
    pack(
        tmp_path,
        "talon",
        {
            "fixtures/reply-quotations-share-block.eml": f"{head}From here on.",
            "stripped/d_body": "It is done.",
            "stripped/d_signature": "Regards",
            "stripped/d_sender": "",
        },
    )
    assert set(notes(data, "talon").values()) == {(False, "a header block is left"), (False, "another signature")}


def test_planer_names_words_by_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place would be read in the text and not in the file."""
    reply, quote = HTML.index("It is"), HTML.index("When")
    place = ((reply, reply + 5), (quote, quote + 4))
    monkeypatch.setattr(zoning_expected, "PLACES", {"a.html": place, "b.html": place, "c.html": (place[1], place[0])})
    unquoted = HTML.replace("blockquote>", "blockquoth>").replace("wrote:", "writ. ")
    data = pack(tmp_path, "planer", {"a.html": HTML, "b.html": unquoted, "c.html": HTML, "d.html": HTML})
    assert notes(data, "planer") == {
        "a.html": (True, ""),
        "b.html": (False, "the quote is left"),
        "c.html": (False, "the reply is hidden"),
    }


def test_quotequail_wants_the_text_above_and_the_quote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote without its text, or a reply with a part of it, would count as right."""
    top, quote = digest("It is done."), digest("When is it?")
    monkeypatch.setattr(
        zoning_expected,
        "QUOTEQUAIL",
        {"a.html": (top, quote), "b.html": (digest("It is"), quote), "c.html": (top, digest("Where is it?"))},
    )
    data = pack(
        tmp_path,
        "quotequail",
        {
            **dict.fromkeys(("a.html", "b.html", "c.html", "d.html", "e.html"), HTML),
            "d_unwrapped.html": "<p>When is it?</p>",
            "d_unwrapped_top.html": "<p>It is done.</p>",
        },
    )
    assert notes(data, "quotequail") == {
        "a.html": (True, ""),
        "b.html": (False, "another text above the quote"),
        "c.html": (False, "another quoted text"),
        "d.html": (True, ""),
        "e.html": (None, "only the address in its header is asserted"),
    }


def test_the_baseline_cuts_at_the_first_mark() -> None:
    """The figures would be compared with a rule that is worse than what anybody writes in five minutes."""
    zoned = zoning.simple_zones("It is.\n--\nann\nOn Monday, Ann wrote:\n> When?", "", "")
    assert [zone.value for _, zone in zoned] == ["new", "signature", "signature", "quoted", "quoted"]
    for mark in ("> x", "-----Original Message-----", "____________", "*From:* x", "From: x"):
        assert zoning.simple_zones(f"a\n{mark}\nb", "", "")[-1][1].value == "quoted"


def test_a_set_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A missing set would count as nothing wrong."""
    with pytest.raises(SourceError, match=r"crisp\.tar\.gz is not there"):
        zoning.evaluate(tmp_path)


def test_each_known_difference_is_one_of_a_set() -> None:
    """A reason would be kept for a fixture that is long right, or be for a set that is not measured."""
    assert {parser for parser, _ in zoning_expected.REASONS} <= set(zoning.PARSERS)
    assert not any("\n" in reason or len(reason) > 160 for reason in zoning_expected.REASONS.values())


@pytest.mark.skipif(not (DATA / "replies").is_dir(), reason="needs the shared data beside the repository")
def test_the_public_sets() -> None:
    """A change of the words would cut less, or more, of real mail."""
    section = zoning.evaluate(DATA)
    assert list(faults(section)) == []
    shares = {figure.name: figure.value for figure in section.figures}
    least = {
        "crisp: fixtures with all that is expected": 0.94,
        "forge: fixtures with all that is expected": 0.98,
        "github: fixtures with all that is expected": 1.0,
        "nylas-mail: fixtures with all that is expected": 0.91,
        "quotequail: fixtures with all that is expected": 1.0,
        "talon: fixtures with all that is expected": 0.96,
        "willdurand: fixtures with all that is expected": 0.97,
        "zapier: fixtures with all that is expected": 1.0,
        "forge: mails with a signature where one is found": 0.98,
        "forge: mails without a signature where none is found": 0.98,
    }
    assert {name: share for name, share in shares.items() if share < least.get(name, 0)} == {}
    wrong = next(table for table in section.tables if table.title == "Not right")
    assert [row for row in wrong.rows if not row[3]] == []
    known = {(row[0], row[1]) for row in wrong.rows}
    assert set(zoning_expected.REASONS) == known
