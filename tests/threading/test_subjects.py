"""Subjects: what a conversation's messages share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.mail.subjects import GENERIC_SUBJECTS, is_forward, is_reply, subject_key


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("Budget", "budget"),
        ("Re: Budget", "budget"),
        ("RE: FW: Budget", "budget"),
        ("Re[2]: Budget", "budget"),
        ("Re (3): Budget", "budget"),
        ("Re^4: Budget", "budget"),
        ("Re2: Budget", "budget"),
        ("[staff] Re: [staff] Budget", "budget"),
        ("AW: WG: Haushalt", "haushalt"),
        ("SV: VB: Budsjett", "budsjett"),
        ("Antw: Begroting", "begroting"),
        ("RES: ENC: Orçamento", "orçamento"),
        ("TR : Budget", "budget"),
        ("回复：预算", "预算"),
        ("转发: 预算", "预算"),
        ("Ответ: План", "план"),
        ("  Budget \t for\r\n 2031  ", "budget for 2031"),
        ("Budget (fwd)", "budget"),
        ("[draft]", "[draft]"),
        ("Re: [draft]", "[draft]"),
        ("Re:", ""),
        ("", ""),
        ("Report: Q3", "report: q3"),
        ("http://example.test/re", "http://example.test/re"),
        ("Regarding: x", "regarding: x"),
        ("ẞtraße", "sstrasse"),
    ],
)
def test_subject_key_strips_only_what_programs_add(subject: str, key: str) -> None:
    """A reply would not find its conversation, or a real word would be lost."""
    assert subject_key(subject) == key


@pytest.mark.parametrize(
    ("subject", "reply", "forward"),
    [
        ("Re: a", True, False),
        ("re[3]: a", True, False),
        ("Fwd: a", False, True),
        ("FW: Re: a", False, True),
        ("Re: Fwd: a", True, False),
        ("WG: a", False, True),
        ("a (fwd)", False, True),
        ("[list] AW: a", True, False),
        ("a re: b", False, False),
        ("Reply", False, False),
    ],
)
def test_outermost_prefix_tells_reply_from_forward(subject: str, reply: bool, forward: bool) -> None:
    """A forwarded reply would count as an answer."""
    assert (is_reply(subject), is_forward(subject)) == (reply, forward)


@given(st.text(max_size=60), st.lists(st.sampled_from(["Re: ", "FWD: ", "AW:", "[x] ", "Re[2]: "]), max_size=4))
def test_key_of_an_answer_is_the_key(subject: str, prefixes: list[str]) -> None:
    """An answer to an answer would start a conversation of its own."""
    key = subject_key(subject)
    assert subject_key("Re: " + key) == subject_key(key)
    if key and not key.startswith("["):
        assert subject_key("".join(prefixes) + key) == subject_key(key)


@pytest.mark.parametrize("trigger", ["re:", "[a]", "[", "re[", " ", "fwd: ", "(fwd)", "re[1"])
def test_hostile_subject_is_read_in_bounded_time(trigger: str) -> None:
    """A subject of a megabyte would hold the worker up."""
    assert len(subject_key(trigger * 200_000)) <= 1000


def test_generic_subjects_are_keys() -> None:
    """An entry that no key equals would never match."""
    assert all(subject_key(subject) == subject for subject in GENERIC_SUBJECTS)
