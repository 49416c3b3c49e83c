"""Point-in-time features: what was known about a message when it arrived, from itself and its past only."""

from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Float, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.sql import text

from rl_emails_assets.db.tables.base import count, mailbox_column, message_column, metadata, provenance_columns


def _flag(name: str, comment: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default=text("false"), comment=comment)


def _number(name: str, comment: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, server_default=text("0"), comment=comment)


def _measure(name: str, comment: str) -> Column[Any]:
    return Column(name, Float, comment=comment + " Null when there is nothing to measure.")


FEATURES: tuple[Column[Any], ...] = (
    # relationship: earlier mail between the owner and this sender
    _flag("is_from_owner", "The owner sent it."),
    _number("sender_received_count", "Earlier messages from the sender."),
    _number("sender_replied_count", "Of those, how many the owner had answered before this one arrived."),
    _number("sender_sent_count", "Earlier messages of the owner to the sender."),
    _measure("sender_days_since_received", "Days since the sender's previous message."),
    _measure("sender_days_since_sent", "Days since the owner's last message to the sender."),
    _measure(
        "sender_median_reply_hours", "Median hours the owner took to answer the sender, of the latest 100 answers."
    ),
    _number("domain_received_count", "Earlier messages from the sender's domain (public mail hosts: from the sender)."),
    _number("domain_replied_count", "Of those, how many the owner had answered."),
    # thread: earlier messages of the conversation
    _number("thread_earlier_count", "Earlier messages of the conversation."),
    _number("thread_owner_count", "Of those, how many the owner sent."),
    _flag("is_reply_to_owner", "It answers a message of the owner."),
    _measure("thread_hours_since_previous", "Hours since the conversation's previous message."),
    # addressing
    _number("recipient_count", "Addresses in To and Cc."),
    _flag("is_owner_in_to", "The owner is in To."),
    _flag("is_owner_in_cc", "The owner is in Cc."),
    _flag("is_owner_only_recipient", "The owner is the only recipient."),
    # content of the new text
    _number("subject_length", "Characters in the subject."),
    _number("word_count", "Words in the new text."),
    _number("question_count", "Questions in the new text: runs of question marks outside links."),
    _number("link_count", "Links in the text."),
    _number("attachment_count", "Attachments that are not inline."),
    _flag("has_calendar", "It carries an invitation."),
    _flag("is_html_only", "It has no plain text part."),
    _flag("is_owner_named", "The new text greets or @-mentions the owner by name."),
    _flag("is_reply", "It answers some message (In-Reply-To, or a reply prefix of the subject)."),
    _number("first_person_count", 'Words in the new text for the one who writes ("I", "my").'),
    _number("second_person_count", 'Words in the new text for the one written to ("you", "your").'),
    # time
    _number("sent_hour", "Hour of day, in the sender's own zone where the Date header tells it, else UTC."),
    _number("sent_weekday", "Day of the week, Monday 0."),
    # headers
    _flag("is_list", "It came through a mailing list (List-Id or List-Post)."),
    _flag("is_bulk", "It was sent in bulk (Feedback-ID, Precedence bulk, or List-Unsubscribe without List-Post)."),
    _flag("is_automatic", "A machine sent it (Auto-Submitted, a no-reply address, a bounce)."),
    _flag("is_flagged_urgent", "The sender marked it as important (Importance, X-Priority)."),
)

messages = Table(
    "messages",
    metadata,
    message_column(),
    mailbox_column(),
    Column("thread_id", Uuid, nullable=False, comment="The conversation, as in mail.messages."),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="As in mail.messages; orders the past."),
    *FEATURES,
    Column(
        "place_hash",
        LargeBinary,
        nullable=False,
        server_default=text("''::bytea"),
        comment="Hash of what other messages' features read of this one: people, time, conversation.",
    ),
    *provenance_columns(),
    Index("ix_signals_messages_mailbox_id", "mailbox_id"),
    schema="signals",
    comment="What was known about a message when it arrived.",
)

contacts = Table(
    "contacts",
    metadata,
    mailbox_column(primary_key=True),
    Column("address", Text, primary_key=True, comment="The contact's address."),
    count("received_count", "Messages received from it."),
    count("sent_count", "Messages the owner sent to it."),
    count("replied_count", "Messages from it that the owner answered."),
    Column("median_reply_hours", Float, comment="Median hours of the latest 100 answers; null without one."),
    Column("last_received_at", DateTime(timezone=True), comment="Last message from it."),
    Column("last_sent_at", DateTime(timezone=True), comment="Last message of the owner to it."),
    *provenance_columns(),
    schema="signals",
    comment="The owner's history with one address, as of the newest message.",
)
