"""Idempotency-Key: a request that is sent again is done once, whatever happened to its answer."""

import threading
import uuid

import pytest
from mails import seed_id
from sqlalchemy import event, text

from rl_emails_api.idempotency import keys
from rl_emails_api.identity.principal import LOCAL, Principal
from rl_emails_api.problems import ProblemError
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep import pruning

QUOTE = str(seed_id("quote"))
FEEDBACK = f"/v1/messages/{QUOTE}/feedback"
BODY = {"kind": "importance", "value": "important"}


@pytest.fixture
def server(shared_server):
    """The API that this file's tests share, with nothing said yet."""
    with shared_server.engine.begin() as connection:
        connection.execute(text("delete from app.feedback"))
        connection.execute(text("delete from app.idempotency_keys"))
    return shared_server


def send(client, key, body=None, path=FEEDBACK, **more):
    """A correction with a key; each one that is done is a row of its own."""
    return client.post(path, json=body or BODY, headers={"Idempotency-Key": key}, **more)


def count(server):
    """Corrections there are."""
    with server.engine.connect() as connection:
        return connection.execute(text("select count(*) from app.feedback")).scalar_one()


def new_key():
    """As clients make them."""
    return str(uuid.uuid4())


def test_sent_again_is_done_once_and_answered_the_same(shared_server, reader):
    """A correction twice, because the train went into a tunnel before the answer came."""
    before, key = count(shared_server), new_key()
    first, again = send(reader, key), send(reader, f'"{key}"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert again.headers["content-type"] == "application/json"
    assert count(shared_server) == before + 1
    assert send(reader, new_key()).json() != first.json()
    assert count(shared_server) == before + 2


def test_without_a_key_each_request_is_its_own(shared_server, reader):
    """Somebody who says the same thing twice and is heard once."""
    before = count(shared_server)
    for _ in range(2):
        reader.post(FEEDBACK, json=BODY).raise_for_status()
    assert count(shared_server) == before + 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (FEEDBACK, {"kind": "importance", "value": "not_important"}),
        (f"/v1/messages/{seed_id('lunch')}/feedback", BODY),
        (f"{FEEDBACK}?mailbox=ada@example.org", BODY),
    ],
)
def test_the_key_of_another_request_is_refused(shared_server, reader, path, body):
    """The answer to one question given to another, because a program made its keys badly."""
    key = new_key()
    send(reader, key).raise_for_status()
    before = count(shared_server)
    answer = send(reader, key, body, path)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:rl-emails:problem:idempotency-key-reused")
    assert count(shared_server) == before


@pytest.mark.parametrize("key", ["", '""', "a b", '"a', "x" * 256, "tab\tkey"])
def test_a_key_that_is_none_is_refused(reader, key):
    """A key that is cut, so that two requests have the same."""
    answer = send(reader, key)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:rl-emails:problem:idempotency-key-malformed")


def test_what_failed_may_be_tried_again_with_the_same_key(reader):
    """A key burnt by a request in which nothing was done."""
    key = new_key()
    assert send(reader, key, {"kind": "importance", "value": "perhaps"}).status_code == 422
    assert send(reader, key).status_code == 201


def test_while_the_first_is_being_done_the_second_waits(server, client, request):
    """Two at once, both done."""
    key, held, going = new_key(), threading.Event(), threading.Event()

    def hold(connection, cursor, statement, *rest):
        if "INSERT INTO app.feedback" in statement and not held.is_set():
            held.set()
            going.wait(10)

    event.listen(server.engine, "before_cursor_execute", hold)
    request.addfinalizer(lambda: event.remove(server.engine, "before_cursor_execute", hold))
    answers = []
    first = threading.Thread(target=lambda: answers.append(send(client, key)))
    first.start()
    assert held.wait(10)
    with server.client() as other:
        second = send(other, key)
    going.set()
    first.join()
    assert (second.status_code, second.json()["type"]) == (409, "urn:rl-emails:problem:idempotency-key-in-use")
    assert second.headers["retry-after"] == "1"
    assert answers[0].status_code == 201
    assert send(client, key).content == answers[0].content
    assert count(server) == 1


def test_many_at_once_are_done_once(server):
    """A race between the look and the claim."""
    key, answers = new_key(), []

    def work():
        with server.client() as client:
            answers.append(send(client, key).status_code)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {201, 409}
    assert 201 in answers
    assert count(server) == 1


def test_a_server_that_died_after_the_work_does_not_do_it_again(server, client):
    """A crash between the commit and the answer, and the retry that the key was meant for."""
    key = new_key()
    send(client, key).raise_for_status()
    with server.engine.begin() as connection:
        connection.execute(text("update app.idempotency_keys set status = null, sealed_answer = null"))
    assert send(client, key).json()["type"] == "urn:rl-emails:problem:idempotency-key-in-use"
    with server.engine.begin() as connection:
        connection.execute(text("update app.idempotency_keys set claimed_at = now() - interval '2 minutes'"))
    answer = send(client, key)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rl-emails:problem:idempotency-answer-lost")
    assert count(server) == 1


def test_a_server_that_died_before_the_work_leaves_the_key_to_the_retry(server, client):
    """A key that is in use for a day because a server was killed."""
    key = new_key()
    send(client, key).raise_for_status()
    with server.engine.begin() as connection:
        connection.execute(
            text("update app.idempotency_keys set committed_at = null, status = null, sealed_answer = null")
        )
    assert send(client, key).status_code == 409
    with server.engine.begin() as connection:
        connection.execute(text("update app.idempotency_keys set claimed_at = now() - interval '2 minutes'"))
    assert send(client, key, {"kind": "importance", "value": "not_important"}).status_code == 422
    assert send(client, key).status_code == 201


def test_a_request_that_lost_its_key_to_another_changes_nothing(engine):
    """One that was thought dead and commits after its retry did the same."""
    slow, retry = (keys.Claim(engine, LOCAL, "k", b"f") for _ in range(2))
    assert slow.take() is None
    with engine.begin() as connection:
        connection.execute(text("update app.idempotency_keys set claimed_at = now() - interval '2 minutes'"))
    assert retry.take() is None
    with pytest.raises(ProblemError), engine.begin() as connection:
        slow.mark(connection)
    with engine.begin() as connection:
        retry.mark(connection)
    slow.release()
    retry.keep(keys.Answer(201, [], b"done"))
    third = keys.Claim(engine, LOCAL, "k", b"f").take()
    assert third == keys.Answer(201, [], b"done")


def test_a_key_belongs_to_one_person(engine):
    """An answer given to somebody else who guessed the key."""
    stranger = uuid.uuid4()
    with engine.begin() as connection:
        connection.execute(
            text("insert into identity.users (user_id, issuer, subject) values (:id, 'x', 'x')"), {"id": stranger}
        )
        connection.execute(
            text("insert into identity.memberships (organization_id, user_id, role) values (:o, :id, 'member')"),
            {"o": LOCAL.organization_id, "id": stranger},
        )
    mine = keys.Claim(engine, LOCAL, "k", b"f")
    assert mine.take() is None
    mine.keep(keys.Answer(200, [], b"mine"))
    theirs = keys.Claim(engine, Principal(stranger, LOCAL.organization_id, "member", LOCAL.scopes, "local"), "k", b"f")
    assert theirs.take() is None


def test_the_table_reads_no_answer_and_forgets_it_after_a_day(server, client):
    """A new API key, shown once, in a backup of the database; a table that grows for ever."""
    key = new_key()
    answer = send(client, key)
    with server.engine.connect() as connection:
        row = connection.execute(text("select * from app.idempotency_keys")).one()
        stored = b"".join(
            bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in row
        )
    for secret in (key, answer.json()["feedback_id"]):
        assert secret.encode() not in stored
    with server.engine.begin() as connection:
        connection.execute(text("update app.idempotency_keys set expires_at = now() - interval '1 second'"))
    assert send(client, key).json()["feedback_id"] != answer.json()["feedback_id"]
    with server.engine.begin() as connection:
        connection.execute(text("update app.idempotency_keys set expires_at = now() - interval '1 second'"))
    assert pruning.prune(server.engine, Settings())["app.idempotency_keys"] == 1


def test_a_crash_frees_the_key(server, monkeypatch):
    """A bug of ours that uses up the key of whoever met it."""
    key = new_key()

    def crash(*arguments, **more):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch, server.client() as client:
        patch.setattr("rl_emails_api.feedback.queries.add", crash)
        assert send(client, key).status_code == 500
    # A crash ends the connection.
    with server.client() as client:
        assert send(client, key).status_code == 201


def test_a_body_that_is_refused_is_refused_with_a_key_too(reader):
    """A limit that a header switches off, or turns into a 500."""
    answer = reader.post(
        FEEDBACK, content=b"[" * 100, headers={"Idempotency-Key": "k", "Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:rl-emails:problem:body-too-deep"
