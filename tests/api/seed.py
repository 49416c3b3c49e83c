"""A small mailbox with every derived row, put straight into the tables: what the API reads without the pipeline."""

import hashlib
import math
import uuid
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from mails import MAILS, MODEL, NADIA, NEWEST_AT, OTHER_OWNER, OWNER, RUN_ID, TOMAS, Mail, seed_id
from sqlalchemy import Connection, Engine, Table, insert

from rl_emails_assets.db.tables import (
    app,
    classifications,
    embeddings,
    entities,
    mail,
    mailboxes,
    priorities,
    raw,
    signals,
    sync_queue,
)


def seed(engine: Engine) -> uuid.UUID:
    """Fill a migrated database with OWNER's mailbox; returns its id."""
    mailbox_id = seed_id(OWNER)
    with engine.begin() as connection:
        _mailbox(connection, mailbox_id, OWNER, "Ada Byron")
        for item in MAILS:
            add_mail(connection, mailbox_id, item)
        _threads(connection, mailbox_id)
        _around(connection, mailbox_id)
    return mailbox_id


def seed_other(engine: Engine) -> uuid.UUID:
    """A second mailbox with one message named "other", its task, project and person."""
    mailbox_id = seed_id(OTHER_OWNER)
    item = Mail(
        "other",
        ("Secret Sender", "secret@elsewhere.example"),
        "Another owner's mail about the quote",
        "Only Grace may read this.",
        1.0,
        0.5,
        to=("Grace", OTHER_OWNER),
        tasks=({"description": "Grace's task", "owner": "me", "evidence": "Only Grace may read this."},),
        attachment=("secret.txt", b"secret"),
    )
    with engine.begin() as connection:
        _mailbox(connection, mailbox_id, OTHER_OWNER, "Grace")
        add_mail(connection, mailbox_id, item)
        _thread(connection, mailbox_id, "other", [item])
        _project(connection, mailbox_id, "other-project", "Grace's project", threads=["other"], items=[item])
    return mailbox_id


def add_mail(connection: Connection, mailbox_id: uuid.UUID, item: Mail) -> uuid.UUID:
    """One message with its derived rows; returns its id."""
    message_id, received_at = seed_id(item.name), NEWEST_AT - timedelta(days=item.days_ago)
    content = _rfc822(item, received_at)
    _put(
        connection,
        raw.messages,
        message_id=message_id,
        mailbox_id=mailbox_id,
        provider_message_id=hashlib.sha256(item.name.encode()).hexdigest(),
        source="seed",
        size_bytes=len(content),
        rfc822=content,
        run_id=RUN_ID,
    )
    for label in item.labels:
        _put(connection, raw.labels, mailbox_id=mailbox_id, message_id=message_id, label=label)
    if item.is_parsed:
        _parsed(connection, mailbox_id, item, received_at, len(content))
    if item.category and not item.duplicate_of and item.is_parsed:
        _derived(connection, mailbox_id, item, received_at)
    return message_id


def vector_of(text: str) -> list[float]:
    """A vector that is near to another text's when they share words; stands in for an encoder."""
    values = [0.0] * embeddings.DIMENSIONS
    for word in text.lower().split():
        values[hashlib.sha256(word.strip(".,?!:;").encode()).digest()[0]] += 1.0
    length = sum(value * value for value in values) ** 0.5 or 1.0
    return [value / length for value in values]


_FILLERS: dict[type, Any] = {bytes: b"\x00", str: "", int: 0, float: 0.0, bool: False, list: [], dict: {}}


def _put(connection: Connection, table: Table, **values: Any) -> None:
    """One row; what the table requires and no test looks at is filled in."""
    for column in table.columns:
        is_given = column.name in values or column.server_default or column.computed or column.identity
        if not is_given and not column.nullable:
            values[column.name] = _FILLERS[column.type.python_type]
    connection.execute(insert(table).values(**values))


def _mailbox(connection: Connection, mailbox_id: uuid.UUID, address: str, name: str) -> None:
    _put(
        connection,
        mailboxes.connections,
        mailbox_id=mailbox_id,
        address=address,
        display_name=name,
        provider="files",
        synced_at=NEWEST_AT,
        materialized_at=NEWEST_AT + timedelta(minutes=2),
    )
    _put(connection, mailboxes.aliases, mailbox_id=mailbox_id, address=address, found_by="mailbox")


def _rfc822(item: Mail, received_at: datetime) -> bytes:
    message = EmailMessage()
    message["From"] = f"{item.sender[1]}"
    message["To"] = f"{item.to[1]}"
    message["Subject"] = item.subject.replace("\n", " ")
    message["Date"] = received_at
    message["Message-ID"] = f"<{item.name}@seed.example>"
    message.set_content("\n\n".join(part for part in (item.text, item.signature, item.quoted) if part))
    if item.html:
        message.add_alternative(item.html, subtype="html")
    if item.attachment:
        filename, data = item.attachment
        message.add_attachment(data, maintype="application", subtype="pdf", filename=filename)
    return message.as_bytes()


def _parsed(connection: Connection, mailbox_id: uuid.UUID, item: Mail, received_at: datetime, size_bytes: int) -> None:
    attachments = []
    if item.attachment:
        attachments.append(
            {
                "part_path": "2",
                "filename": item.attachment[0],
                "content_type": "application/pdf",
                "size_bytes": len(item.attachment[1]),
                "is_inline": False,
                "content_id": "",
            }
        )
    _put(
        connection,
        mail.messages,
        message_id=seed_id(item.name),
        mailbox_id=mailbox_id,
        thread_id=seed_id(f"thread {item.thread or item.name}"),
        duplicate_of=seed_id(item.duplicate_of) if item.duplicate_of else None,
        fingerprint=item.name.encode(),
        rfc822_message_id=f"{item.name}@seed.example",
        in_reply_to="",
        reference_ids=[],
        from_name=item.sender[0],
        from_address=item.sender[1],
        reply_to=[],
        to=[{"name": item.to[0], "address": item.to[1]}],
        cc=[],
        bcc=[],
        subject=item.subject,
        subject_key=item.subject.casefold(),
        received_at=received_at,
        sent_at=received_at,
        text="\n\n".join(part for part in (item.text, item.signature, item.quoted) if part),
        new_text=item.text,
        signature=item.signature,
        snippet=" ".join(item.text.split())[:160],
        is_html_only=False,
        attachments=attachments,
        calendar=None,
        headers={"list-id": "<moss.example>"} if item.category == "mailing_list" else {},
        defects=[],
        size_bytes=size_bytes,
        version="mail-1",
        run_id=RUN_ID,
    )


def _decision(model: str) -> dict[str, Any]:
    return {"model_version": model, "inputs_hash": b"\x01\x02\xff", "version": "1", "run_id": RUN_ID}


def _derived(connection: Connection, mailbox_id: uuid.UUID, item: Mail, received_at: datetime) -> None:
    both = {"message_id": seed_id(item.name), "mailbox_id": mailbox_id}
    thread_id = seed_id(f"thread {item.thread or item.name}")
    _put(
        connection,
        signals.messages,
        **both,
        thread_id=thread_id,
        received_at=received_at,
        is_from_owner=item.sender[1] == OWNER,
        sender_received_count=10,
        sender_replied_count=9,
        version="signals-1",
        run_id=RUN_ID,
    )
    _put(
        connection,
        embeddings.messages,
        **both,
        model=MODEL,
        precision="fp32",
        text_hash=b"\x0a",
        vector=vector_of(f"{item.subject} {item.text}"),
        version="embeddings-1",
        run_id=RUN_ID,
    )
    _put(
        connection,
        classifications.messages,
        **both,
        category=item.category,
        needs=item.needs,
        urgency=item.urgency,
        handler="owner",
        confidence=0.87,
        evidence=[
            {"supports": "needs", "source": "text", "quote": item.text.split("\n")[0][:80], "weight": 2.1},
            {"supports": "category", "source": "header", "quote": "no List-Id", "weight": 0.0},
        ],
        **_decision("rules-7"),
    )
    _put(
        connection,
        entities.messages,
        **both,
        deadlines=[],
        signature_facts={},
        task_count=len(item.tasks),
        **_decision("extraction-3"),
    )
    for number, task in enumerate(item.tasks):
        values = {"kind": "request", "deadline_at": None, "deadline_text": "", "owner_address": "", "confidence": 0.8}
        _put(
            connection,
            entities.tasks,
            **both,
            task_id=seed_id(f"task {item.name} {number}"),
            thread_id=thread_id,
            **{**values, **task},
            **_decision("extraction-3"),
        )
        _put(
            connection,
            entities.task_progress,
            task_id=seed_id(f"task {item.name} {number}"),
            mailbox_id=mailbox_id,
            thread_id=thread_id,
            state="open",
            how="",
            evidence="",
            waiting_on=task["owner"] if task["owner"] in ("me", "them") else "",
            waiting_with=item.sender[1],
            since=received_at,
            version="1",
            run_id=RUN_ID,
        )
    if item.score is not None:
        _put(
            connection,
            priorities.messages,
            **both,
            received_at=received_at,
            score=item.score,
            base_log_odds=_log_odds(item.score) - sum(each[2] for each in item.contributions),
            contributions=[
                {"feature": name, "value": value, "log_odds": log_odds} for name, value, log_odds in item.contributions
            ],
            reasons=list(item.reasons),
            **_decision("ranker-2026-03"),
        )


def _log_odds(score: float) -> float:
    return math.log(score / (1 - score))


def _threads(connection: Connection, mailbox_id: uuid.UUID) -> None:
    threads: dict[str, list[Mail]] = {}
    for item in MAILS:
        if item.is_parsed and not item.duplicate_of:
            threads.setdefault(item.thread or item.name, []).append(item)
    for name, items in threads.items():
        _thread(connection, mailbox_id, name, items)


def _thread(connection: Connection, mailbox_id: uuid.UUID, name: str, items: list[Mail]) -> None:
    last, first = min(items, key=lambda each: each.days_ago), max(items, key=lambda each: each.days_ago)
    both = {"mailbox_id": mailbox_id, "version": "1", "run_id": RUN_ID, "thread_id": seed_id(f"thread {name}")}
    _put(
        connection,
        mail.threads,
        **both,
        subject=first.subject,
        message_count=len(items),
        participants=sorted({each.sender[1] for each in items}),
        first_at=NEWEST_AT - timedelta(days=first.days_ago),
        last_at=NEWEST_AT - timedelta(days=last.days_ago),
        last_message_id=seed_id(last.name),
    )
    if last.score is not None:
        _put(
            connection,
            priorities.threads,
            **both,
            score=last.score,
            message_id=seed_id(last.name),
            last_at=NEWEST_AT - timedelta(days=last.days_ago),
        )


def _project(
    connection: Connection, mailbox_id: uuid.UUID, name: str, title: str, *, threads: list[str], items: list[Mail]
) -> None:
    _put(
        connection,
        entities.projects,
        project_id=seed_id(name),
        mailbox_id=mailbox_id,
        name=title,
        keywords=["pier", "quote", "survey"],
        people=sorted({each.sender[1] for each in items}),
        thread_count=len(threads),
        message_count=len(items),
        first_at=NEWEST_AT - timedelta(days=max(each.days_ago for each in items)),
        last_at=NEWEST_AT - timedelta(days=min(each.days_ago for each in items)),
        version="1",
        run_id=RUN_ID,
    )
    for thread in threads:
        _put(
            connection,
            entities.project_threads,
            thread_id=seed_id(f"thread {thread}"),
            mailbox_id=mailbox_id,
            project_id=seed_id(name),
        )


def _around(connection: Connection, mailbox_id: uuid.UUID) -> None:
    by_name = {item.name: item for item in MAILS}
    _project(
        connection,
        mailbox_id,
        "pier-project",
        "Pier survey",
        threads=["pier"],
        items=[by_name["quote"], by_name["sent"]],
    )
    _project(
        connection,
        mailbox_id,
        "tide-project",
        "Tide report",
        threads=["draft-report", "invite"],
        items=[by_name["invite"]],
    )
    people = ((NADIA, "Harbour Works", 0.91, 10, 9), (TOMAS, "", 0.74, 6, 5), (("Ingrid Vos", "ingrid@harbour.example"),
              "Harbour Works", 0.52, 4, 1))  # fmt: skip
    for (name, address), organization, strength, received, sent in people:
        _put(
            connection,
            mail.contacts,
            mailbox_id=mailbox_id,
            address=address,
            name=name,
            first_at=NEWEST_AT - timedelta(days=90),
            last_at=NEWEST_AT,
            version="1",
            run_id=RUN_ID,
        )
        _put(
            connection,
            entities.people,
            person_id=seed_id(address),
            mailbox_id=mailbox_id,
            name=name,
            addresses=[address],
            organization=organization,
            title="Project lead" if organization else "",
            phone="",
            received_count=received,
            sent_count=sent,
            strength=strength,
            last_at=NEWEST_AT,
            version="1",
            run_id=RUN_ID,
        )
    _put(
        connection,
        raw.gaps,
        mailbox_id=mailbox_id,
        provider_message_id="inbox.mbox @ 40960",
        source="inbox.mbox",
        reason="The message is larger than 50 MB.",
    )
    _put(
        connection,
        sync_queue.ended_requests,
        request_id=seed_id("request"),
        mailbox_id=mailbox_id,
        kind="full",
        asked_by="import",
        state="succeeded",
        attempts=1,
        run_id=RUN_ID,
        created_at=NEWEST_AT,
        finished_at=NEWEST_AT + timedelta(minutes=2),
    )
    _put(connection, app.message_states, message_id=seed_id("lunch"), mailbox_id=mailbox_id, read_at=None)
