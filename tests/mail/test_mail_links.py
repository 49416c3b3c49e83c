"""Links whose words name another site."""

import pytest

from rl_emails_assets.mail.links import MAX_LINKS, has_mismatched_link


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="https://evil.example/x">www.mybank.example.org</a>', True),
        ("<A HREF=http://evil.example>https://mybank.test/login</A>", True),
        ('<a class="b" href="https://click.mybank.test/r?u=1">mybank.test</a>', False),
        ('<a href="https://mybank.test/">Log in here</a>', False),
        ('<a href="https://mybank.test/">version 1.2.3</a>', False),
        ('<a href="https://mybank.test/">10.0.0.1</a>', False),
        ('<a href="mailto:a@mybank.test">mybank.test</a>', False),
        ("", False),
    ],
)
def test_only_words_that_name_another_site_count(html: str, expected: bool) -> None:
    """Taken for lures, ordinary newsletters would be marked suspicious; missed, lures would look like ordinary mail."""
    assert has_mismatched_link(html) is expected


def test_the_number_of_links_that_are_looked_at_is_bounded() -> None:
    """A page of a million links must not hold a worker up."""
    honest = '<a href="https://a.test/">a.test</a>' * MAX_LINKS
    assert has_mismatched_link(honest + '<a href="https://b.test/">a.test</a>') is False


@pytest.mark.parametrize("piece", ["<a ", "<a href=", '<a href="http://', "<a href=http://a>", "a.", "-", " "])
def test_hostile_html_takes_linear_time(piece: str) -> None:
    """An expression that tries every split of 100 kB would never end."""
    assert has_mismatched_link(piece * (100_000 // len(piece))) is False
