"""Which conversation a message belongs to.

Pure and incremental: `assign` takes messages in arrival order and what is known about the ids they name, and says
what changes. Every known Message-ID is a node of exactly one thread; an id that was only referred to is a placeholder.
A message joins the thread of the first known id of In-Reply-To, then of References from the nearest to the oldest.
One message's headers place that message only: they never move another stored one. Two threads become one only when
the message that one of them was waiting for (a placeholder) arrives and says that it belongs to the other.

Cost is linear in the messages and their ids; of a References header at most `MAX_REFERENCES` ids count.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from rl_emails_assets.mail.subjects import GENERIC_SUBJECTS, is_forward, is_reply, subject_key

MAX_REFERENCES = 100
"""Ids of one References header that are looked at: the nearest, and the very first."""

SUBJECT_WINDOW = timedelta(days=60)
"""How far apart two messages may be that only their subject and participants join."""

NEAREST_ENTRIES = 300
"""Messages with one subject that are looked at on either side of a date: the nearest."""

_NAMESPACE = UUID("6f1d2c1e-6d0f-5c0c-9b35-0f4b6c2f7a10")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message to be placed. `seq` is its place in the order of arrival; ids are without angle brackets."""

    message_id: UUID
    seq: int
    rfc822_message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    """Oldest first."""
    subject: str
    from_address: str
    recipients: frozenset[str]
    received_at: datetime
    provider_thread_id: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A Message-ID and the thread it is in; `is_stored` is False for one that was only referred to."""

    thread_id: UUID
    is_stored: bool


@dataclass(frozen=True, slots=True)
class SubjectEntry:
    """What of a placed message decides whether another one with its subject key belongs to it."""

    thread_id: UUID
    seq: int
    is_response: bool
    from_address: str
    participants: frozenset[str]
    """Sender and recipients."""
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Needed:
    """What `assign` reads of the state for one batch."""

    rfc822_message_ids: frozenset[str]
    subject_keys: frozenset[str]
    provider_thread_ids: frozenset[str]
    from_at: datetime | None
    """Entries of `by_subject` received before this do not matter; None when no subject matters."""
    to_at: datetime | None


@dataclass(frozen=True, slots=True)
class ThreadState:
    """What is known before a batch; only what `needed` names has to be there, more does not change the result."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    by_subject: Mapping[str, Sequence[SubjectEntry]] = field(default_factory=dict)
    by_provider_thread: Mapping[str, UUID] = field(default_factory=dict)
    first_seqs: Mapping[UUID, int] = field(default_factory=dict)
    """The smallest `seq` of each thread that the other fields name: which of two threads is the older."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a batch changes. Apply `merged` to everything stored first, then add the rest."""

    thread_of: dict[UUID, UUID]
    """Thread of each message of the batch, by `message_id`."""
    new_nodes: dict[str, Node]
    """Nodes that are new or have become stored or have moved."""
    merged: dict[UUID, UUID]
    """Threads that no longer exist, and the one that took each over."""


def thread_id_for(message_id: UUID) -> UUID:
    """The id of the thread that begins with this message."""
    return uuid5(_NAMESPACE, str(message_id))


def candidates(arrival: Arrival) -> list[str]:
    """The ids that the headers name, nearest first, bounded, without duplicates and without the message's own."""
    references = arrival.references
    if len(references) > MAX_REFERENCES:
        references = (references[0], *references[1 - MAX_REFERENCES :])
    ids = dict.fromkeys((arrival.in_reply_to, *reversed(references)))
    return [ref for ref in ids if ref and ref != arrival.rfc822_message_id]


def subject_entry(arrival: Arrival, thread_id: UUID) -> SubjectEntry:
    """The entry by which later messages find this one."""
    return SubjectEntry(
        thread_id=thread_id,
        seq=arrival.seq,
        is_response=is_reply(arrival.subject) or is_forward(arrival.subject),
        from_address=arrival.from_address,
        participants=_participants(arrival),
        received_at=arrival.received_at,
    )


def needed(batch: Iterable[Arrival]) -> Needed:
    """What of the stored state this batch can depend on."""
    ids: set[str] = set()
    keys: set[str] = set()
    providers: set[str] = set()
    times: list[datetime] = []
    for arrival in batch:
        ids.update(candidates(arrival))
        if arrival.rfc822_message_id:
            ids.add(arrival.rfc822_message_id)
        if arrival.provider_thread_id is not None:
            providers.add(arrival.provider_thread_id)
        elif (key := subject_key(arrival.subject)) not in GENERIC_SUBJECTS:
            keys.add(key)
            times.append(arrival.received_at)
    return Needed(
        rfc822_message_ids=frozenset(ids),
        subject_keys=frozenset(keys),
        provider_thread_ids=frozenset(providers),
        from_at=min(times) - SUBJECT_WINDOW if times else None,
        to_at=max(times) + SUBJECT_WINDOW if times else None,
    )


def assign(batch: Iterable[Arrival], state: ThreadState) -> Assignment:
    """Place each message, in the order given. Cutting the same arrivals into other batches gives the same threads."""
    placing = _Placing(state)
    for arrival in batch:
        placing.place(arrival)
    return placing.result()


def _participants(arrival: Arrival) -> frozenset[str]:
    return arrival.recipients | {arrival.from_address} if arrival.from_address else arrival.recipients


class _Placing:
    """The state while one batch is placed."""

    def __init__(self, state: ThreadState) -> None:
        self._nodes = dict(state.nodes)
        self._by_subject = {key: sorted(entries, key=_by_date) for key, entries in state.by_subject.items()}
        self._by_provider = dict(state.by_provider_thread)
        self._first_seqs = dict(state.first_seqs)
        self._thread_of: dict[UUID, UUID] = {}
        self._changed: set[str] = set()
        self._merged: dict[UUID, UUID] = {}

    def place(self, arrival: Arrival) -> None:
        own_id = arrival.rfc822_message_id
        own = self._nodes.get(own_id) if own_id else None
        named = candidates(arrival)
        if arrival.provider_thread_id is not None:
            thread_id = self._by_provider_thread(arrival, arrival.provider_thread_id)
        else:
            thread_id = self._by_headers(arrival, own, named)
        self._thread_of[arrival.message_id] = thread_id
        self._first_seqs[thread_id] = min(self._first_seqs.get(thread_id, arrival.seq), arrival.seq)
        if own_id and (own is None or not own.is_stored):
            self._set_node(own_id, Node(thread_id, is_stored=True))
        for ref in named:
            if ref not in self._nodes:
                self._set_node(ref, Node(thread_id, is_stored=False))
        key = subject_key(arrival.subject)
        if key not in GENERIC_SUBJECTS:
            insort(self._by_subject.setdefault(key, []), subject_entry(arrival, thread_id), key=_by_date)

    def result(self) -> Assignment:
        return Assignment(
            thread_of={message_id: self._current(thread_id) for message_id, thread_id in self._thread_of.items()},
            new_nodes={
                ref: Node(self._current(self._nodes[ref].thread_id), self._nodes[ref].is_stored)
                for ref in sorted(self._changed)
            },
            merged={old: self._current(old) for old in self._merged},
        )

    def _set_node(self, ref: str, node: Node) -> None:
        self._nodes[ref] = node
        self._changed.add(ref)

    def _current(self, thread_id: UUID) -> UUID:
        last = thread_id
        while last in self._merged:
            last = self._merged[last]
        while thread_id != last:
            self._merged[thread_id], thread_id = last, self._merged[thread_id]
        return last

    def _by_provider_thread(self, arrival: Arrival, provider_thread_id: str) -> UUID:
        thread_id = self._by_provider.setdefault(provider_thread_id, thread_id_for(arrival.message_id))
        return self._current(thread_id)

    def _by_headers(self, arrival: Arrival, own: Node | None, named: list[str]) -> UUID:
        said = next((self._nodes[ref].thread_id for ref in named if ref in self._nodes), None)
        if said is not None:
            said = self._current(said)
            if own is not None and not own.is_stored:
                return self._merge(said, self._current(own.thread_id))
            return said
        if own is not None and (not own.is_stored or self._is_copy(arrival, own)):
            return self._current(own.thread_id)
        if not arrival.in_reply_to and not arrival.references:
            joined = self._by_subject_and_people(arrival)
            if joined is not None:
                return joined
        return thread_id_for(arrival.message_id)

    def _merge(self, one: UUID, other: UUID) -> UUID:
        if one == other:
            return one
        older, newer = sorted((one, other), key=lambda thread_id: (self._first_seqs[thread_id], thread_id))
        self._merged[newer] = older
        return older

    def _is_copy(self, arrival: Arrival, own: Node) -> bool:
        """Whether a message with an id that is stored is a copy; some programs give all their mail the same id."""
        key = subject_key(arrival.subject)
        if key in GENERIC_SUBJECTS:
            return True
        thread_id = self._current(own.thread_id)
        return any(self._current(entry.thread_id) == thread_id for entry in self._near(key, arrival.received_at))

    def _near(self, key: str, at: datetime) -> list[SubjectEntry]:
        """The entries with this subject within the window, oldest first, at most `NEAREST_ENTRIES` on each side."""
        entries = self._by_subject.get(key, [])
        middle = bisect_right(entries, at, key=_date)
        first = max(bisect_left(entries, at - SUBJECT_WINDOW, key=_date), middle - NEAREST_ENTRIES)
        last = min(bisect_right(entries, at + SUBJECT_WINDOW, key=_date), middle + NEAREST_ENTRIES)
        return entries[first:last]

    def _by_subject_and_people(self, arrival: Arrival) -> UUID | None:
        """For mail without headers: the thread of the nearest message that it answers, or that answers it."""
        key = subject_key(arrival.subject)
        if key in GENERIC_SUBJECTS:
            return None
        at = arrival.received_at
        this = subject_entry(arrival, thread_id_for(arrival.message_id))
        near = [entry for entry in self._near(key, at) if _share_people(this, entry)]
        if this.is_response:
            before = [entry for entry in near if entry.received_at <= at]
            after = [entry for entry in near if entry.received_at > at and entry.is_response]
            chosen = [*before[-1:], *after[:1]]
            return self._current(chosen[0].thread_id) if chosen else None
        return self._beginning_of(this, near)

    def _beginning_of(self, this: SubjectEntry, near: list[SubjectEntry]) -> UUID | None:
        """The thread of answers that waits for this first message; a folder copy joins the message it copies.

        A thread that has its first message takes no other one: a weekly report is not a conversation.
        """
        begun = {self._current(entry.thread_id) for entry in near if not entry.is_response}
        for entry in near:
            if (
                not entry.is_response
                and entry.received_at == this.received_at
                and entry.from_address == this.from_address
                and entry.participants == this.participants
            ):
                return self._current(entry.thread_id)
        for entry in near:
            if entry.is_response and entry.received_at >= this.received_at:
                thread_id = self._current(entry.thread_id)
                if thread_id not in begun:
                    return thread_id
        return None


def _date(entry: SubjectEntry) -> datetime:
    return entry.received_at


def _by_date(entry: SubjectEntry) -> tuple[datetime, int]:
    return entry.received_at, entry.seq


def _share_people(one: SubjectEntry, other: SubjectEntry) -> bool:
    if one.from_address not in other.participants and other.from_address not in one.participants:
        return False
    shared = one.participants & other.participants
    return len(shared) >= 2
