"""Where schedules are run: a database, a stand-in for Gmail, and workers that are forked and killed."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from rl_emails_assets.connections.credentials import Grant
from rl_emails_assets.connections.lifecycle import connect_gmail
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import pushes, queue
from tests.chaos.provider_acts import do
from tests.chaos.schedules import Death, Round, Schedule
from tests.chaos.worker import name_of
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import GMAIL_READONLY, User

ADDRESS = "owner@example.org"
DEADLINE_SECONDS = 30.0
RUNS_A_WORKER = 4

# Every time that is kept, as if it lay further back.
_PASS = """
update sync_queue.requests set run_after = run_after - {by}, leased_until = leased_until - {by};
update mailboxes.credentials set expires_at = expires_at - {by};
update mailboxes.quotas set counted_at = counted_at - {by};
update mailboxes.watches set expires_at = expires_at - {by};
update raw.backlog set tried_at = tried_at - {by};
update raw.gaps set first_seen_at = first_seen_at - {by}, last_seen_at = last_seen_at - {by};
update raw.cursors set started_at = started_at - {by},
    position = position || jsonb_build_object(
        'resume_at', to_jsonb((position->>'resume_at')::timestamptz - {by}),
        'as_of', to_jsonb((position->>'as_of')::timestamptz - {by}))
"""

# Every request that was ever made, and every claim, as the database saw them.
WITNESSES = """
create schema chaos;
create table chaos.requests (request_id uuid primary key, kind text);
create table chaos.claims (lease_token uuid primary key, request_id uuid, run_id text);
create function chaos.witness() returns trigger language plpgsql as $$
begin
    insert into chaos.requests values (new.request_id, new.kind) on conflict do nothing;
    if new.state = 'doing' then
        insert into chaos.claims values (new.lease_token, new.request_id, new.run_id) on conflict do nothing;
    end if;
    return null;
end $$;
create trigger witness after insert or update on sync_queue.requests for each row execute function chaos.witness()
"""


class Zygote:
    """The process that forks workers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.zygote"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.statuses: dict[int, int] = {}

    def start(self, job: dict[str, Any]) -> int:
        """A new worker; its pid."""
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        while True:
            verb, pid = self._read()
            if verb == "started":
                return pid

    def warm_up(self, job: dict[str, Any]) -> None:
        """Have the process itself do what its workers will do."""
        assert self._process.stdin is not None
        print(json.dumps({**job, "warm_up": True}), file=self._process.stdin, flush=True)
        assert self.wait(0) == 0, "The process that forks could not sync; see its standard error."

    def wait(self, pid: int) -> int:
        """The exit status of a worker, once it has ended; below zero, the signal that ended it."""
        while pid not in self.statuses:
            self._read()
        return self.statuses[pid]

    def _read(self) -> tuple[str, int]:
        assert self._process.stdout is not None
        verb, pid, *status = self._process.stdout.readline().split()
        if verb == "ended":
            self.statuses[int(pid)] = int(status[0])
        return verb, int(pid)

    def close(self) -> None:
        """End it; its workers have ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


class Arena:
    """Runs one schedule after the other; each begins with empty tables and a new account."""

    def __init__(self, engine: Engine, settings: Settings, url: str, gmail: Gmail, log: Path) -> None:
        self.engine = engine
        self.gmail = gmail
        self.log = log
        self._base = settings.model_copy(update=gmail.settings_overrides())
        self.settings = self._base
        self._url = url
        self._zygote = Zygote()
        self.user: User = None  # type: ignore[assignment]  # one a schedule
        self.mailbox_id: uuid.UUID = None  # type: ignore[assignment]
        self.surprises: list[str] = []
        self.told: list[tuple[str, int]] = []
        self._late: list[tuple[str, int]] = []
        self._ahead_seconds = 0.0
        self._page_size = 500
        self._push_count = 0
        with engine.begin() as connection:
            connection.exec_driver_sql(WITNESSES)

    def close(self) -> None:
        """End the process that forks."""
        self._zygote.close()

    def prepare(self, schedule: Schedule) -> None:
        """Empty tables, a new account with the schedule's first mail, connected."""
        self.gmail.advance(seconds=-self._ahead_seconds)
        self._ahead_seconds = 0.0
        with self.gmail.lock:
            self.gmail.users.clear()
            self.gmail.faults.clear()
            self.gmail.rng.seed(schedule.seed)
            self.gmail.pages_shift = schedule.pages_shift
            self.user = self.gmail.add_user(ADDRESS)
        with self.engine.begin() as connection:
            # Deleted rows of two hundred schedules would slow down the last ones.
            connection.execute(
                text("truncate mailboxes.connections, sync_queue.pushes, sync_queue.push_counts cascade")
            )
            connection.execute(text("truncate chaos.requests, chaos.claims"))
        self.settings = self._base.model_copy(
            update={"gmail_batch_size": schedule.batch_size, "gmail_slice_messages": schedule.slice_messages}
        )
        self._page_size = schedule.page_size
        self.surprises, self.told, self._late, self._push_count = [], [], [], 0
        self.log.write_text("")
        last = ""
        for number in range(schedule.first_mail):
            if number % 4 == 3:
                # What the one before says, under another id: a folder copy.
                self.user.deliver(self.user.rfc822_of(last), quietly=True, labels=["CATEGORY_PROMOTIONS"])
            else:
                last = self.user.deliver(quietly=True, subject=f"First {number % 4}", text=f"Number {number}.")
        self.connect()

    def connect(self) -> None:
        """Sign in at the provider."""
        with self.gmail.lock:
            refresh = self.user.grant()
            access = self.gmail.oauth.refresh(refresh)["access_token"]
        grant = Grant(access, refresh, datetime.now(UTC) + timedelta(hours=1), (GMAIL_READONLY,))
        with self.engine.begin() as connection:
            self.mailbox_id = connect_gmail(connection, Sealer.of(self.settings), ADDRESS, grant)

    def play(self, schedule: Schedule) -> None:
        """Every round of the schedule."""
        for number, each in enumerate(schedule.rounds):
            self._round(schedule.seed, number, each)

    def _round(self, seed: int, number: int, each: Round) -> None:
        with self.gmail.lock:
            self.gmail.faults.clear()
        for method, effects in each.faults:
            self.gmail.faults.next(method, **effects)
        late, self._late = self._late, []
        for (act, choice), telling in zip(each.acts, each.pushes, strict=True):
            do(act, self.user, choice)
            self._tell(telling)
        for push_id, history_id in late:
            self._push(push_id, history_id)
        self._upset(each.upset)
        pids = [
            self.start(name_of(seed, number, place), death, may_be_cut=each.cuts)
            for place, death in enumerate(each.workers)
        ]
        for _ in range(each.peeks):
            with self.engine.connect() as connection:
                queue.due(connection)
                queue.next_due_at(connection)
        if each.cuts:
            self._cut()
        self._await(pids, each.workers)
        self.pass_time(each.jump_seconds, both=not each.is_jump_one_sided)

    def start(self, name: str, death: Death, *, may_be_cut: bool = False, runs: int = RUNS_A_WORKER) -> int:
        """A worker; its pid."""
        return self._zygote.start(self._job(name, death, may_be_cut=may_be_cut, runs=runs))

    def warm_up(self) -> None:
        """Once, before the first schedule: the first sync of a process is the slowest by far."""
        few = {"first_mail": 3, "batch_size": 2, "slice_messages": 2, "page_size": 2}
        self.prepare(Schedule(seed=0, pages_shift=False, **few))
        self.gmail.oauth.forget_access_tokens()
        self._zygote.warm_up(self._job("warm-up", Death(), may_be_cut=False, runs=RUNS_A_WORKER))

    def _job(self, name: str, death: Death, *, may_be_cut: bool, runs: int) -> dict[str, Any]:
        return {
            "name": name,
            "url": self._url,
            "settings": self.settings.model_dump(mode="json"),
            "death": death.as_json() if death.at != "ms" else Death().as_json(),
            "runs": runs,
            "page_size": self._page_size,
            "may_be_cut": may_be_cut,
            "log": str(self.log),
        }

    def finish(self, pid: int) -> None:
        """Wait for a worker, and note it if it was surprised."""
        status = self._zygote.wait(pid)
        if status not in (0, -signal.SIGKILL):
            self.surprises.append(f"worker {pid} ended with {status}")

    def _await(self, pids: list[int], deaths: tuple[Death, ...]) -> None:
        begun = time.monotonic()
        timed = sorted((death.number / 1000, pid) for pid, death in zip(pids, deaths, strict=True) if death.at == "ms")
        for at, pid in timed:
            time.sleep(max(0.0, begun + at - time.monotonic()))
            kill(pid, signal.SIGKILL)
        standing = [pid for pid, death in zip(pids, deaths, strict=True) if death.is_stall]
        for pid in pids:
            if pid not in standing:
                # Another worker may wait for one that stands still; it goes on when its lease has lapsed.
                self._until(lambda pid=pid: has_ended(pid) or any(is_stopped(other) for other in standing))  # type: ignore[misc]
        for pid in standing:
            self._until(lambda pid=pid: has_ended(pid) or is_stopped(pid))  # type: ignore[misc]
            self._lapse_leases()
            kill(pid, signal.SIGCONT)
        for pid in pids:
            self.finish(pid)

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"A worker neither ended nor stopped within {DEADLINE_SECONDS:.0f} s.")
            time.sleep(0.002)

    def _cut(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where application_name = 'rl-emails chaos worker' and datname = current_database()"
                )
            )

    def _lapse_leases(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("update sync_queue.requests set leased_until = now() where state = 'doing'"))

    def pass_time(self, seconds: float, *, both: bool = True) -> None:
        """Time passes: for the database, whose times move back, and for the provider."""
        if not seconds:
            return
        with self.engine.begin() as connection:
            connection.exec_driver_sql(_PASS.format(by=f"interval '{seconds} seconds'"))
        if both:
            self.gmail.advance(seconds=seconds)
            self._ahead_seconds += seconds

    def _tell(self, telling: str) -> None:
        history_id = self.user.history_id
        self._push_count += 1
        push_id = f"push-{self._push_count}"
        if telling == "late":
            self._late.append((push_id, history_id))
        elif telling == "garbage":
            with self.engine.begin() as connection:
                pushes.record_push(
                    connection, push_id=f"{push_id}-stranger", address="nobody@example.net", history_id=1
                )
        elif telling != "lost":
            for _ in range(2 if telling == "twice" else 1):
                self._push(push_id, history_id)

    def _push(self, push_id: str, history_id: int) -> None:
        with self.engine.begin() as connection:
            pushes.record_push(connection, push_id=push_id, address=ADDRESS, history_id=history_id)
        self.told.append((push_id, history_id))

    def _upset(self, upset: str) -> None:
        if upset == "revoke":
            self.user.revoke()
        elif upset == "forget_tokens":
            self.gmail.oauth.forget_access_tokens()
        elif upset == "full":
            with self.engine.begin() as connection:
                queue.enqueue(connection, self.mailbox_id, asked_by="button", kind="full")


def kill(pid: int, number: int) -> None:
    """Send a signal to a worker, which may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_stopped(pid: int) -> bool:
    """Whether a process stands still."""
    return _state_of(pid) == "T"


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or as good as that."""
    return _state_of(pid) in {"", "Z", "X"}


@contextmanager
def arena_on(engine: Engine, settings: Settings, url: str, gmail: Gmail, log: Path) -> Iterator[Arena]:
    """An arena for the length of a block."""
    made = Arena(engine, settings, url, gmail, log)
    try:
        made.warm_up()
        yield made
    finally:
        made.close()
