"""HTML to text: what a person would read, in reading order, in linear time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.mail.flowed import unflow
from rl_emails_assets.mail.html_text import html_to_text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", ""),
        ("plain &lt; text", "plain < text"),
        ("<p>one</p><p>two", "one\n\ntwo"),
        ("<div>one</div><div>two</div>three", "one\ntwo\nthree"),
        ("one<br>two<br/><br>three", "one\ntwo\n\nthree"),
        ("a <b>bold</b>ly <i>put</i>\n  word", "a boldly put word"),
        ("<a href=x>link</a>&nbsp;text", "link text"),
        ("<head><title>t</title><style>p{}</style></head>x<script>if(a<b)</script>y", "xy"),
        ("x<script>never closed", "x"),
        ("<!-- hidden --><!DOCTYPE html><?xml?>x<!-- open", "x"),
        ("<!-->x", "x"),
        ("x<!open", "x"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n\n- c"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<li>loose<p>x", "- loose\n\nx"),
        ("<table><tr><td>Item</td><td>5 &euro;</td></tr><tr><td>Sum<td>6</table>", "Item\t5 €\nSum\t6"),
        ("<table><tr><td><div>a</div></td><td>b</td></tr></table>", "a\nb"),
        ("<table><tr><td>a</div>b</p>c</td></tr></table>", "abc"),
        ("<blockquote>q<br>r<blockquote>s</blockquote></blockquote>mine", "> q\n> r\n>\n>> s\n\nmine"),
        ("<pre>a\n  b\r\n\n c</pre>", "a\n  b\n\n c"),
        ("<blockquote><pre>a\n\nb</pre></blockquote>", "> a\n>\n> b"),
        ("<p>a<hr>b", "a\n\nb"),
        ("<dl><dt>t<dd>d</dl>", "t\nd"),
        ("<p>a<div>b</div>", "a\n\nb"),
        ("<div style='display:none'>pre</div>x", "x"),
        ("<div style='display&#58;none'>pre</div>x", "x"),
        ("<div style='max-height:0;overflow:hidden'>pre</div>x", "x"),
        ("<span style='opacity:0'>pre</span>x", "x"),
        ("<div hidden>pre<br><p>more</div>x", "x"),
        ("<div style='font-size:0'>gap<span style='font-size:1.5em'>word</span></div>", "word"),
        ("<div style='font-size:1px'>tiny</div>x", "x"),
        ("a\u200bb\u00adc \u200c\u200c\u200cd", "abc d"),
        ("<b>x</i></b></br>y", "x\ny"),
        ("<div id=appendonsend></div><hr><div id=divRplyFwdMsg>From: a</div>", "_" * 32 + "\n\nFrom: a"),
        ("<img alt='a b'>x", "x"),
        ("<a title='x > y' b = \"<p>\">z</a>", "z"),
        ("<a b='unclosed>x</a>", "x"),
        ("<a b='x > unclosed quote", "unclosed quote"),
        ("<p", ""),
        ("1 < 2 and <3", "1 < 2 and <3"),
        ("<td>a</td><td>b</td>", "a\tb"),
        ("<option>a<option>b", "a\nb"),
        ("<p>x</p></p>y", "x\n\ny"),
    ],
)
def test_html_reads_as_a_person_would(html: str, expected: str) -> None:
    assert html_to_text(html) == expected


def test_image_texts_are_read_on_demand() -> None:
    assert html_to_text("<img src=x alt='Big &amp; sale'><p hidden><img alt=no>", with_image_texts=True) == "Big & sale"


def test_a_tag_longer_than_any_is_cut() -> None:
    assert html_to_text("<a " + "x" * 100_000 + ">word").endswith("word")
    assert html_to_text("<a b='>" + "x" * 100_000).endswith("x")
    assert html_to_text("<a b='>' " + "x" * 100_000).startswith("x")


def test_the_rest_of_endless_markup_is_read_without_structure() -> None:
    text = html_to_text("<p>x" * 50_010 + "<p>last</p>")
    assert text.count("\n\n") == 50_000
    assert text.endswith("x x last")


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<!--",
        "<a b='",
        "=",
        "&",
        "&#x",
        "<div>",
        "</p>",
        "<li>",
        "<blockquote>x",
        "<ol><li>",
        "<table><tr><td>",
        '<p style="',
        "<p hidden",
        "<script>",
        "<b><i>",
    ],
)
def test_long_runs_end_and_stay_small(piece: str) -> None:
    html = piece * 8_000
    assert len(html_to_text(html)) <= 16 * len(html)


@given(st.text(alphabet="<>/!-=\"' abdiptbrl&;#\n", max_size=300))
def test_any_markup_gives_text(html: str) -> None:
    text = html_to_text(html)
    assert text == text.rstrip()
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("text", "delsp", "expected"),
    [
        ("one \ntwo\nthree", False, "one two\nthree"),
        ("日本 \n語", True, "日本語"),
        ("> a \n> b\n>> c\nd", False, "> a b\n>> c\nd"),
        ("words \n-- \nme", False, "words \n-- \nme"),
        (" stuffed\n From x", False, "stuffed\nFrom x"),
        ("end ", False, "end "),
    ],
)
def test_flowed_paragraphs_are_joined(text: str, delsp: bool, expected: str) -> None:
    assert unflow(text, delsp=delsp) == expected
