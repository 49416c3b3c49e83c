"""Sentences: a piece of evidence must be the words of the mail, whole, and hostile text must not cost time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.extraction.sentences import (
    MAX_SENTENCE_CHARS,
    MAX_SENTENCES,
    MAX_TEXT_CHARS,
    split_sentences,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        ("Ask Mr. Orlov about it. Then go.", ["Ask Mr. Orlov about it.", "Then go."]),
        ("Signed J. Orlov yesterday.", ["Signed J. Orlov yesterday."]),
        ("It costs 3.50 now. Buy two.", ["It costs 3.50 now.", "Buy two."]),
        ("Am 12. Mai in Bern.", ["Am 12. Mai in Bern."]),
        ("It was in 1999. Then nothing.", ["It was in 1999.", "Then nothing."]),
        ("See http://a.example/b.c?d=e.f for it.", ["See http://a.example/b.c?d=e.f for it."]),
        ("Meet at 5 p.m. or so.", ["Meet at 5 p.m. or so."]),
        ("He said (no.) Then left.", ["He said (no.)", "Then left."]),
        ("Hi Ada,\n\nAll good.\nBye", ["Hi Ada,", "All good.", "Bye"]),
        (
            "This line is long enough that the mail program has wrapped it at\nThe Hague office.",
            ["This line is long enough that the mail program has wrapped it at\nThe Hague office."],
        ),
        ("short line\ncontinues in lower case", ["short line\ncontinues in lower case"]),
        ("Short Line\nAnother Line", ["Short Line", "Another Line"]),
        ("We need:\n- bread\n- milk\n2) eggs", ["We need:", "- bread", "- milk", "2) eggs"]),
        (
            "A long wrapped line that ends with the abbreviation of a doctor Dr.\nMabuse is here.",
            ["A long wrapped line that ends with the abbreviation of a doctor Dr.\nMabuse is here."],
        ),
        ("Ends.\nStarts", ["Ends.", "Starts"]),
        ("...", ["..."]),
        ("(.). X", ["(.).", "X"]),
        ("", []),
        (" \n \n", []),
    ],
)
def test_a_sentence_is_neither_cut_nor_glued(text: str, expected: list[str]) -> None:
    assert [sentence.text for sentence in split_sentences(text)] == expected


@given(st.text(alphabet=st.sampled_from("aB1 .!?\n-•:,)\"'é…\t"), max_size=300))
def test_each_sentence_is_a_slice_of_the_text_and_they_do_not_overlap(text: str) -> None:
    end = 0
    for sentence in split_sentences(text):
        assert sentence.text == text[sentence.start : sentence.end]
        assert sentence.text.strip() == sentence.text != ""
        assert sentence.start >= end
        end = sentence.end


@given(st.text(alphabet=st.sampled_from("aB. \n-"), max_size=200))
def test_no_visible_character_is_dropped(text: str) -> None:
    kept = "".join("".join(sentence.text.split()) for sentence in split_sentences(text))
    assert kept == "".join(text.split())


@pytest.mark.parametrize("unit", [". ", "a", "a ", "\n", "- ", "1. ", "?", "Mr. ", "...\n", "\"'", "x.\n", " \n"])
def test_hostile_text_stays_within_the_bounds(unit: str) -> None:
    sentences = split_sentences(unit * (100_000 // len(unit)))
    assert len(sentences) <= MAX_SENTENCES
    assert all(len(sentence.text) <= MAX_SENTENCE_CHARS for sentence in sentences)
    assert all(sentence.end <= MAX_TEXT_CHARS for sentence in sentences)
