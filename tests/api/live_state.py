"""A Gmail mailbox's live state on top of the seeded one: watch, quota, queue, workers, upkeep, notices."""

import datetime as dt
import uuid

from mails import OWNER, RUN_ID, seed_id
from seed import _put
from sqlalchemy import Engine, update

from rl_emails_assets.db.tables import app, classifications, mailboxes, raw, sync_queue

MAILBOX = seed_id(OWNER)
DEAD_LETTER = seed_id("dead letter")
NOTICE = seed_id("notice")
TOPIC = "projects/example/topics/gmail"


def ago(**duration: float) -> dt.datetime:
    """So long before now."""
    return dt.datetime.now(dt.UTC) - dt.timedelta(**duration)


def make_gmail(engine: Engine, *, is_watched: bool = True, mailbox_id: uuid.UUID = MAILBOX, **values: object) -> None:
    """The mailbox is a Gmail account, current a minute ago unless `values` say otherwise."""
    told = {"provider": "gmail", "current_as_of": ago(minutes=1), "synced_at": ago(minutes=1), **values}
    table = mailboxes.connections
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.mailbox_id == mailbox_id).values(**told))
        if is_watched:
            _put(
                connection,
                mailboxes.watches,
                mailbox_id=mailbox_id,
                topic=TOPIC,
                history_id="5000",
                expires_at=ago(days=-6),
                renewed_at=ago(days=1),
                last_push_at=ago(minutes=3),
                push_count=42,
            )


def change(engine: Engine, *, mailbox_id: uuid.UUID = MAILBOX, **values: object) -> None:
    """The mailbox's row says something else."""
    table = mailboxes.connections
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.mailbox_id == mailbox_id).values(**values))


def add_notice(engine: Engine, kind: str, text: str) -> None:
    """The owner is told something."""
    with engine.begin() as connection:
        _put(connection, app.notices, notice_id=NOTICE, mailbox_id=MAILBOX, kind=kind, text=text)


def add_backlog(engine: Engine, count: int) -> None:
    """Messages that are known and not fetched."""
    with engine.begin() as connection:
        for number in range(count):
            _put(
                connection,
                raw.backlog,
                mailbox_id=MAILBOX,
                provider_message_id=f"m{number}",
                found_by="listing",
                added_at=ago(minutes=10),
            )


def add_dead_letter(engine: Engine, *, is_permanent: bool = False) -> None:
    """A request that was given up."""
    with engine.begin() as connection:
        _put(
            connection,
            sync_queue.ended_requests,
            request_id=DEAD_LETTER,
            mailbox_id=MAILBOX,
            kind="partial",
            asked_by="webhook",
            state="failed",
            attempts=8,
            is_permanent=is_permanent,
            run_id=RUN_ID,
            error="Gmail answered 503 eight times; the last answer was: Backend Error.",
            created_at=ago(hours=2),
            finished_at=ago(hours=1),
        )


def add_operations(engine: Engine) -> None:
    """A busy system: requests, workers, pushes, schedules, quota and costs."""
    with engine.begin() as connection:
        _put(
            connection,
            mailboxes.quotas,
            mailbox_id=MAILBOX,
            units_left=1000,
            counted_at=ago(seconds=20),
            day=dt.datetime.now(dt.UTC).date(),
            units_today=123456,
            batch_size=25,
            throttled_at=ago(hours=5),
        )
        _put(
            connection,
            sync_queue.requests,
            request_id=seed_id("waiting"),
            mailbox_id=MAILBOX,
            kind="partial",
            asked_by="webhook",
            state="todo",
            attempts=2,
            error="Gmail answered 429 (rate limit).",
            created_at=ago(minutes=9),
            run_after=ago(minutes=6),
        )
        _put(
            connection,
            sync_queue.requests,
            request_id=seed_id("running"),
            mailbox_id=MAILBOX,
            kind="full",
            asked_by="schedule",
            state="doing",
            attempts=1,
            run_id=RUN_ID,
            created_at=ago(minutes=1),
            leased_until=ago(seconds=30),
        )
        for name, age, stopping in (("quick", 1, None), ("silent", 300, None), ("leaving", 2, "SIGTERM")):
            _put(
                connection,
                sync_queue.workers,
                worker_id=seed_id(name),
                host=f"{name}.example.org",
                process="boot:1:2",
                slots=2,
                busy=1,
                ready=1,
                run_count=1234,
                version="0.1.0",
                is_stopping=stopping,
                started_at=ago(days=2),
                heartbeat_at=ago(seconds=age),
            )
        today = dt.datetime.now(dt.UTC).date()
        for day, outcome, count in ((0, "queued", 40), (0, "garbage", 2), (3, "queued", 60), (8, "queued", 1000)):
            _put(
                connection,
                sync_queue.push_counts,
                day=today - dt.timedelta(days=day),
                outcome=outcome,
                push_count=count,
            )
        _put(connection, sync_queue.pushes, push_id="7001", received_at=ago(minutes=3))
        for number, (name, started, ended, error) in enumerate(
            (
                ("watch_renewal", 26, 25.9, None),
                ("watch_renewal", 2, 1.9, "Google refused to renew 1 of 2 watches: the topic was not found."),
                ("pruning", 5, 4.9, None),
                ("full_sync", 1, None, None),
            )
        ):
            _put(
                connection,
                sync_queue.upkeep_runs,
                run_id=f"5b0f6f0e-8d6c-4e55-9a77-00000000000{number}",
                name=name,
                started_at=ago(hours=started),
                finished_at=ended and ago(hours=ended),
                counts={"mailbox_count": 2, "renewed_count": 1},
                error=error,
            )
        today = dt.datetime.now(dt.UTC).date()
        _put(connection, classifications.spending, mailbox_id=MAILBOX, day=today, cost_usd=0.0021, question_count=3)
        _put(
            connection,
            classifications.opinions,
            opinion_id=seed_id("opinion"),
            mailbox_id=MAILBOX,
            message_id=seed_id("quote"),
            content_hash=b"h",
            model="m",
            prompt_version="1",
            state="answered",
            run_id=RUN_ID,
        )
