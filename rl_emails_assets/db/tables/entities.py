"""Tasks, projects and people, and which messages they were looked for in."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import text

from rl_emails_assets.db.tables.base import (
    count,
    decision_columns,
    mailbox_column,
    message_column,
    metadata,
    provenance_columns,
)

messages = Table(
    "messages",
    metadata,
    message_column(),
    mailbox_column(),
    Column("deadlines", JSONB, nullable=False, comment="[{at, text, sentence, is_date_only}] found in the new text."),
    Column("signature_facts", JSONB, nullable=False, comment="{name, title, organization, phone} of the signature."),
    count("task_count", "Tasks found in it."),
    *decision_columns(),
    Index("ix_entities_messages_mailbox_id", "mailbox_id"),
    schema="entities",
    comment="What was extracted from one message; its existence says that the message was looked at.",
)

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", Uuid, primary_key=True, comment="Derived from the message and the evidence."),
    mailbox_column(),
    Column("message_id", Uuid, nullable=False, comment="The message that proves it."),
    Column("thread_id", Uuid, nullable=False, comment="Its conversation."),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="request (of somebody), promise (somebody will do it) or question (asks for nothing but an answer).",
    ),
    Column("description", Text, nullable=False, comment="What is to be done, in a line."),
    Column("owner", Text, nullable=False, comment="Who does it: me, them, someone_else."),
    Column("owner_address", Text, nullable=False, comment="That person's address, or ''."),
    Column("deadline_at", DateTime(timezone=True), comment="By when; null when nothing is said."),
    Column("deadline_text", Text, nullable=False, comment="The words that say by when, or ''."),
    Column("evidence", Text, nullable=False, comment="The sentence that proves it, as written."),
    Column("confidence", Float, nullable=False, comment="Probability (0-1) that it is a task."),
    Column(
        "evidence_start", Integer, comment="Where the sentence begins in the new text; null when it is the subject."
    ),
    Column("evidence_end", Integer, comment="Where the sentence ends in the new text; null when it is the subject."),
    *decision_columns(),
    Index("ix_entities_tasks_mailbox_id_deadline_at", "mailbox_id", "deadline_at"),
    Index("ix_entities_tasks_message_id", "message_id"),
    Index("ix_entities_tasks_mailbox_id_thread_id", "mailbox_id", "thread_id"),
    schema="entities",
    comment="Something to be done, with the sentence that proves it.",
)

task_progress = Table(
    "task_progress",
    metadata,
    Column("task_id", Uuid, primary_key=True, comment="The task; see entities.tasks."),
    mailbox_column(),
    Column("thread_id", Uuid, nullable=False, comment="Its conversation, whose every message may change the row."),
    Column("state", Text, nullable=False, comment="open, promised, asked_back or closed."),
    Column(
        "how",
        Text,
        nullable=False,
        comment=(
            "What brought it there: answered, delivered, done, done_by_other, accepted, withdrawn, declined, promised, "
            "asked_back, answered_back, reopened; '' while nothing has."
        ),
    ),
    Column("message_id", Uuid, comment="The message that brought it there; null while none has."),
    Column("at", DateTime(timezone=True), comment="When that message was received."),
    Column("evidence", Text, nullable=False, comment="The sentence of that message that says so; '' for a file."),
    Column(
        "waiting_on",
        Text,
        nullable=False,
        comment="Who has to act: me (the other waits for the owner), them (the owner waits), '' when nobody waits.",
    ),
    Column("waiting_with", Text, nullable=False, comment="The other person's address, or ''."),
    Column(
        "since", DateTime(timezone=True), nullable=False, comment="Since when one waits; how long is for the clock."
    ),
    Column("carried_by", Uuid, comment="The promise in which the request goes on: one thing is waited for once."),
    *provenance_columns(),
    Index("ix_entities_task_progress_mailbox_id_waiting_on_since", "mailbox_id", "waiting_on", "since"),
    Index("ix_entities_task_progress_thread_id", "thread_id"),
    schema="entities",
    comment="How a task stands after the last message of its conversation.",
)

projects = Table(
    "projects",
    metadata,
    Column("project_id", Uuid, primary_key=True, comment="Kept when the conversations are grouped again."),
    mailbox_column(),
    Column("name", Text, nullable=False, comment="A name a person would recognize."),
    Column("keywords", ARRAY(Text), nullable=False, comment="The words that set it apart."),
    Column("people", ARRAY(Text), nullable=False, comment="Addresses most active in it."),
    count("thread_count", "Conversations in it."),
    count("message_count", "Messages in it."),
    Column("first_at", DateTime(timezone=True), nullable=False, comment="Its first message."),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="Its last message."),
    Column(
        "message_keys",
        ARRAY(BigInteger),
        nullable=False,
        server_default=text("'{}'::bigint[]"),
        comment="Keys of its messages, the same in every mailbox that has them: who shares some shares the project.",
    ),
    *provenance_columns(),
    Index("ix_entities_projects_mailbox_id_last_at", "mailbox_id", text("last_at desc")),
    Index("ix_entities_projects_message_keys", "message_keys", postgresql_using="gin"),
    schema="entities",
    comment="A project: conversations that belong together.",
)

project_threads = Table(
    "project_threads",
    metadata,
    Column("thread_id", Uuid, primary_key=True, comment="The conversation."),
    mailbox_column(),
    Column("project_id", Uuid, nullable=False, comment="Its project."),
    Index("ix_entities_project_threads_project_id", "project_id"),
    schema="entities",
    comment="Which project a conversation belongs to.",
)

people = Table(
    "people",
    metadata,
    Column("person_id", Uuid, primary_key=True, comment="Kept when the addresses are merged again."),
    mailbox_column(),
    Column("name", Text, nullable=False, comment="The person's name."),
    Column("addresses", ARRAY(Text), nullable=False, comment="Their addresses, most used first."),
    Column("organization", Text, nullable=False, comment="From a signature or the address's domain, or ''."),
    Column("title", Text, nullable=False, comment="From a signature, or ''."),
    Column("phone", Text, nullable=False, comment="From a signature, or ''."),
    count("received_count", "Messages received from them."),
    count("sent_count", "Messages the owner sent to them."),
    count("replied_count", "Messages from them that the owner answered."),
    Column("strength", Float, nullable=False, comment="Strength of the relationship, 0-1."),
    Column(
        "strength_parts",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="{volume, recency, reciprocity}, each 0-1, of which the strength is made.",
    ),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="Last message from or to them."),
    Column(
        "merged_by",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="[{address, other, how}]: why each further address is the same person.",
    ),
    Column(
        "is_role",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="The address of a function, a list or a robot instead of a person.",
    ),
    *provenance_columns(),
    Index("ix_entities_people_mailbox_id_strength", "mailbox_id", text("strength desc")),
    schema="entities",
    comment="A person: one or more addresses.",
)
