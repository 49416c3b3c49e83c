"""A large mailbox in a few statements, for query plans; what no plan reads is constant."""

import uuid

from sqlalchemy import Connection, text

_STATEMENTS = (
    """
    insert into mailboxes.connections (mailbox_id, address, provider) values (:mailbox_id, 'many@example.org', 'files')
    """,
    "insert into mailboxes.aliases (mailbox_id, address, found_by) values (:mailbox_id, 'many@example.org', 'mailbox')",
    "create temporary table numbered as select gen_random_uuid() as id, n from generate_series(1, :count) as n",
    """
    insert into raw.messages (message_id, mailbox_id, provider_message_id, source, size_bytes, rfc822, run_id)
    select id, :mailbox_id, n::text, 'many', 10, '\\x00', 'run' from numbered order by n
    """,
    """
    insert into raw.labels (mailbox_id, message_id, label)
    select :mailbox_id, id, case when n % 9 = 0 then 'SENT' when n % 50 = 0 then 'SPAM' else 'INBOX' end from numbered
    union all
    select :mailbox_id, id, 'UNREAD' from numbered where n % 7 = 0
    """,
    """
    insert into mail.messages (
        message_id, mailbox_id, thread_id, fingerprint, rfc822_message_id, in_reply_to, reference_ids, from_name,
        from_address, reply_to, "to", cc, bcc, subject, subject_key, received_at, text, new_text, signature, snippet,
        is_html_only, attachments, headers, defects, size_bytes, version, run_id
    )
    select
        id, :mailbox_id, gen_random_uuid(), '\\x00', n::text, '', '{}', 'Sender ' || n % 997,
        case when n % 9 = 0 then 'many@example.org' else 'sender' || n % 997 || '@example.net' end,
        '[]', '[]', '[]', '[]', 'Subject ' || n, 'subject ' || n,
        timestamptz '2026-01-01' - make_interval(mins => 30 * n), 'Text about matter ' || n % 5003, 'Text', '', 'Text',
        false, '[]', '{}', '[]', 10, 'v', 'run'
    from numbered
    """,
    """
    insert into classifications.messages (
        message_id, mailbox_id, category, needs, urgency, handler, confidence, evidence, model_version, inputs_hash,
        version, run_id
    )
    select
        id, :mailbox_id, case when n % 4 = 0 then 'person' when n % 1000 = 1 then 'receipt' else 'newsletter' end,
        case when n % 8 = 0 then 'reply' else 'nothing' end, 'whenever', 'owner', 0.5, '[]', 'm', '\\x00', 'v', 'run'
    from numbered
    """,
    """
    insert into priorities.messages (
        message_id, mailbox_id, received_at, score, contributions, base_log_odds, reasons, model_version, inputs_hash,
        version, run_id
    )
    select
        id, :mailbox_id, timestamptz '2026-01-01' - make_interval(mins => 30 * n), ((n * 7919) % 100003) / 100003.0,
        '[]', 0, '{}', 'm', '\\x00', 'v', 'run'
    from numbered
    """,
    "analyze",
)


def fill(connection: Connection, count: int) -> uuid.UUID:
    """`count` messages with all that the inbox reads, half an hour apart; returns the mailbox."""
    mailbox_id = uuid.uuid4()
    for statement in _STATEMENTS:
        connection.execute(text(statement), {"mailbox_id": mailbox_id, "count": count})
    return mailbox_id
