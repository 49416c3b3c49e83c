"""What holds of the zones of any text."""

import re
from collections import Counter
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.mail import boundaries, greetings, html_text, signature_patterns, signatures, zone_patterns
from rl_emails_assets.mail.zones import lines_of, split_zones, zone_spans

PIECES = st.sampled_from(
    [
        "",
        "text of a line.",
        "> quoted",
        "Thanks,",
        "Ann Example",
        "-- ",
        "555-010-0100",
        "On Sat, Mar 1, 2031 at 9:30 AM Ann <ann@x.test> wrote:",
        "-----Original Message-----",
        "From: Ann",
        "Sent: today",
        "To: me",
        "Subject: x",
        "Ann on 03/01/2031 09:30:00 AM",
        "____________________",
        "Sent from my iPhone",
        "mailing list",
        "  ",
        ":",
        "wrote:",
    ]
)


TEXTS = st.lists(PIECES | st.text(max_size=20), max_size=20).map("\n".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.booleans(), st.sampled_from(["", "Ann Example <ann@x.test>"]))
def test_zones_are_a_partition(text: str, is_forward: bool, sender: str) -> None:
    """A line would be in no zone, or in two."""
    lines = lines_of(text)
    spans = zone_spans(lines, sender=sender, is_forward=is_forward)
    assert [line for start, end, _ in spans for line in range(start, end)] == list(range(len(lines)))
    assert all(start < end for start, end, _ in spans)
    zones = split_zones(text, sender=sender, is_forward=is_forward)
    parts = [line.strip() for part in (zones.new_text, zones.quoted_text, zones.signature) for line in part.split("\n")]
    assert Counter(filter(None, parts)) == Counter(filter(None, map(str.strip, lines)))
    for part, whole in (
        (zones.greeting, zones.new_text),
        (zones.forwarded, zones.quoted_text),
        (zones.disclaimer, zones.signature),
    ):
        assert not Counter(filter(None, part.split("\n"))) - Counter(line for line in whole.split("\n"))


SENTENCES = st.lists(
    st.sampled_from(
        ["I will be there at nine.", "Can you send the plan?", "The numbers are in it:", "1) one", "It is done.", ""]
    ),
    min_size=1,
    max_size=6,
).map(lambda lines: "\n".join([*lines, "This is the end of it."]))
GREETED = st.sampled_from(["", "Hi Bob,\n\n", "Dear all,\n"])
SIGNED = st.sampled_from(
    ["", "\n\nBest regards,\nAnn Example", "\n\n-- \nAnn\n555-010-0100", "\n\nSent from my iPhone"]
)
QUOTES = st.sampled_from(
    [
        "",
        "\n\nOn Mon, Mar 3, 2031 at 9:30 AM Bob <bob@x.test> wrote:\n> When?\n>> Where?",
        "\n\n-----Original Message-----\nFrom: Bob\nSent: today\nTo: Ann\nSubject: x\n\nWhen?\n\nBob",
        "\n\nAm 03.03.2031 um 09:30 schrieb Bob:\n\n> Wann?",
    ]
)


@settings(max_examples=100, deadline=None)
@given(GREETED, SENTENCES, SIGNED, QUOTES)
def test_a_reply_comes_apart_as_it_was_put_together(greeting: str, body: str, signature: str, quote: str) -> None:
    """One zone would take lines of its neighbour; zoning the new text again would change it."""
    zones = split_zones(f"{greeting}{body}{signature}{quote}")
    assert zones.new_text == f"{greeting}{body}".strip()
    assert (zones.signature, zones.quoted_text) == (signature.strip(), quote.strip())
    assert zones.greeting == greeting.strip()
    again = split_zones(zones.new_text)
    assert (again.new_text, again.greeting) == (zones.new_text, zones.greeting)


TRIGGERS = [
    *("-", "_", ">", ":", "@", "<", "*", "=", " ", "\n", "1", "a ", "A ", "/", ".", "—", "\t", "(", "[", "x:"),
    *(
        "wrote:\n",
        "On ",
        "From:\n",
        "To:\n",
        "-- \n",
        "thanks ",
        "best ",
        "the information ",
        "this e-mail ",
        "sent from ",
    ),
    *(
        "Subject:\nTo:\n",
        "1/1/2031 10:00\n",
        "a@b ",
        "<a@b>:\n",
        "> \n",
        "____\n",
        "Ann\n",
        "555-0100 ",
        "\n\nAm 2031 ",
    ),
]


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_hostile_text_is_read_to_its_end(trigger: str) -> None:
    """A mail made to be slow would hold the worker up, or lose text."""
    text = trigger * (100_000 // len(trigger))
    zones = split_zones(text, sender=text[:300])
    found = f"{zones.new_text}{zones.quoted_text}{zones.signature}"
    assert Counter("".join(found.split())) == Counter("".join(text.split()))


class _Counted(list[str]):
    """Lines that count how many of them were looked at one by one or in slices."""

    looks = 0

    def __getitem__(self, key: Any) -> Any:
        self.looks += len(range(*key.indices(len(self)))) if isinstance(key, slice) else 1
        return super().__getitem__(key)


@pytest.mark.parametrize("trigger", [one for one in TRIGGERS if "\n" in one] + ["a:\n\n", "____\n\n", "-- \nx\n"])
def test_lines_are_looked_at_a_bounded_number_of_times(trigger: str) -> None:
    """Twice the lines would take four times as long."""
    looks = []
    for count in (2_000, 4_000):
        lines = _Counted((trigger * count).split("\n"))
        zone_spans(lines, sender="Ann Example")
        looks.append(lines.looks)
    assert looks[1] <= 2.2 * looks[0] + 200


PATTERNS = sorted(
    {
        (f"{module.__name__.rpartition('.')[2]}.{name}", value.pattern)
        for module in (zone_patterns, signature_patterns, boundaries, signatures, greetings)
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }
    | {("html_text._ADDRESS", html_text._ADDRESS.pattern)}
)


@pytest.mark.parametrize(("name", "pattern"), PATTERNS)
def test_patterns_are_bounded(name: str, pattern: str) -> None:
    """A repetition without an end, or one inside another that could match in many ways, would take time without an
    end on a line made for it."""
    assert _ways(_parser.parse(pattern)) <= 1_000, name


def _ways(parsed: Any) -> int:
    """The most positions that a pattern may try from one start: nested repetitions multiply."""
    worst = 1
    for code, argument in parsed:
        if code in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            least, most, inside = argument
            assert most is not _constants.MAXREPEAT
            worst = max(worst, max(int(most) - int(least), 1) * _ways(inside))
        elif code is _constants.SUBPATTERN:
            worst = max(worst, _ways(argument[-1]))
        elif code is _constants.BRANCH:
            worst = max([worst, *(_ways(branch) for branch in argument[1])])
    return worst
