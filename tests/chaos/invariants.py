"""What has to be true when a schedule has come to rest."""

import uuid
from typing import Any

from sqlalchemy import Connection, Engine, text

from rl_emails_assets.sync_queue import dead_letters, queue
from rl_emails_assets.sync_queue.queue import MOST_ATTEMPTS, MOST_SILENT_DEATHS
from tests.chaos.arena import ADDRESS, Arena
from tests.chaos.provider_acts import do
from tests.chaos.schedules import Death

MOST_ROUNDS_TO_REST = 20


def come_to_rest(arena: Arena) -> None:
    """No faults, no deaths, and time enough: what waits is done, the owner signs in again if need be."""
    with arena.gmail.lock:
        arena.gmail.faults.clear()
    for _ in range(MOST_ROUNDS_TO_REST):
        arena.pass_time(2 * 3_600)
        if _state(arena.engine) == "reconnect_needed":
            _require_one_notice(arena.engine)
            arena.connect()
        with arena.engine.connect() as connection:
            is_quiet = not queue.live(connection)
        if is_quiet:
            return
        arena.finish(arena.start(f"rest-{uuid.uuid4().hex[:8]}", Death(), runs=30))
    with arena.engine.connect() as connection:
        raise AssertionError(f"Requests are stuck after {MOST_ROUNDS_TO_REST} runs: {queue.live(connection)}")


def ask(arena: Arena, kind: str) -> None:
    """What a schedule of the product asks for, and its outcome."""
    with arena.engine.begin() as connection:
        queue.enqueue(connection, arena.mailbox_id, asked_by="poll", kind=kind)
    come_to_rest(arena)


def require_converged(arena: Arena, *, with_full_sync: bool, is_mended: bool) -> None:
    """Everything: after a poll, and after a full sync too, which tries gaps again and would undo what was wrong.

    With `is_mended`, what could not be read can be again before the full sync.
    """
    _require_lawful_dead_letters(arena.engine)
    ask(arena, "partial")
    _require_same_mail(arena, after="a poll")
    with arena.engine.begin() as connection:
        is_redriven = bool(dead_letters.redrive_all(connection))
    if is_redriven:
        come_to_rest(arena)
    if with_full_sync or is_redriven or _has_gaps(arena.engine):
        if is_mended:
            do("mend", arena.user, 0)
        ask(arena, "full")
        _require_same_mail(arena, after="a full sync")
        _require_gaps_only_where_broken(arena)
    with arena.engine.connect() as connection:
        _require_parsed(connection)
        _require_no_request_lost(connection)
        assert dead_letters.dead_letters(connection) == [], "A dead letter that was redriven died again."
        _require_pushes_counted(connection, arena)
    assert not arena.surprises, f"{arena.surprises}; their log:\n{arena.log.read_text()}"


def _has_gaps(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(_column(connection, "select 1 from raw.gaps limit 1"))


def _state(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("select state from mailboxes.connections")).scalar_one())


def _require_one_notice(engine: Engine) -> None:
    with engine.connect() as connection:
        notices = connection.execute(text("select kind from app.notices where ended_at is null")).scalars().all()
        waiting = [each for each in queue.live(connection) if each.state == "todo"]
    assert notices == ["reconnect_needed"], f"The owner of a revoked grant was told {notices}."
    assert not waiting, f"A request waits for a mailbox whose grant is gone: {waiting}"


def _require_same_mail(arena: Arena, *, after: str) -> None:
    truth = arena.gmail.ids(ADDRESS)
    with arena.engine.connect() as connection:
        stored = _column(connection, "select provider_message_id from raw.messages")
        gaps = _column(connection, "select provider_message_id from raw.gaps where reason <> ''")
        backlog = _column(connection, "select provider_message_id from raw.backlog")
        labels = _labels(connection)
    assert len(stored) == len(set(stored)), f"After {after} a message is stored twice."
    missing, surplus = truth - set(stored) - set(gaps), (set(stored) | set(gaps)) - truth
    assert not missing, f"After {after} {len(missing)} messages are neither stored nor gaps: {sorted(missing)}"
    assert not surplus, f"After {after} {len(surplus)} messages are known that are gone: {sorted(surplus)}"
    assert not set(stored) & set(gaps), f"After {after} a stored message is a gap as well."
    assert not backlog, f"After {after} messages wait to be fetched: {backlog}"
    with arena.gmail.lock:
        names = arena.user.labels
        wanted = {
            message.id: {names.get(label, label) for label in message.labels}
            for message in arena.user.messages.values()
            # Whose bytes cannot be had any more keeps the names that its labels had.
            if message.id in set(stored) and not message.raw_fault
        }
    found = {key: labels.get(key, set()) for key in wanted}
    assert found == wanted, f"After {after} labels differ."


def _require_gaps_only_where_broken(arena: Arena) -> None:
    with arena.gmail.lock:
        broken = {message.id for message in arena.user.messages.values() if message.raw_fault}
    with arena.engine.connect() as connection:
        gaps = set(_column(connection, "select provider_message_id from raw.gaps"))
    assert gaps <= broken, f"Messages that can be read stay gaps: {sorted(gaps - broken)}"


def _require_lawful_dead_letters(engine: Engine) -> None:
    """A request is given up for a permanent error, for too many tries, or for too many silent deaths."""
    with engine.connect() as connection:
        for letter in dead_letters.dead_letters(connection):
            assert letter.is_permanent or letter.attempts >= MOST_ATTEMPTS or letter.deaths >= MOST_SILENT_DEATHS, (
                letter
            )
            assert letter.error, letter


def _require_parsed(connection: Connection) -> None:
    """Every stored message is parsed once, in a conversation that is summed up, and copies point at what is there."""
    for what, query in {
        "a stored message is not parsed": "select message_id from raw.messages "
        "except select message_id from mail.messages",
        "a row is stale": "select message_id from mail.messages where is_stale",
        "a conversation has no row": "select thread_id from mail.messages where duplicate_of is null "
        "except select thread_id from mail.threads where not is_stale",
        "a conversation without messages has a row": "select thread_id from mail.threads "
        "except select thread_id from mail.messages where duplicate_of is null",
        "a count is wrong": "select t.thread_id from mail.threads t where message_count <> "
        "(select count(*) from mail.messages m where m.thread_id = t.thread_id and m.duplicate_of is null)",
        "a copy's original is gone, or a copy itself": "select c.message_id from mail.messages c "
        "where c.duplicate_of is not null and not exists "
        "(select from mail.messages o where o.message_id = c.duplicate_of and o.duplicate_of is null)",
        "two messages say the same and neither is a copy": "select fingerprint from mail.messages "
        "where duplicate_of is null group by fingerprint having count(*) > 1",
        "an original lacks a copy's label": "select l.label from mail.messages c join raw.labels l using (message_id) "
        "where c.duplicate_of is not null "
        "and not exists (select from raw.labels o where o.message_id = c.duplicate_of and o.label = l.label)",
        "a shared label has no copy that has it": "select o.label from raw.labels o where o.is_shared and not exists "
        "(select from mail.messages c join raw.labels l using (message_id) "
        "where c.duplicate_of = o.message_id and l.label = o.label)",
        "a contact has no message": "select address from mail.contacts except select address from mail.participants",
    }.items():
        assert connection.execute(text(query)).all() == [], what


def _require_no_request_lost(connection: Connection) -> None:
    """Every request that was ever made has ended, once; every claim was of such a request."""
    made = set(_column(connection, "select request_id from chaos.requests"))
    ended = _column(connection, "select request_id from sync_queue.ended_requests")
    assert len(ended) == len(set(ended))
    assert set(ended) == made, f"Requests without an end: {made - set(ended)}"
    assert set(_column(connection, "select request_id from chaos.claims")) <= made
    # A run that was claimed to have succeeded held the last claim of its request.
    succeeded = connection.execute(
        text(
            "select e.request_id from sync_queue.ended_requests e where e.state = 'succeeded' and not exists "
            "(select from chaos.claims c where c.request_id = e.request_id and c.run_id = e.run_id)"
        )
    ).all()
    assert succeeded == []
    twice = connection.execute(
        text(
            "select run_id from sync_queue.ended_requests where state = 'succeeded' group by run_id having count(*) > 1"
        )
    ).all()
    assert twice == [], "A run ended two requests."


def _require_pushes_counted(connection: Connection, arena: Arena) -> None:
    taken = _column(connection, "select push_id from sync_queue.pushes where push_id not like '%stranger'")
    assert set(taken) == {push_id for push_id, _ in arena.told}
    counted: dict[str, int] = {
        row.outcome: row.push_count
        for row in connection.execute(
            text("select outcome, sum(push_count)::int as push_count from sync_queue.push_counts group by 1")
        )
    }
    duplicates = len(arena.told) - len(taken)
    assert counted.get("duplicate", 0) == duplicates
    assert sum(counted.get(name, 0) for name in ("queued", "joined", "known")) + counted.get("unknown", 0) >= len(taken)


def _labels(connection: Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in connection.execute(
        text(
            "select m.provider_message_id as id, l.label from raw.messages m join raw.labels l using (message_id) "
            "where not l.is_shared"
        )
    ):
        found.setdefault(row.id, set()).add(row.label)
    return found


def _column(connection: Connection, query: str) -> list[Any]:
    return list(connection.execute(text(query)).scalars())
