"""Every table, imported: what migrations, the data reference and the column schemas are made from."""

from sqlalchemy import MetaData

from rl_emails_assets.db.tables import (
    app,
    base,
    classifications,
    embeddings,
    entities,
    mail,
    mailboxes,
    models,
    priorities,
    raw,
    signals,
    sync_queue,
)

TABLE_MODULES = (
    mailboxes, raw, mail, signals, embeddings, classifications, entities, priorities, models, app, sync_queue,
)  # fmt: skip
metadata: MetaData = base.metadata
