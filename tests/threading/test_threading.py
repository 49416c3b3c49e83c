"""Conversations: placing messages one by one, in any batches, with hostile headers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.mail.subjects import subject_key
from rl_emails_assets.mail.threading import (
    MAX_REFERENCES,
    Arrival,
    Assignment,
    Node,
    SubjectEntry,
    ThreadState,
    assign,
    candidates,
    needed,
    subject_entry,
    thread_id_for,
)

DAY_ONE = datetime(2031, 3, 1, 9, tzinfo=UTC)
SPACE = UUID("00000000-0000-5000-8000-000000000001")


def uid(number: int) -> UUID:
    return uuid5(SPACE, str(number))


def mail(
    seq: int,
    rfc_id: str = "",
    *,
    reply_to: str = "",
    refs: tuple[str, ...] = (),
    subject: str = "",
    sender: str = "ann@x.test",
    to: tuple[str, ...] = ("me@x.test",),
    days: float = 0,
    provider: str | None = None,
) -> Arrival:
    return Arrival(
        message_id=uid(seq),
        seq=seq,
        rfc822_message_id=rfc_id,
        in_reply_to=reply_to,
        references=refs,
        subject=subject,
        from_address=sender,
        recipients=frozenset(to),
        received_at=DAY_ONE + timedelta(days=days),
        provider_thread_id=provider,
    )


@dataclass
class Store:
    """What a database would keep, loaded and written only as the engine's contract says."""

    nodes: dict[str, Node] = field(default_factory=dict)
    threads: dict[UUID, UUID] = field(default_factory=dict)
    arrivals: dict[UUID, Arrival] = field(default_factory=dict)

    def load(self, batch: Sequence[Arrival]) -> ThreadState:
        need = needed(batch)
        nodes = {ref: self.nodes[ref] for ref in need.rfc822_message_ids if ref in self.nodes}
        by_subject: dict[str, list[SubjectEntry]] = {}
        providers: dict[str, UUID] = {}
        for message_id, arrival in self.arrivals.items():
            key = subject_key(arrival.subject)
            is_near = need.from_at and need.to_at and need.from_at <= arrival.received_at <= need.to_at
            if key in need.subject_keys and is_near:
                by_subject.setdefault(key, []).append(subject_entry(arrival, self.threads[message_id]))
            if arrival.provider_thread_id in need.provider_thread_ids and arrival.provider_thread_id is not None:
                providers[arrival.provider_thread_id] = self.threads[message_id]
        named = {node.thread_id for node in nodes.values()} | set(providers.values())
        named |= {entry.thread_id for entries in by_subject.values() for entry in entries}
        seqs: dict[UUID, int] = {}
        for message_id, thread_id in self.threads.items():
            if thread_id in named:
                seqs[thread_id] = min(seqs.get(thread_id, 10**9), self.arrivals[message_id].seq)
        return ThreadState(nodes, by_subject, providers, seqs)

    def apply(self, batch: Sequence[Arrival], done: Assignment) -> None:
        self.threads = {m: done.merged.get(t, t) for m, t in self.threads.items()}
        self.nodes = {r: Node(done.merged.get(n.thread_id, n.thread_id), n.is_stored) for r, n in self.nodes.items()}
        self.nodes |= done.new_nodes
        self.threads |= done.thread_of
        self.arrivals |= {arrival.message_id: arrival for arrival in batch}

    def add(self, *batch: Arrival) -> Assignment:
        done = assign(batch, self.load(batch))
        self.apply(batch, done)
        return done

    def groups(self) -> set[frozenset[int]]:
        by_thread: dict[UUID, set[int]] = {}
        for message_id, thread_id in self.threads.items():
            by_thread.setdefault(thread_id, set()).add(self.arrivals[message_id].seq)
        return {frozenset(members) for members in by_thread.values()}


def groups(*batch: Arrival) -> set[frozenset[int]]:
    store = Store()
    store.add(*batch)
    return store.groups()


def test_reply_joins_its_conversation() -> None:
    """A reply would stand alone."""
    assert groups(mail(1, "a"), mail(2, "b", reply_to="a"), mail(3, "c", refs=("a", "b"))) == {frozenset({1, 2, 3})}


def test_thread_id_comes_from_the_first_message() -> None:
    """Ids would change when the import is done again."""
    done = Store().add(mail(1, "a"), mail(2, "b", reply_to="a"))
    assert set(done.thread_of.values()) == {thread_id_for(uid(1))}


def test_reply_before_its_original_waits_for_it() -> None:
    """Mail that arrives out of order would fall apart."""
    store = Store()
    store.add(mail(1, "b", reply_to="a", subject="Re: x"))
    assert store.nodes["a"] == Node(thread_id_for(uid(1)), is_stored=False)
    store.add(mail(2, "a", subject="x"))
    assert store.nodes["a"] == Node(thread_id_for(uid(1)), is_stored=True)
    assert store.groups() == {frozenset({1, 2})}


def test_siblings_of_a_missing_original_are_one_conversation() -> None:
    """Two answers to a mail that was never received would be two conversations."""
    assert groups(mail(1, "b", reply_to="a"), mail(2, "c", reply_to="a")) == {frozenset({1, 2})}


def test_nearest_known_reference_decides() -> None:
    """A reply would join an older conversation that its References also name."""
    batch = [mail(1, "a"), mail(2, "b"), mail(3, "c", reply_to="gone", refs=("a", "b", "unknown"))]
    assert groups(*batch) == {frozenset({1}), frozenset({2, 3})}


def test_arriving_placeholder_merges_into_the_older_thread() -> None:
    """A conversation whose middle comes last would stay in two parts."""
    store = Store()
    store.add(mail(1, "a"))
    store.add(mail(2, "c", reply_to="b"))
    done = store.add(mail(3, "b", reply_to="a"))
    assert done.merged == {thread_id_for(uid(2)): thread_id_for(uid(1))}
    assert store.groups() == {frozenset({1, 2, 3})}
    assert {node.thread_id for node in store.nodes.values()} == {thread_id_for(uid(1))}


def test_merged_thread_takes_the_older_id_also_when_the_reply_is_older() -> None:
    """The id of a conversation that somebody has open would change."""
    store = Store()
    store.add(mail(1, "c", reply_to="b"), mail(2, "a"))
    done = store.add(mail(3, "b", reply_to="a"))
    assert done.merged == {thread_id_for(uid(2)): thread_id_for(uid(1))}


def test_chain_of_merges_in_one_batch_ends_in_one_thread() -> None:
    """A thread id that has been taken over twice would be handed out."""
    batch = [
        mail(1, "a"),
        mail(2, "c", reply_to="b"),
        mail(3, "e", reply_to="d"),
        mail(4, "d", reply_to="c"),
        mail(5, "b", reply_to="a"),
        mail(6, "f", reply_to="e"),
    ]
    done = assign(batch, ThreadState())
    assert set(done.thread_of.values()) == {thread_id_for(uid(1))}
    assert set(done.merged.values()) == {thread_id_for(uid(1))}


def test_placeholder_that_names_its_own_thread_merges_nothing() -> None:
    """A thread would be declared merged into itself."""
    done = Store().add(mail(1, "c", reply_to="b", refs=("a", "b")), mail(2, "b", reply_to="a"))
    assert done.merged == {}
    assert len(set(done.thread_of.values())) == 1


def test_forged_references_move_no_stored_message() -> None:
    """One hostile mail could glue all conversations of a mailbox together."""
    store = Store()
    store.add(mail(1, "a"), mail(2, "b"), mail(3, "c"))
    done = store.add(mail(4, "evil", reply_to="a", refs=("a", "b", "c")))
    assert done.merged == {}
    assert store.groups() == {frozenset({1, 4}), frozenset({2}), frozenset({3})}


def test_stored_id_that_comes_again_merges_nothing() -> None:
    """A second mail with a known Message-ID could glue two conversations together."""
    store = Store()
    store.add(mail(1, "a", subject="x"), mail(2, "b", subject="y"))
    done = store.add(mail(3, "a", reply_to="b"))
    assert done.merged == {}
    assert store.groups() == {frozenset({1}), frozenset({2, 3})}
    assert store.nodes["a"].thread_id == thread_id_for(uid(1))


def test_loop_and_self_reference_end() -> None:
    """References in a circle would run forever."""
    batch = [mail(1, "a", reply_to="c"), mail(2, "b", reply_to="a"), mail(3, "c", reply_to="b", refs=("c",))]
    assert groups(*batch) == {frozenset({1, 2, 3})}
    assert groups(mail(1, "a", reply_to="a", refs=("a", "a"))) == {frozenset({1})}


def test_ten_thousand_references_are_bounded() -> None:
    """A header of a megabyte would make ten thousand rows."""
    refs = tuple(f"r{n}" for n in range(10_000))
    found = candidates(mail(1, "a", refs=refs))
    assert found[:2] == ["r9999", "r9998"]
    assert found[-1] == "r0"
    assert len(found) == MAX_REFERENCES
    assert len(Store().add(mail(1, "a", refs=refs)).new_nodes) == MAX_REFERENCES + 1


def test_copy_with_the_same_id_joins() -> None:
    """A folder copy would be a conversation of its own."""
    assert groups(mail(1, "a", subject="Plan"), mail(2, "a", subject="Plan")) == {frozenset({1, 2})}
    assert groups(mail(1, "a", subject=""), mail(2, "a", subject="")) == {frozenset({1, 2})}


def test_program_that_reuses_one_id_makes_no_giant_thread() -> None:
    """All mail of a broken sender would be one conversation."""
    assert groups(mail(1, "0", subject="Invoice 1"), mail(2, "0", subject="Invoice 2")) == {
        frozenset({1}),
        frozenset({2}),
    }


def test_answer_without_headers_joins_by_subject_and_people() -> None:
    """Mail of programs that write no In-Reply-To would never be a conversation."""
    batch = [
        mail(1, "a", subject="Lunch plan", sender="ann@x.test", to=("me@x.test",)),
        mail(2, "b", subject="Re: Lunch plan", sender="me@x.test", to=("ann@x.test",), days=1),
        mail(3, "c", subject="RE: Lunch plan", sender="ann@x.test", to=("me@x.test", "bob@x.test"), days=2),
    ]
    assert groups(*batch) == {frozenset({1, 2, 3})}
    assert groups(*reversed(batch)) == {frozenset({1, 2, 3})}


@pytest.mark.parametrize(
    "second",
    [
        mail(2, "b", subject="Re: Lunch plan", sender="eve@y.test", to=("me@x.test",)),
        mail(2, "b", subject="Re: Lunch plan", sender="eve@y.test", to=("bob@y.test",)),
        mail(2, "b", subject="Re: Lunch plan", days=61),
        mail(2, "b", subject="Re: Other plan"),
        mail(2, "b", subject="Lunch plan", days=1),
        mail(2, "b", subject="Re: Lunch plan", reply_to="unknown"),
    ],
    ids=["other sender", "strangers", "too late", "other subject", "no answer", "has headers"],
)
def test_same_words_do_not_make_a_conversation(second: Arrival) -> None:
    """Unrelated mail would be joined."""
    assert groups(mail(1, "a", subject="Lunch plan"), second) == {frozenset({1}), frozenset({2})}


def test_generic_subject_joins_nothing() -> None:
    """Every "Re: hi" of a person would be one conversation."""
    for subject in ("hi", "", "(no subject)"):
        assert len(groups(mail(1, "a", subject=subject), mail(2, "b", subject=f"Re: {subject}", days=1))) == 2


def test_weekly_report_is_not_one_conversation() -> None:
    """A year of reports would be one conversation, and each answer would go to the first."""
    batch = [mail(n, f"w{n}", subject="Weekly report", days=7 * n) for n in range(1, 5)]
    answer = mail(5, "r", subject="Re: Weekly report", sender="me@x.test", to=("ann@x.test",), days=15)
    next_week = mail(6, "w6", subject="Weekly report", days=35)
    expected = {frozenset({1}), frozenset({2, 5}), frozenset({3}), frozenset({4}), frozenset({6})}
    assert groups(*batch, answer, next_week) == expected


def test_late_original_joins_only_answers_that_wait() -> None:
    """The second of two reports would join the answer to the first."""
    answer = mail(1, "r", subject="Re: Weekly report", sender="me@x.test", to=("ann@x.test",), days=5)
    first = mail(2, "w1", subject="Weekly report", days=4)
    second = mail(3, "w2", subject="Weekly report", days=3)
    assert groups(answer, first, second) == {frozenset({1, 2}), frozenset({3})}


def test_folder_copy_without_headers_joins_its_original() -> None:
    """Folder copies with ids of their own would be conversations of their own."""
    assert groups(mail(1, "a", subject="Weekly report"), mail(2, "b", subject="Weekly report")) == {frozenset({1, 2})}


def test_provider_thread_decides() -> None:
    """Conversations would differ from those that the owner sees at the provider."""
    store = Store()
    store.add(mail(1, "a", provider="7"), mail(2, "b", provider="8", reply_to="a"))
    store.add(mail(3, "c", provider="7", refs=("b",)), mail(4, "d", reply_to="b"))
    assert store.groups() == {frozenset({1, 3}), frozenset({2, 4})}


def test_mail_without_any_id_or_sender_stands_alone() -> None:
    """Mail without headers would break the import, or be joined with all other such mail."""
    bare = [mail(n, "", sender="", to=(), subject="Re: thing") for n in (1, 2)]
    done = Store().add(*bare)
    assert len(set(done.thread_of.values())) == 2
    assert done.new_nodes == {}


def test_empty_batch_needs_and_changes_nothing() -> None:
    """An empty batch would fail or write."""
    assert needed([]).from_at is None
    assert assign([], ThreadState()) == Assignment({}, {}, {})


IDS = st.sampled_from(["", "a", "b", "c", "d", "e", "f"])


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    people = ("me@x.test", "ann@x.test", "bob@x.test")
    return [
        mail(
            seq,
            draw(IDS),
            reply_to=draw(IDS),
            refs=tuple(draw(st.lists(IDS.filter(bool), max_size=3))),
            subject=draw(st.sampled_from(["", "hi", "plan", "Re: plan", "Fwd: plan", "report", "Re: report"])),
            sender=draw(st.sampled_from(people)),
            to=tuple(draw(st.lists(st.sampled_from(people), max_size=2))),
            days=draw(st.integers(0, 80)),
            provider=draw(st.sampled_from([None, None, None, "1", "2"])),
        )
        for seq in range(1, draw(st.integers(1, 12)) + 1)
    ]


@settings(max_examples=80, deadline=None)
@given(arrivals(), st.data())
def test_cutting_into_batches_changes_nothing(batch: list[Arrival], data: st.DataObject) -> None:
    """A conversation would depend on how the import was interrupted."""
    whole = Store()
    whole.add(*batch)
    cut = Store()
    rest = batch
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        cut.add(*rest[:size])
        rest = rest[size:]
    assert cut.threads == whole.threads
    assert cut.nodes == whole.nodes


@settings(max_examples=80, deadline=None)
@given(arrivals())
def test_every_message_and_named_id_has_one_thread(batch: list[Arrival]) -> None:
    """A message would be lost, or an id would point to a thread without messages."""
    store = Store()
    done = store.add(*batch)
    assert store.threads.keys() == {arrival.message_id for arrival in batch}
    assert {node.thread_id for node in store.nodes.values()} <= set(store.threads.values()) | {
        thread_id_for(arrival.message_id) for arrival in batch
    }
    assert not set(done.merged) & (set(done.thread_of.values()) | set(done.merged.values()))
    assert not set(done.merged) & {node.thread_id for node in done.new_nodes.values()}
    for arrival in batch:
        assert not arrival.rfc822_message_id or store.nodes[arrival.rfc822_message_id].is_stored
        assert all(ref in store.nodes for ref in candidates(arrival))


@settings(max_examples=40, deadline=None)
@given(arrivals())
def test_applying_merges_twice_changes_nothing(batch: list[Arrival]) -> None:
    """A run that is repeated after a crash would give other conversations."""
    store = Store()
    done = assign(batch, store.load(batch))
    store.apply(batch, done)
    once = dict(store.threads), dict(store.nodes)
    store.apply(batch, done)
    assert (store.threads, store.nodes) == once
