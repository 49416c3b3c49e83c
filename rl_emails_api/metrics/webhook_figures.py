"""What this process counts by itself: how it answered pushes, and how quickly."""

from prometheus_client import CollectorRegistry, Counter, Histogram

OUTCOMES = (
    "queued",
    "joined",
    "known",
    "duplicate",
    "unknown",
    "garbage",
    "refused",
    "too_large",
    "keys_unavailable",
    "unconfigured",
    "failed",
)
"""The first six as in sync_queue.push_counts; the others were answered before the database was asked, or it failed."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class WebhookFigures:
    """Counters of this process; they begin at zero when it starts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "rl_emails_webhook_requests_total",
            "Requests to the Gmail webhook since the API started, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "rl_emails_webhook_duration_seconds",
            "How long the Gmail webhook took to answer, in seconds.",
            buckets=BUCKETS,
            registry=registry,
        )
        for outcome in OUTCOMES:
            self._requests.labels(outcome)

    def answered(self, outcome: str, seconds: float) -> None:
        """One request has been answered."""
        self._requests.labels(outcome).inc()
        self._seconds.observe(seconds)
