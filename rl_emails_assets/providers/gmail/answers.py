"""What Gmail answers, as values: read strictly, so that a malformed answer is never taken for an empty one."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rl_emails_assets.errors import ProviderUnavailableError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Profile:
    """The mailbox as Gmail knows it."""

    address: str
    """Lower case."""
    history_id: int
    """The mailbox's state now; may have more than 63 bits, so store its digits."""
    message_count: int


@dataclass(frozen=True, slots=True)
class ListedId:
    """A message of a listing."""

    provider_message_id: str
    provider_thread_id: str
    """"" where Gmail did not say."""


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page of a listing, newest first as Gmail lists it."""

    items: list[ListedId]
    next_page_token: str | None
    """None on the last page."""
    estimated_count: int
    """Gmail's estimate of the whole listing; rough."""


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """One change of the mailbox; what happened to which messages."""

    history_id: int
    added: list[ListedId]
    deleted: list[ListedId]
    labels_added: list[tuple[ListedId, frozenset[str]]]
    labels_removed: list[tuple[ListedId, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of changes, oldest first. It may be empty and have a next page."""

    records: list[HistoryRecord]
    history_id: int
    """The mailbox's state at this answer; the new cursor once the last page is applied."""
    next_page_token: str | None


@dataclass(frozen=True, slots=True)
class WatchGrant:
    """A watch that was made or renewed."""

    history_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message with its bytes."""

    provider_message_id: str
    thread_id: str
    rfc822: bytes
    labels: frozenset[str]
    """Label ids."""
    received_at: datetime | None
    """Gmail's own time of arrival; None when it sent none that is a time."""
    history_id: int
    """The last change of this message."""
    size: int
    """Bytes, by Gmail's estimate."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """A message that is not there any more; a deletion, not an error."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """A message that could not be had now."""

    provider_message_id: str
    reason: str
    retry_after_seconds: float = 0.0
    """What Gmail, or the quota bucket, asked for; 0 where it is not known."""
    tries: int = 0
    """How often it was asked for in this pass; 0 when its turn did not come, which says nothing about the message."""
    is_rate: bool = False
    """Whether Gmail refused for its rate the last time, which says nothing about the message either."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be had, however often it is asked for."""

    provider_message_id: str
    reason: str


Outcome = Fetched | Vanished | Deferred | Refused


def profile(answer: Mapping[str, Any]) -> Profile:
    """users.getProfile. Raises ProviderUnavailableError when it is malformed; so do all below."""
    with _Reading("getProfile"):
        return Profile(
            str(answer["emailAddress"]).lower(), int(answer["historyId"]), int(answer.get("messagesTotal", 0))
        )


def listed_page(answer: Mapping[str, Any]) -> ListedPage:
    """users.messages.list."""
    with _Reading("messages.list"):
        items = [_listed(entry) for entry in _list(answer, "messages")]
        return ListedPage(items, answer.get("nextPageToken") or None, int(answer.get("resultSizeEstimate", 0)))


def history_page(answer: Mapping[str, Any]) -> HistoryPage:
    """users.history.list."""
    with _Reading("history.list"):
        records = [
            HistoryRecord(
                int(record["id"]),
                [_listed(change["message"]) for change in _list(record, "messagesAdded")],
                [_listed(change["message"]) for change in _list(record, "messagesDeleted")],
                [_labelled(change) for change in _list(record, "labelsAdded")],
                [_labelled(change) for change in _list(record, "labelsRemoved")],
            )
            for record in _list(answer, "history")
        ]
        return HistoryPage(records, int(answer["historyId"]), answer.get("nextPageToken") or None)


def labels(answer: Mapping[str, Any]) -> dict[str, str]:
    """users.labels.list: names by id."""
    with _Reading("labels.list"):
        return {str(label["id"]): str(label["name"]) for label in _list(answer, "labels")}


def watch_grant(answer: Mapping[str, Any]) -> WatchGrant:
    """users.watch."""
    with _Reading("watch"):
        return WatchGrant(int(answer["historyId"]), _EPOCH + timedelta(milliseconds=int(answer["expiration"])))


def message(provider_message_id: str, answer: Mapping[str, Any], most_bytes: int) -> Fetched | Refused:
    """users.messages.get with format=raw. A message without usable bytes, or with too many, is refused."""
    with _Reading("messages.get"):
        if answer["id"] != provider_message_id:
            raise ValueError("another message")
        size = int(answer.get("sizeEstimate", 0))
        raw = answer.get("raw")
        if size > most_bytes:
            return _too_large(provider_message_id, size, most_bytes)
        if not isinstance(raw, str) or not raw:
            return Refused(provider_message_id, "Gmail sent the message without its bytes (no `raw`).")
        try:
            rfc822 = base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return Refused(provider_message_id, "Gmail sent bytes that are not base64.")
        if len(rfc822) > most_bytes:
            return _too_large(provider_message_id, len(rfc822), most_bytes)
        return Fetched(
            provider_message_id,
            str(answer["threadId"]),
            rfc822,
            frozenset(str(label) for label in _list(answer, "labelIds")),
            _received_at(answer.get("internalDate")),
            int(answer["historyId"]),
            size,
        )


def _too_large(provider_message_id: str, size: int, most_bytes: int) -> Refused:
    return Refused(
        provider_message_id,
        f"The message has {size} bytes; the limit is {most_bytes}. Raise RL_EMAILS_MESSAGE_MAX_BYTES to store it.",
    )


def _received_at(milliseconds: object) -> datetime | None:
    try:
        return _EPOCH + timedelta(milliseconds=int(str(milliseconds)))
    except (ValueError, OverflowError):
        return None


def _list(answer: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list that Gmail leaves out when it is empty."""
    found = answer.get(name, [])
    if not isinstance(found, list):
        raise TypeError(name)
    return found


def _listed(entry: Mapping[str, Any]) -> ListedId:
    return ListedId(_text(entry["id"]), str(entry.get("threadId", "")))


def _labelled(change: Mapping[str, Any]) -> tuple[ListedId, frozenset[str]]:
    return _listed(change["message"]), frozenset(_text(label) for label in _list(change, "labelIds"))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


class _Reading:
    """Turns what a malformed answer raises while it is read into an error of the provider's."""

    def __init__(self, method: str) -> None:
        self._method = method

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, (KeyError, ValueError, TypeError, AttributeError, OverflowError)):
            raise ProviderUnavailableError(
                f"Gmail's answer to {self._method} is malformed ({type(error).__name__}). It is asked for again later."
            ) from error
