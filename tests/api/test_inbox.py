"""The inbox: who is in it, in which order, and that paging loses nothing."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mails import MAILS, NADIA, NEWEST_AT, VISIBLE_BY_PRIORITY, Mail, seed_id
from seed import add_mail
from sqlalchemy import insert, update

from rl_emails_assets.db.tables import mailboxes, priorities

DATE_ORDER = tuple(
    item.name
    for item in sorted(MAILS, key=lambda each: each.days_ago)
    if item.name in VISIBLE_BY_PRIORITY or item.name == "unranked"
)


def names(items):
    """The seeded names of a listing's messages."""
    by_id = {str(seed_id(item.name)): item.name for item in MAILS}
    return [by_id.get(each["message_id"], "new") for each in items]


def whole(client, **params):
    """Every item of a listing, page by page."""
    items, cursor = [], None
    while True:
        body = client.get("/v1/inbox", params={**params, **({"cursor": cursor} if cursor else {})}).raise_for_status()
        items += body.json()["items"]
        cursor = body.json()["next_cursor"]
        if cursor is None:
            return items


def test_strictly_by_score(reader):
    """Sent, draft, trash, spam and folder copies in the inbox, or another order than the recorded scores."""
    body = reader.get("/v1/inbox").json()
    assert tuple(names(body["items"])) == VISIBLE_BY_PRIORITY
    assert body["next_cursor"] is None


def test_what_is_not_ranked_yet_is_counted(reader):
    """Mail that arrived and is nowhere to be seen: one stored, one parsed; not the owner's, no copy, no spam."""
    first = reader.get("/v1/inbox", params={"limit": 1}).json()
    assert first["pending_count"] == 2
    later = reader.get("/v1/inbox", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert later["pending_count"] is None


def test_by_date_shows_what_is_not_ranked_yet(reader):
    """A new message invisible until the ranker ran."""
    items = reader.get("/v1/inbox", params={"order": "date"}).json()["items"]
    assert tuple(names(items)) == DATE_ORDER
    unranked = items[DATE_ORDER.index("unranked")]
    assert (unranked["priority"], unranked["category"], unranked["reasons"]) == (None, None, [])


def test_an_item_has_what_a_line_needs(reader):
    """A line of the inbox that lacks a field, or has it wrong."""
    item = reader.get("/v1/inbox", params={"limit": 1}).json()["items"][0]
    assert item == {
        "message_id": str(seed_id("quote")),
        "thread_id": str(seed_id("thread pier")),
        "from": {"name": "Nadia Okafor", "address": "nadia@harbour.example"},
        "subject": "Pier survey: can you sign off the revised quote?",
        "snippet": item["snippet"],
        "received_at": (NEWEST_AT - timedelta(days=0.1)).isoformat().replace("+00:00", "Z"),
        "is_unread": True,
        "labels": ["IMPORTANT", "INBOX", "UNREAD"],
        "category": "person",
        "needs": "decision",
        "urgency": "today",
        "priority": 0.94,
        "reasons": ["You answered 9 of 10 of this sender's messages", "It asks for a decision", "It names a deadline"],
        "task_count": 1,
        "has_attachments": True,
        "is_done": False,
        "is_starred": False,
        "snoozed_until": None,
        "assigned_to": None,
        "corrections": {"importance": None, "category": None},
    }
    assert item["snippet"].startswith("Hi Ada,")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"unread": "true"}, ("quote", "lunch", "newsletter")),
        ({"unread": "false", "category": "person"}, ("pier-earlier", "draft-report", "old")),
        ({"category": ["receipt", "newsletter"]}, ("receipt", "newsletter")),
        ({"needs": "decision"}, ("quote", "invite")),
        ({"needs": ["decision", "task"], "category": "person"}, ("quote", "draft-report")),
        ({"since": (NEWEST_AT - timedelta(days=3)).isoformat()}, ("quote", "lunch", "pier-earlier")),
        ({"until": (NEWEST_AT - timedelta(days=8.5)).isoformat()}, ("old", "list")),
        ({"category": "social"}, ()),
    ],
)
@pytest.mark.parametrize("order", ["priority", "date"])
def test_filters(reader, order, params, expected):
    """A filter that lets through too much or too little."""
    answer = reader.get("/v1/inbox", params={**params, "order": order})
    assert answer.status_code == 200, answer.text
    found = names(answer.json()["items"])
    assert set(found) - {"unranked"} == set(expected)
    if order == "priority":
        assert tuple(found) == expected


def test_the_window_includes_its_start_and_not_its_end(reader):
    """A message on the border counted twice or never."""
    at = (NEWEST_AT - timedelta(days=6.0)).isoformat()
    assert "receipt" in names(reader.get("/v1/inbox", params={"since": at}).json()["items"])
    assert "receipt" not in names(reader.get("/v1/inbox", params={"until": at}).json()["items"])


@settings(max_examples=12, deadline=None)
@given(limit=st.integers(1, 12), order=st.sampled_from(["priority", "date"]))
def test_all_pages_together_are_the_whole_list(shared_server, limit, order):
    """A message skipped or repeated at a page's edge, whatever the page size."""
    with shared_server.client() as client:
        expected = VISIBLE_BY_PRIORITY if order == "priority" else DATE_ORDER
        assert tuple(names(whole(client, limit=limit, order=order))) == expected


def test_equal_scores_and_times_page_without_loss(client, server, mailbox_id):
    """Ties at a page's edge: only the id tells the messages apart."""
    with server.engine.begin() as connection:
        for number in range(7):
            add_mail(connection, mailbox_id, Mail(f"tie {number}", NADIA, "Tie", "Tie.", 3.0, 0.5))
    for order in ("priority", "date"):
        found = [each["message_id"] for each in whole(client, limit=2, order=order)]
        assert len(found) == len(set(found))
        assert {str(seed_id(f"tie {number}")) for number in range(7)} <= set(found)


@pytest.mark.parametrize("order", ["priority", "date"])
def test_pages_stay_while_mail_arrives(client, server, mailbox_id, order):
    """Offset paging: a message that arrives moves every later page, so one is shown twice or never."""
    expected = list(VISIBLE_BY_PRIORITY if order == "priority" else DATE_ORDER)
    seen, cursor, number = [], None, 0
    while True:
        params = {"limit": 2, "order": order, **({"cursor": cursor} if cursor else {})}
        body = client.get("/v1/inbox", params=params).raise_for_status().json()
        seen += names(body["items"])
        cursor = body["next_cursor"]
        if cursor is None:
            break
        with server.engine.begin() as connection:
            add_mail(connection, mailbox_id, Mail(f"arrived {number}", NADIA, "New", "New.", -1.0 - number, 0.97))
        number += 1
    assert seen == expected


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "====",
        "bm90IGpzb24",
        "W10",
        "WyJwcmlvcml0eSJd",
        "WyJwcmlvcml0eSIsMSwyLDNd",
        "WyJwcmlvcml0eSIsICJuYW4iLCAiMjAyNi0wMS0wMSIsICJ4Il0",
        "e30",
        "MTIz",
        "é",
        "W1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tb",
    ],
)
def test_a_made_up_cursor_is_refused(reader, cursor):
    """A forged cursor reaching the database, or answered with a 500."""
    answer = reader.get("/v1/inbox", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:rl-emails:problem:invalid-cursor"


def test_a_cursor_of_the_other_order_is_refused(reader):
    """Continuing a listing by date in the order of priority, which would lose mail silently."""
    cursor = reader.get("/v1/inbox", params={"limit": 1, "order": "date"}).json()["next_cursor"]
    assert reader.get("/v1/inbox", params={"limit": 1, "order": "priority", "cursor": cursor}).status_code == 422


def test_a_corrected_category_is_where_it_is_looked_for(client):
    """A correction without effect for the person who made it; the record stays."""
    body = {"kind": "category", "value": "receipt"}
    client.post(f"/v1/messages/{seed_id('newsletter')}/feedback", json=body).raise_for_status()
    items = client.get("/v1/inbox", params={"category": "receipt"}).json()["items"]
    assert names(items) == ["receipt", "newsletter"]
    assert items[1]["category"] == "newsletter"
    assert items[1]["corrections"]["category"] == "receipt"
    assert names(client.get("/v1/inbox", params={"category": "newsletter"}).json()["items"]) == []


def test_mail_from_an_alias_of_the_owner_is_not_received_mail(client, server, mailbox_id):
    """The owner's own mail from a second address in the inbox."""

    alias = ("Ada", "ada.byron@work.example")
    with server.engine.begin() as connection:
        add_mail(connection, mailbox_id, Mail("own", alias, "Note to self", "Buy ink.", 0.5, 0.99))
    assert len(whole(client)) == len(VISIBLE_BY_PRIORITY) + 1
    with server.engine.begin() as connection:
        connection.execute(insert(mailboxes.aliases).values(mailbox_id=mailbox_id, address=alias[1], found_by="option"))
    assert len(whole(client)) == len(VISIBLE_BY_PRIORITY)


def test_a_stale_message_stays_in_the_inbox(client, server):
    """Mail that vanishes while it waits to be ranked again."""

    with server.engine.begin() as connection:
        connection.execute(update(priorities.messages).values(is_stale=True))
    assert tuple(names(whole(client))) == VISIBLE_BY_PRIORITY
