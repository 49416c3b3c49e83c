"""Server-sent events: told at once, told again after a break, never with mail, and over when they must be."""

import json
import threading
import time
import uuid

import pytest
from mails import OWNER, seed_id
from seed import seed_other
from serving import start
from sqlalchemy import text

from rl_emails_api.events import hub, stream
from rl_emails_api.identity.principal import LOCAL, Principal
from rl_emails_api.transactions import transaction_of
from rl_emails_assets.db.engine import make_engine


class Events:
    """What a browser's EventSource does with a stream: fields gathered until an empty line; the last id kept."""

    def __init__(self, client, last_id=None):
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self._stream = client.stream("GET", "/v1/events", headers=headers, timeout=30)
        self.answer = self._stream.__enter__()
        self._lines = self.answer.iter_lines() if self.answer.status_code == 200 else iter(())
        self.last_id = last_id
        self.text = ""

    def block(self):
        """The fields up to the next empty line; None at the end of the stream."""
        fields = {}
        for line in self._lines:
            self.text += line + "\n"
            if not line:
                return fields
            name, _, value = line.partition(":")
            fields[name] = value.strip()
            self.last_id = fields.get("id", self.last_id)
        return None

    def next(self):
        """The data of the next event."""
        while True:
            found = self.block()
            assert found is not None, "the stream has ended"
            if "data" in found:
                assert found["event"] == "changes"
                return json.loads(found["data"])

    def close(self):
        """Leave."""
        self._stream.__exit__(None, None, None)


@pytest.fixture
def listen(server):
    """Opens a stream and reads its beginning; closes it afterwards."""
    opened = []

    def begin(client, last_id=None):
        events = Events(client, last_id)
        opened.append(events)
        return events

    yield begin
    for each in opened:
        each.close()


def act(client, action="done", name="quote"):
    """Do something with a message."""
    body = {"action": action, "message_ids": [str(seed_id(name))]}
    client.post("/v1/messages/actions", json=body).raise_for_status()


def until(condition):
    """Wait for it, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to be")


def is_listening(server):
    """The process listens; what is written before that is found by the first look."""
    with server.engine.connect() as connection:
        query = text(
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and application_name = 'rl-emails events' and query ilike 'listen%'"
        )
        return connection.execute(query).scalar_one() == 1


def test_what_is_done_on_one_device_is_told_to_the_others_by_one_connection(server, listen):
    """A page that shows yesterday's inbox; a connection to the database for every page that is open."""
    with server.client() as one, server.client() as two, server.client() as actor:
        streams = [listen(one), listen(two)]
        for each in streams:
            assert each.answer.headers["content-type"].startswith("text/event-stream")
            assert each.answer.headers["cache-control"] == "no-store"
            assert each.block()["id"]
        until(lambda: is_listening(server))
        act(actor)
        for each in streams:
            cursor = each.next()["cursor"]
            items = actor.get("/v1/changes", params={"since": cursor}).json()["items"]
            assert [item["id"] for item in items] == [str(seed_id("quote"))]
            assert set(each.text.split()) & {"Pier", "Nadia", "harbour"} == set()
        assert is_listening(server)


def test_what_happened_during_a_break_is_told_at_once(server, listen):
    """A laptop that was closed for an hour and shows nothing new until the next mail."""
    with server.client() as client, server.client() as actor:
        first = listen(client)
        first.block()
        last_id = first.last_id
        first.close()
        act(actor)
        with server.client() as again:
            assert listen(again, last_id).next() == {"cursor": last_id}
        with server.client() as expired:
            assert listen(expired, "nonsense").next() == {"cursor": "nonsense"}


def test_nothing_is_told_when_nothing_happened(server, listen, monkeypatch):
    """A page that loads its inbox again at every reconnection; a silent stream that a proxy cuts."""
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    with server.client() as client:
        first = listen(client)
        first.block()
        assert first.block() == {"": "still here"}
        first.close()
        with server.client() as again:
            second = listen(again, first.last_id)
            assert "data" not in second.block()


def test_another_ones_mailbox_is_not_told(server, listen, monkeypatch):
    """The rhythm of a colleague's mail, told to everybody."""
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    other, stranger = seed_other(server.engine), uuid.uuid4()
    with server.engine.begin() as connection:
        values = {"s": stranger, "id": other}
        connection.execute(text("insert into identity.users (user_id, issuer, subject) values (:s, 'x', 'x')"), values)
        connection.execute(text("update mailboxes.connections set owner_user_id = :s where mailbox_id = :id"), values)
    with server.client() as client:
        events = listen(client)
        events.block()
        until(lambda: is_listening(server))
        with server.engine.begin() as connection:
            connection.execute(text("update priorities.messages set score = 0.5 where mailbox_id = :id"), {"id": other})
            own = connection.execute(text("select pg_current_xact_id()::text::bigint")).scalar_one()
        until(lambda: all(each.transaction_id < own for each in server.app.state.change_hub._waiters))
        for _ in range(3):
            assert events.block() == {"": "still here"}


def test_what_an_older_transaction_holds_back_is_told_twice(server, listen):
    """An event whose cursor finds nothing, because something older still ran, and then silence for ever."""
    with server.client() as client, server.client() as actor:
        events = listen(client)
        events.block()
        until(lambda: is_listening(server))
        with server.engine.connect() as slow, slow.begin():
            slow.execute(text("create table held (x int)"))
            act(actor)
            cursor = events.next()["cursor"]
            assert actor.get("/v1/changes", params={"since": cursor}).json()["items"] == []
        cursor = events.next()["cursor"]
        items = actor.get("/v1/changes", params={"since": cursor}).json()["items"]
        assert [item["id"] for item in items] == [str(seed_id("quote"))]


def test_a_lost_connection_comes_back_and_nothing_is_missed(server, listen, monkeypatch):
    """A restart of the database that leaves every page deaf."""
    monkeypatch.setattr(hub, "RETRY_SECONDS", 0.05)
    with server.client() as client, server.client() as actor:
        events = listen(client)
        events.block()
        until(lambda: is_listening(server))
        with server.engine.begin() as connection:
            connection.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and application_name = 'rl-emails events'"
                )
            )
            connection.execute(text("update app.message_states set starred_at = now()"))
        assert events.next()["cursor"]
        until(lambda: is_listening(server))
        act(actor)
        assert events.next()["cursor"]


def test_too_many_streams_of_one_person_are_refused(server, listen, monkeypatch):
    """A page in a loop of reconnections that takes every place."""
    monkeypatch.setattr(hub, "MAX_STREAMS_EACH", 1)
    with server.client() as one, server.client() as two:
        first = listen(one)
        first.block()
        refused = listen(two)
        assert refused.answer.status_code == 429
        assert refused.answer.headers["content-type"] == "application/problem+json"
        first.close()
        until(lambda: not server.app.state.change_hub._waiters)
        assert listen(two).answer.status_code == 200


def test_a_stream_ends_when_its_owner_may_see_nothing_any_more(server, listen, monkeypatch):
    """Somebody who was removed from the organization and goes on listening."""
    monkeypatch.setattr(stream, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    with server.client() as client:
        events = listen(client)
        events.block()
        assert events.block() == {"": "still here"}
        with server.engine.begin() as connection:
            connection.execute(text("update identity.users set deactivated_at = now()"))
        while events.block() is not None:
            pass


def test_a_stream_ends_by_itself(server, listen, monkeypatch):
    """A stream as old as the process, whose credential was looked at once."""
    monkeypatch.setattr(stream, "MAX_SECONDS", 0.1)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    with server.client() as client:
        events = listen(client)
        while events.block() is not None:
            pass


def test_the_server_stops_at_once_with_streams_open(database_url, mailbox_id):
    """`Ctrl+C` that takes as long as the longest stream."""
    running = start(make_engine(database_url, "api"))
    with running.server.client() as client:
        events = Events(client)
        events.block()
        ended = []
        thread = threading.Thread(target=lambda: ended.append(list(iter(events.block, None))))
        thread.start()
        running.stop()
        thread.join(timeout=10)
        assert ended
        events.close()


SESSION = """
    insert into identity.sessions (session_id, user_id, organization_id, token_hash, expires_at, revoked_at)
    values (:id, :user, :organization, '\\x00', now() + interval '1 hour', {revoked})
"""
API_KEY = """
    insert into identity.api_keys (
        api_key_id, user_id, organization_id, name, prefix, key_hash, scopes, expires_at, revoked_at
    )
    values (:id, :user, :organization, '', '', '\\x00', '{{}}', now() + interval '1 hour', {revoked})
"""


@pytest.mark.parametrize(("credential", "statement"), [("session", SESSION), ("api_key", API_KEY)])
@pytest.mark.parametrize("revoked", ["null", "now()"])
def test_a_revoked_credential_is_no_longer_good(engine, credential, statement, revoked):
    """A device that was signed out and goes on listening."""
    made = uuid.uuid4()
    principal = Principal(LOCAL.user_id, LOCAL.organization_id, "owner", LOCAL.scopes, credential, made)
    with engine.begin() as connection:
        connection.execute(
            text(statement.format(revoked=revoked)),
            {"id": made, "user": LOCAL.user_id, "organization": LOCAL.organization_id},
        )
    with transaction_of(engine, principal, is_readonly=True) as connection:
        assert stream.is_allowed(connection, principal) is (revoked == "null")


def test_the_owner_is_named_by_no_event(server, listen):
    """An address in a stream that proxies may log."""
    with server.client() as client:
        events = listen(client)
        events.block()
        assert OWNER not in events.text
