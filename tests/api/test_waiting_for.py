"""Who waits for whom, what a conversation has closed, and projects and people with what ties them together."""

from datetime import timedelta

import pytest
from mails import NADIA, NEWEST_AT, OTHER_OWNER, OWNER, TOMAS, Mail, seed_id
from seed import add_mail, seed_other
from sqlalchemy import insert, select, update

from rl_emails_assets.db.tables import app, entities, identity, mailboxes

APPROVE, CHAPTER, BOOK = seed_id("task quote 0"), seed_id("task draft-report 0"), seed_id("task lunch 0")
CLOSED = {"state": "closed", "how": "delivered", "evidence": "Here it is.", "waiting_on": "", "waiting_with": ""}


def change(server, task_id, **values):
    with server.engine.begin() as connection:
        table = entities.task_progress
        connection.execute(update(table).where(table.c.task_id == task_id).values(**values))


def ids(answer):
    return [each["task_id"] for each in answer.raise_for_status().json()["items"]]


def test_waiting_in_both_directions_the_longest_first(client, server, mailbox_id):
    """A list of what one waits for that hides what is oldest, mixes the directions, or repeats over pages."""
    assert set(ids(client.get("/v1/tasks", params={"waiting": "me"}))) == {str(APPROVE), str(CHAPTER)}
    (mine,) = client.get("/v1/tasks", params={"waiting": "them"}).json()["items"]
    assert (mine["task_id"], mine["waiting_with"], mine["waiting_with_name"]) == (str(BOOK), TOMAS[1], TOMAS[0])
    with server.engine.begin() as connection:
        for number in range(3):
            task = {"description": "x", "owner": "me", "evidence": "x?", "kind": "question"}
            add_mail(connection, mailbox_id, Mail(f"q{number}", NADIA, "Q", "Q", 2.0 + number, 0.4, tasks=(task,)))
    found, cursor = [], None
    while True:
        body = client.get("/v1/tasks", params={"waiting": "me", "limit": 1, **({"cursor": cursor} if cursor else {})})
        found += body.json()["items"]
        cursor = body.json()["next_cursor"]
        if cursor is None:
            break
    since = [each["waiting_since"] for each in found]
    assert since == sorted(since)
    assert len({each["task_id"] for each in found}) == len(found) == 5
    assert not any(each["kind"] == "question" for each in client.get("/v1/tasks").json()["items"])


def test_the_clock_of_the_request_says_how_long_and_what_is_overdue(reader):
    """A wait that stands still, or a task that is never overdue, because the day was stored."""
    for days, overdue in ((0, False), (30, True)):
        as_of = (NEWEST_AT + timedelta(days=days)).isoformat()
        items = reader.get("/v1/tasks", params={"as_of": as_of}).json()["items"]
        (then,) = (each for each in items if each["task_id"] == str(APPROVE))
        assert then["is_overdue"] is overdue
    later = reader.get("/v1/tasks", params={"as_of": (NEWEST_AT + timedelta(days=1)).isoformat()}).json()["items"]
    now = reader.get("/v1/tasks", params={"as_of": NEWEST_AT.isoformat()}).json()["items"]
    assert later[0]["waited_days"] - now[0]["waited_days"] == pytest.approx(1)


def test_what_the_conversation_closed_is_done_and_says_by_which_message(client, server):
    """A task that was answered weeks ago and still asks to be done."""
    change(server, APPROVE, **CLOSED, message_id=seed_id("sent"), at=NEWEST_AT)
    assert str(APPROVE) not in ids(client.get("/v1/tasks", params={"status": "open"}))
    assert str(APPROVE) not in ids(client.get("/v1/tasks", params={"waiting": "me"}))
    (done,) = client.get("/v1/tasks", params={"status": "done"}).json()["items"]
    assert (done["status_by"], done["state"], done["is_overdue"]) == ("conversation", "closed", False)
    assert done["step"]["message_id"] == str(seed_id("sent"))
    assert (done["step"]["how"], done["step"]["evidence"]) == ("delivered", "Here it is.")
    assert done["waiting_since"] is None


def test_the_owners_word_wins_over_the_conversation(client, server):
    """A task that the owner opened again and that the next answer closes under their hands; and the other way round."""
    change(server, APPROVE, **CLOSED, message_id=seed_id("sent"), at=NEWEST_AT)
    answered = client.post(f"/v1/tasks/{APPROVE}/status", json={"status": "open"}).raise_for_status().json()
    assert (answered["status"], answered["status_by"]) == ("open", "owner")
    assert str(APPROVE) in ids(client.get("/v1/tasks", params={"status": "open"}))
    with server.engine.connect() as connection:
        was = connection.execute(select(app.feedback.c.was)).scalar_one()
    assert was["status"] == "done"
    client.post(f"/v1/tasks/{BOOK}/status", json={"status": "done"}).raise_for_status()
    assert ids(client.get("/v1/tasks", params={"waiting": "them"})) == []


def test_a_project_shows_its_open_tasks_and_deadlines(client, server):
    """Projects without what is to be done in them, or with what is done long ago."""
    pier = next(each for each in client.get("/v1/projects").json()["items"] if each["name"] == "Pier survey")
    assert (pier["open_task_count"], len(pier["deadlines"])) == (1, 1)
    change(server, APPROVE, **CLOSED)
    one = client.get(f"/v1/projects/{pier['project_id']}").json()
    assert (one["open_task_count"], one["deadlines"], one["also_in"]) == (0, [], [])


def test_a_project_knows_itself_in_the_mailboxes_of_its_organization(client, server):
    """Colleagues who cannot see that they work on one thing; strangers who can see that they do."""
    project = seed_id("pier-project")
    other = seed_other(server.engine)
    with server.engine.begin() as connection:
        row = dict(connection.execute(select(entities.projects).where(entities.projects.c.project_id == project))
                   .mappings().one())  # fmt: skip
        row |= {"project_id": seed_id("their pier"), "mailbox_id": other, "name": "Pier", "message_keys": [3, 4, 5]}
        connection.execute(insert(entities.projects).values(**row))
        table = entities.projects
        connection.execute(update(table).where(table.c.project_id == project).values(message_keys=[1, 4, 5]))
    (found,) = client.get(f"/v1/projects/{project}", params={"mailbox": OWNER}).json()["also_in"]
    assert (found["address"], found["name"], found["shared_message_count"]) == (OTHER_OWNER, "Pier", 2)
    with server.engine.begin() as connection:
        table = mailboxes.connections
        connection.execute(insert(identity.organizations).values(organization_id=seed_id("other org"), name="Another"))
        connection.execute(
            update(table).where(table.c.mailbox_id == other).values(organization_id=seed_id("other org"))
        )
    assert client.get(f"/v1/projects/{project}", params={"mailbox": OWNER}).json()["also_in"] == []


def test_functions_and_robots_are_no_people_unless_asked_for(client, server):
    """A list of people that a ticket system leads."""
    table = entities.people
    with server.engine.begin() as connection:
        connection.execute(update(table).where(table.c.person_id == seed_id(NADIA[1])).values(is_role=True))
    names = [each["name"] for each in client.get("/v1/people").json()["items"]]
    everyone = [each["name"] for each in client.get("/v1/people", params={"with_roles": True}).json()["items"]]
    assert NADIA[0] not in names
    assert set(everyone) - set(names) == {NADIA[0]}


def test_a_record_says_how_its_tasks_stand(client, server):
    """A "why" that cannot say why a task counts as done."""
    change(server, APPROVE, **CLOSED, message_id=seed_id("sent"), at=NEWEST_AT)
    (task,) = client.get(f"/v1/messages/{seed_id('quote')}/explain").raise_for_status().json()["tasks"]
    assert (task["state"], task["step_how"], task["step_message_id"]) == ("closed", "delivered", str(seed_id("sent")))
