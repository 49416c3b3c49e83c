"""Every table, imported: what migrations, the data reference and the column schemas are made from."""

from sqlalchemy import MetaData

from rl_emails_assets.db.tables import (
    api_clients,
    app,
    base,
    classifications,
    collaboration,
    embeddings,
    entities,
    identity,
    mail,
    mailboxes,
    models,
    priorities,
    privacy,
    raw,
    search,
    sign_in,
    signals,
    sync_queue,
)

TABLE_MODULES = (
    identity, sign_in, mailboxes, raw, mail, signals, embeddings, classifications, entities, priorities, search, models,
    app, api_clients, collaboration, sync_queue, privacy,
)  # fmt: skip
metadata: MetaData = base.metadata
