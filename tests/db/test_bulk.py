"""COPY must store exactly what it was given."""

import uuid

from sqlalchemy import Engine, select

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import mailboxes


def test_json_unicode_and_nulls_survive_copy(engine: Engine) -> None:
    """A COPY that mangled JSON, quotes or a null would corrupt every step's rows."""
    mailbox_id = uuid.uuid4()
    row = {
        "mailbox_id": mailbox_id,
        "address": "a\tb\\n'\"é@example.org",
        "provider": "files",
        "sources": [{"path": "/x\n", "kind": "mbox"}],
        "synced_at": None,
    }
    with engine.begin() as connection:
        assert bulk.copy_rows(connection, mailboxes.connections, [row]) == 1
        assert bulk.replace_rows(connection, mailboxes.connections, "mailbox_id", [row]) == 1
    with engine.connect() as connection:
        stored = connection.execute(select(mailboxes.connections)).mappings().one()
    assert {key: stored[key] for key in row} == row
