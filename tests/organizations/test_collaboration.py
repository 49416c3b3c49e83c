"""Assignments and notes, over HTTP and in the database: for whom they are, and that nobody overwrites anybody."""

import threading
import uuid
from pathlib import Path

import httpx
import pytest
import seed
from mails import OWNER, seed_id
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from rl_emails_api.collaboration import queries
from rl_emails_api.identity.principal import ROLE_SCOPES, Principal
from rl_emails_api.transactions import transaction_of


def _code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition(":")[2]


@pytest.fixture
def thread(place) -> uuid.UUID:
    """A conversation of a shared mailbox."""
    return place.thread(place.mailbox("adam", is_shared=True))


def _assign(place, by: str, thread: uuid.UUID, to: str | None, **more: str | None) -> httpx.Response:
    user_id = to and place.id_of(to)
    return place[by].put(f"/v1/threads/{thread}/assignment", json={"user_id": user_id, **more})


# -- assignments -------------------------------------------------------------------------------------------------------


def test_assigning_a_conversation(place, thread):
    """A colleague who is not told, or nobody knowing who gave it to them."""
    path = f"/v1/threads/{thread}/assignment"
    nobody = {"user_id": None, "display_name": "", "assigned_by": None, "assigned_at": None}
    assert place["mia"].get(path).json() == {"thread_id": str(thread), **nobody}
    made = _assign(place, "mia", thread, "max").json()
    assert (made["user_id"], made["display_name"], made["assigned_by"]) == (
        place.id_of("max"),
        "max",
        place.id_of("mia"),
    )
    assert place["olga"].get(path).json() == made
    assert _assign(place, "mia", thread, "max").json() == made, "the same again is nothing new"
    assert _assign(place, "olga", thread, None, was=place.id_of("max")).json()["user_id"] is None
    assert _assign(place, "olga", thread, None).is_success
    assert place.actions() == [("mia", "thread.assigned"), ("olga", "thread.assigned")]


def test_nobody_overwrites_what_they_have_not_seen(place, thread):
    """Two who take the same conversation and both answer the customer."""
    assert _assign(place, "mia", thread, "mia").is_success
    for more in ({}, {"was": None}, {"was": place.id_of("olga")}):
        for to in ("max", None):
            if more or to:
                answer = _assign(place, "max", thread, to, **more)
                assert (answer.status_code, _code(answer)) == (409, "assignment-changed"), (more, to)
    assert _code(_assign(place, "max", thread, None)) == "assignment-changed"
    assert _assign(place, "max", thread, "max", was=place.id_of("mia")).json()["user_id"] == place.id_of("max")
    assert _assign(place, "max", thread, "olga").is_success, "one may pass on what is one's own"
    assert _code(_assign(place, "max", thread, None, was=place.id_of("max"))) == "assignment-changed"


def test_of_many_who_take_it_at_once_one_has_it(place, thread):
    """The last one wins, and the others believe that they did."""
    clients = {name: place[name] for name in ("olga", "adam", "mia", "max")}
    barrier = threading.Barrier(len(clients))
    found: dict[str, int] = {}

    def take(name: str) -> None:
        barrier.wait()
        path = f"/v1/threads/{thread}/assignment"
        found[name] = clients[name].put(path, json={"user_id": place.id_of(name)}).status_code

    threads = [threading.Thread(target=take, args=(name,)) for name in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found.values()) == [200, 409, 409, 409]
    (winner,) = (name for name, status in found.items() if status == 200)
    assert place["mia"].get(f"/v1/threads/{thread}/assignment").json()["user_id"] == place.id_of(winner)


def test_only_who_sees_the_mailbox_is_given_its_conversations(place, make_place, thread):
    """A conversation that waits for ever for who cannot read it; an answer that tells strangers from nobody."""
    other = make_place("olga")
    place.add("omar", "member")
    place.do("update identity.users set deactivated_at = now() where user_id = :id", id=place.people["omar"].user_id)
    path = f"/v1/threads/{thread}/assignment"
    wrong = [
        place["mia"].put(path, json={"user_id": each})
        for each in (other.id_of("olga"), str(uuid.uuid4()), place.id_of("omar"))
    ]
    assert {(each.status_code, _code(each)) for each in wrong} == {(422, "not-assignable")}
    assert len({each.text for each in wrong}) == 1
    personal = place.thread(place.mailbox("mia"))
    assert _code(_assign(place, "mia", personal, "max")) == "not-assignable"
    assert _assign(place, "mia", personal, "mia").is_success


def test_the_database_looks_once_more(place, thread, monkeypatch):
    """Somebody who is removed between the look and the assignment."""
    monkeypatch.setattr(queries, "is_active_member", lambda *_: True)
    stranger = place.add("zoe", None)
    answer = place["mia"].put(f"/v1/threads/{thread}/assignment", json={"user_id": str(stranger.user_id)})
    assert (answer.status_code, _code(answer)) == (422, "not-assignable")
    assert place["mia"].get(f"/v1/threads/{thread}/assignment").json()["user_id"] is None
    with pytest.raises(IntegrityError, match="members who see"):
        place.do(
            "insert into app.thread_assignments (thread_id, mailbox_id, user_id) "
            "select thread_id, mailbox_id, :zoe from mail.threads where thread_id = :thread",
            zoe=stranger.user_id,
            thread=thread,
        )


# -- notes -------------------------------------------------------------------------------------------------------------


def _write(place, by: str, thread: uuid.UUID, content: str) -> dict:
    answer = place[by].post(f"/v1/threads/{thread}/notes", json={"text": content})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_notes_are_read_in_order_page_by_page(place, thread):
    """A discussion read backwards, or with a hole between two pages."""
    for number in range(5):
        _write(place, "mia" if number % 2 else "max", thread, f"note {number}")
    pages, cursor = [], None
    while True:
        page = (
            place["olga"]
            .get(f"/v1/threads/{thread}/notes", params={"limit": 2, "cursor": cursor} if cursor else {"limit": 2})
            .json()
        )
        pages.append([each["text"] for each in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == [["note 0", "note 1"], ["note 2", "note 3"], ["note 4"]]
    authors = {each["author"]["display_name"] for each in page["items"]}
    assert authors == {"max"}
    assert not any(each["is_yours"] for each in page["items"])


def test_only_its_author_changes_a_note(place, thread):
    """Words in a colleague's mouth; or an administrator who cannot take down what must not stay."""
    made = _write(place, "mia", thread, " I have asked Tomas. ")
    assert (made["text"], made["is_yours"], made["edited_at"]) == ("I have asked Tomas.", True, None)
    path = f"/v1/notes/{made['note_id']}"
    for name in ("max", "adam"):
        assert _code(place[name].patch(path, json={"text": "No."})) == "not-the-author"
    assert _code(place["max"].delete(path)) == "not-the-author"
    changed = place["mia"].patch(path, json={"text": "I have asked Nadia."}).json()
    assert changed["text"] == "I have asked Nadia."
    assert changed["edited_at"] is not None
    assert place["adam"].delete(path).status_code == 204
    assert place["mia"].patch(path, json={"text": "x"}).status_code == 404
    mine = _write(place, "mia", thread, "mine")
    assert place["mia"].delete(f"/v1/notes/{mine['note_id']}").status_code == 204
    assert place["mia"].get(f"/v1/threads/{thread}/notes").json()["items"] == []


def test_what_is_no_note_is_refused(place, thread):
    """An empty note, or one that fills the page of everybody."""
    path = f"/v1/threads/{thread}/notes"
    for content in ("", "  \n", "x" * 10_001, "a\x00b"):
        assert place["mia"].post(path, json={"text": content}).status_code == 422
    assert _write(place, "mia", thread, "x" * 10_000)["text"] == "x" * 10_000


def test_who_does_not_see_the_mailbox_sees_nothing(place, make_place):
    """A note that somebody else's administrator, or one's own, finds by its id."""
    thread = place.thread(place.mailbox("mia"))
    made = _write(place, "mia", thread, "between me and me")
    other = make_place("olga")
    for client in (other["olga"], place["olga"], place["max"]):
        answers = {
            (method, path.partition(str(each))[2]): [
                client.request(method, f"{path}".replace(str(each), str(wanted)), json=body)
                for wanted in (each, uuid.uuid4())
            ]
            for each, method, path, body in (
                (thread, "GET", f"/v1/threads/{thread}/assignment", None),
                (thread, "PUT", f"/v1/threads/{thread}/assignment", {"user_id": None}),
                (thread, "GET", f"/v1/threads/{thread}/notes", None),
                (thread, "POST", f"/v1/threads/{thread}/notes", {"text": "hello"}),
                (made["note_id"], "PATCH", f"/v1/notes/{made['note_id']}", {"text": "hello"}),
                (made["note_id"], "DELETE", f"/v1/notes/{made['note_id']}", None),
            )
        }
        for there, nowhere in answers.values():
            assert there.status_code == nowhere.status_code == 404
            assert {**there.json(), "instance": ""} == {**nowhere.json(), "instance": ""}
    assert place["mia"].get(f"/v1/threads/{thread}/notes").json()["items"][0]["text"] == "between me and me"


def test_nobody_writes_in_anothers_name_by_hand(place, thread):
    """An endpoint that lets a note of somebody else through: the database does not."""
    made = _write(place, "mia", thread, "mine")
    person = place.people["max"].user_id
    principal = Principal(person, place.organization_id, "member", ROLE_SCOPES["member"], "session")
    with transaction_of(place.engine, principal) as connection:
        for statement in ("update app.thread_notes set text = 'x'", "delete from app.thread_notes"):
            changed = connection.execute(text(f"{statement} where note_id = :id"), {"id": made["note_id"]})
            assert changed.rowcount == 0
    forged = (
        "insert into app.thread_notes (note_id, mailbox_id, thread_id, author_user_id, text) select gen_random_uuid(), "
        "mailbox_id, thread_id, :mia, 'forged' from mail.threads where thread_id = :thread"
    )
    with pytest.raises(DBAPIError, match="row-level security"), transaction_of(place.engine, principal) as connection:
        connection.execute(text(forged), {"mia": place.people["mia"].user_id, "thread": thread})


def test_what_somebody_wrote_stays_when_they_leave(place, thread):
    """A discussion with holes in it, or with the name of somebody who is gone."""
    _write(place, "mia", thread, "ask Tomas")
    assert place["olga"].delete(f"/v1/organization/members/{place.id_of('mia')}").status_code == 204
    (note,) = place["olga"].get(f"/v1/threads/{thread}/notes").json()["items"]
    assert (note["text"], note["author"]["display_name"]) == ("ask Tomas", "")
    place.do("delete from identity.users where user_id = :id", id=place.people["mia"].user_id)
    (note,) = place["olga"].get(f"/v1/threads/{thread}/notes").json()["items"]
    assert (note["text"], note["author"]) == ("ask Tomas", None)


# -- in the inbox and in a conversation --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seeded(api) -> uuid.UUID:
    """The seeded mailbox in the database of this file."""
    return seed.seed(api.engine)


def test_the_inbox_shows_and_filters_by_who_takes_care(place, seeded):
    """A team that cannot see whose a conversation is, or looks through everybody's for its own."""
    place.do(
        "update mailboxes.connections set organization_id = :o, owner_user_id = :adam, is_shared = true "
        "where mailbox_id = :m",
        o=place.organization_id,
        adam=place.people["adam"].user_id,
        m=seeded,
    )

    def inbox(name: str, **params: str) -> dict[str, dict | None]:
        answer = place[name].get("/v1/inbox", params={"limit": 200, "state": "all", **params})
        assert answer.is_success, answer.text
        return {each["message_id"]: each["assigned_to"] for each in answer.json()["items"]}

    everything = inbox("mia")
    assert set(everything.values()) == {None}
    first = place["mia"].get("/v1/inbox", params={"limit": 1}).json()["items"][0]
    assert _assign(place, "mia", first["thread_id"], "max").is_success
    _write(place, "mia", first["thread_id"], "yours, I think")
    person = {"user_id": place.id_of("max"), "display_name": "max"}
    for order in ("priority", "date"):
        mine = inbox("max", assigned="me", order=order)
        assert first["message_id"] in mine
        assert set(map(str, mine.values())) == {str(person)}
        assert inbox("olga", assigned=place.id_of("max"), order=order) == mine
        assert inbox("olga", assigned="me", order=order) == {}
        rest = inbox("olga", assigned="nobody", order=order)
        assert set(rest.values()) == {None}
        assert set(rest) | set(mine) == set(inbox("olga", order=order))
    assert place["mia"].get("/v1/inbox", params={"assigned": "everybody"}).status_code == 422
    conversation = place["olga"].get(f"/v1/threads/{first['thread_id']}").json()
    assert conversation["assigned_to"] == person
    assert [(each["text"], each["is_yours"]) for each in conversation["notes"]] == [("yours, I think", False)]
    assert place.one("select mailbox_id from mailboxes.connections where address = :a", a=OWNER).mailbox_id == seeded
    assert seed_id(OWNER) == seeded


def test_notes_are_part_of_no_mail(place, seeded):
    """What colleagues say about somebody reaches them: the code that speaks to the outside does not read notes."""
    root = Path(__file__).parents[2]
    readers = {
        str(path.relative_to(root))
        for folder in ("rl_emails_api", "rl_emails_assets")
        for path in (root / folder).rglob("*.py")
        if "thread_notes" in path.read_text() and "migrations" not in path.parts
    }
    outside = ("language_models", "webhooks", "providers", "connections", "search", "embedding", "steps/classif")
    assert not [path for path in readers if any(part in path for part in outside)]
    assert "rl_emails_api/collaboration/queries.py" in readers
