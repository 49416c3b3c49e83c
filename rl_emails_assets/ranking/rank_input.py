"""What the ranker is told about a message: its signals, its verdict, and what was extracted from it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class RankInput:
    """One message. Signals are named as in the signals table; None where there was nothing to measure.

    `category`, `needs`, `urgency` and `confidence` are the verdict's, None where there is none. `task_count_me` counts
    the tasks that the message gives the owner. `nearest_deadline_hours` is the time from the message's arrival (never
    from now: a score does not change by itself) to the nearest deadline in it, negative when that had passed.

    The last fields are read by a person's own part alone: the sender's address, the domain as `signals.keys.domain_key`
    gives it, the List-Id's address ("" where there is none), the subject's words from `words.subject_words` and those
    of the new text from `words.text_words`.
    """

    is_from_owner: bool = False
    sender_received_count: int = 0
    sender_replied_count: int = 0
    sender_sent_count: int = 0
    sender_days_since_received: float | None = None
    sender_days_since_sent: float | None = None
    sender_median_reply_hours: float | None = None
    domain_received_count: int = 0
    domain_replied_count: int = 0
    thread_earlier_count: int = 0
    thread_owner_count: int = 0
    is_reply_to_owner: bool = False
    thread_hours_since_previous: float | None = None
    recipient_count: int = 0
    is_owner_in_to: bool = False
    is_owner_in_cc: bool = False
    is_owner_only_recipient: bool = False
    subject_length: int = 0
    word_count: int = 0
    question_count: int = 0
    link_count: int = 0
    attachment_count: int = 0
    has_calendar: bool = False
    is_html_only: bool = False
    is_owner_named: bool = False
    is_reply: bool = False
    first_person_count: int = 0
    second_person_count: int = 0
    sent_hour: int = 0
    sent_weekday: int = 0
    is_list: bool = False
    is_bulk: bool = False
    is_automatic: bool = False
    is_flagged_urgent: bool = False
    category: str | None = None
    needs: str | None = None
    urgency: str | None = None
    confidence: float | None = None
    task_count_me: int = 0
    nearest_deadline_hours: float | None = None
    sender: str = ""
    domain: str = ""
    list_id: str = ""
    subject_words: tuple[str, ...] = ()
    text_words: tuple[str, ...] = ()

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the joined tables; columns the ranker does not use are left out, missing ones have their
        default, and so have nulls."""
        found: dict[str, Any] = {}
        for name in _NAMES:
            value = row.get(name)
            if value is not None:
                found[name] = tuple(value) if isinstance(value, list) else value
        return cls(**found)


_NAMES = tuple(field.name for field in fields(RankInput))
