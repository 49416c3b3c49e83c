"""Rates of the queue: asking, claiming one and many, and taking in pushes; also beside a transaction that stays open.

Each operation (or batch) is a transaction of its own on a server that syncs to disk, from one process or several.
"""

import multiprocessing as mp
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, text

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.pushes import record_push
from tests.bench.workplace import Workplace

GOALS = {"claims_single": 2_000, "claims_batched": 10_000}
"""A second, of all claimers together."""
CLAIMERS = (1, 4, 8)
BATCH = 100
MAILBOXES = 8_000
WORDS = "poll"


def measure(place: Workplace, *, open_seconds: float = 60.0) -> dict[str, Any]:
    """Operations a second, by what is done and by how many processes do it."""
    settings = place.settings("bench_queue")
    url = str(settings.database_url)
    engine = make_engine(url, "bench")
    mailboxes = _mailboxes(engine)
    found: dict[str, Any] = {"goals_per_second": GOALS, "mailboxes": len(mailboxes), "batch": BATCH}
    found["enqueues_per_second"] = _by_claimers(url, _enqueue, mailboxes, engine, is_filled=False)
    found["enqueues_batched_per_second"] = _by_claimers(url, _enqueue_many, mailboxes, engine, is_filled=False)
    found["pushes_per_second"] = _by_claimers(url, _push, mailboxes, engine, is_filled=False)
    found["claims_single_per_second"] = _by_claimers(url, _claim, mailboxes, engine, is_filled=True)
    found["claims_batched_per_second"] = _by_claimers(url, _claim_many, mailboxes, engine, is_filled=True)
    found["beside_an_open_transaction"] = _beside(url, mailboxes, engine, open_seconds)
    engine.dispose()
    return found


def _mailboxes(engine: Engine) -> list[uuid.UUID]:
    mailboxes = [uuid.uuid4() for _ in range(MAILBOXES)]
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into mailboxes.connections (mailbox_id, address, provider) "
                "select id, id::text || '@example.org', 'gmail' from unnest(cast(:ids as uuid[])) as id"
            ),
            {"ids": mailboxes},
        )
        connection.execute(
            text("insert into mailboxes.watches (mailbox_id, topic) select mailbox_id, 't' from mailboxes.connections")
        )
    return mailboxes


Work = Callable[[Connection, list[uuid.UUID]], int]


def _enqueue(connection: Connection, mailboxes: list[uuid.UUID]) -> int:
    return sum(queue.enqueue(connection, mailbox_id, asked_by=WORDS) is not None for mailbox_id in mailboxes)


def _enqueue_many(connection: Connection, mailboxes: list[uuid.UUID]) -> int:
    return sum(len(queue.enqueue_many(connection, some, asked_by=WORDS)) for some in _batches(mailboxes))


def _push(connection: Connection, mailboxes: list[uuid.UUID]) -> int:
    for mailbox_id in mailboxes:
        record_push(connection, push_id=uuid.uuid4().hex, address=f"{mailbox_id}@example.org", history_id=1)
    return len(mailboxes)


def _claim(connection: Connection, mailboxes: list[uuid.UUID]) -> int:
    return sum(queue.claim(connection, mailbox_id, str(mailbox_id)) is not None for mailbox_id in mailboxes)


def _claim_many(connection: Connection, mailboxes: list[uuid.UUID]) -> int:
    run_id = str(uuid.uuid4())
    return sum(len(queue.claim_all(connection, some, run_id)) for some in _batches(mailboxes))


def _batches(mailboxes: list[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    for start in range(0, len(mailboxes), BATCH):
        yield mailboxes[start : start + BATCH]


def _by_claimers(
    url: str, work: Work, mailboxes: list[uuid.UUID], engine: Engine, *, is_filled: bool
) -> dict[str, float]:
    rates = {}
    for claimers in CLAIMERS:
        _refill(engine, mailboxes, is_filled=is_filled)
        rates[str(claimers)] = _rate(url, work, mailboxes, claimers)
    return rates


def _refill(engine: Engine, mailboxes: list[uuid.UUID], *, is_filled: bool) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("truncate sync_queue.requests, sync_queue.ended_requests, sync_queue.pushes"))
        if is_filled:
            queue.enqueue_many(connection, mailboxes, asked_by=WORDS)
        connection.execute(text("vacuum analyze sync_queue.requests"))


def _rate(url: str, work: Work, mailboxes: list[uuid.UUID], claimers: int) -> float:
    """Everything that was done, by the time from the common start to the last one's end."""
    context = mp.get_context("spawn")
    start, ready, results = context.Event(), context.Semaphore(0), context.Queue()
    processes = [
        context.Process(target=_child, args=(url, work.__name__, mailboxes[number::claimers], ready, start, results))
        for number in range(claimers)
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    began = time.perf_counter()
    start.set()
    done = sum(results.get() for _ in processes)
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    if done != len(mailboxes):
        raise RuntimeError(f"{work.__name__} did {done} of {len(mailboxes)}.")
    return round(done / seconds)


def _child(url: str, name: str, mailboxes: list[uuid.UUID], ready: Any, start: Any, results: Any) -> None:
    engine = make_engine(url, "bench", pool_size=1)
    # Each statement is its own transaction, as it is for whoever only asks or only claims.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("select 1"))
        ready.release()
        start.wait()
        results.put(globals()[name](connection, mailboxes))
    engine.dispose()


@contextmanager
def _open_transaction(url: str) -> Iterator[None]:
    """A report that somebody runs: its snapshot keeps every row version that dies meanwhile."""
    with psycopg.connect(url) as connection:
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("select count(*) from sync_queue.requests")
        yield


def _beside(url: str, mailboxes: list[uuid.UUID], engine: Engine, seconds: float) -> dict[str, Any]:
    """A transaction stays open while requests come, are claimed and end; what claiming costs then, as time goes on."""
    some = mailboxes[:1000]
    _refill(engine, mailboxes, is_filled=False)
    latencies: list[tuple[float, float]] = []
    count = 0
    began = time.perf_counter()
    with _open_transaction(url):
        while (at := time.perf_counter() - began) < seconds:
            mailbox_id = some[count % len(some)]
            with engine.begin() as connection:
                queue.enqueue(connection, mailbox_id, asked_by=WORDS)
            claiming = time.perf_counter()
            with engine.begin() as connection:
                queue.due(connection, most=20)
                claim = queue.claim(connection, mailbox_id, f"run-{count}")
            latencies.append((at, time.perf_counter() - claiming))
            if claim is None:
                raise RuntimeError("A request that was just asked for could not be claimed.")
            with engine.begin() as connection:
                queue.succeed(connection, mailbox_id, f"run-{count}")
            count += 1
        with engine.connect() as connection:
            dead = connection.execute(
                text(
                    "select n_dead_tup, pg_total_relation_size('sync_queue.requests') from pg_stat_user_tables "
                    "where schemaname = 'sync_queue' and relname = 'requests'"
                )
            ).one()
        single = _claims_now(url, mailboxes, engine)
    tenth = max(len(latencies) // 10, 1)
    return {
        "open_seconds": round(seconds),
        "requests_that_came_and_ended": count,
        "requests_per_second": round(count / seconds),
        "dead_tuples": dead[0],
        "table_and_indexes_bytes": dead[1],
        "due_and_claim_p50_ms_first_tenth": _p50_ms(latencies[:tenth]),
        "due_and_claim_p50_ms_last_tenth": _p50_ms(latencies[-tenth:]),
        "claims_single_per_second": single,
    }


def _claims_now(url: str, mailboxes: list[uuid.UUID], engine: Engine) -> dict[str, float]:
    """Single claims by several processes on top of the dead rows, the transaction still open."""
    rates = {}
    for claimers in CLAIMERS:
        with engine.begin() as connection:
            connection.execute(text("delete from sync_queue.requests"))
            queue.enqueue_many(connection, mailboxes, asked_by=WORDS)
        rates[str(claimers)] = _rate(url, _claim, mailboxes, claimers)
    return rates


def _p50_ms(latencies: list[tuple[float, float]]) -> float:
    ordered = sorted(latency for _, latency in latencies)
    return round(ordered[len(ordered) // 2] * 1000, 2)
