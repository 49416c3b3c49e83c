"""Doing one thing with many messages, and where they are afterwards."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from mails import VISIBLE_BY_PRIORITY, seed_id
from sqlalchemy import text
from test_inbox import names, whole

ALL = ("done", "not_done", "read", "unread", "snooze", "unsnooze", "star", "unstar")


@pytest.fixture
def server(shared_server):
    """The API that this file's tests share, with nothing done yet."""
    with shared_server.engine.begin() as connection:
        connection.execute(text("delete from app.message_states"))
    return shared_server


def act(client, action, *wanted, **more):
    """The answer to one action on seeded messages, or on ids."""
    ids = [each if len(each) == 36 else str(seed_id(each)) for each in wanted]
    return client.post("/v1/messages/actions", json={"action": action, "message_ids": ids, **more})


def later(**delta):
    """A time to come, as text."""
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


def item(client, name):
    """A message's line in the inbox, whatever was done with it."""
    return next(each for each in whole(client, state="all") if each["message_id"] == str(seed_id(name)))


@pytest.mark.parametrize("order", ["priority", "date"])
def test_done_leaves_the_inbox_and_comes_back(client, order):
    """Work that is finished and still on top, or gone for good by a slip of the finger."""
    everything = names(whole(client, order=order))
    assert act(client, "done", "quote", "lunch").json() == {
        "changed": [str(seed_id("quote")), str(seed_id("lunch"))],
        "unchanged": [],
        "not_found": [],
    }
    assert names(whole(client, order=order)) == [each for each in everything if each not in ("quote", "lunch")]
    assert set(names(whole(client, order=order, state="done"))) == {"quote", "lunch"}
    assert names(whole(client, order=order, state="all")) == everything
    assert item(client, "quote")["is_done"] is True
    assert client.get(f"/v1/messages/{seed_id('quote')}").json()["is_done"] is True
    assert act(client, "not_done", "quote", "lunch").json()["changed"]
    assert names(whole(client, order=order)) == everything
    assert whole(client, order=order, state="done") == []


def test_a_snooze_ends_by_itself(client, server):
    """A message that was put off and never seen again."""
    until = later(days=1)
    act(client, "snooze", "quote", until=until).raise_for_status()
    assert "quote" not in names(whole(client))
    assert names(whole(client, state="snoozed")) == ["quote"]
    assert datetime.fromisoformat(item(client, "quote")["snoozed_until"]) == datetime.fromisoformat(until)
    assert item(client, "quote")["is_done"] is False
    with server.engine.begin() as connection:
        connection.execute(text("update app.message_states set snoozed_until = now() - interval '1 second'"))
    assert "quote" in names(whole(client))
    assert whole(client, state="snoozed") == []
    assert item(client, "quote")["snoozed_until"] is None
    assert client.get(f"/v1/messages/{seed_id('quote')}").json()["snoozed_until"] is None


def test_snoozing_what_is_done_opens_it_later_and_doing_ends_a_snooze(client):
    """A message that is in two places at once, or comes back although it was done."""
    act(client, "done", "quote").raise_for_status()
    act(client, "snooze", "quote", until=later(hours=1)).raise_for_status()
    assert whole(client, state="done") == []
    assert names(whole(client, state="snoozed")) == ["quote"]
    act(client, "done", "quote").raise_for_status()
    assert names(whole(client, state="done")) == ["quote"]
    assert whole(client, state="snoozed") == []
    act(client, "not_done", "quote").raise_for_status()
    assert names(whole(client)) == list(VISIBLE_BY_PRIORITY)


def test_stars_and_reading(client):
    """An action that does another one's work."""
    act(client, "star", "quote").raise_for_status()
    act(client, "read", "quote").raise_for_status()
    assert (item(client, "quote")["is_starred"], item(client, "quote")["is_unread"]) == (True, False)
    assert client.get(f"/v1/messages/{seed_id('quote')}").json()["is_starred"] is True
    act(client, "unread", "quote").raise_for_status()
    assert (item(client, "quote")["is_starred"], item(client, "quote")["is_unread"]) == (True, True)
    act(client, "unstar", "quote").raise_for_status()
    assert (item(client, "quote")["is_starred"], item(client, "quote")["is_unread"]) == (False, True)
    assert item(client, "lunch")["is_starred"] is False


@pytest.mark.parametrize("action", ALL)
def test_what_is_so_already_is_unchanged(client, action):
    """An undo that takes back more than the action did, because the action claimed what was there before."""
    more = {"until": later(days=2)} if action == "snooze" else {}
    before = {"not_done": "done", "unread": "read", "unstar": "star", "unsnooze": "snooze"}.get(action)
    if before:
        assert act(client, action, "quote").json()["unchanged"] == [str(seed_id("quote"))]
        act(client, before, "quote", **({"until": later(days=2)} if before == "snooze" else {})).raise_for_status()
    assert act(client, action, "quote", "quote", **more).json()["changed"] == [str(seed_id("quote"))]
    assert act(client, action, "quote", **more).json() == {
        "changed": [],
        "unchanged": [str(seed_id("quote"))],
        "not_found": [],
    }


def test_another_time_to_come_back_is_a_change(client):
    """A snooze that cannot be moved."""
    act(client, "snooze", "quote", until=later(days=1)).raise_for_status()
    until = later(days=3)
    assert act(client, "snooze", "quote", until=until).json()["changed"] == [str(seed_id("quote"))]
    assert datetime.fromisoformat(item(client, "quote")["snoozed_until"]) == datetime.fromisoformat(until)


def test_what_is_not_there_is_told_and_the_rest_is_done(client):
    """One deleted message that stops a bulk action, or is told as done."""
    answer = act(client, "done", "quote", "00000000-0000-4000-8000-000000000000").json()
    assert answer == {
        "changed": [str(seed_id("quote"))],
        "unchanged": [],
        "not_found": ["00000000-0000-4000-8000-000000000000"],
    }


@pytest.mark.parametrize(
    "body",
    [
        {"action": "done", "message_ids": []},
        {"action": "done", "message_ids": ["x"]},
        {"action": "done", "message_ids": [str(seed_id(str(number))) for number in range(201)]},
        {"action": "delete", "message_ids": [str(seed_id("quote"))]},
        {"action": "snooze", "message_ids": [str(seed_id("quote"))]},
        {"action": "done", "message_ids": [str(seed_id("quote"))], "until": "2030-01-01T00:00:00Z"},
        {"action": "snooze", "message_ids": [str(seed_id("quote"))], "until": "2030-01-01T00:00:00"},
        {"action": "snooze", "message_ids": [str(seed_id("quote"))], "until": "2020-01-01T00:00:00Z"},
    ],
)
def test_what_cannot_be_used_is_refused(reader, body):
    """A snooze without an end, which hides a message for ever; a batch without a bound."""
    answer = reader.post("/v1/messages/actions", json=body)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:rl-emails:problem:invalid-request"


def test_new_mail_is_counted_as_before(client):
    """Mail on its way into the inbox that is no longer told of because something was done."""
    assert client.get("/v1/inbox").json()["pending_count"] == 2
    act(client, "done", *VISIBLE_BY_PRIORITY).raise_for_status()
    assert client.get("/v1/inbox").json() == {"items": [], "next_cursor": None, "pending_count": 2}


def test_two_actions_at_once_both_keep_their_effect(client, server):
    """A star lost because the message was marked done in the same moment, or two batches that wait in a circle."""
    mails = VISIBLE_BY_PRIORITY
    with server.client() as other:
        threads = [
            threading.Thread(target=act, args=(client, "done", *mails)),
            threading.Thread(target=act, args=(other, "star", *reversed(mails))),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = whole(client, state="all")
    assert len(found) == len(mails)
    assert all(each["is_done"] and each["is_starred"] for each in found)
