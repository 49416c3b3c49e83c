"""How long a search takes, by kind of query, over HTTP on a mailbox that is there; and what the query's vector costs.

The words are the generator's (mailbox_words.py), whose vocabulary is small: a common word is in a third of the mail.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from rl_emails_api.search.query_encoder import QueryEncoder
from rl_emails_assets.embedding.load import load_encoder
from rl_emails_assets.settings import Settings

REPEATS = 12
GOAL_P95_MS = 50

KINDS: dict[str, tuple[dict[str, Any], ...]] = {
    "rare word": tuple({"q": word} for word in ("soprano", "hypotheses", "forklifts", "wellies", "recitals")),
    "common word": tuple({"q": word} for word in ("please", "friday", "send", "meeting", "report")),
    "two words": tuple({"q": q} for q in ("roof scaffold", "payroll overtime", "gearbox bearings", "lease penalties")),
    "phrase": tuple({"q": f'"{q}"'} for q in ("the test rig", "reading group", "credit line", "wine list")),
    "from and word": tuple({"q": f"from:{q}"} for q in ("clara roof", "invoices order", "ben lease", "anna tickets")),
    "conditions": tuple({"q": q} for q in ("from:clara", "is:unread", "has:attachment", "after:2026-01 -roof")),
    "meaning": tuple(
        {"q": q}
        for q in ("money owed by tenants", "who fixes leaking ceilings", "songs for december", "doctors and beds")
    ),
    "while typing": tuple({"q": q, "typing": True} for q in ("sc", "sched", "roof sca", "contract ren", "p")),
}


def measure(client: httpx.Client) -> dict[str, Any]:
    """Milliseconds a search by kind, all kinds together, and a suggestion."""
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for repeat in range(REPEATS):
        for kind, queries in KINDS.items():
            for query in queries:
                taken = _timed(client, "/v1/search", {**query, "limit": 20})
                if repeat:
                    times[kind].append(taken)
    typed = [
        _timed(client, "/v1/search/suggest", {"q": q})
        for _ in range(REPEATS)
        for q in ("a", "cl", "clara", "roof", "is:")
    ]
    together = [taken for each in times.values() for taken in each]
    return {
        **{kind: spread(taken) for kind, taken in times.items()},
        "together": spread(together) | {"goal_p95": GOAL_P95_MS},
        "suggestions": spread(typed[5:]) | {"goal_p95": 10},
    }


def measure_query_vectors(settings: Settings) -> dict[str, Any]:
    """Milliseconds for a query's vector: made, and kept from before."""
    encoder = QueryEncoder(lambda: load_encoder(settings.encoder, settings.models_dir))
    texts = [f"{query['q']} {number}" for number in range(5) for queries in KINDS.values() for query in queries]
    encoder.vector("warm")
    made = [_seconds(lambda text=text: encoder.vector(text)) * 1000 for text in texts]
    kept = [_seconds(lambda text=text: encoder.vector(text)) * 1000 for text in texts]
    return {"made": spread(made), "kept": spread(kept)}


def spread(taken: Sequence[float]) -> dict[str, float]:
    """The median, and what 95 and 99 of 100 stay below, in milliseconds."""
    parts = statistics.quantiles(taken, n=100, method="inclusive")
    return {"p50": round(parts[49], 2), "p95": round(parts[94], 2), "p99": round(parts[98], 2)}


def _timed(client: httpx.Client, path: str, params: dict[str, Any]) -> float:
    started = time.perf_counter()
    client.get(path, params=params).raise_for_status()
    return (time.perf_counter() - started) * 1000


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
