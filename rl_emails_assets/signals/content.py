"""Features of one message alone: its subject, its new text, the time it was sent, and what its headers declare.

Everything is counted in bounded, linear time: mail is hostile input.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rl_emails_assets.mail.dates import as_sent
from rl_emails_assets.mail.subjects import is_reply

HEADERS_READ: tuple[str, ...] = (
    "auto-submitted",
    "date",
    "feedback-id",
    "importance",
    "list-id",
    "list-post",
    "list-unsubscribe",
    "precedence",
    "priority",
    "return-path",
    "x-autoreply",
    "x-autorespond",
    "x-msmail-priority",
    "x-priority",
)
"""The headers that decide a feature (RFC 2919, 2369, 3834, 4021); the mail step has to keep them."""

_MAX_CHARS = 200_000  # of a text; a longer one says nothing new, and costs

_QUESTION = re.compile(r"[?？؟]+")
_WORD = re.compile(r"\w+")
_GREETING_CHARS = 80
_GREETING_WORDS = 6
_AT_NAME = re.compile(r"@(\w{2,40})")

# The local parts (before + or the first digits) of addresses that nobody reads, or that only programs write from.
_MACHINE_LOCAL_PARTS = re.compile(
    r"(?:do[-_.]?not[-_.]?reply|no[-_.]?reply|noreply|mailer-daemon|postmaster|bounces?|notifications?|notify|alerts?"
    r"|auto(?:mated|mailer|reply|responder)?|daemon|root|cron|robot|bot)(?:[-_.+=0-9]|$)"
)
_NO_REPLY_ANYWHERE = ("noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply")
_URGENT_WORDS = ("high", "urgent")

# The person who writes and the person written to. Forms that are also another word of the language are left out.
_FIRST_WORDS = "i me my mine i'm i've i'd i'll ich mir mich mein meine meinen je moi mon mes yo mi mis"
_SECOND_WORDS = "you your yours you're you've you'll you'd du dir dich dein deine ihnen vous votre vos tu usted ustedes"
_FIRST_PERSON = frozenset(_FIRST_WORDS.split())
_SECOND_PERSON = frozenset(_SECOND_WORDS.split())
_PERSON_EDGES = ".,;:!?\"'()[]<>*_-"


@dataclass(frozen=True, slots=True)
class ContentFeatures:
    """Named as in the signals table."""

    subject_length: int
    word_count: int
    question_count: int
    link_count: int
    attachment_count: int
    has_calendar: bool
    is_html_only: bool
    is_owner_named: bool
    is_reply: bool
    first_person_count: int
    second_person_count: int
    sent_hour: int
    sent_weekday: int
    is_list: bool
    is_bulk: bool
    is_automatic: bool
    is_flagged_urgent: bool


def owner_names(display_name: str, addresses: Collection[str]) -> frozenset[str]:
    """The words by which a text may address the owner: the display name's, and those of the local parts.

    Words shorter than 3 letters are left out, because they are words of some language; so are numbers.
    """
    local_parts = (address.partition("@")[0] for address in addresses)
    words = _WORD.findall(" ".join((display_name[:200], *(part[:100] for part in local_parts))).replace("_", " "))
    return frozenset(word.casefold() for word in words if len(word) >= 3 and not word.isdigit())


def content_features(
    *,
    subject: str,
    new_text: str,
    text: str,
    headers: Mapping[str, str],
    from_address: str,
    attachment_count: int,
    has_calendar: bool,
    is_html_only: bool,
    at: datetime,
    names: frozenset[str],
    in_reply_to: str = "",
) -> ContentFeatures:
    """The features of one message.

    Args:
        subject: As in mail.messages.
        new_text: As in mail.messages.
        text: As in mail.messages.
        headers: The kept headers, lower-case names; HEADERS_READ are read.
        from_address: The sender's address, lower case, or "".
        attachment_count: Attachments that are not inline.
        has_calendar: Whether there is an invitation.
        is_html_only: As in mail.messages.
        at: When it was sent or else received, aware; used where the Date header cannot be read.
        names: The owner's names, from `owner_names`.
        in_reply_to: The id in In-Reply-To, or "".
    """
    written = new_text[:_MAX_CHARS]
    words = written.split()
    sent = as_sent(headers.get("date", "")) or at.astimezone(UTC)
    return ContentFeatures(
        subject_length=len(subject),
        word_count=len(words),
        question_count=_question_count(words),
        link_count=_link_count(text[:_MAX_CHARS]),
        attachment_count=attachment_count,
        has_calendar=has_calendar,
        is_html_only=is_html_only,
        is_owner_named=_names_owner(written, names),
        is_reply=bool(in_reply_to) or is_reply(subject),
        first_person_count=_count_of(words, _FIRST_PERSON),
        second_person_count=_count_of(words, _SECOND_PERSON),
        sent_hour=sent.hour,
        sent_weekday=sent.weekday(),
        is_list="list-id" in headers or "list-post" in headers,
        is_bulk=_is_bulk(headers),
        is_automatic=_is_automatic(headers, from_address),
        is_flagged_urgent=_is_flagged_urgent(headers),
    )


def _link_count(text: str) -> int:
    folded = text.lower()
    with_scheme = folded.count("http://") + folded.count("https://")
    return with_scheme + folded.count("www.") - folded.count("//www.")


def _question_count(words: list[str]) -> int:
    """Runs of question marks, but those of a link's query."""
    return sum(
        len(_QUESTION.findall(word))
        for word in words
        if ("?" in word or "？" in word or "؟" in word) and "://" not in word and word[:4].lower() != "www."
    )


def _count_of(words: list[str], wanted: frozenset[str]) -> int:
    return sum(word.strip(_PERSON_EDGES).lower().replace("’", "'") in wanted for word in words)


def _names_owner(written: str, names: frozenset[str]) -> bool:
    """A greeting by name at the start ("Hi Ana,"), or a mention ("@ana") anywhere."""
    greeting = written.lstrip()[:_GREETING_CHARS].partition("\n")[0]
    first_words = _WORD.findall(greeting)[:_GREETING_WORDS]
    if any(word.casefold() in names for word in first_words):
        return True
    return "@" in written and any(name.casefold() in names for name in _AT_NAME.findall(written))


def _is_bulk(headers: Mapping[str, str]) -> bool:
    """A discussion list also offers List-Unsubscribe; what sets it apart is that one can write to it (List-Post)."""
    if headers.get("precedence", "").strip().lower() in ("bulk", "junk") or "feedback-id" in headers:
        return True
    return "list-unsubscribe" in headers and "list-post" not in headers


def _is_automatic(headers: Mapping[str, str], from_address: str) -> bool:
    submitted = headers.get("auto-submitted", "").strip().lower()
    if (submitted and not submitted.startswith("no")) or "x-autoreply" in headers or "x-autorespond" in headers:
        return True
    if headers.get("return-path", "").strip() == "<>":
        return True
    local_part = from_address.partition("@")[0][:100]
    return _MACHINE_LOCAL_PARTS.match(local_part) is not None or any(mark in local_part for mark in _NO_REPLY_ANYWHERE)


def _is_flagged_urgent(headers: Mapping[str, str]) -> bool:
    if headers.get("x-priority", "").strip()[:1] in ("1", "2"):
        return True
    return any(
        headers.get(name, "").strip().lower().startswith(_URGENT_WORDS)
        for name in ("importance", "x-msmail-priority", "priority")
    )
