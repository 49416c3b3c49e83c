"""One message: all of it, its HTML, its attachments, the record of the decision, and what the owner does with it."""

import math
from datetime import timedelta

import pytest
from mails import MODEL, NEWEST_AT, OWNER, RUN_ID, seed_id
from sqlalchemy import select

from rl_emails_api.messages.endpoints import content_disposition
from rl_emails_assets.db.tables import app, classifications, entities, priorities, signals

QUOTE = seed_id("quote")


def test_a_message_is_taken_apart(reader):
    """Text zones, attachments or the verdict missing from what the reader shows."""
    body = reader.get(f"/v1/messages/{QUOTE}").raise_for_status().json()
    assert body["from"] == {"name": "Nadia Okafor", "address": "nadia@harbour.example"}
    assert body["to"] == [{"name": "Ada Byron", "address": OWNER}]
    assert body["new_text"].startswith("Hi Ada,")
    assert body["quoted_text"] == "> On Monday Ada Byron wrote:\n> Ask them for a revised quote, please."
    assert body["signature"].startswith("Nadia Okafor")
    assert body["labels"] == ["IMPORTANT", "INBOX", "UNREAD"]
    assert body["is_unread"] is True
    assert body["html"] == ""
    assert (body["category"], body["needs"], body["handler"], body["priority"]) == ("person", "decision", "owner", 0.94)
    assert [each["filename"] for each in body["attachments"]] == ["revised quote.pdf"]
    assert [(each["description"], each["status"]) for each in body["tasks"]] == [
        ("Approve the revised quote for the pier survey", "open")
    ]


def test_a_message_without_derived_rows_is_shown(reader):
    """Mail that cannot be read until it is ranked."""
    body = reader.get(f"/v1/messages/{seed_id('unranked')}").raise_for_status().json()
    assert (body["category"], body["priority"], body["reasons"], body["tasks"]) == (None, None, [], [])


@pytest.mark.parametrize("path", ["", "/html", "/explain", "/attachments/2"])
@pytest.mark.parametrize("message", [seed_id("nothing"), QUOTE.int])
def test_an_unknown_message(reader, path, message):
    """A 500 or an empty document for an id that is not there."""
    assert reader.get(f"/v1/messages/{message}{path}").status_code in (404, 422)


def test_an_unparsed_message_is_404_until_it_is_parsed(reader):
    """A 500 because a row of mail.messages is not there yet."""
    for path in ("", "/explain"):
        assert reader.get(f"/v1/messages/{seed_id('unparsed')}{path}").status_code == 404


def test_html_is_sanitized_and_framed_with_its_own_policy(reader):
    """Script, remote content or forms of a hostile mail in the frame."""
    answer = reader.get(f"/v1/messages/{seed_id('hostile')}/html").raise_for_status()
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "Your parcel is <b>waiting</b>" in answer.text
    page = answer.text.lower()
    for bad in ("<script", "onerror", "onload", "javascript:", "tracker.example", "<form", "<svg", "<input"):
        assert bad not in page
    body = reader.get(f"/v1/messages/{seed_id('hostile')}").json()
    assert body["blocked_count"] >= 1
    assert "<script" not in body["html"]


def test_a_message_without_html_is_shown_as_text(reader):
    """An empty frame, or text that is read as markup."""
    answer = reader.get(f"/v1/messages/{QUOTE}/html").raise_for_status()
    assert "the contractor needs our answer" in answer.text
    hostile = reader.get(f"/v1/messages/{seed_id('hostile')}").json()
    assert hostile["subject"].startswith("<script>")


def test_an_attachment_is_downloaded_and_never_shown(reader):
    """An attachment that runs in the page's origin because of the type its sender declared."""
    answer = reader.get(f"/v1/messages/{QUOTE}/attachments/2").raise_for_status()
    assert answer.content == b"%PDF-1.4 not really a quote"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="revised quote.pdf"')
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["7", "2.1.1", "1.9"])
def test_an_unknown_attachment(reader, path):
    """A 500, or another part's bytes, for a part that is not there."""
    assert reader.get(f"/v1/messages/{QUOTE}/attachments/{path}").status_code == 404


@pytest.mark.parametrize("path", ["x", "-1", "2.", "1e3", "." * 10, "1." * 70 + "1"])
def test_a_part_path_that_is_none(reader, path):
    """A made-up path that reaches the MIME reader."""
    assert reader.get(f"/v1/messages/{QUOTE}/attachments/{path}").status_code in (404, 422)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        ('a".pdf', "attachment; filename=\"a_.pdf\"; filename*=UTF-8''a%22.pdf"),
        (
            "a\r\nSet-Cookie: b.pdf",
            "attachment; filename=\"aSet-Cookie_ b.pdf\"; filename*=UTF-8''aSet-Cookie%3A%20b.pdf",
        ),
        ("../../etc/passwd", "attachment; filename=\"....etcpasswd\"; filename*=UTF-8''....etcpasswd"),
        ("Übersicht.pdf", "attachment; filename=\"_bersicht.pdf\"; filename*=UTF-8''%C3%9Cbersicht.pdf"),
        ("\u202e", "attachment; filename=\"attachment\"; filename*=UTF-8''attachment"),
    ],
)
def test_content_disposition(filename, expected):
    """A name from mail that adds a header, leaves the folder, or breaks the header's quoting."""
    assert content_disposition(filename) == expected


def test_explain_is_the_record(reader, shared_server):
    """A reason worked out again for display instead of the row that was written (promise 4)."""
    body = reader.get(f"/v1/messages/{QUOTE}/explain").raise_for_status().json()
    tables = {
        "priority": priorities.messages,
        "verdict": classifications.messages,
        "extraction": entities.messages,
        "signals": signals.messages,
    }
    with shared_server.engine.connect() as connection:
        for name, table in tables.items():
            row = connection.execute(select(table).where(table.c.message_id == QUOTE)).mappings().one()
            for column, value in row.items():
                if isinstance(value, bytes):
                    assert body[name][column] == value.hex()
                elif isinstance(value, str | bool | int | float | list | dict | None):
                    assert body[name][column] == value
    assert body["priority"]["inputs_hash"] == "0102ff"
    assert body["priority"]["run_url"] == f"http://127.0.0.1:3000/runs/{RUN_ID}"
    assert body["embedding"]["model"] == MODEL
    assert "vector" not in body["embedding"]
    assert [each["description"] for each in body["tasks"]] == ["Approve the revised quote for the pier survey"]


def test_contributions_add_up_to_the_score(reader):
    """A panel of bars that does not explain the number beside it."""
    record = reader.get(f"/v1/messages/{QUOTE}/explain").json()["priority"]
    total = record["base_log_odds"] + sum(each["log_odds"] for each in record["contributions"])
    assert 1 / (1 + math.exp(-total)) == pytest.approx(record["score"])


def test_explain_before_anything_was_decided(reader):
    """A 500 for a message that waits."""
    body = reader.get(f"/v1/messages/{seed_id('unranked')}/explain").raise_for_status().json()
    assert body == {
        "message_id": str(seed_id("unranked")),
        **dict.fromkeys(("priority", "verdict", "extraction", "signals", "embedding")),
        "tasks": [],
        "corrections": [],
    }


def test_reading_here_and_unreading(client):
    """An opened message that stays unread, or cannot be made unread again."""

    def is_unread():
        return client.get(f"/v1/messages/{QUOTE}").json()["is_unread"]

    assert is_unread()
    assert client.post(f"/v1/messages/{QUOTE}/read").json() == {"is_read": True}
    assert not is_unread()
    client.post(f"/v1/messages/{QUOTE}/read", json={"is_read": True}).raise_for_status()
    client.post(f"/v1/messages/{QUOTE}/read", json={"is_read": False}).raise_for_status()
    assert is_unread()
    assert client.post(f"/v1/messages/{seed_id('nothing')}/read").status_code == 404


def test_a_correction_is_kept_with_what_the_record_said(client, server):
    """Feedback that cannot teach, because what it corrects is gone after the next run."""
    for value in ("important", "not_important"):
        answer = client.post(f"/v1/messages/{QUOTE}/feedback", json={"kind": "importance", "value": value})
        assert answer.status_code == 201
    client.post(f"/v1/messages/{QUOTE}/feedback", json={"kind": "category", "value": "calendar"}).raise_for_status()
    with server.engine.connect() as connection:
        rows = connection.execute(select(app.feedback).order_by(app.feedback.c.created_at)).mappings().all()
    assert [(row["kind"], row["value"]) for row in rows] == [
        ("importance", "important"),
        ("importance", "not_important"),
        ("category", "calendar"),
    ]
    assert rows[0]["was"]["score"] == 0.94
    assert rows[0]["was"]["model_version"] == "ranker-2026-03"
    assert rows[0]["was"]["inputs_hash"] == "0102ff"
    assert rows[2]["was"]["category"] == "person"
    assert rows[2]["was"]["run_id"] == RUN_ID
    body = client.get(f"/v1/messages/{QUOTE}").json()
    assert body["corrections"] == {"importance": "not_important", "category": "calendar"}
    assert (body["category"], body["priority"]) == ("person", 0.94)
    assert [each["value"] for each in client.get(f"/v1/messages/{QUOTE}/explain").json()["corrections"]] == [
        "calendar",
        "not_important",
        "important",
    ]


def test_a_correction_before_the_decision(client):
    """A correction refused, or recorded as if something had been decided."""
    path = f"/v1/messages/{seed_id('unranked')}/feedback"
    for body in ({"kind": "importance", "value": "important"}, {"kind": "category", "value": "social"}):
        answer = client.post(path, json=body)
        assert answer.status_code == 201
        assert answer.json()["was"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "importance", "value": "receipt"},
        {"kind": "category", "value": "important"},
        {"kind": "task_status", "value": "done"},
        {"kind": "importance"},
        {},
        [],
    ],
)
def test_a_correction_that_means_nothing(reader, body):
    """A value of another kind stored as a correction."""
    assert reader.post(f"/v1/messages/{QUOTE}/feedback", json=body).status_code == 422


def test_correcting_an_unknown_message(reader):
    """A foreign key's exception as a 500."""
    body = {"kind": "importance", "value": "important"}
    assert reader.post(f"/v1/messages/{seed_id('nothing')}/feedback", json=body).status_code == 404


def test_a_get_cannot_write(shared_server, reader, monkeypatch):
    """A reading request that changes rows by accident."""
    monkeypatch.setattr(
        "rl_emails_api.people.queries.listed",
        lambda *given: given[0].execute(app.feedback.delete()),
    )
    assert reader.get("/v1/people").status_code == 500


def test_a_thread_has_its_messages_in_order(reader):
    """A conversation out of order, with folder copies, or without the owner's own messages."""
    body = reader.get(f"/v1/threads/{seed_id('thread pier')}").raise_for_status().json()
    assert [each["message_id"] for each in body["messages"]] == [
        str(seed_id(name)) for name in ("pier-earlier", "sent", "quote")
    ]
    assert [each["is_from_owner"] for each in body["messages"]] == [False, True, False]
    assert body["messages"][2]["is_unread"] is True
    assert body["messages"][2]["is_cut"] is False
    assert body["priority"] == 0.94
    assert body["project_name"] == "Pier survey"
    assert body["last_at"] == (NEWEST_AT - timedelta(days=0.1)).isoformat().replace("+00:00", "Z")
    assert reader.get(f"/v1/threads/{seed_id('nothing')}").status_code == 404
