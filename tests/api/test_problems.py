"""Every failure is a problem document (RFC 9457) that says what to do, and tells nothing of the inside."""

import pytest
from mails import seed_id
from sqlalchemy import create_engine, text

from rl_emails_assets.errors import DatabaseUnavailableError, NotFoundError


def check(answer, status, code):
    """The answer is this problem, complete."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    assert body["type"] == f"urn:rl-emails:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == answer.request.url.path
    return body


def test_an_unknown_path(reader):
    """Starlette's own error body."""
    check(reader.get("/v1/unknown"), 404, "not-found")


def test_a_wrong_method(reader):
    """Starlette's own error body, or a 405 without Allow."""
    answer = reader.delete("/v1/inbox")
    check(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]


def test_invalid_fields_are_named(reader):
    """FastAPI's own error body, or one that does not name the field."""
    body = check(reader.get("/v1/inbox", params={"limit": 0, "category": "gossip"}), 422, "invalid-request")
    assert {tuple(each["location"]) for each in body["errors"]} == {("query", "limit"), ("query", "category", 0)}


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/inbox", {"since": "yesterday"}),
        ("/v1/inbox", {"since": "2026-01-01T00:00:00"}),
        ("/v1/inbox", {"mailbox": "a\x00b"}),
        ("/v1/inbox", {"mailbox": "a" * 400}),
        ("/v1/search", {"q": "a\x00b"}),
        ("/v1/search", {"q": ""}),
        ("/v1/search", {"q": "a" * 501}),
        ("/v1/tasks", {"owner": "nobody"}),
        ("/v1/messages/1", {}),
        ("/v1/people", {"limit": 201}),
    ],
)
def test_what_cannot_be_used_is_422_and_never_reaches_the_database(reader, path, params):
    """A NUL or a naive time that Postgres refuses, as a 500."""
    check(reader.get(path, params=params), 422, "invalid-request")


def test_a_body_that_is_not_json(reader):
    """A parser's exception as a 500."""
    answer = reader.post(
        f"/v1/messages/{seed_id('quote')}/feedback", content=b"{", headers={"Content-Type": "application/json"}
    )
    check(answer, 422, "invalid-request")


def test_a_database_that_is_away_is_503(serve):
    """An outage reported as a bug, or a request that hangs."""
    running = serve()
    running.engine.dispose()
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none", connect_args={"connect_timeout": 2})
    with running.client() as client:
        running.app.state.engine = away
        answer = client.get("/v1/mailboxes")
        check(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "2"
        check(client.get("/readyz"), 503, "unavailable")
        assert client.get("/healthz").json() == {"status": "ok"}


def test_a_statement_that_takes_too_long_is_stopped(reader, monkeypatch):
    """A query that holds a connection for ever."""
    monkeypatch.setattr("rl_emails_api.transactions.STATEMENT_TIMEOUT", "50ms")
    slow = text("select pg_sleep(5)")
    monkeypatch.setattr("rl_emails_api.people.queries.listed", lambda *given, **_: given[0].execute(slow))
    body = check(reader.get("/v1/people"), 503, "unavailable")
    assert "too long" in body["detail"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret detail"), 500, "internal"),
        (DatabaseUnavailableError("away"), 503, "unavailable"),
        (NotFoundError("no such thing"), 404, "not-found"),
    ],
)
def test_an_exception_in_an_endpoint(reader, monkeypatch, error, status, code):
    """A traceback, or the words of an internal error, in the answer."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("rl_emails_api.people.queries.listed", fail)
    body = check(reader.get("/v1/people"), status, code)
    assert "secret" not in body["detail"]
