"""A Google account with its mailbox: what a test does to it, and the truth to compare with."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from tests.gmail.standin.history import Change, History
from tests.gmail.standin.messages import SYSTEM_LABELS, StoredMessage, compose

if TYPE_CHECKING:
    from tests.gmail.standin.gmail import Gmail

GMAIL_MODIFY = "https://www.googleapis.com/auth/gmail.modify"
GMAIL_READONLY = "https://www.googleapis.com/auth/gmail.readonly"


@dataclass(frozen=True)
class Watch:
    """A standing promise to publish."""

    topic: str
    label_ids: tuple[str, ...]
    excludes: bool
    expires_at: int
    """Milliseconds since 1970."""


class User:
    """One account. Every method is safe to call from any thread."""

    def __init__(self, gmail: "Gmail", address: str) -> None:
        self.gmail = gmail
        self.address = address
        self.subject_id = str(gmail.rng.randint(10**20, 10**21 - 1))
        self.labels: dict[str, str] = {}
        """Names of the user's own labels, by id."""
        self.messages: dict[str, StoredMessage] = {}
        self.order: list[tuple[int, str]] = []
        """Every message's date and id, oldest first."""
        self.thread_sizes: Counter[str] = Counter()
        self.by_rfc822_id: dict[str, str] = {}
        self.history = History(gmail.rng, gmail.first_history_id(), gmail.clock.milliseconds())
        self.watch: Watch | None = None

    # What a test reads

    @property
    def history_id(self) -> int:
        """The mailbox's newest history id."""
        with self.gmail.lock:
            return self.history.last_id

    def ids(self, *, spam_and_trash: bool = True) -> set[str]:
        """The ids of all messages."""
        with self.gmail.lock:
            return {message.id for message in self.messages.values() if spam_and_trash or not message.in_bin}

    def labels_of(self, message_id: str) -> set[str]:
        """Label ids of a message."""
        with self.gmail.lock:
            return set(self.messages[message_id].labels)

    def rfc822_of(self, message_id: str) -> bytes:
        """The bytes of a message."""
        with self.gmail.lock:
            return self.messages[message_id].rfc822

    # What a test does

    def deliver(
        self,
        rfc822: bytes | None = None,
        *,
        labels: Iterable[str] = ("INBOX", "UNREAD"),
        at: datetime | None = None,
        thread_id: str | None = None,
        quietly: bool = False,
        **fields: Any,
    ) -> str:
        """New mail: bytes, or fields of messages.compose; returns its id. `quietly` makes no history and no push."""
        with self.gmail.lock:
            moment = self.gmail.clock.milliseconds() if at is None else int(at.timestamp() * 1000)
            if rfc822 is None:
                fields.setdefault("date", format_datetime(datetime.fromtimestamp(moment / 1000, UTC)))
                fields.setdefault("message_id", f"{self.gmail.rng.getrandbits(80):020x}@mail.example.net")
                rfc822 = compose(**{"to": self.address, **fields})
            message_id = self._new_id(moment)
            history_id = self.history.last_id if quietly else self._next()
            message = StoredMessage(message_id, message_id, rfc822, set(labels), moment, history_id)
            message.thread_id = thread_id or self._thread_of(message)
            self.messages[message_id] = message
            insort(self.order, (moment, message_id))
            self.thread_sizes[message.thread_id] += 1
            if message.rfc822_message_id:
                self.by_rfc822_id.setdefault(message.rfc822_message_id, message_id)
            if not quietly:
                self._happened(history_id, [self._change("messageAdded", message)])
            return message_id

    def fill(self, mail: Iterable[tuple[bytes, Iterable[str], datetime]]) -> list[str]:
        """Mail that was there before anyone looked: bytes, labels and date each; makes no history and no pushes."""
        return [self.deliver(rfc822, labels=labels, at=at, quietly=True) for rfc822, labels, at in mail]

    def delete(self, *message_ids: str) -> None:
        """Deletes for good."""
        with self.gmail.lock:
            gone = [self.messages.pop(message_id) for message_id in message_ids]
            history_id = self._next()
            for message in gone:
                position = bisect_left(self.order, (message.internal_date, message.id))
                del self.order[position]
                self.thread_sizes[message.thread_id] -= 1
                if not self.thread_sizes[message.thread_id]:
                    del self.thread_sizes[message.thread_id]
                if self.by_rfc822_id.get(message.rfc822_message_id) == message.id:
                    del self.by_rfc822_id[message.rfc822_message_id]
            self._happened(
                history_id, [Change("messageDeleted", m.id, m.thread_id, tuple(sorted(m.labels))) for m in gone]
            )

    def trash(self, message_id: str) -> None:
        """Moves to the bin, as the button does: a change of labels."""
        self.relabel(message_id, add=["TRASH"], remove=["INBOX"])

    def untrash(self, message_id: str) -> None:
        """Takes out of the bin; it does not return to the inbox."""
        self.relabel(message_id, remove=["TRASH"])

    def relabel(self, message_ids: str | Sequence[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Changes labels of one message or of several in one history record; ids of labels need not exist."""
        add, remove = list(add), list(remove)
        with self.gmail.lock:
            changes: list[Change] = []
            touched: list[StoredMessage] = []
            for message_id in [message_ids] if isinstance(message_ids, str) else message_ids:
                message = self.messages[message_id]
                added = tuple(label for label in add if label not in message.labels)
                removed = tuple(label for label in remove if label in message.labels)
                message.labels = (message.labels | set(added)) - set(removed)
                if added:
                    changes.append(self._change("labelAdded", message, added))
                if removed:
                    changes.append(self._change("labelRemoved", message, removed))
                if added or removed:
                    touched.append(message)
            if changes:
                history_id = self._next()
                for message in touched:
                    message.history_id = history_id
                self._happened(history_id, changes)

    def make_label(self, name: str) -> str:
        """A label of the user's own; returns its id."""
        with self.gmail.lock:
            label_id = f"Label_{self.gmail.rng.randint(1, 10**18)}"
            self.labels[label_id] = name
            return label_id

    def drop_label(self, label_id: str) -> None:
        """Deletes a label; messages lose it."""
        with self.gmail.lock:
            del self.labels[label_id]
            having = [m.id for m in self.messages.values() if label_id in m.labels]
            if having:
                self.relabel(having, remove=[label_id])

    def break_raw(self, message_id: str, how: str = "missing") -> None:
        """From now on the raw of this message is `missing`, `invalid_base64` or `oversized`."""
        with self.gmail.lock:
            message = self.messages[message_id]
            if how == "oversized":
                message.oversized_bytes = self.gmail.oversized_bytes
            elif how in {"missing", "invalid_base64"}:
                message.raw_fault = how
            else:
                raise ValueError(f"Not a way to break a raw: {how}.")

    def ghost_record(self, message_id: str) -> None:
        """A history record that names a message and no change, as drafts and clients leave behind."""
        with self.gmail.lock:
            history_id = self._next()
            self._happened(history_id, [self._change("other", self.messages[message_id])])

    def add_and_delete(self, **fields: Any) -> str:
        """New mail that is deleted at once: both are in the history, the message is not there."""
        with self.gmail.lock:
            message_id = self.deliver(**fields)
            self.delete(message_id)
            return message_id

    # Consent

    def grant(self, scopes: Iterable[str] = (GMAIL_READONLY,)) -> str:
        """A refresh token, as if the user had consented in a browser."""
        return self.gmail.oauth.grant(self, tuple(scopes))

    def access_token(self, scopes: Iterable[str] = (GMAIL_READONLY,)) -> str:
        """An access token of a new grant."""
        return self.gmail.oauth.refresh(self.grant(scopes))["access_token"]

    def revoke(self) -> None:
        """Takes every grant back, as the account's page does: refresh and access tokens die at once."""
        self.gmail.oauth.revoke_user(self)

    # Inside

    def label_ids(self) -> set[str]:
        """Ids of all labels that exist."""
        return {*SYSTEM_LABELS, *self.labels}

    def _next(self) -> int:
        return self.history.issue(self.gmail.clock.milliseconds())

    def _happened(self, history_id: int, changes: list[Change]) -> None:
        self.history.record(history_id, changes)
        self.gmail.pubsub.changed(self, history_id, changes)

    @staticmethod
    def _change(kind: str, message: StoredMessage, touched: tuple[str, ...] = ()) -> Change:
        return Change(kind, message.id, message.thread_id, tuple(sorted(message.labels)), touched)

    def _new_id(self, moment: int) -> str:
        # As Gmail's ids do, they hold the time in their upper digits.
        while True:
            message_id = f"{(moment << 20) | self.gmail.rng.getrandbits(20):016x}"
            if message_id not in self.messages:
                return message_id

    def _thread_of(self, message: StoredMessage) -> str:
        for reference in message.references:
            answered = self.messages.get(self.by_rfc822_id.get(reference, ""))
            if answered is not None and answered.subject == message.subject:
                return answered.thread_id
        return message.id
