"""How long the Gmail webhook takes to answer, at a steady rate of pushes (open loop).

Each push is sent at its time whether or not earlier ones have been answered, and its latency counts from that time: a
server that stalls cannot slow its load down and look fast. The server is a process of its own, as `rl-emails up` starts
it; the load comes from this process, over connections that are kept open, from a plain HTTP/1.1 client on asyncio.
"""

import asyncio
import base64
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import text

from rl_emails_assets.db.engine import make_engine
from tests.bench.workplace import Workplace

RATE = 100
SECONDS = 20
WARM_UP_SECONDS = 3
MAILBOXES = 200
CONNECTIONS = 32
AUDIENCE = "https://bench.example/webhooks/gmail"
SERVICE_ACCOUNT = "push@bench.iam.gserviceaccount.com"
GOAL_P99_MS = 50


def measure(place: Workplace) -> dict[str, Any]:
    """Latencies in milliseconds of pushes to 200 mailboxes at 100 a second, one in ten of them a repetition."""
    settings = place.settings("bench_webhook")
    engine = make_engine(str(settings.database_url), "bench")
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into mailboxes.connections (mailbox_id, address, provider) "
                "select gen_random_uuid(), 'user' || n || '@bench.example', 'gmail' from generate_series(1, :many) n"
            ),
            {"many": MAILBOXES},
        )
        connection.execute(
            text(
                "insert into mailboxes.watches (mailbox_id, topic) "
                "select mailbox_id, 'topic' from mailboxes.connections"
            )
        )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    keys = _publish(key)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RL_EMAILS_")},
        "RL_EMAILS_HOME": str(settings.home),
        "RL_EMAILS_CACHE": str(settings.cache),
        "RL_EMAILS_DATABASE_URL": str(settings.database_url),
        "RL_EMAILS_TOKEN": "bench-token",
        "RL_EMAILS_PORT": str(port),
        "RL_EMAILS_GMAIL_PUSH_AUDIENCE": AUDIENCE,
        "RL_EMAILS_GMAIL_PUSH_SERVICE_ACCOUNT": SERVICE_ACCOUNT,
        "RL_EMAILS_GOOGLE_CERTS_URL": f"http://127.0.0.1:{keys.server_address[1]}/certs",
        "NO_PROXY": "127.0.0.1",
    }
    server = subprocess.Popen([sys.executable, "-m", "rl_emails_api.server"], env=environment)
    try:
        _wait_for(port)
        asyncio.run(_load(port, key, WARM_UP_SECONDS))
        before = _cpu_seconds(server.pid)
        taken, statuses = asyncio.run(_load(port, key, SECONDS))
        cpu_seconds = _cpu_seconds(server.pid) - before
        with engine.connect() as connection:
            outcomes = dict(
                connection.execute(text("select outcome, push_count from sync_queue.push_counts")).tuples().all()
            )
    finally:
        server.terminate()
        server.wait(timeout=20)
        keys.shutdown()
        keys.server_close()
        engine.dispose()
    ordered = sorted(taken)
    return {
        "rate_per_second": RATE,
        "pushes": len(taken),
        "statuses": statuses,
        "outcomes": outcomes,
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[int(0.95 * len(ordered))], 2),
        "p99_ms": round(ordered[int(0.99 * len(ordered))], 2),
        "max_ms": round(ordered[-1], 2),
        "server_cpu_ms_a_push": round(cpu_seconds / len(taken) * 1000, 2),
        "load_average": os.getloadavg()[0],
        "goal": f"p99 under {GOAL_P99_MS} ms",
        "is_met": ordered[int(0.99 * len(ordered))] < GOAL_P99_MS and set(statuses) == {"204"},
    }


async def _load(port: int, key: rsa.RSAPrivateKey, seconds: float) -> tuple[list[float], dict[str, int]]:
    requests = [_request(port, _token(key), number) for number in range(int(RATE * seconds))]
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    taken: list[float] = []
    statuses: dict[str, int] = {}
    start = time.perf_counter() + 0.1

    async def send(number: int) -> None:
        due = start + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        reader, writer = await free.get()
        writer.write(requests[number])
        answer = await reader.readuntil(b"\r\n\r\n")
        taken.append((time.perf_counter() - due) * 1000)
        status = answer.split(b" ", 2)[1].decode()
        statuses[status] = statuses.get(status, 0) + 1
        free.put_nowait((reader, writer))

    await asyncio.gather(*(send(number) for number in range(len(requests))))
    while not free.empty():
        _, writer = free.get_nowait()
        writer.close()
        await writer.wait_closed()
    return taken, statuses


def _request(port: int, token: str, number: int) -> bytes:
    fact = {"emailAddress": f"user{number % MAILBOXES + 1}@bench.example", "historyId": 1000 + number}
    push_id = str(uuid.uuid4()) if number % 10 else "repeated"
    message = {"data": base64.b64encode(json.dumps(fact).encode()).decode(), "messageId": push_id}
    body = json.dumps({"message": message, "subscription": "projects/bench/subscriptions/gmail"}).encode()
    return (
        f"POST /webhooks/gmail HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _token(key: rsa.RSAPrivateKey) -> str:
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": SERVICE_ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(claims, key, "RS256", headers={"kid": "bench"})


def _publish(key: rsa.RSAPrivateKey) -> ThreadingHTTPServer:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    body = json.dumps({"keys": [{**public, "kid": "bench", "use": "sig"}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Cache-Control", "max-age=3600")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _cpu_seconds(pid: int) -> float:
    """What the process has used so far, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
