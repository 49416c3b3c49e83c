"""A running API on a real Postgres with a seeded mailbox, as fixtures; used by the tests of the API and of the page."""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import mails
import numpy as np
import psycopg
import pytest
import seed
import uvicorn
from fastapi import FastAPI
from psycopg import sql
from sqlalchemy import Engine

from rl_emails_api.app import create_app
from rl_emails_api.http_server import HttpServer
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.settings import Settings

TOKEN = "open-sesame"


class WordEncoder:
    """Stands in for the default encoder; makes the vectors that the seed stored."""

    model = mails.MODEL
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


def start(engine: Engine, load_encoder=WordEncoder, **settings) -> "Running":
    """An API on a free loopback port, in a thread."""
    app = create_app(engine, Settings(token=TOKEN, **settings), load_encoder=load_encoder)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", access_log=False, proxy_headers=False)
    server = HttpServer(app, config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    # The socket listens already: a connection made before the server is up waits in its backlog.
    httpx.get(f"{url}/healthz", timeout=30)
    return Running(Server(url, engine, app), server, thread, listening)


@dataclass(frozen=True)
class Running:
    """What has to be stopped."""

    server: Server
    uvicorn: uvicorn.Server
    thread: threading.Thread
    listening: socket.socket

    def stop(self) -> None:
        """End the server and its connections."""
        self.uvicorn.should_exit = True
        self.thread.join()
        self.listening.close()
        self.server.engine.dispose()


@contextmanager
def cloned(postgres_server, template_database) -> Iterator[str]:
    """The URL of a migrated database that is dropped afterwards."""
    name = f"shared_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template_database))
        )
    yield postgres_server.url(name)
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def shared_server(postgres_server, template_database) -> Iterator[Server]:
    """An API on one seeded mailbox for every test of a file that does not mind what the others of it wrote."""
    with cloned(postgres_server, template_database) as url:
        engine = make_engine(url, "api")
        seed.seed(engine)
        running = start(engine)
        yield running.server
        running.stop()


@pytest.fixture
def reader(shared_server) -> Iterator[httpx.Client]:
    """A client with the token, on the mailbox that a file's tests share."""
    with shared_server.client() as made:
        yield made


@pytest.fixture
def serve(database_url):
    """Starts an API on the test's own database; stops it afterwards."""
    running: list[Running] = []

    def begin(*, load_encoder=WordEncoder, **settings) -> Server:
        running.append(start(make_engine(database_url, "api"), load_encoder, **settings))
        return running[-1].server

    yield begin
    for each in running:
        each.stop()


@pytest.fixture
def mailbox_id(engine):
    """The seeded mailbox of the test's own database."""
    return seed.seed(engine)


@pytest.fixture
def server(serve, mailbox_id) -> Server:
    """An API on a seeded mailbox of the test's own, to be changed."""
    return serve()


@pytest.fixture
def client(server) -> Iterator[httpx.Client]:
    """A client with the token, on the seeded mailbox of the test's own."""
    with server.client() as made:
        yield made
