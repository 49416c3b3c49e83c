"""The status as Prometheus metrics, read when they are scraped. docs/how-to/monitor.md describes each."""

import logging
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from rl_emails_api.admin.figures import FigureKeeper
from rl_emails_api.admin.schemas import MailboxStatus, Status, Worker
from rl_emails_api.admin.status import read_status
from rl_emails_api.run_links import RunLinks
from rl_emails_assets.settings import Settings

_log = logging.getLogger(__name__)

Value = float | int | None

MAILBOX_GAUGES: tuple[tuple[str, str, Callable[[MailboxStatus], Value]], ...] = (
    (
        "current_age_seconds",
        "Seconds since the inbox showed all that its provider had.",
        lambda m: m.current_age_seconds,
    ),
    ("backlog_messages", "Messages known at the provider and not fetched yet.", lambda m: m.backlog_count),
    ("gap_messages", "Messages known to exist that could not be stored.", lambda m: m.gap_count),
    ("stored_messages", "Messages stored.", lambda m: m.stored_count),
    ("ranked_messages", "Messages ranked.", lambda m: m.ranked_count),
    ("pending_messages", "Messages stored and not ranked yet.", lambda m: m.pending_count),
    ("open_notices", "Notices that the owner is shown.", lambda m: len(m.notices)),
    ("failing", "1 while the last try of its sync failed.", lambda m: int(m.failure is not None)),
    (
        "watch_remaining_seconds",
        "Seconds until the provider stops pushing.",
        lambda m: m.watch.seconds_left if m.watch else None,
    ),
    (
        "watch_failing",
        "1 while the last renewal of the watch failed.",
        lambda m: int(m.watch.error is not None) if m.watch else None,
    ),
    ("quota_remaining_units", "Quota units in the bucket now.", lambda m: m.quota.units_left if m.quota else None),
    (
        "quota_used_today_units",
        "Quota units spent since midnight UTC.",
        lambda m: m.quota.units_today if m.quota else None,
    ),
    ("quota_batch_messages", "Messages asked for in one batch.", lambda m: m.quota.batch_size if m.quota else None),
)
"""`rl_emails_mailbox_` and the name; a mailbox that has no such value has no sample."""

GAUGES: tuple[tuple[str, str, Callable[[Status], Value]], ...] = (
    (
        "queue_oldest_due_seconds",
        "How long the oldest request that could run has waited; 0 when none waits.",
        lambda s: 0 if s.queue.oldest_due_at is None else (s.asked_at - s.queue.oldest_due_at).total_seconds(),
    ),
    ("queue_lapsed_claims", "Claims whose run was silent for longer than its lease.", lambda s: s.queue.lapsed_count),
    ("workers_alive", "Worker processes whose heartbeat is recent.", lambda s: sum(w.is_alive for w in s.workers)),
    ("worker_slots", "Runs that the living workers execute at a time.", lambda s: sum(w.slots for w in _alive(s))),
    ("worker_busy_slots", "Runs that the living workers execute now.", lambda s: sum(w.busy for w in _alive(s))),
    (
        "last_push_age_seconds",
        "Seconds since the last verified push arrived.",
        lambda s: (s.asked_at - s.last_push_at).total_seconds() if s.last_push_at else None,
    ),
)


class StatusCollector(Collector):
    """Reads the status in one transaction for each scrape."""

    def __init__(self, engine: Callable[[], Engine], settings: Settings, keeper: FigureKeeper, links: RunLinks) -> None:
        self._engine = engine
        self._settings = settings
        self._keeper = keeper
        self._links = links

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering asks no database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric, or only that the database is away."""
        yield _gauge("build_info", "The release that answers.", ["version"], [([version("rl-emails")], 1)])
        try:
            with self._engine().connect() as connection:
                status = read_status(connection, self._settings, self._keeper, self._links)
        except (OperationalError, PoolTimeoutError) as error:
            _log.warning("The metrics lack all figures of the database: %s", type(error).__name__)
            yield _gauge("database_up", "1 while the database answers.", [], [([], 0)])
            return
        yield _gauge("database_up", "1 while the database answers.", [], [([], 1)])
        yield from _of_mailboxes(status)
        yield from _of_all(status)


def _of_mailboxes(status: Status) -> Iterator[Metric]:
    yield _gauge(
        "mailbox_info",
        "Always 1; the labels say where the mail comes from and how fresh the inbox is.",
        ["mailbox", "provider", "freshness"],
        [([str(each.mailbox_id), each.provider, each.freshness], 1) for each in status.mailboxes],
    )
    for name, text, value in MAILBOX_GAUGES:
        samples = [([str(each.mailbox_id)], value(each)) for each in status.mailboxes]
        yield _gauge(f"mailbox_{name}", text, ["mailbox"], samples)
    yield _counter(
        "mailbox_pushes",
        "Pushes that arrived for the mailbox.",
        ["mailbox"],
        [([str(each.mailbox_id)], each.watch.push_count) for each in status.mailboxes if each.watch],
    )
    yield _gauge(
        "mailbox_cost_usd",
        "What questions to language models have cost, in US dollars.",
        ["mailbox"],
        [([str(each.mailbox_id)], each.cost_usd) for each in status.mailboxes],
    )
    yield _gauge(
        "mailbox_opinions",
        "Questions to language models, by what came of them.",
        ["mailbox", "state"],
        [([str(each.mailbox_id), state], n) for each in status.mailboxes for state, n in each.opinions.items()],
    )


def _of_all(status: Status) -> Iterator[Metric]:
    counts = {"todo": 0, "doing": 0} | {each.state: each.request_count for each in status.queue.states}
    dead_letters = counts.pop("failed", 0)
    yield _gauge(
        "queue_requests", "Sync requests by state.", ["state"], [([state], count) for state, count in counts.items()]
    )
    yield _gauge("queue_dead_letters", "Sync requests that were given up.", [], [([], dead_letters)])
    for name, text, value in GAUGES:
        yield _gauge(name, text, [], [([], value(status))])
    yield _gauge(
        "pushes_today",
        "Verified pushes since midnight UTC, by outcome.",
        ["outcome"],
        [([each.outcome], each.today_count) for each in status.pushes],
    )
    yield _gauge(
        "upkeep_last_success_timestamp_seconds",
        "When a run of the schedule last succeeded, as seconds since 1970.",
        ["schedule"],
        [([each.name], each.succeeded_at.timestamp() if each.succeeded_at else None) for each in status.upkeep],
    )
    yield _gauge(
        "upkeep_failed",
        "1 while the last run of the schedule failed.",
        ["schedule"],
        [([each.name], int(each.state == "failed")) for each in status.upkeep],
    )


def _alive(status: Status) -> list[Worker]:
    return [each for each in status.workers if each.is_alive]


Samples = list[tuple[list[str], Value]]


def _gauge(name: str, text: str, labels: list[str], samples: Samples) -> Metric:
    made = GaugeMetricFamily(f"rl_emails_{name}", text, labels=labels)
    for values, value in samples:
        if value is not None:
            made.add_metric(values, value)
    return made


def _counter(name: str, text: str, labels: list[str], samples: Samples) -> Metric:
    made = CounterMetricFamily(f"rl_emails_{name}", text, labels=labels)
    for values, value in samples:
        if value is not None:
            made.add_metric(values, value)
    return made
