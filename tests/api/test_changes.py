"""The change feed: a copy that follows it is what the API answers, whatever is written and however it commits."""

import base64
import random
import threading
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mails import NADIA, OWNER, VISIBLE_BY_PRIORITY, Mail, seed_id
from seed import add_mail, seed_other
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from rl_emails_api.changes import cursors
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep import pruning


def begin(client):
    """A cursor of this moment."""
    body = client.get("/v1/changes").raise_for_status().json()
    assert (body["items"], body["has_more"]) == ([], False)
    return body["next_cursor"]


def since(client, cursor, limit=1000):
    """What changed, as {(kind, id): change}, and the next cursor; asked for page by page."""
    found = {}
    while True:
        body = client.get("/v1/changes", params={"since": cursor, "limit": limit}).raise_for_status().json()
        keys = [(each["kind"], each["id"]) for each in body["items"]]
        assert len(keys) == len(set(keys)) <= limit + 4
        found |= {(each["kind"], each["id"]): each["change"] for each in body["items"]}
        cursor = body["next_cursor"]
        if not body["has_more"]:
            return found, cursor


def settle(engine):
    """Wait until nothing that is older than the newest change runs, as the database's own upkeep may for a moment."""
    deadline = time.monotonic() + 30
    query = text(
        "select coalesce(max(transaction_id), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint "
        "from app.changes"
    )
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if connection.execute(query).scalar_one():
                return
    raise AssertionError("a transaction has been open for 30 seconds")


def commit(server, statement, **parameters):
    """One statement in a transaction, as the graph writes."""
    with server.engine.begin() as connection:
        connection.execute(text(statement), parameters)


def write(server, statement, **parameters):
    """The same, and wait until the feed can tell of it."""
    commit(server, statement, **parameters)
    settle(server.engine)


QUOTE, PIER = str(seed_id("quote")), str(seed_id("thread pier"))


def test_nothing_happened(reader):
    """A reader that reads everything again at every look."""
    assert since(reader, begin(reader))[0] == {}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update classifications.messages set urgency = 'now' where message_id = :quote", {("message", QUOTE)}),
        ("update priorities.messages set score = 0.1 where message_id = :quote", {("message", QUOTE)}),
        ("insert into raw.labels (mailbox_id, message_id, label) values (:mailbox, :quote, 'X')", {("message", QUOTE)}),
        ("delete from raw.labels where message_id = :quote", {("message", QUOTE)}),
        ("update mail.threads set subject = 'New' where thread_id = :pier", {("thread", PIER)}),
        ("update priorities.threads set score = 0.1 where thread_id = :pier", {("thread", PIER)}),
        ("update mail.threads set is_stale = true", set()),
        ("update priorities.messages set is_stale = true", set()),
        ("update entities.tasks set is_stale = true", set()),
        ("update embeddings.messages set precision = 'int8'", set()),
        ("update mailboxes.connections set synced_at = now()", {("mailbox", str(seed_id(OWNER)))}),
        (
            """
            insert into app.notices (notice_id, mailbox_id, kind, text)
            values (gen_random_uuid(), :mailbox, 'behind', '')
            """,
            {("mailbox", str(seed_id(OWNER)))},
        ),
        (
            "update entities.task_progress set state = 'closed' where task_id = :task",
            {("task", str(seed_id("task quote 0"))), ("message", QUOTE)},
        ),
        (
            "update entities.projects set name = 'Pier 2' where project_id = :project",
            {("project", str(seed_id("pier-project")))},
        ),
        (
            "update entities.project_threads set project_id = :tide where project_id = :project",
            {
                ("project", str(seed_id("pier-project"))),
                ("project", str(seed_id("tide-project"))),
                ("thread", PIER),
            },
        ),
        (
            "update mail.messages set thread_id = :lunch_thread where message_id = :quote",
            {("message", QUOTE), ("thread", PIER), ("thread", str(seed_id("thread lunch")))},
        ),
    ],
)
def test_what_the_graph_writes_is_told_and_marks_are_not(reader, shared_server, statement, told):
    """A new score that no reader ever hears of; or a thousand objects read again because they will be recomputed."""
    cursor = begin(reader)
    values = {
        "quote": seed_id("quote"), "pier": seed_id("thread pier"), "mailbox": seed_id(OWNER),
        "task": seed_id("task quote 0"), "project": seed_id("pier-project"), "tide": seed_id("tide-project"),
        "lunch_thread": seed_id("thread lunch"),
    }  # fmt: skip
    write(shared_server, statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    assert set(since(reader, cursor)[0]) == told


def test_what_people_do_is_told(reader):
    """A second device that does not see what was done on the first."""
    cursor = begin(reader)
    reader.post("/v1/messages/actions", json={"action": "done", "message_ids": [QUOTE]}).raise_for_status()
    assert since(reader, cursor)[0] == {("message", QUOTE): "changed"}
    cursor = begin(reader)
    body = {"kind": "category", "value": "receipt"}
    reader.post(f"/v1/messages/{QUOTE}/feedback", json=body).raise_for_status()
    assert since(reader, cursor)[0] == {("message", QUOTE): "changed"}
    cursor = begin(reader)
    reader.post(f"/v1/tasks/{seed_id('task quote 0')}/status", json={"status": "done"}).raise_for_status()
    assert since(reader, cursor)[0] == {
        ("task", str(seed_id("task quote 0"))): "changed",
        ("message", QUOTE): "changed",
    }


def test_what_changed_twice_is_told_once_and_what_is_gone_as_removed(client, server):
    """A removed message that a client keeps for ever, or reads in vain; a page full of one object."""
    cursor = begin(client)
    for score in (0.1, 0.2, 0.3):
        write(server, "update priorities.messages set score = :score where message_id = :id", score=score, id=QUOTE)
    write(server, "delete from raw.messages where message_id = :id", id=QUOTE)
    answer = client.get("/v1/changes", params={"since": cursor}).json()
    assert [each for each in answer["items"] if each["id"] == QUOTE] == [
        {"kind": "message", "id": QUOTE, "mailbox_id": str(seed_id(OWNER)), "change": "removed", "thread_id": None}
    ]


def test_a_message_names_its_conversation(reader, shared_server):
    """A conversation shown as it was, because only its message was told."""
    cursor = begin(reader)
    earlier = str(seed_id("pier-earlier"))
    write(shared_server, "update priorities.messages set score = 0.1 where message_id = :id", id=earlier)
    assert reader.get("/v1/changes", params={"since": cursor}).json()["items"][0]["thread_id"] == PIER


def test_a_message_is_told_when_it_can_be_read(reader, shared_server):
    """A reader that is told of mail that is stored and not parsed, asks for it and forgets it as gone."""
    cursor = begin(reader)
    with shared_server.engine.begin() as connection:
        add_mail(connection, seed_id(OWNER), Mail("raw one", NADIA, "New", "New.", 0.0, 0.5, is_parsed=False))
    assert since(reader, cursor)[0] == {}
    with shared_server.engine.begin() as connection:
        add_mail(connection, seed_id(OWNER), Mail("new one", NADIA, "New", "New.", 0.0, 0.5))
    assert since(reader, cursor)[0][("message", str(seed_id("new one")))] == "changed"


def test_a_transaction_that_commits_later_is_not_passed(reader, shared_server):
    """The classic hole: a cursor that has passed a number whose transaction was still open when it was read."""
    cursor = begin(reader)
    with shared_server.engine.connect() as slow, slow.begin():
        slow.execute(
            text("update priorities.messages set score = 0.2 where message_id = :id"), {"id": seed_id("lunch")}
        )
        commit(shared_server, "update priorities.messages set score = 0.3 where message_id = :id", id=QUOTE)
        told, cursor = since(reader, cursor)
        assert told == {}
    settle(shared_server.engine)
    told, cursor = since(reader, cursor)
    assert set(told) == {("message", QUOTE), ("message", str(seed_id("lunch")))}
    assert since(reader, cursor)[0] == {}


def test_nothing_is_missed_while_many_write(reader, shared_server):
    """Commits in any order, some rolled back, and a reader that polls in between."""
    ids = [seed_id(name) for name in VISIBLE_BY_PRIORITY]
    written, lock = set(), threading.Lock()
    cursor = begin(reader)
    barrier = threading.Barrier(4)

    def work(number):
        chance = random.Random(number)  # noqa: S311 - a schedule, no secret
        barrier.wait()
        for _ in range(25):
            mine = str(uuid.uuid4())
            with shared_server.engine.connect() as connection:
                transaction = connection.begin()
                connection.execute(
                    text(
                        "insert into entities.projects (project_id, mailbox_id, name, keywords, people, first_at, "
                        "last_at, version, run_id) values (:id, :mailbox, 'P', '{}', '{}', now(), now(), '1', '1')"
                    ),
                    {"id": mine, "mailbox": seed_id(OWNER)},
                )
                if chance.random() < 0.5:
                    connection.execute(text("select pg_sleep(:seconds)"), {"seconds": chance.random() / 50})
                connection.execute(
                    text("update app.message_states set read_at = now() where message_id = :id"),
                    {"id": chance.choice(ids)},
                )
                if chance.random() < 0.2:
                    transaction.rollback()
                    continue
                transaction.commit()
            with lock:
                written.add(("project", mine))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    told = {}
    while any(thread.is_alive() for thread in threads):
        found, cursor = since(reader, cursor, limit=7)
        told |= found
    settle(shared_server.engine)
    found, _ = since(reader, cursor, limit=7)
    told |= found
    assert {each for each in told if each[0] == "project"} == written


def test_an_action_does_not_wait_for_a_long_write_of_the_graph(reader, shared_server):
    """A feed that keeps one row per object: marking a message done would wait until a batch of the graph commits."""
    with shared_server.engine.connect() as slow, slow.begin():
        slow.execute(text("update priorities.messages set score = score"))
        answer = reader.post("/v1/messages/actions", json={"action": "star", "message_ids": [QUOTE]}, timeout=10)
        assert answer.json()["changed"] == [QUOTE]


def test_a_mailbox_that_is_erased_is_told_and_leaves_nothing(client, server, mailbox_id):
    """A phone that keeps the mail of a mailbox that was disconnected; or ids of it kept here."""
    seed_other(server.engine)
    cursor = begin(client)
    write(server, "delete from mailboxes.connections where mailbox_id = :id", id=mailbox_id)
    assert since(client, cursor)[0] == {("mailbox", str(mailbox_id)): "removed"}
    with server.engine.connect() as connection:
        count = connection.execute(text("select count(*) from app.changes where mailbox_id = :id"), {"id": mailbox_id})
        assert count.scalar_one() == 0


def test_a_mailbox_that_comes_into_sight_or_leaves_it_is_told(client, server, mailbox_id):
    """A member who lost a shared mailbox and keeps its mail; one who got it and never sees it."""
    other = seed_other(server.engine)
    stranger = uuid.uuid4()
    cursor = begin(client)
    write(server, "insert into identity.users (user_id, issuer, subject) values (:id, 'x', 'x')", id=stranger)
    write(server, "update mailboxes.connections set owner_user_id = :s where mailbox_id = :id", s=stranger, id=other)
    told, cursor = since(client, cursor)
    assert told == {("mailbox", str(other)): "removed"}
    write(server, "update priorities.messages set score = 0.2 where mailbox_id = :id", id=other)
    assert since(client, cursor)[0] == {}
    write(server, "update mailboxes.connections set is_shared = true where mailbox_id = :id", id=other)
    told, cursor = since(client, cursor)
    assert told[("mailbox", str(other))] == "changed"
    assert since(client, cursor)[0] == {}


def test_an_old_cursor_begins_anew(reader, shared_server):
    """A reader that was away for longer than the feed remembers and goes on as if nothing were missing."""
    made = cursors.decode(begin(reader))
    keep_seconds = shared_server.app.state.settings.keep_changes_days * 86400
    old = cursors.FeedCursor(made.database, made.made_at - int(keep_seconds) - 60, made.place, made.mailboxes)
    young = cursors.FeedCursor(made.database, made.made_at - int(keep_seconds) + 60, made.place, made.mailboxes)
    elsewhere = cursors.FeedCursor(made.database ^ 1, made.made_at, made.place, made.mailboxes)
    ahead = cursors.FeedCursor(
        made.database, made.made_at, cursors.Place(made.place.transaction_id + 10**6), made.mailboxes
    )
    assert reader.get("/v1/changes", params={"since": young.encode()}).status_code == 200
    for each in (old, elsewhere, ahead):
        answer = reader.get("/v1/changes", params={"since": each.encode()})
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:rl-emails:problem:cursor-expired"


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "e30", base64.urlsafe_b64encode(b"\x02" * 38).decode()])
def test_a_made_up_cursor_is_refused(reader, cursor):
    """A forged cursor that reaches the database, or is answered with a 500."""
    answer = reader.get("/v1/changes", params={"since": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:rl-emails:problem:invalid-cursor")


def test_any_bytes_are_no_cursor_or_one(reader):
    """A crash on bytes that nobody thought of."""

    @settings(max_examples=40, deadline=None)
    @given(content=st.binary(min_size=36, max_size=80))
    def check(content):
        cursor = base64.urlsafe_b64encode(b"\x01" + content).decode().rstrip("=")
        assert reader.get("/v1/changes", params={"since": cursor}).status_code in (200, 410, 422)

    check()


def test_pruning_keeps_the_last_row_of_each_object_and_what_a_live_cursor_needs(client, server):
    """A feed that grows with every score computed again, or one whose pruning loses a change."""
    cursor = begin(client)
    for score in (0.1, 0.2, 0.3):
        write(server, "update priorities.messages set score = :score where message_id = :id", score=score, id=QUOTE)
    write(server, "update app.changes set changed_at = now() - interval '2 days'")
    kept = Settings(keep_changes_days=5)
    before = since(client, cursor)[0]
    pruning.prune(server.engine, kept)
    assert since(client, cursor)[0] == before == {("message", QUOTE): "changed"}
    with server.engine.connect() as connection:
        rows = connection.execute(text("select count(*), count(distinct (kind, object_id)) from app.changes")).one()
        assert rows[0] == rows[1] > 0
    write(server, "update app.changes set changed_at = now() - interval '7 days'")
    assert pruning.prune(server.engine, kept)["app.changes"] == rows[0]


@dataclass
class Copy:
    """A client that loads everything once, and then follows the feed."""

    client: object
    cursor: str = ""
    objects: dict = field(default_factory=dict)

    def load(self):
        """Everything there is; the cursor first, so that what is written while loading is told again."""
        self.cursor = begin(self.client)
        self.objects = whole_state(self.client)

    def follow(self, limit):
        """Read again or forget what the feed lists."""
        tasks = None
        while True:
            answer = self.client.get("/v1/changes", params={"since": self.cursor, "limit": limit})
            body = answer.raise_for_status().json()
            for each in body["items"]:
                key = (each["kind"], each["id"])
                self.objects.pop(key, None)
                if each["change"] == "removed":
                    continue
                if each["kind"] == "task":
                    tasks = tasks if tasks is not None else all_tasks(self.client)
                    found = tasks.get(each["id"])
                else:
                    found = read(self.client, *key)
                if found is not None:
                    self.objects[key] = found
                if each["thread_id"] and ("thread", each["thread_id"]) in self.objects:
                    self.objects["thread", each["thread_id"]] = read(self.client, "thread", each["thread_id"])
            self.cursor = body["next_cursor"]
            if not body["has_more"]:
                return


PATHS = {"message": "messages", "thread": "threads", "project": "projects"}


def read(client, kind, name):
    """One object as the API answers it, without what the documentation says it takes from others."""
    answer = client.get(f"/v1/{PATHS[kind]}/{name}", params={"mailbox": OWNER})
    if answer.status_code == 404:
        return None
    body = answer.raise_for_status().json()
    body.pop("project_name", None)
    return body if kind != "project" else {name: body[name] for name in ("project_id", "name")}


def all_tasks(client):
    """Every task by its id."""
    items = client.get("/v1/tasks", params={"mailbox": OWNER, "limit": 200}).raise_for_status().json()["items"]
    hidden = ("priority", "is_overdue", "waited_days")
    return {each["task_id"]: {name: each[name] for name in each if name not in hidden} for each in items}


def whole_state(client):
    """Everything that the API answers about the mailbox."""
    with client.app_engine.connect() as connection:
        ids = {
            "message": connection.execute(text("select message_id from mail.messages")).scalars().all(),
            "thread": connection.execute(text("select thread_id from mail.threads")).scalars().all(),
            "project": connection.execute(text("select project_id from entities.projects")).scalars().all(),
        }
    found = {(kind, str(each)): read(client, kind, each) for kind in ids for each in ids[kind]}
    return found | {("task", name): task for name, task in all_tasks(client).items()}


STATEMENTS = (
    "update priorities.messages set score = :real where message_id = :message",
    "update classifications.messages set needs = 'reply' where message_id = :message",
    "update priorities.messages set is_stale = true where message_id = :message",
    "delete from raw.labels where message_id = :message",
    """
    insert into raw.labels (mailbox_id, message_id, label) select :mailbox, message_id, 'UNREAD'
    from raw.messages where message_id = :message on conflict do nothing
    """,
    """
    insert into app.message_states (message_id, mailbox_id, starred_at) select message_id, :mailbox, now()
    from raw.messages where message_id = :message on conflict (message_id) do update set starred_at = null
    """,
    "update mail.threads set message_count = message_count + 1 where thread_id = :thread",
    "update mail.messages set thread_id = :thread where message_id = :message",
    "update entities.tasks set description = 'Do ' || :real where message_id = :message",
    "update entities.task_progress set state = 'promised' where task_id = :task",
    "delete from entities.tasks where task_id = :task",
    "update entities.projects set name = 'N' || :real",
    # As the graph removes a message: with its tasks, which no foreign key holds.
    """
    with gone as (delete from entities.tasks where message_id = :message)
    delete from raw.messages where message_id = :message
    """,
)
CHOICES = st.tuples(st.integers(0, len(STATEMENTS)), st.integers(0, 30), st.integers(0, 2), st.booleans())


@settings(max_examples=5, deadline=None)
@given(acts=st.lists(CHOICES, min_size=4, max_size=12), limit=st.integers(1, 9))
def test_a_copy_that_follows_is_what_the_api_answers(shared_server, acts, limit):
    """Whatever is written, by transactions that overlap and commit in any order, with pages of any size."""
    with ExitStack() as stack:
        client = stack.enter_context(shared_server.client())
        client.app_engine = shared_server.engine
        fresh = uuid.uuid4().hex
        with shared_server.engine.begin() as connection:
            # What earlier examples and tests left would only be read again and again.
            connection.execute(text("delete from entities.projects where name = 'P'"))
            connection.execute(
                text(
                    "delete from raw.messages where message_id in "
                    "(select message_id from mail.messages where subject in ('New', 'More'))"
                )
            )
            new = Mail(fresh, NADIA, "New", "New.", 0.1, 0.5, thread="pier")
            add_mail(connection, seed_id(OWNER), new)
        copy = Copy(client)
        copy.load()
        connections = [stack.enter_context(shared_server.engine.connect()) for _ in range(3)]
        names = [*VISIBLE_BY_PRIORITY, fresh]
        for number, (what, which, who, commits) in enumerate(acts):
            connection = connections[who]
            connection.execute(text("set local lock_timeout = '1ms'"))
            if what == len(STATEMENTS):
                add_mail(connection, seed_id(OWNER), Mail(f"{fresh} {number}", NADIA, "More", "More.", 0.1, 0.6))
            else:
                values = {
                    "message": seed_id(names[which % len(names)]), "mailbox": seed_id(OWNER),
                    "thread": seed_id(("thread pier", "thread lunch")[which % 2]), "real": str(which / 31),
                    "task": seed_id(f"task {names[which % len(names)]} 0"),
                }  # fmt: skip
                statement = STATEMENTS[what].replace("set score = :real", "set score = cast(:real as float)")
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                savepoint = connection.begin_nested()
                try:
                    connection.execute(text(statement), used)
                    savepoint.commit()
                except OperationalError:
                    # Two of them at one row: the second does nothing.
                    savepoint.rollback()
            if commits:
                connection.commit()
                copy.follow(limit)
        for connection in connections:
            connection.commit()
        settle(shared_server.engine)
        copy.follow(limit)
        assert copy.objects == whole_state(client)
