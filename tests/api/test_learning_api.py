"""GET /v1/learning and the record that explains: what an owner is told of what they taught."""

import uuid

import pytest
from mails import MAILS, NADIA, seed_id
from seed import seed_other
from sqlalchemy import text

NEWER = [each.name for each in MAILS if each.sender == NADIA and each.score is not None]


@pytest.fixture
def correct(client):
    """Corrects a message over the API: `correct("quote", "not_important")`."""

    def post(name, value="not_important", kind="importance"):
        answer = client.post(f"/v1/messages/{seed_id(name)}/feedback", json={"kind": kind, "value": value})
        return answer.raise_for_status().json()

    return post


@pytest.fixture
def train(server, mailbox_id):
    """What a training leaves behind: `train(state="serving", moves=[...])`; without a state only its note."""

    def write(state=None, *, moves=(), kind="ranker", applied=True, note="It carries out what you said."):
        model_id = uuid.uuid4()
        with server.engine.begin() as connection:
            seen = {"mailbox_id": mailbox_id, "kind": kind, "note": note}
            connection.execute(
                text(
                    "insert into models.trainings (mailbox_id, kind, feedback_count, feedback_at, evidence_hash, note, "
                    "run_id) select :mailbox_id, :kind, count(*), max(created_at), '', :note, 'r' from app.feedback "
                    "on conflict (mailbox_id, kind) do update set feedback_at = excluded.feedback_at, note = :note, "
                    "trained_at = clock_timestamp()"
                ),
                seen,
            )
            if state is None:
                return None
            connection.execute(
                text(
                    "insert into models.versions (model_id, mailbox_id, kind, version, weights, trained_from, "
                    "evaluation, state, is_passed, reason, run_id, created_at, served_at, applied_at, moved_count) "
                    "values (:model_id, :mailbox_id, :kind, 'abc123', '{\"format\": 1}', '{\"corrections\": 1}', "
                    "'{\"comparison\": {\"auc\": 0.9}}', :state, true, :note, 'r', clock_timestamp(), now(), "
                    "case when :applied then clock_timestamp() end, :moved)"
                ),
                {**seen, "model_id": model_id, "state": state, "applied": applied, "moved": len(moves)},
            )
            for place, name in enumerate(moves, start=1):
                connection.execute(
                    text(
                        "insert into models.shifts values (:model_id, :message_id, :mailbox_id, 0.9, :after, 1, "
                        ":place, 'person', 'person')"
                    ),
                    {"model_id": model_id, "message_id": seed_id(name), "mailbox_id": mailbox_id, "place": place,
                     "after": 0.1 * place},
                )  # fmt: skip
        return model_id

    return write


def test_before_anything_was_learned_all_share_one_model(client):
    """An owner who asks must be told something, also when there is nothing."""
    told = client.get("/v1/learning").raise_for_status().json()
    assert [(each["kind"], each["state"], each["version"]) for each in told["models"]] == [
        ("ranker", "shared", None),
        ("classifier", "shared", None),
    ]
    assert (told["corrections"], told["top"]) == ([], [])


def test_a_correction_waits_is_learned_and_then_says_what_it_moved(client, server, correct, train):
    """A button whose effect nobody can see is pressed once."""
    said = correct("quote")
    (waiting,) = client.get("/v1/learning").json()["corrections"]
    assert (waiting["feedback_id"], waiting["state"], waiting["moved_count"]) == (said["feedback_id"], "waiting", 0)
    other = next(each.name for each in MAILS if each.sender != NADIA and each.score is not None)
    train("serving", moves=[*NEWER, other], applied=False)
    (learned,) = client.get("/v1/learning").json()["corrections"]
    assert learned["state"] == "learned"
    with server.engine.begin() as connection:
        connection.execute(text("update models.versions set applied_at = clock_timestamp()"))
    told = client.get("/v1/learning").json()
    (applied,) = told["corrections"]
    assert (applied["state"], applied["from_address"], applied["model_version"]) == ("applied", NADIA[1], "abc123")
    assert applied["moved_count"] == len(NEWER)
    assert {each["message_id"] for each in applied["top"]} == {str(seed_id(name)) for name in NEWER}
    assert applied["top"][0]["score_after"] == pytest.approx(0.1)
    assert len(told["top"]) == min(5, len(NEWER) + 1)
    assert told["models"][0]["state"] == "serving"
    assert told["models"][0]["comparison"] == {"auc": 0.9}
    assert client.get("/v1/learning", params={"message_id": str(seed_id("lunch"))}).json()["corrections"] == []


def test_what_changed_nothing_says_why(client, correct, train):
    """Silence after a correction looks like a fault."""
    correct("quote")
    train(note="You took the last model back; your next correction begins anew.")
    (said,) = client.get("/v1/learning").json()["corrections"]
    assert (said["state"], said["moved_count"]) == ("unchanged", 0)
    assert "took the last model back" in said["reason"]


def test_a_model_that_served_once_still_counts_for_what_it_was_taught(client, correct, train):
    """A later model would make every earlier correction look as if it had been lost."""
    correct("quote")
    train("retired", moves=NEWER)
    (said,) = client.get("/v1/learning").json()["corrections"]
    assert said["state"] == "applied"


def test_a_category_is_told_of_by_the_classifier(client, correct, train):
    """The two kinds learn apart, and one must not speak for the other."""
    correct("quote", "receipt", kind="category")
    train("serving", kind="ranker")
    assert client.get("/v1/learning").json()["corrections"][0]["state"] == "waiting"
    train("candidate", kind="classifier")
    told = client.get("/v1/learning").json()
    assert told["corrections"][0]["state"] == "unchanged"
    assert [each["state"] for each in told["models"]] == ["serving", "waiting"]


def test_the_polled_listing_says_when_there_is_something_new(client, server, train):
    """The page asks one cheap question; what is not in its answer is not noticed."""
    first = client.get("/v1/mailboxes")
    assert first.json()["items"][0]["learned_at"] is None
    train("serving", applied=False)
    second = client.get("/v1/mailboxes", headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    with server.engine.begin() as connection:
        connection.execute(text("update models.versions set applied_at = clock_timestamp()"))
    third = client.get("/v1/mailboxes")
    assert third.json()["items"][0]["learned_at"] > second.json()["items"][0]["learned_at"]


def test_nothing_of_another_mailbox_is_told(client, server, correct, train):
    """What somebody taught is as private as their mail."""
    correct_answer = client.get("/v1/learning").json()
    assert correct_answer["corrections"] == []
    correct("quote")
    train("serving", moves=NEWER)
    other = seed_other(server.engine)
    told = client.get("/v1/learning", params={"mailbox": str(other)}).raise_for_status().json()
    assert (told["corrections"], told["top"], told["models"][0]["state"]) == ([], [], "shared")


def test_why_not_higher_is_read_from_the_record(client, server):
    """A reason that is worked out again when it is shown may not be the reason for the score that is shown."""
    with server.engine.begin() as connection:
        connection.execute(
            text("update priorities.messages set reasons_against = '{Sent in bulk}' where message_id = :id"),
            {"id": seed_id("quote")},
        )
    told = client.get(f"/v1/messages/{seed_id('quote')}/explain").json()["priority"]
    assert told["reasons_against"] == ["Sent in bulk"]
    assert client.get(f"/v1/messages/{seed_id('lunch')}/explain").json()["priority"]["reasons_against"] == []
