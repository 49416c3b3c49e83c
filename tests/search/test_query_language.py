"""The query language: each rule of docs/reference/search.md, and that no text breaks it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_api.search.query_language import (
    MAX_DEPTH,
    MAX_NOTES,
    MAX_TERMS,
    OPERATORS,
    STOP_WORDS,
    Reading,
    parse,
)
from rl_emails_api.search.query_tree import (
    And,
    Everything,
    Has,
    InField,
    Is,
    Judged,
    Labelled,
    Not,
    Or,
    Received,
    Size,
    Words,
    as_json,
    asked_for,
    conditions_of,
    free_words,
    wants_unwanted,
)

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "search.md"


def read(text, *, zone=UTC, is_typing=False):
    """The query, read on a Monday afternoon."""
    return parse(text, Reading(NOW, zone, is_typing=is_typing))


def tree(text, **more):
    """Its tree, when there is nothing to note."""
    query = read(text, **more)
    assert query.notes == ()
    return query.tree


def at(*parts, zone=UTC):
    """A moment."""
    return datetime(*parts, tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("budget", Words("budget")),
        ("budget meeting", And((Words("budget"), Words("meeting")))),
        ('"budget meeting"', Words("budget meeting", is_phrase=True)),
        ("“budget meeting”", Words("budget meeting", is_phrase=True)),
        ("budget -draft", And((Words("budget"), Not(Words("draft"))))),
        ("budget NOT draft", And((Words("budget"), Not(Words("draft"))))),
        ("-(a b)", Not(And((Words("a"), Words("b"))))),
        ("--x", Words("--x")),
        ("-NOT x", Words("x")),
        ("a OR b", Or((Words("a"), Words("b")))),
        ("a | b OR c", Or((Words("a"), Words("b"), Words("c")))),
        ("{a b}", Or((Words("a"), Words("b")))),
        ("roof a OR b", And((Words("roof"), Or((Words("a"), Words("b")))))),
        ("(roof tile) OR slate", Or((And((Words("roof"), Words("tile"))), Words("slate")))),
        ("roof AND tile", And((Words("roof"), Words("tile")))),
        ("from:ada", InField("from", "ada")),
        ('from:"ada byron"', InField("from", "ada byron")),
        ("FROM:Ada", InField("from", "Ada")),
        ("to:ada@example.org", InField("to", "ada@example.org")),
        ("cc:x", InField("cc", "x")),
        ("-from:ada", Not(InField("from", "ada"))),
        ("from:(ada OR ben)", Or((InField("from", "ada"), InField("from", "ben")))),
        ("subject:(pier survey)", And((InField("subject", "pier"), InField("subject", "survey")))),
        ("subject:{pier survey}", Or((InField("subject", "pier"), InField("subject", "survey")))),
        ("filename:pdf", InField("filename", "pdf")),
        ("list:moss", InField("list", "moss")),
        ("has:attachment", Has("attachment")),
        ("has:PDFs", Has("pdf")),
        ("is:unread", Is("unread")),
        ("is:Done", Is("done")),
        ("in:inbox", Labelled("INBOX")),
        ("in:sent", Is("sent")),
        ("in:anywhere", Everything()),
        ("in:receipts", Labelled("receipts")),
        ('label:"to do"', Labelled("to do")),
        ("category:newsletter", Judged("category", "newsletter")),
        ("category:promotions", Judged("category", "newsletter")),
        ("category:mailing-list", Judged("category", "mailing_list")),
        ("needs:reply", Judged("needs", "reply")),
        ("larger:5M", Size("larger", 5 * 1024**2)),
        ("smaller:100k", Size("smaller", 100 * 1024)),
        ("size:10", Size("larger", 10)),
        ("larger:999999999999g", Size("larger", 2**31 - 1)),
        ("re: budget", And((Words("re"), Words("budget")))),
        ("http://a.example/b", Words("http //a.example/b", is_phrase=True)),
        ("10:30", Words("10:30")),
    ],
)
def test_what_a_query_means(text, expected):
    """A rule of the language that is read otherwise than it is written down."""
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("before:2026-11-20", None, at(2026, 11, 20)),
        ("after:2026-11-20", at(2026, 11, 20), None),
        ("older:2026/11/20", None, at(2026, 11, 20)),
        ("newer:20.11.2026", at(2026, 11, 20), None),
        ("on:2026-11-20", at(2026, 11, 20), at(2026, 11, 21)),
        ("on:2026-12", at(2026, 12, 1), at(2027, 1, 1)),
        ("on:2026-02", at(2026, 2, 1), at(2026, 3, 1)),
        ("on:2026", at(2026, 1, 1), at(2027, 1, 1)),
        ("on:23/11/2026", at(2026, 11, 23), at(2026, 11, 24)),
        ("on:11/23/2026", at(2026, 11, 23), at(2026, 11, 24)),
        ("on:5/5/2026", at(2026, 5, 5), at(2026, 5, 6)),
        ("on:today", at(2026, 11, 23), at(2026, 11, 24)),
        ("after:yesterday", at(2026, 11, 22), None),
        ("on:monday", at(2026, 11, 23), at(2026, 11, 24)),
        ("on:tuesday", at(2026, 11, 17), at(2026, 11, 18)),
        ("on:7d", at(2026, 11, 16), at(2026, 11, 17)),
        ("before:7d", None, NOW - timedelta(days=7)),
        ("after:2w", NOW - timedelta(days=14), None),
        ("older_than:1y", None, NOW - timedelta(days=365)),
        ("newer_than:12h", NOW - timedelta(hours=12), None),
        ("newer_than:3m", NOW - timedelta(days=90), None),
        ("older_than:99999y", None, NOW - timedelta(days=36_500)),
    ],
)
def test_dates(text, since, until):
    """A day off by one, a bound on the wrong side, a month of the wrong length."""
    assert tree(text) == Received(since, until)


def test_days_begin_at_the_owners_midnight():
    """Mail of the evening found under the next day; a day of 25 hours cut at the 24th."""
    berlin = ZoneInfo("Europe/Berlin")
    assert tree("on:2026-10-25", zone=berlin) == Received(at(2026, 10, 25, zone=berlin), at(2026, 10, 26, zone=berlin))
    found = tree("on:2026-10-25", zone=berlin)
    assert found.until.astimezone(UTC) - found.since.astimezone(UTC) == timedelta(hours=25)
    east = timezone(timedelta(hours=10))
    assert tree("on:today", zone=east) == Received(at(2026, 11, 24, zone=east), at(2026, 11, 25, zone=east))


@pytest.mark.parametrize(
    ("text", "expected", "note"),
    [
        ("before:never", Words("before never", is_phrase=True), "It needs a day such as"),
        ("before:2026-13", Words("before 2026-13", is_phrase=True), "It needs a day"),
        ("on:2026-02-30", Words("on 2026-02-30", is_phrase=True), "It needs a day"),
        ("on:2026-00", Words("on 2026-00", is_phrase=True), "It needs a day"),
        ("on:2026-01-00", Words("on 2026-01-00", is_phrase=True), "It needs a day"),
        ("on:0000", Words("on 0000", is_phrase=True), "It needs a day"),
        ("on:13/13/2026", Words("on 13/13/2026", is_phrase=True), "It needs a day"),
        ("older_than:2026-01-01", Words("older_than 2026-01-01", is_phrase=True), "It needs a span"),
        ("larger:big", Words("larger big", is_phrase=True), "It needs a size"),
        ("is:odd", Words("is odd", is_phrase=True), "is: knows unread"),
        ("has:soul", Words("has soul", is_phrase=True), "has: knows attachment"),
        ("category:odd", Words("category odd", is_phrase=True), "category: knows person"),
        ("needs:odd", Words("needs odd", is_phrase=True), "needs: knows"),
        ("colour:red", Words("colour red", is_phrase=True), "colour: is not an operator"),
        ('colour:"dark red"', Words("colour dark red", is_phrase=True), "colour: is not an operator"),
        ('"open', Words("open", is_phrase=True), "quotation mark"),
        ("from: budget", Words("budget"), "from: says nothing yet"),
        ("on:11/12/2026", Received(at(2026, 11, 12), at(2026, 11, 13)), "was read as 12 November 2026"),
    ],
)
def test_what_is_not_understood_is_text_and_is_told(text, expected, note):
    """A search that quietly looks for something else."""
    query = read(text)
    assert query.tree == expected
    assert len(query.notes) == 1
    assert note in query.notes[0]


@pytest.mark.parametrize(
    "text", ["", "   ", '""', "()", "- ", "OR", "!!! ???", "_", "from:", 'from:""', "from:!!!", "NOT", "(-)"]
)
def test_nothing_to_search_for(text):
    """A match with every message, for a query that asks for none."""
    assert read(text).tree is None


def test_only_the_last_word_is_unfinished_and_only_while_typing():
    """ "re" found in everything that begins with it, long after it was typed."""
    assert tree("pier quo", is_typing=True) == And((Words("pier"), Words("quo", is_unfinished=True)))
    assert tree("from:ad", is_typing=True) == InField("from", "ad", is_unfinished=True)
    assert tree("pier ", is_typing=True) == Words("pier")
    assert tree('"pier quo"', is_typing=True) == Words("pier quo", is_phrase=True)
    # What is half typed is no mistake yet.
    assert read("before:2026-1", is_typing=True).tree == Received(None, at(2026, 1, 1))
    assert read("is:unr", is_typing=True).notes == ()


def test_words_that_say_nothing_are_left_out_beside_others():
    """A question in plain words that finds nothing, because no mail has all of its little words."""
    assert tree("what was the budget") == Words("budget")
    assert tree('"the budget" of it') == Words("the budget", is_phrase=True)
    assert tree("the who") == And((Words("the"), Words("who")))
    assert tree("from:ada the") == And((InField("from", "ada"), Words("the")))


def test_bounds():
    """A query that costs more than a person can type."""
    many = read(" ".join(f"w{number}" for number in range(MAX_TERMS + 5)))
    assert len(list(asked_for(many.tree))) == MAX_TERMS
    assert many.notes == (f"Only the first {MAX_TERMS} terms are searched for.",)
    deep = read("(" * (MAX_DEPTH + 3) + "x" + ")" * (MAX_DEPTH + 3))
    assert any("deeper" in note for note in deep.notes)
    assert len(read(" ".join(f"odd{number}x:y" for number in range(30)).replace("0", "")).notes) <= MAX_NOTES


def test_what_a_match_must_fulfil_besides_words():
    """Meaning searched in mail that a condition excludes, or excluded where a condition was only one of two ways."""
    assert conditions_of(tree("from:ada budget")) == InField("from", "ada")
    assert conditions_of(tree("budget")) is None
    assert conditions_of(tree("budget -draft")) == Not(Words("draft"))
    assert conditions_of(tree("budget OR from:ada")) is None
    assert conditions_of(tree("from:ada OR from:ben")) == tree("from:ada OR from:ben")
    assert [word.text for word in free_words(tree("a from:ada -b (c OR d)"))] == ["a", "c", "d"]
    assert wants_unwanted(tree("in:trash x"))
    assert wants_unwanted(tree("in:anywhere"))
    assert not wants_unwanted(tree("-in:trash x"))


_PIECES = st.sampled_from(
    [f"{name}:" for name in OPERATORS]
    + list('"(){}-|')
    + [" ", " OR ", " AND ", " NOT ", "ada", "ada@example.org", "7d", "2026-11-23", "5M", "x:", "é", "\x00"]
)


@settings(max_examples=400, deadline=None)
@given(text=st.one_of(st.lists(_PIECES, max_size=30).map("".join), st.text(max_size=200)), is_typing=st.booleans())
def test_no_text_breaks_the_parser(text, is_typing):
    """A query that is answered with an error; a tree that the database is not told, or that reads itself otherwise."""
    query = read(text, is_typing=is_typing)
    assert query == read(text, is_typing=is_typing)
    if query.tree is not None:
        leaves = list(asked_for(query.tree))
        assert len(leaves) <= MAX_TERMS
        assert all(re.search(r"[^\W_]", leaf.text) for leaf in leaves if isinstance(leaf, Words | InField))
        assert as_json(query.tree)["kind"]
    assert len(query.notes) <= MAX_NOTES


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.text("abcdefgh", min_size=2, max_size=6), min_size=1, max_size=8))
def test_every_plain_word_is_searched_for(words):
    """A word lost on the way from the box to the database."""
    wanted = [word for word in words if word not in STOP_WORDS]
    assert [word.text for word in free_words(tree(" ".join(words)))] == (wanted or words)


def test_ten_thousand_characters_are_read_at_once():
    """A parser whose time grows with the square of the text."""
    for text in ("(" * 10_000, '"' * 10_000, "-" * 10_000, "a:" * 5_000, "from:" * 2_000, "x " * 5_000, "{}" * 5_000):
        assert len(list(asked_for(read(text).tree))) <= MAX_TERMS


def test_the_reference_names_every_operator():
    """An operator that nobody can find out about, or a documented one that is not there."""
    documented = set(re.findall(r"^\| `([a-z_]+):", REFERENCE.read_text(), re.MULTILINE))
    assert documented == set(OPERATORS)


@pytest.mark.parametrize(
    "line", re.findall(r"^    (\S.*?)  +# (.*)$", REFERENCE.read_text(), re.MULTILINE) if REFERENCE.exists() else []
)
def test_the_examples_of_the_reference_are_understood(line):
    """An example that does not work as it stands there."""
    assert read(line[0]).notes == ()
