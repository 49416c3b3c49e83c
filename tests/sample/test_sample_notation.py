"""The notation of the sample's scenes: errors name the file and the scene, and MIME comes out exactly."""

import mailbox
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from rl_emails_assets.errors import SourceError
from rl_emails_assets.sample.build import build
from rl_emails_assets.sample.cast import local_time
from rl_emails_assets.sample.mime_bytes import fold, header_text, mailbox_text
from rl_emails_assets.sample.page_layout import page_html, page_text
from rl_emails_assets.sample.scene_text import read_entries, read_folder

PEOPLE = "%% me\nName: Me\nAddress: me@a.example\nClient: gmail\n\n%% home\nName: Me\nAddress: h@a.example\n\n"
SCENE = "%% one\nFrom: me\nTo: A <a@b.example>\nDate: 10-01 10:00\nSubject: Hi\n\n"


def write(folder: Path, text: str) -> Path:
    (folder / "scenes.txt").write_text(text, "utf-8")
    return folder


def test_a_line_that_is_no_field_is_named() -> None:
    """A forgotten blank line swallows a message's first sentence."""
    with pytest.raises(SourceError, match=r"x\.txt, entry 'one'.*Dear all"):
        read_entries("%% one\nFrom: me\nDear all\n\ntext", source="x.txt")


def test_missing_scenes_and_double_keys_are_refused(tmp_path: Path) -> None:
    """An installed package has no scenes; a key used twice would give two messages one Message-ID."""
    with pytest.raises(SourceError, match="source checkout"):
        read_folder(tmp_path)
    with pytest.raises(SourceError, match="'one' occurs twice"):
        read_folder(write(tmp_path, SCENE + "text\n\n" + SCENE + "text"))


@pytest.mark.parametrize("line", ["Re: nowhere", "Cc: nobody"])
def test_a_reference_to_nothing_is_named(tmp_path: Path, line: str) -> None:
    """A misspelt key makes a reply without a parent."""
    scene = SCENE.replace("Subject:", f"{line}\nSubject:")
    with pytest.raises(SourceError, match=r"scene 'one' refers to 'no\w+'"):
        build(write(tmp_path, PEOPLE + scene + "text"))


@pytest.mark.parametrize("line", ["From here on", ">From here on", ">>From here on"])
def test_from_lines_survive_the_mbox(tmp_path: Path, line: str) -> None:
    """A body line that begins with "From " splits a message in two, or keeps a mark that nobody typed."""
    mbox, _ = build(write(tmp_path, PEOPLE + SCENE + f"before\n{line}\nafter"))
    assert f"\n>{line}\n".encode() in mbox
    (tmp_path / "out.mbox").write_bytes(mbox)
    box = mailbox.mbox(tmp_path / "out.mbox", create=False)
    assert len(box) == 1
    box.close()


def test_headers_fold_and_encode() -> None:
    """Long or foreign headers come out unreadable to other programs."""
    folded = fold("References", " ".join(["<" + "a" * 40 + "@b.example>"] * 5))
    assert max(map(len, folded.split("\r\n"))) <= 78
    for text in ("Grüße aus Köln", "Ein langer Betreff mit Überlänge und noch mehr Wörtern darin", "日本語" * 12):
        message = message_from_bytes(fold("Subject", header_text(text)).encode() + b"\r\n")
        assert str(make_header(decode_header(message["Subject"]))) == text
    assert mailbox_text("", "a@b.example") == "a@b.example"
    assert mailbox_text("Fell & Tarn", "a@b.example") == '"Fell & Tarn" <a@b.example>'


def test_clock_changes() -> None:
    """Mail after the clocks went back would be an hour off."""
    assert local_time("10-24 12:00", "uk").isoformat() == "2026-10-24T12:00:00+01:00"
    assert local_time("10-25 12:00", "uk").isoformat() == "2026-10-25T12:00:00+00:00"
    assert local_time("11-01 12:00", "us").isoformat() == "2026-11-01T12:00:00-05:00"
    assert local_time("10-31 12:00", "us").isoformat() == "2026-10-31T12:00:00-04:00"


def test_page_marks_become_html_and_text() -> None:
    """The HTML and the plain alternative of one mail say different things."""
    marked = (
        "# Big\n## Small\n* item\n| a | 5 < 6 |\n!button Go | https://a.example/go\n"
        "!image Pic | https://a.example/p\nSee [x](https://a.example/x), **now**"
    )
    html = page_html(marked, title="T & U", preheader="psst", pixel="https://a.example/o.gif")
    for words in (
        "<h1>Big</h1>",
        "<h2>Small</h2>",
        "<li>item</li>",
        "5 &lt; 6</td>",
        "<b>now</b>",
        "T &amp; U",
        "psst",
    ):
        assert words in html
    assert html.count("https://a.example/") == 4
    assert page_text(marked).split("\n") == [
        "BIG",
        "Small",
        "* item",
        "a   5 < 6",
        "Go: https://a.example/go",
        "See x <https://a.example/x>, now",
    ]
    assert "display:none" not in page_html("x", title="T")
