"""A running API on a real Postgres with a seeded mailbox, as fixtures; used by the tests of the API and of the page."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
import seed
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from rl_emails_api.app import create_app
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.settings import Settings

TOKEN = "open-sesame"


class WordEncoder:
    """Stands in for the default encoder; makes the vectors that the seed stored."""

    model = seed.MODEL
    precision = "fp32"

    def encode(self, texts):
        """One vector a text."""
        return np.array([seed.vector_of(text) for text in texts], dtype=np.float32)


@dataclass(frozen=True)
class Server:
    """A running API."""

    url: str
    engine: Engine
    app: FastAPI

    def client(self, **headers: str) -> httpx.Client:
        """A client with the token."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}", **headers}, timeout=30)


@pytest.fixture
def serve(database_url):
    """Starts an API on the test's database; stops it and its connections afterwards."""
    running = []

    def start(*, load_encoder=WordEncoder, port=0) -> Server:
        engine = make_engine(database_url, "api")
        app = create_app(engine, Settings(token=TOKEN), load_encoder=load_encoder)
        listening = socket.create_server(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        running.append((server, thread, listening, engine))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        # The socket listens already: a connection made before the server is up waits in its backlog.
        httpx.get(f"{url}/healthz", timeout=30)
        return Server(url, engine, app)

    yield start
    for server, thread, listening, engine in running:
        server.should_exit = True
        thread.join()
        listening.close()
        engine.dispose()


@pytest.fixture
def mailbox_id(engine):
    """The seeded mailbox."""
    return seed.seed(engine)


@pytest.fixture
def server(serve, mailbox_id) -> Server:
    """An API on the seeded mailbox."""
    return serve()


@pytest.fixture
def client(server) -> Iterator[httpx.Client]:
    """A client with the token, on the seeded mailbox."""
    with server.client() as made:
        yield made
