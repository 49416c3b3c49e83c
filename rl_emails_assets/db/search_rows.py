"""Words and codes of messages that were stored before search kept them (migration 0009), filled in by the graph."""

import uuid

from sqlalchemy import Connection, Engine, exists, func, select

from rl_emails_assets.db.tables import search

BATCH_MESSAGES = 500


def fill_search(engine: Engine, mailbox_id: uuid.UUID) -> int:
    """Fill what a mailbox lacks, each batch in a transaction of its own; returns how many rows were written.

    A look at one row when nothing is lacking, which is so ever after.
    """
    filled = 0
    while True:
        with engine.begin() as connection:
            if not _is_unfilled(connection, mailbox_id):
                return filled
            filled += connection.execute(select(func.search.fill(mailbox_id, BATCH_MESSAGES))).scalar_one()


def _is_unfilled(connection: Connection, mailbox_id: uuid.UUID) -> bool:
    query = select(exists().where(search.unfilled.c.mailbox_id == mailbox_id))
    return bool(connection.execute(query).scalar_one())
