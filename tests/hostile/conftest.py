"""Hostile input: mail, strangers' servers, and requests that mean harm; on the API of tests/api."""

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

import seed
from serving import Server, mailbox_id, serve, start  # noqa: F401

from rl_emails_assets.db.engine import make_engine


@pytest.fixture(scope="module")
def shared_server(postgres_server, template_database, tmp_path_factory) -> Iterator[Server]:
    """An API on a seeded mailbox with a home folder of its own, for all tests of a file."""
    name = f"hostile_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template_database))
        )
    engine = make_engine(postgres_server.url(name), "api")
    seed.seed(engine)
    running = start(
        engine,
        home=tmp_path_factory.mktemp("home"),
        gmail_push_audience="audience",
        gmail_push_service_account="push@project.example",
    )
    yield running.server
    running.stop()
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
