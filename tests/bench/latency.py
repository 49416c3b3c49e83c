"""What a message costs at two sizes of mailbox, and how long the inbox and a search take at two.

The vectors come from a stand-in encoder here: encoding costs the same a message at every size, and 100,000 of them
would take a quarter of an hour. Everything else is the product's own.
"""

import statistics
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import httpx
import uvicorn
from sqlalchemy import text

from rl_emails_api.app import create_app
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import embeddings_messages
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow
from tests.bench import search_latency
from tests.bench.workplace import StandInEncoder, Workplace

REQUESTS = 60
TOKEN = "bench-token"


def measure(place: Workplace, sizes: tuple[int, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(cost of a message by size and their ratio, latencies by size)."""
    costs: dict[str, dict[str, float]] = {}
    latencies: dict[str, Any] = {}
    for size in sizes:
        settings = place.settings(f"bench_{size}")
        step = place.context(settings, place.mailbox(size))
        with patch.object(embeddings_messages, "encoder_of", lambda _: StandInEncoder()):
            results = run_flow(step)
        microseconds = {"/".join(key): result.seconds / size * 1e6 for key, result in results.items()}
        microseconds.pop("embeddings/messages")
        costs[str(size)] = {key: round(value, 1) for key, value in microseconds.items()}
        costs[str(size)]["total"] = round(sum(microseconds.values()), 1)
        if size >= 10_000:
            latencies[str(size)] = _latencies(settings, step)
        step.engine.dispose()
    first, last = str(sizes[0]), str(sizes[-1])
    ratio = round(costs[last]["total"] / costs[first]["total"], 2)
    return {
        "microseconds_a_message_without_embedding": costs,
        "ratio_large_to_small": ratio,
        "goal": "0.8 to 1.2",
    }, latencies


def _latencies(settings: Settings, step: StepContext) -> dict[str, Any]:
    with step.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
    engine = make_engine(str(settings.database_url), "bench api", pool_size=4)
    app = create_app(engine, settings, token=TOKEN, load_encoder=StandInEncoder)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
        ) as client:
            return {
                "inbox_ms": _timed(lambda _: client.get("/v1/inbox", params={"limit": 50})),
                "inbox_unread_decisions_ms": _timed(
                    lambda _: client.get("/v1/inbox", params={"unread": True, "needs": "decision"})
                ),
                "search_ms": search_latency.measure(client),
                "query_vector_ms": search_latency.measure_query_vectors(settings),
            }
    finally:
        server.should_exit = True
        thread.join()
        engine.dispose()


def _timed(request: Callable[[int], httpx.Response]) -> dict[str, float]:
    request(0).raise_for_status()
    taken: list[float] = []
    for index in range(REQUESTS):
        started = time.perf_counter()
        request(index).raise_for_status()
        taken.append((time.perf_counter() - started) * 1000)
    return {
        "p50": round(statistics.median(taken), 1),
        "p95": round(statistics.quantiles(taken, n=20)[18], 1),
        "max": round(max(taken), 1),
    }
