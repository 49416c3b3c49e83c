"""The sensors that start runs. A tick only looks, because it is repeated, previewed in the UI and cut at 60 s; the run
that it asks for claims. What becomes of a run is watched in run_sensors.py.

A sensor that has fired rests until the daemon's next loop (5 s, hard-coded in Dagster), so there are three alike: one
listens, the others wait for their turn, and the next listens while the first rests.
"""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from rl_emails_assets.defs.automation.jobs import DISCONNECT, SYNC
from rl_emails_assets.defs.mailbox_asset import MAILBOXES
from rl_emails_assets.defs.product_database import NOT_MIGRATED, migrated_database
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue.listening import listening
from rl_emails_assets.sync_queue.queue import Due

WINDOW_SECONDS = 8.0
"""How long a tick waits. Dagster cuts it at 60 s, and a longer one delays the daemon's stop."""
MOST_REQUESTS = 20
"""Runs that one tick asks for: Dagster makes each in about 50 ms."""
NAMES = ("sync_requests", "sync_requests_2", "sync_requests_3")
REQUEST_TAG = "rl_emails/request"
ATTEMPTS_TAG = "rl_emails/attempts"
ASKED_BY_TAG = "rl_emails/asked_by"
IN_CREATION_SECONDS = 3.0
"""For so long after a tick that asked for a run Dagster may still be making it."""
CANCELLED_SECONDS = 60.0
"""For so long after a run was cancelled before its claim, its request is left for the sensor that ends it."""

_asked: dict[str, tuple[str, float]] = {}
"""By run key: which sensor of this process asked for it last, and when (monotonic)."""
_asked_lock = threading.Lock()


def run_key_of(item: Due, lost_runs: int = 0) -> str:
    """Names the request and the try: a retried tick starts no second run, a request that waits again (Dagster never
    forgets a key) does get one, and so does one whose run ended, or was lost, before it claimed."""
    key = f"{item.request_id}:{item.attempts}"
    return f"{key}:{lost_runs}" if lost_runs else key


def request_for(item: Due, run_key: str) -> dg.RunRequest:
    """The run that handles the request: a sync of the mailbox, or its end."""
    tags = {REQUEST_TAG: str(item.request_id), ATTEMPTS_TAG: str(item.attempts), ASKED_BY_TAG: item.asked_by}
    if item.kind == "disconnect":
        config = {"ops": {"disconnect_mailbox": {"config": {"mailbox_id": str(item.mailbox_id)}}}}
        return dg.RunRequest(run_key=run_key, job_name="disconnect", run_config=config, tags=tags)
    return dg.RunRequest(run_key=run_key, job_name="sync", partition_key=str(item.mailbox_id), tags=tags)


def result_of(due: Sequence[Due], run_keys: Sequence[str]) -> dg.SensorResult:
    """One run a mailbox; a mailbox that Dagster has not seen becomes a partition first."""
    return dg.SensorResult(
        run_requests=[request_for(item, key) for item, key in zip(due, run_keys, strict=True)],
        dynamic_partitions_requests=[
            MAILBOXES.build_add_request([str(item.mailbox_id) for item in due if item.kind != "disconnect"])
        ],
    )


class Choice:
    """Which of the due requests this tick asks a run for: those that have no run on its way yet."""

    def __init__(self, instance: dg.DagsterInstance, name: str) -> None:
        self._instance = instance
        self._name = name
        self.run_keys: list[str] = []

    def __call__(self, due: Sequence[Due]) -> list[Due]:
        """The first of them, at most MOST_REQUESTS; their run keys are then in `run_keys`."""
        lost = self._lost_runs([item for item in due if not self._is_fresh(item)])
        chosen: list[Due] = []
        self.run_keys = []
        for item in due:
            count = lost.get(run_key_of(item), 0)
            key = run_key_of(item, count or 0)
            if count is None or self._is_in_creation(key):
                continue
            chosen.append(item)
            self.run_keys.append(key)
            if len(chosen) == MOST_REQUESTS:
                break
        now = time.monotonic()
        with _asked_lock:
            for old in [key for key, (_, at) in _asked.items() if now - at > 3600]:
                del _asked[old]
            _asked.update(dict.fromkeys(self.run_keys, (self._name, now)))
        return chosen

    def _is_fresh(self, item: Due) -> bool:
        """Whether nobody can have asked yet: Dagster's storage need not be searched on the way of a push."""
        age = (datetime.now(UTC) - item.since).total_seconds()
        with _asked_lock:
            return age < IN_CREATION_SECONDS and run_key_of(item) not in _asked

    def _is_in_creation(self, key: str) -> bool:
        """Whether another sensor has just asked for it. The same one may repeat itself: Dagster knows its key."""
        with _asked_lock:
            name, at = _asked.get(key, (self._name, 0.0))
        return name != self._name and time.monotonic() - at < IN_CREATION_SECONDS

    def _lost_runs(self, due: Sequence[Due]) -> dict[str, int | None]:
        """By request and try, how many runs ended without claiming it; None while one is on its way."""
        if not due:
            return {}
        records = self._instance.get_run_records(
            dg.RunsFilter(tags={REQUEST_TAG: [str(item.request_id) for item in due]})
        )
        lost: dict[str, int | None] = {}
        for record in records:
            run = record.dagster_run
            key = f"{run.tags[REQUEST_TAG]}:{run.tags.get(ATTEMPTS_TAG)}"
            before = lost.get(key, 0)
            ended_ago = time.time() - (record.end_time or 0.0)
            is_over = run.is_finished and (
                run.status is not dg.DagsterRunStatus.CANCELED or ended_ago > CANCELLED_SECONDS
            )
            lost[key] = before + 1 if is_over and before is not None else None
        return lost


def _sensor(name: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        jobs=[SYNC, DISCONNECT],
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Starts a `sync` run for each mailbox whose sync request waits, or whose last run died with it (a "
            "`disconnect` run where that is asked for). Within its tick it is woken by the request itself, "
            f"{WINDOW_SECONDS:.0f} s at most. {len(NAMES)} alike take turns; one is enough, and slower."
        ),
    )
    def sync_requests(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        with migrated_database(Settings()) as url:
            if url is None:
                return dg.SkipReason(NOT_MIGRATED)
            choice = Choice(context.instance, name)
            with listening(url, window_seconds=WINDOW_SECONDS) as listener:
                due = listener.wait(window_seconds=WINDOW_SECONDS, choose=choice)
        if not due:
            return dg.SkipReason("No sync request waits, or another of these sensors looks now.")
        return result_of(due, choice.run_keys)

    return sync_requests


SYNC_REQUESTS = [_sensor(name) for name in NAMES]
