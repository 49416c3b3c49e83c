"""How fresh a mailbox's inbox is, in one word. The owner's page, the status and the metrics say the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Freshness(StrEnum):
    """What the owner is told; the first that applies."""

    RECONNECT_NEEDED = "reconnect_needed"
    """The grant is gone; nothing arrives until its owner signs in again."""
    DISCONNECTING = "disconnecting"
    """The mailbox is being erased."""
    IMPORTED = "imported"
    """Its mail comes from files, which are read when somebody asks."""
    BEHIND = "behind"
    """Its provider has not been heard for longer than `behind_seconds`."""
    FETCHING = "fetching"
    """Messages are known and not fetched yet: a first sync, or a catching up."""
    STARTING = "starting"
    """Just connected; the first sync has not got anywhere."""
    LIVE = "live"
    """The provider tells us of each message as it arrives."""
    CURRENT = "current"
    """Looked at from time to time, and lately."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What freshness is told from."""

    provider: str
    state: str
    created_at: datetime
    current_as_of: datetime | None
    backlog_count: int
    watch_expires_at: datetime | None


def freshness(mailbox: Standing, *, now: datetime, behind_seconds: int) -> Freshness:
    """The mailbox's freshness at `now`."""
    if mailbox.state == "reconnect_needed":
        return Freshness.RECONNECT_NEEDED
    if mailbox.state == "disconnecting":
        return Freshness.DISCONNECTING
    if mailbox.provider == "files":
        return Freshness.IMPORTED
    limit = timedelta(seconds=behind_seconds)
    if mailbox.current_as_of is None:
        if mailbox.backlog_count:
            return Freshness.FETCHING
        return Freshness.BEHIND if now - mailbox.created_at > limit else Freshness.STARTING
    if now - mailbox.current_as_of > limit:
        return Freshness.BEHIND
    if mailbox.backlog_count:
        return Freshness.FETCHING
    is_watched = mailbox.watch_expires_at is not None and mailbox.watch_expires_at > now
    return Freshness.LIVE if is_watched else Freshness.CURRENT
