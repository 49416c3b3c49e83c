from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.embedding.text import MAX_CHARACTERS, text_to_encode


def test_subject_then_text_with_folded_space():
    """Indentation and blank lines would take the place of words among the 256 tokens."""
    assert text_to_encode("Re:  plan\r\n b", "\n\n Hello,\n\tsee\u00a0below. \n") == "Re: plan b\nHello, see below."


def test_an_empty_part_leaves_no_line_break():
    """The same words with and without a subject would be two texts, and be encoded twice."""
    assert text_to_encode("", "body") == text_to_encode("body", "  ") == "body"
    assert text_to_encode("", "") == ""


@given(st.text(max_size=50), st.text(max_size=50), st.integers(0, 3000))
def test_the_text_is_bounded_and_folding_it_again_changes_nothing(subject, new_text, times):
    """A huge body would cost seconds to tokenize, or the hash of a text would depend on who made it."""
    text = text_to_encode(subject * times, new_text * times)
    assert len(text) <= MAX_CHARACTERS
    first, _, rest = text.partition("\n")
    assert text_to_encode(first, rest) == text


def test_a_body_of_white_space_alone_is_bounded():
    """Fifty megabytes of blanks would be split to their end."""
    assert text_to_encode("subject", " " * 10_000_000 + "late") == "subject"
