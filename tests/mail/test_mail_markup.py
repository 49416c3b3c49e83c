"""What an HTML body looks like: every count counts what its name says, in linear time, and nothing of its words."""

import pytest

from rl_emails_assets.mail.markup import MAX_CHARACTERS, markup


@pytest.mark.parametrize(
    ("html", "name", "count"),
    [
        ("<IMG src=a><img src=b>", "images", 2),
        ('<a href="http://x.example">a</a><a\nhref=b>b</a>', "links", 2),
        ("<table><TABLE>", "tables", 2),
        ("<form><input>", "forms", 2),
        ("<!-- a --><!-- b -->", "comments", 2),
        ('<a href="http://10.2.3.4/x">', "bare_hosts", 1),
        ('<a href="http://paypal.example@10.2.3.4:80/x">', "bare_hosts", 1),
        ('<a href="http://paypal.example@x.example/">', "masked_hosts", 1),
        ('<a href="https://x.example/1"><a href="https://X.example/2">', "hosts", 1),
        ('<p style="display: none">', "hidden", 1),
        ('<font color="#ffffff">', "white", 1),
        ('<img width="1" height="1">', "tiny", 2),
        ('<div class="gmail_quote">', "person_marks", 1),
        ("@media only screen", "media_queries", 1),
        ('<div class="preheader">', "preheaders", 1),
    ],
)
def test_counts(html: str, name: str, count: int) -> None:
    """A feature of the classifier that is always 0."""
    assert markup(html)[name] == count


def test_nothing_is_kept_of_nothing() -> None:
    """A row of zeros for every plain mail."""
    assert markup("") == {}
    assert set(markup("words")) == {"characters"}


@pytest.mark.parametrize("piece", ["<a ", "href=", "color=", "display:", "1.", "<", "http://", " "])
def test_a_megabyte_of_one_piece(piece: str) -> None:
    """A pattern that backtracks: the test run would stand still here."""
    assert markup(piece * (1_000_000 // len(piece)))["characters"] == MAX_CHARACTERS
