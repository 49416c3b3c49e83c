"""What the classifier is told about a message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rl_emails_assets.classification.verdict import Category


@dataclass(frozen=True, slots=True)
class ClassifierInput:
    """One message as the classifier sees it: its words, its headers, and what was known when it came.

    Every field has a neutral default, so a caller gives what it has. Counts are point-in-time: they hold what
    happened before this message and nothing later.
    """

    subject: str = ""
    new_text: str = ""
    """What the sender wrote this time, without quoted mail and signature."""
    text: str = ""
    """The whole body; used where `new_text` is empty, and for the words at its foot."""
    from_name: str = ""
    from_address: str = ""
    reply_to_address: str = ""
    to_count: int = 0
    cc_count: int = 0
    is_owner_in_to: bool = False
    is_owner_in_cc: bool = False
    is_owner_only_recipient: bool = False
    is_from_owner: bool = False
    is_reply_to_owner: bool = False
    """It answers a message that the owner sent."""
    owner_domain: str = ""
    """The domain of the owner's address, lower case; "" where it is not known."""
    sender_replied_count: int = 0
    """Messages of this sender that the owner has answered."""
    sender_sent_count: int = 0
    """Messages of this sender that came before."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names, decoded values."""
    has_calendar: bool = False
    calendar_method: str = ""
    calendar_starts_at: datetime | None = None
    attachment_names: tuple[str, ...] = ()
    is_html_only: bool = False
    link_count: int = 0
    has_mismatched_link: bool = False
    """A link whose visible words name another host than the one it leads to."""
    received_at: datetime | None = None
    """Aware. Dates in the text are read against it; None: relative to nothing, so explicit dates are not used."""
    rfc822_message_id: str = ""
    """Without brackets; "" where there is none."""
    is_reply: bool = False
    """It names a message that it answers (In-Reply-To, References), whoever wrote that."""
    markup: Mapping[str, int] = field(default_factory=dict)
    """What its HTML looks like, from `mail.markup`; {} for mail without HTML."""
    learned: Mapping[Category, float] = field(default_factory=dict)
    """Log odds for categories that the owner's corrections taught, from `learned.LearnedSigns`."""
