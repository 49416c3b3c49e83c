"""Tasks, projects, people, mailboxes, status, health."""

from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import pytest
from mails import NADIA, NEWEST_AT, OTHER_OWNER, OWNER, RUN_ID, Mail, seed_id
from seed import add_mail, seed, seed_other
from sqlalchemy import delete, insert, select, text, update

from rl_emails_assets.db.tables import app, entities, mail, mailboxes, sync_queue

APPROVE, CHAPTER, BOOK = seed_id("task quote 0"), seed_id("task draft-report 0"), seed_id("task lunch 0")


def pages(client, path, **params):
    """Every item of a listing, one a page."""
    items, cursor = [], None
    while True:
        query = {**params, "limit": 1, **({"cursor": cursor} if cursor else {})}
        body = client.get(path, params=query).raise_for_status().json()
        items += body["items"]
        cursor = body["next_cursor"]
        if cursor is None:
            return items


def test_tasks_by_deadline_then_priority(reader):
    """Tasks in an order nobody can plan with; those without a deadline lost between pages."""
    items = pages(reader, "/v1/tasks")
    assert [each["task_id"] for each in items] == [str(APPROVE), str(CHAPTER), str(BOOK)]
    assert items[0]["evidence"].startswith("Please send me your approval")
    assert items[0]["from"]["name"] == "Nadia Okafor"
    assert items[2]["deadline_at"] is None


def test_tasks_without_deadlines_page_by_priority(client, server, mailbox_id):
    """Keyset paging over null deadlines and equal priorities that skips or repeats."""
    with server.engine.begin() as connection:
        for number in range(4):
            task = {"description": "x", "owner": "me", "evidence": "x"}
            score = None if number == 3 else 0.4
            add_mail(connection, mailbox_id, Mail(f"t{number}", NADIA, "T", "T", 1.0, score, tasks=(task, task)))
    items = pages(client, "/v1/tasks")
    found = [each["task_id"] for each in items]
    assert len(found) == len(set(found)) == 11
    assert items == client.get("/v1/tasks").json()["items"]
    scores = [each["priority"] or 0.0 for each in items if each["deadline_at"] is None]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"owner": "me"}, [APPROVE, CHAPTER]),
        ({"owner": "them"}, [BOOK]),
        ({"owner": "someone_else"}, []),
        ({"status": "open"}, [APPROVE, CHAPTER, BOOK]),
        ({"status": "done"}, []),
        ({"due_before": "2026-03-25T00:00:00Z"}, [APPROVE]),
    ],
)
def test_tasks_filters(reader, params, expected):
    """A filter that lets through too much or too little."""
    items = reader.get("/v1/tasks", params=params).json()["items"]
    assert [each["task_id"] for each in items] == [str(each) for each in expected]


def test_tasks_of_spam_are_not_the_owners(client, server, mailbox_id):
    """Spam that fills the task list."""
    task = {"description": "Claim the prize", "owner": "me", "evidence": "Claim now."}
    with server.engine.begin() as connection:
        add_mail(connection, mailbox_id, Mail("s", NADIA, "S", "S", 1.0, 0.4, labels=("SPAM",), tasks=(task,)))
    assert "Claim the prize" not in [each["description"] for each in client.get("/v1/tasks").json()["items"]]


def test_marking_a_task_done_and_open_again(client, server):
    """A task that comes back after it was done, or a correction without what the record said."""
    answer = client.post(f"/v1/tasks/{APPROVE}/status", json={"status": "done"}).raise_for_status()
    assert answer.json()["status"] == "done"
    assert [each["task_id"] for each in client.get("/v1/tasks", params={"status": "done"}).json()["items"]] == [
        str(APPROVE)
    ]
    assert client.get("/v1/inbox", params={"limit": 1}).json()["items"][0]["task_count"] == 0
    client.post(f"/v1/tasks/{APPROVE}/status", json={"status": "open"}).raise_for_status()
    assert len(client.get("/v1/tasks", params={"status": "open"}).json()["items"]) == 3
    with server.engine.connect() as connection:
        rows = connection.execute(select(app.feedback).order_by(app.feedback.c.created_at)).mappings().all()
    assert [(row["kind"], row["value"], row["task_id"], row["message_id"]) for row in rows] == [
        ("task_status", "done", APPROVE, seed_id("quote")),
        ("task_status", "open", APPROVE, seed_id("quote")),
    ]
    assert rows[0]["was"]["status"] == "open"
    assert rows[1]["was"]["status"] == "done"
    assert rows[0]["was"]["deadline_at"] == "2026-03-24T12:00:00+00:00"
    assert rows[0]["was"]["model_version"] == "extraction-3"


def test_a_done_task_stays_done_when_it_is_extracted_again(client, server):
    """The owner's word lost with the row that the next run replaces."""
    client.post(f"/v1/tasks/{BOOK}/status", json={"status": "done"}).raise_for_status()
    with server.engine.begin() as connection:
        row = connection.execute(select(entities.tasks).where(entities.tasks.c.task_id == BOOK)).mappings().one()
        connection.execute(delete(entities.tasks).where(entities.tasks.c.task_id == BOOK))
        connection.execute(insert(entities.tasks).values(**row))
    assert [each["task_id"] for each in client.get("/v1/tasks", params={"status": "done"}).json()["items"]] == [
        str(BOOK)
    ]


def test_an_unknown_task_or_status(reader):
    """A status nobody knows stored, or a row for a task that is not there."""
    assert reader.post(f"/v1/tasks/{seed_id('nothing')}/status", json={"status": "done"}).status_code == 404
    assert reader.post(f"/v1/tasks/{APPROVE}/status", json={"status": "later"}).status_code == 422


def test_projects(reader):
    """Projects out of order, without names of people, or a page that repeats."""
    items = pages(reader, "/v1/projects")
    assert [each["name"] for each in items] == ["Pier survey", "Tide report"]
    assert {"name": "Nadia Okafor", "address": "nadia@harbour.example"} in items[0]["people"]


def test_a_project(reader):
    """A project without its conversations and tasks."""
    body = reader.get(f"/v1/projects/{seed_id('tide-project')}").raise_for_status().json()
    assert [each["subject"] for each in body["threads"]] == ["Tide report, draft 3", "Invitation: tide report review"]
    assert body["threads"][0]["priority"] == 0.66
    assert [each["task_id"] for each in body["tasks"]] == [str(CHAPTER)]
    assert reader.get(f"/v1/projects/{seed_id('nothing')}").status_code == 404


def test_people_by_strength(reader):
    """People out of order, or lost between pages."""
    assert [each["name"] for each in pages(reader, "/v1/people")] == ["Nadia Okafor", "Tomas Lindqvist", "Ingrid Vos"]


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/projects", "/v1/people"])
def test_a_cursor_of_another_listing_is_refused(reader, path):
    """A cursor read as another listing's key."""
    cursor = reader.get("/v1/inbox", params={"limit": 1}).json()["next_cursor"]
    assert reader.get(path, params={"cursor": cursor}).status_code == 422


def test_mailboxes(reader):
    """The page not knowing when the newest message came."""
    (item,) = reader.get("/v1/mailboxes").json()["items"]
    assert item["address"] == OWNER
    assert datetime.fromisoformat(item["newest_at"]) == NEWEST_AT - timedelta(days=0.02)


def test_a_forged_date_does_not_empty_the_window(client, server, mailbox_id):
    """One message dated years after the rest, and every 30-day window of the page is empty."""
    before = client.get("/v1/mailboxes").json()["items"][0]["newest_at"]
    days = (NEWEST_AT - datetime.now(UTC)).days
    with server.engine.begin() as connection:
        add_mail(connection, mailbox_id, Mail("future", NADIA, "2038", "2038", -4000.0, 0.1))
        connection.execute(
            update(mail.messages)
            .where(mail.messages.c.message_id == seed_id("old"))
            .values(received_at=NEWEST_AT + timedelta(days=max(100, -days - 1)))
        )
    assert client.get("/v1/mailboxes").json()["items"][0]["newest_at"] == before


def test_a_mailbox_is_named_when_there_are_two(serve, engine):
    """One owner's mail answered for another because a parameter was forgotten."""
    running = serve()
    with running.client() as client:
        assert client.get("/v1/inbox").json()["type"] == "urn:rl-emails:problem:mailbox-not-found"
        assert client.get("/v1/mailboxes").json() == {"items": [], "can_connect_gmail": False}
        first = seed(engine)
        assert client.get("/v1/inbox").status_code == 200
        second = seed_other(engine)
        answer = client.get("/v1/inbox")
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:rl-emails:problem:mailbox-required"
        for name in (OTHER_OWNER, OTHER_OWNER.upper(), str(second), str(second).upper()):
            items = client.get("/v1/inbox", params={"mailbox": name}).json()["items"]
            assert [each["message_id"] for each in items] == [str(seed_id("other"))]
        assert len(client.get("/v1/inbox", params={"mailbox": str(first)}).json()["items"]) == 10
        for name in ("nobody@example.org", str(seed_id("nothing"))):
            assert client.get("/v1/inbox", params={"mailbox": name}).status_code == 404


def test_another_mailbox_cannot_be_reached_by_ids(serve, engine):
    """A row of another owner served, or changed, to whoever knows its id."""
    seed(engine)
    seed_other(engine)
    other, task = seed_id("other"), seed_id("task other 0")
    with serve().client() as client:

        def ask(method, path, **more):
            return client.request(method, path, params={"mailbox": OWNER}, **more)

        for path in ("", "/html", "/explain", "/attachments/2"):
            assert client.get(f"/v1/messages/{other}{path}", params={"mailbox": OTHER_OWNER}).status_code == 200
            assert ask("GET", f"/v1/messages/{other}{path}").status_code == 404
        importance = {"kind": "importance", "value": "important"}
        assert ask("GET", f"/v1/threads/{seed_id('thread other')}").status_code == 404
        assert ask("GET", f"/v1/projects/{seed_id('other-project')}").status_code == 404
        assert ask("POST", f"/v1/messages/{other}/read").status_code == 404
        assert ask("POST", f"/v1/messages/{other}/feedback", json=importance).status_code == 404
        assert ask("POST", f"/v1/tasks/{task}/status", json={"status": "done"}).status_code == 404
        for path in ("/v1/inbox", "/v1/tasks", "/v1/projects", "/v1/people", "/v1/search?q=quote"):
            answer = client.get(
                path, params={**dict([path.split("?")[1].split("=")] if "?" in path else []), "mailbox": OWNER}
            )
            assert answer.status_code == 200
            assert "Grace" not in answer.text
            assert "Another owner" not in answer.text
    with engine.connect() as connection:
        assert connection.execute(select(app.feedback)).all() == []
        assert connection.execute(select(app.task_states)).all() == []
        states = connection.execute(select(app.message_states.c.message_id)).scalars().all()
        assert other not in states


def test_status(reader):
    """An administrator who cannot see gaps, freshness or the run behind a row."""
    body = reader.get("/v1/admin/status").raise_for_status().json()
    assert body["version"] == version("rl-emails")
    (mailbox,) = body["mailboxes"]
    assert (mailbox["stored_count"], mailbox["parsed_count"], mailbox["duplicate_count"]) == (16, 15, 1)
    assert (mailbox["embedded_count"], mailbox["classified_count"], mailbox["ranked_count"]) == (13, 13, 13)
    assert (mailbox["pending_count"], mailbox["gap_count"]) == (2, 1)
    assert mailbox["gaps"][0]["reason"] == "The message is larger than 50 MB."
    assert mailbox["oldest_pending_at"] is not None
    assert body["runs"][0]["run_id"] == RUN_ID
    assert body["runs"][0]["run_url"] == f"http://127.0.0.1:3000/runs/{RUN_ID}"
    assert "priorities" in body["runs"][0]["steps"]
    assert body["queue"]["requests"][0]["state"] == "succeeded"
    assert body["queue"]["requests"][0]["run_url"].endswith(RUN_ID)


def test_a_sync_can_be_asked_for_once(client, server, mailbox_id):
    """The button that does nothing, or that fills the queue."""
    first = client.post(f"/v1/mailboxes/{mailbox_id}/sync")
    assert first.status_code == 202
    assert client.post(f"/v1/mailboxes/{mailbox_id}/sync").json()["request_id"] == first.json()["request_id"]
    with server.engine.connect() as connection:
        waiting = connection.execute(
            select(sync_queue.requests.c.kind, sync_queue.requests.c.asked_by).where(
                sync_queue.requests.c.state == "todo"
            )
        ).all()
    assert waiting == [("full", "button")]
    assert client.get("/v1/admin/status").json()["queue"]["oldest_waiting_at"] is not None
    assert client.post(f"/v1/mailboxes/{seed_id('nothing')}/sync").status_code == 404


def test_health_needs_no_token_and_says_nothing_of_mail(reader, shared_server):
    """A probe that needs a secret."""
    for path in ("/healthz", "/readyz"):
        answer = reader.get(path, headers={"Authorization": "", "Host": "10.1.2.3"})
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}


def test_not_ready_until_migrated(serve, engine):
    """Traffic sent to a server whose tables are not there yet."""
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'another'"))
    with serve().client() as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:rl-emails:problem:schema"
        assert client.get("/healthz").status_code == 200


def test_an_empty_mailbox(serve, engine):
    """A 500 on the first day."""
    with engine.begin() as connection:
        connection.execute(
            insert(mailboxes.connections).values(
                mailbox_id=seed_id("empty"), address="new@example.org", provider="files"
            )
        )
    with serve().client() as client:
        assert client.get("/v1/mailboxes").json()["items"][0]["newest_at"] is None
        assert client.get("/v1/inbox").json() == {"items": [], "next_cursor": None, "pending_count": 0}
        for path in ("/v1/tasks", "/v1/projects", "/v1/people"):
            assert client.get(path).json() == {"items": [], "next_cursor": None}
        assert client.get("/v1/search", params={"q": "x"}).json()["items"] == []
        assert client.get("/v1/admin/status").json()["mailboxes"][0]["pending_count"] == 0
