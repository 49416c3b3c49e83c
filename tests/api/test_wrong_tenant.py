"""Promise 8 over HTTP: every endpoint, asked by somebody of another organization about what is not theirs."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from live_state import DEAD_LETTER, NOTICE, add_dead_letter, add_notice, add_operations
from mails import NADIA, OTHER_OWNER, OWNER, seed_id
from seed import seed_other
from serving import Server
from sqlalchemy import insert, select, text, update

from rl_emails_api.identity.credential_secrets import hash_of, new_api_key
from rl_emails_api.identity.principal import ROLE_SCOPES
from rl_emails_assets.db.tables import app, identity, mailboxes
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION, LOCAL_USER

OURS = {
    "mailbox_id": seed_id(OWNER),
    "message_id": seed_id("quote"),
    "thread_id": seed_id("thread pier"),
    "task_id": seed_id("task quote 0"),
    "project_id": seed_id("pier-project"),
    "notice_id": NOTICE,
    "request_id": DEAD_LETTER,
    "user_id": LOCAL_USER,
    "part_path": "2",
}
"""Ids of what the local person has, by the name of the path's parameter."""
MADE = ("note_id", "invitation_id", "session_id", "api_key_id", "receipt_id", "webhook_id", "delivery_id")
"""Kinds that the seed holds none of: what the test itself makes is asked for, or an id that nobody has."""
BODIES: dict[str, dict[str, Any]] = {
    "RoleChange": {"role": "member"},
    "MailboxChange": {"is_shared": True},
    "AssignmentChange": {"user_id": None},
    "NoteChange": {"text": "Mine now."},
    "TaskStatusChange": {"status": "done"},
    "MessageActions": {"action": "done", "message_ids": [str(OURS["message_id"])]},
    "feedback": {"kind": "importance", "value": "important"},
}
SECRETS = (OWNER, NADIA[0], NADIA[1], "harbour", "lunch")
"""Words of the seeded mailbox that no answer to a stranger may hold."""


@dataclass(frozen=True)
class Stranger:
    """An owner of another organization, with a mailbox and a key of their own."""

    client: httpx.Client
    organization_id: uuid.UUID


@pytest.fixture(scope="module")
def stranger(shared_server: Server) -> Iterator[Stranger]:
    other = seed_other(shared_server.engine)
    add_notice(shared_server.engine, "behind", "It is behind.")
    add_dead_letter(shared_server.engine)
    add_operations(shared_server.engine)
    organization_id, user_id, key = uuid.uuid4(), uuid.uuid4(), new_api_key()
    with shared_server.engine.begin() as connection:
        connection.execute(insert(identity.organizations).values(organization_id=organization_id, name="Elsewhere"))
        connection.execute(insert(identity.users).values(user_id=user_id, issuer="https://i", subject="them"))
        connection.execute(
            insert(identity.memberships).values(organization_id=organization_id, user_id=user_id, role="owner")
        )
        connection.execute(
            insert(identity.api_keys).values(
                api_key_id=uuid.uuid4(),
                organization_id=organization_id,
                user_id=user_id,
                name="theirs",
                prefix=key[:10],
                key_hash=hash_of(key),
                scopes=sorted(ROLE_SCOPES["owner"]),
                expires_at=text("now() + interval '1 day'"),
            )
        )
        connection.execute(
            update(mailboxes.connections)
            .where(mailboxes.connections.c.mailbox_id == other)
            .values(organization_id=organization_id, owner_user_id=user_id)
        )
    with httpx.Client(base_url=shared_server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        yield Stranger(client, organization_id)


@pytest.fixture(scope="module")
def operations(shared_server: Server) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of the whole OpenAPI."""
    with shared_server.client() as client:
        paths = client.get("/v1/openapi.json").raise_for_status().json()["paths"]
    return [(method, path, operation) for path, of in paths.items() for method, operation in of.items()]


def names_in(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def body_of(operation: dict[str, Any]) -> dict[str, Any] | None:
    if "requestBody" not in operation:
        return None
    schema = operation["requestBody"]["content"].get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    return BODIES.get(name, BODIES["feedback"] if "feedback" in operation["operationId"] else {})


def told(answer: httpx.Response, ids: dict[str, object]) -> tuple[int, str]:
    """Status and words of an answer, without the ids that were asked for."""
    words = answer.text
    for value in ids.values():
        words = words.replace(str(value), "ID")
    return answer.status_code, words


def test_not_yours_and_not_there_are_the_same(stranger: Stranger, operations: list[Any]) -> None:
    """An answer that tells a stranger that an id exists, or acts on it."""
    looked_at = 0
    for method, path, operation in operations:
        wanted = [name for name in names_in(path) if name in OURS]
        assert set(names_in(path)) <= {*OURS, *MADE}, f"{path}: say in this test what a stranger could ask for"
        if not wanted:
            continue
        ours = {name: OURS.get(name, uuid.uuid4()) for name in names_in(path)}
        nobodys = {name: "2" if name == "part_path" else uuid.uuid4() for name in names_in(path)}
        answers = [
            told(stranger.client.request(method, path.format(**ids), json=body_of(operation)), ids)
            for ids in (ours, nobodys)
        ]
        assert answers[0] == answers[1], f"{method} {path}"
        assert answers[0][0] in (403, 404, 409), f"{method} {path}: {answers[0]}"
        looked_at += 1
    assert looked_at >= 15


def test_the_owner_gets_what_the_stranger_asked_for(shared_server: Server, operations: list[Any]) -> None:
    """The control of the test above: ids that nobody has would be refused to a stranger by any program."""
    with shared_server.client() as client:
        for method, path, _ in operations:
            if method == "get" and names_in(path) and set(names_in(path)) <= set(OURS):
                assert client.get(path.format(**OURS)).status_code == 200, path


def test_no_list_holds_anything_of_another_organization(stranger: Stranger, operations: list[Any]) -> None:
    """A list, a count or a search that forgot whose it is."""
    listed = 0
    for method, path, operation in operations:
        scheme = operation["security"]
        if method != "get" or names_in(path) or not path.startswith("/v1/") or not scheme or "events" in path:
            continue
        parameters = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
        given = {"q": "approval meeting"} if "q" in parameters else {}
        answer = stranger.client.get(path, params=given)
        assert answer.status_code in (200, 403, 422), f"{path}: {answer.status_code}"
        words = answer.text
        assert [secret for secret in SECRETS if secret in words] == [], path
        for name in ("mailbox_id", "message_id", "thread_id", "task_id", "project_id"):
            assert str(OURS[name]) not in words, path
        if "mailbox" in parameters:
            for address in (OWNER, str(OURS["mailbox_id"])):
                asked = {**given, "mailbox": address}
                missing = {**given, "mailbox": "nobody@example.org"}
                assert told(stranger.client.get(path, params=asked), {}) == told(
                    stranger.client.get(path, params=missing), {}
                ), path
        listed += 1
    assert listed >= 15


def test_actions_on_anothers_messages_change_nothing(stranger: Stranger, shared_server: Server) -> None:
    """A batch whose ids are not looked at one by one."""
    ids = [str(OURS["message_id"]), str(seed_id("other"))]
    answer = stranger.client.post("/v1/messages/actions", json={"action": "star", "message_ids": ids}).json()
    assert (answer["changed"], answer["not_found"]) == ([ids[1]], [ids[0]])
    with shared_server.engine.connect() as connection:
        starred = select(app.message_states.c.message_id).where(app.message_states.c.starred_at.is_not(None))
        assert connection.execute(starred).scalars().all() == [uuid.UUID(ids[1])]


def test_a_strangers_status_is_their_own_organizations(stranger: Stranger) -> None:
    """Figures that are kept for the next reader, whoever that is."""
    found = stranger.client.get("/v1/admin/status").raise_for_status().json()
    assert [each["address"] for each in found["mailboxes"]] == [OTHER_OWNER]
    assert (found["queue"]["requests"], found["queue"]["dead_letters"], found["costs"]) == ([], [], [])
    assert stranger.client.get("/metrics").status_code == 403


def test_a_key_of_another_organization_cannot_choose_ours(stranger: Stranger) -> None:
    """A switch to an organization that one is no member of."""
    answer = stranger.client.post("/v1/me/organization", json={"organization_id": str(LOCAL_ORGANIZATION)})
    assert answer.status_code in (403, 404, 409)
