"""Contributions in words: one template for each term, filled from the message at the moment of the decision."""

import math
from collections.abc import Callable, Iterable
from itertools import islice

from rl_emails_assets.ranking.priority import Priority
from rl_emails_assets.ranking.rank_input import RankInput

MAX_REASONS = 4
MIN_LOG_ODDS = 0.15
"""A weaker contribution moves a score of a half by less than 4 points and is no reason."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_ADDRESSING = {
    "alone": "Sent to you alone",
    "to": "Addressed to you",
    "cc": "You are in copy",
    "list": "Sent through a mailing list",
    "hidden": "You are not named as a recipient",
}
_CATEGORY = {
    "person": "Written by a person",
    "newsletter": "Newsletter",
    "promotion": "Promotion",
    "notification": "Notification",
    "receipt": "Receipt",
    "calendar": "About an appointment",
    "social": "From a social network",
    "mailing_list": "Mailing list",
    "automatic": "Automatic message",
    "suspicious": "Looks suspicious",
}
_NEEDS = {
    "reply": "Asks for your answer",
    "decision": "Asks you for a decision",
    "task": "Gives you something to do",
    "read": "Only to be read",
    "nothing": "Needs nothing from you",
}
_URGENCY = {"now": "Wants attention now", "today": "Wants attention today", "this_week": "Wants attention this week"}


# What a person's own part says; {} is the contribution's value ("7 of 9", or the words).
_PERSONAL = {
    "personal_sender": "You acted on {} mails from this sender",
    "personal_domain": "You acted on {} mails from the sender's domain",
    "personal_list": "You acted on {} mails of this list",
}
_PERSONAL_WORDS = {
    "personal_subject": ("You act less on mail about {}", "You act more on mail about {}"),
    "personal_text": ("You act less on mail that mentions {}", "You act more on mail that mentions {}"),
}


def duration(hours: float) -> str:
    """A length of time as a person says it, rounded up: "5 minutes", "3 hours", "2 days", "4 weeks"."""
    if not math.isfinite(hours):
        return "a long time"
    hours = max(hours, 0.0)
    for limit, in_one_hour, unit in ((1.0, 60.0, "minute"), (48.0, 1.0, "hour"), (24.0 * 21, 1 / 24, "day")):
        if hours < limit:
            return _counted(max(1, math.ceil(round(hours * in_one_hour, 6))), unit)
    weeks = math.ceil(hours / (24 * 7))
    return _counted(weeks, "week") if weeks <= 100 else "2 years or more"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _answered(replied: int, received: int, whose: str) -> str:
    if received == 0:
        return ""
    if received == 1:
        return (
            f"You answered the only earlier mail from {whose}"
            if replied
            else f"No answer to the earlier mail from {whose}"
        )
    share = "none" if replied == 0 else "all" if replied >= received else str(replied)
    return f"You answered {share} of {received} earlier mails from {whose}"


def _after(days: float | None, text: str, otherwise: str) -> str:
    return otherwise if days is None else text.format(duration(days * 24))


def _deadline(hours: float | None) -> str:
    if hours is None:
        return ""
    return "Its deadline had passed" if hours < 0 else f"Due within {duration(hours)}"


def _subject(length: int) -> str:
    if length == 0:
        return "No subject"
    return "Short subject" if length < 20 else "Long subject" if length > 60 else ""


def _always(text: str) -> Callable[[RankInput], str]:
    return lambda _: text


_NEVER_WRITTEN = "You had never written to this sender"
_FIRST_MAIL = "First mail from this sender"

TEMPLATES: dict[str, Callable[[RankInput], str]] = {
    "sender_reply_rate": lambda m: _answered(m.sender_replied_count, m.sender_received_count, "this sender"),
    "sender_received_count": lambda m: (
        f"{_counted(m.sender_received_count, 'earlier mail')} from this sender"
        if m.sender_received_count
        else _FIRST_MAIL
    ),
    "sender_sent_count": lambda m: (
        f"You had sent this sender {_counted(m.sender_sent_count, 'mail')}" if m.sender_sent_count else _NEVER_WRITTEN
    ),
    "sender_days_since_received": lambda m: _after(
        m.sender_days_since_received, "The sender had written {} before", _FIRST_MAIL
    ),
    "sender_days_since_sent": lambda m: _after(
        m.sender_days_since_sent, "You had written to this sender {} before", _NEVER_WRITTEN
    ),
    "sender_median_reply_hours": lambda m: (
        ""
        if m.sender_median_reply_hours is None
        else f"You usually answer this sender within {duration(m.sender_median_reply_hours)}"
    ),
    "domain_reply_rate": lambda m: _answered(m.domain_replied_count, m.domain_received_count, "the sender's domain"),
    "thread_earlier_count": lambda m: (
        f"{_counted(m.thread_earlier_count, 'earlier message')} in the conversation"
        if m.thread_earlier_count
        else "Starts a conversation"
    ),
    "thread_owner_count": lambda m: (
        f"You had written {_counted(m.thread_owner_count, 'message')} in the conversation"
        if m.thread_owner_count
        else "You had not written in the conversation"
    ),
    "thread_hours_since_previous": lambda m: (
        ""
        if m.thread_hours_since_previous is None
        else f"Comes {duration(m.thread_hours_since_previous)} after the conversation's previous message"
    ),
    "is_reply_to_owner": _always("Answers a message of yours"),
    "is_reply": _always("Is an answer in a conversation"),
    "recipient_count": lambda m: (
        f"Sent to {_counted(m.recipient_count, 'recipient')}" if m.recipient_count else "Names no recipient"
    ),
    "subject_length": lambda m: _subject(m.subject_length),
    "word_count": lambda m: f"{_counted(m.word_count, 'word')} of new text" if m.word_count else "No new text",
    "question_count": lambda m: (
        "Asks no question"
        if m.question_count == 0
        else "Asks a question"
        if m.question_count == 1
        else f"Asks {m.question_count} questions"
    ),
    "first_person_count": lambda m: (
        "The writer speaks of themselves" if m.first_person_count else "The writer does not speak of themselves"
    ),
    "second_person_count": lambda m: (
        "Speaks to its reader" if m.second_person_count else "Does not speak to its reader"
    ),
    "link_count": lambda m: f"Has {_counted(m.link_count, 'link')}" if m.link_count else "Has no links",
    "attachment_count": lambda m: f"Has {_counted(m.attachment_count, 'attachment')}" if m.attachment_count else "",
    "is_owner_named": _always("Addresses you by name"),
    "is_flagged_urgent": _always("Marked as urgent by the sender"),
    "is_html_only": _always("A designed page without plain text"),
    "has_calendar": _always("Carries an invitation"),
    "sent_hour": lambda m: f"Sent at {m.sent_hour}:00 or soon after",
    "sent_weekday": lambda m: f"Sent on a {_WEEKDAYS[m.sent_weekday % 7]}",
    "is_bulk": _always("Sent in bulk"),
    "is_automatic": _always("Sent by a machine"),
    "is_from_owner": _always("You sent it"),
    "category": lambda m: _CATEGORY.get(m.category or "", ""),
    "needs": lambda m: _NEEDS.get(m.needs or "", ""),
    "urgency": lambda m: _URGENCY.get(m.urgency or "", ""),
    "task_count_me": lambda m: (
        ""
        if m.task_count_me == 0
        else "Has a task for you"
        if m.task_count_me == 1
        else f"Has {m.task_count_me} tasks for you"
    ),
    "nearest_deadline_hours": lambda m: _deadline(m.nearest_deadline_hours),
}


def words(message: RankInput, feature: str, value: object, log_odds: float) -> str:
    """What a contribution says to a person; "" where it is too weak to be a reason, or says nothing."""
    if abs(log_odds) < MIN_LOG_ODDS:
        return ""
    if feature == "addressing":
        return _ADDRESSING.get(str(value), "")
    if feature in _PERSONAL_WORDS:
        return _PERSONAL_WORDS[feature][log_odds > 0].format(value)
    if feature in _PERSONAL:
        return _PERSONAL[feature].format(value)
    return TEMPLATES[feature](message)


def strongest(said: Iterable[str]) -> tuple[str, ...]:
    """The first MAX_REASONS of what is said, strongest first, each once."""
    return tuple(islice(dict.fromkeys(text for text in said if text), MAX_REASONS))


def against(priority: Priority) -> tuple[str, ...]:
    """Why the message is not higher: the strongest contributions against it in words, strongest first.

    They are read from the record, so that a decision of last month is explained as it was.
    """
    return strongest(part.words for part in priority.contributions if part.log_odds < 0)
