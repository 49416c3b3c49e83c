"""The terms of the ranker: what each reads from a message, in which shape its weight may vary, and what is believed of
it before any data.

A numeric term is a line through its knots: the log odds between two knots are interpolated, outside they stay level. A
choice term has one weight for each of its values. A term's prior is the centre that training pulls it back to, and
all there is where the training mail cannot teach it (`is_taught` false): 1999-2002 mail has no List-Unsubscribe, no
invitations and few designed pages. docs/reference/ranking.md says so openly.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from rl_emails_assets.ranking.rank_input import RankInput

Value = float | str | bool | None

UNKNOWN_RATE_REPLIES = 0.3
UNKNOWN_RATE_MESSAGES = 3.0
"""A reply rate is shrunk as if 0.3 of 3 more messages had been answered: one answer to one mail is not certainty."""


@dataclass(frozen=True, slots=True)
class Numeric:
    """`read` gives a number, or None when there is nothing to measure; then `missing` is the weight."""

    name: str
    read: Callable[[RankInput], float | None]
    knots: tuple[float, ...]
    prior: tuple[float, ...] = ()
    missing_prior: float = 0.0
    is_taught: bool = True
    is_scaled_by_confidence: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """`read` gives one of the names in `prior`, or None (and any other name): weight 0.

    Flags are choices with the one name "yes".
    """

    name: str
    read: Callable[[RankInput], str | None]
    prior: dict[str, float] = field(hash=False)
    is_taught: bool = True
    is_scaled_by_confidence: bool = False


Term = Numeric | Choice


def reply_rate(replied: int, received: int) -> float:
    """The share of messages answered, shrunk towards 1 in 10 while few are known."""
    return (replied + UNKNOWN_RATE_REPLIES) / (received + UNKNOWN_RATE_MESSAGES)


def addressing(message: RankInput) -> str | None:
    """How the owner is addressed: alone, to, cc, through a list, or not at all (blind copy, group address); None when
    the message names no recipients, as in archives of lists, which says nothing."""
    if message.is_owner_only_recipient:
        return "alone"
    if message.is_owner_in_to:
        return "to"
    if message.is_owner_in_cc:
        return "cc"
    if message.is_list:
        return "list"
    return "hidden" if message.recipient_count else None


def _flag(name: str, prior: float, *, is_taught: bool = True) -> Choice:
    def read(message: RankInput) -> str | None:
        return "yes" if getattr(message, name) else None

    return Choice(name, read, {"yes": prior}, is_taught)


TERMS: tuple[Term, ...] = (
    # the owner and the sender
    Numeric(
        "sender_reply_rate",
        lambda m: reply_rate(m.sender_replied_count, m.sender_received_count),
        (0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.4, 0.6, 0.9),
        (-0.9, -0.8, -0.5, -0.2, 0.0, 0.2, 0.5, 0.8, 1.1, 1.3),
    ),
    Numeric("sender_received_count", lambda m: m.sender_received_count, (0, 1, 3, 10, 30, 100, 300)),
    Numeric(
        "sender_sent_count", lambda m: m.sender_sent_count, (0, 1, 2, 5, 10, 30, 100), (0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6)
    ),
    Numeric("sender_days_since_received", lambda m: m.sender_days_since_received, (0, 0.04, 0.25, 1, 3, 10, 30, 120)),
    Numeric("sender_days_since_sent", lambda m: m.sender_days_since_sent, (0, 0.04, 0.25, 1, 3, 10, 30, 120, 365)),
    Numeric("sender_median_reply_hours", lambda m: m.sender_median_reply_hours, (0, 0.5, 2, 8, 24, 72, 240)),
    Numeric(
        "domain_reply_rate",
        lambda m: reply_rate(m.domain_replied_count, m.domain_received_count),
        (0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.4, 0.6),
        (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4),
    ),
    # the conversation
    Numeric("thread_earlier_count", lambda m: m.thread_earlier_count, (0, 1, 2, 4, 8, 16, 40)),
    Numeric("thread_owner_count", lambda m: m.thread_owner_count, (0, 1, 2, 4, 8), (0, 0.3, 0.5, 0.6, 0.6)),
    Numeric("thread_hours_since_previous", lambda m: m.thread_hours_since_previous, (0, 0.25, 1, 4, 12, 48, 168, 720)),
    _flag("is_reply_to_owner", 0.6),
    _flag("is_reply", 0.0),
    # addressing
    Choice("addressing", addressing, {"alone": 0.5, "to": 0.1, "cc": -0.5, "list": -0.3, "hidden": -0.6}),
    Numeric(
        "recipient_count", lambda m: m.recipient_count, (0, 1, 2, 3, 5, 10, 25), (-0.2, 0.1, 0, -0.1, -0.3, -0.5, -0.7)
    ),
    # content
    Numeric("subject_length", lambda m: m.subject_length, (0, 5, 15, 30, 50, 80, 120)),
    Numeric("word_count", lambda m: m.word_count, (0, 5, 15, 40, 100, 250, 600, 2000)),
    Numeric("question_count", lambda m: m.question_count, (0, 1, 2, 4, 8), (0, 0.4, 0.5, 0.5, 0.4)),
    Numeric("first_person_count", lambda m: m.first_person_count, (0, 1, 2, 4, 8, 16)),
    Numeric("second_person_count", lambda m: m.second_person_count, (0, 1, 2, 4, 8)),
    Numeric("link_count", lambda m: m.link_count, (0, 1, 3, 10, 30), (0, -0.1, -0.3, -0.6, -0.8)),
    Numeric("attachment_count", lambda m: m.attachment_count, (0, 1, 3), (0, 0.1, 0.1), is_taught=False),
    _flag("is_owner_named", 0.2),
    _flag("is_flagged_urgent", 0.3, is_taught=False),
    _flag("is_html_only", -0.3, is_taught=False),
    _flag("has_calendar", 0.2, is_taught=False),
    # time
    Numeric("sent_hour", lambda m: m.sent_hour, (0, 6, 9, 12, 15, 18, 21, 23)),
    Numeric("sent_weekday", lambda m: m.sent_weekday, (0, 4, 5, 6)),
    # machines
    _flag("is_bulk", -1.2, is_taught=False),
    _flag("is_automatic", -1.0, is_taught=False),
    _flag("is_from_owner", -8.0, is_taught=False),
    # the verdict and what was extracted
    Choice(
        "category",
        lambda m: m.category,
        {
            "person": 0.2,
            "mailing_list": -0.2,
            "calendar": -0.4,
            "receipt": -1.3,
            "notification": -1.4,
            "automatic": -1.6,
            "social": -1.7,
            "newsletter": -2.0,
            "promotion": -2.8,
            "suspicious": -3.5,
        },
        is_scaled_by_confidence=True,
    ),
    Choice(
        "needs",
        lambda m: m.needs,
        {"reply": 0.7, "decision": 0.9, "task": 0.6, "read": -0.3, "nothing": -0.9},
        is_scaled_by_confidence=True,
    ),
    Choice(
        "urgency",
        lambda m: m.urgency,
        {"now": 0.7, "today": 0.5, "this_week": 0.2, "whenever": 0.0},
        is_scaled_by_confidence=True,
    ),
    Numeric("task_count_me", lambda m: m.task_count_me, (0, 1, 3), (0, 0.4, 0.6), is_taught=False),
    Numeric(
        "nearest_deadline_hours",
        lambda m: m.nearest_deadline_hours,
        (-48, 0, 24, 48, 168, 720),
        (0.0, 0.5, 0.8, 0.7, 0.3, 0.0),
        is_taught=False,
    ),
)
