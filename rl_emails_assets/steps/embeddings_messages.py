"""embeddings.messages: a vector for each message's subject and new text."""

import hashlib
import uuid
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.pending import batches, mark_range_stale, pending_message_ids
from rl_emails_assets.db.tables import embeddings, mail
from rl_emails_assets.embedding.encoder import Encoder
from rl_emails_assets.embedding.load import load_encoder
from rl_emails_assets.embedding.text import text_to_encode
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed

VERSION = "1"
NAME = "embeddings.messages"

_loaded = lru_cache(maxsize=1)(load_encoder)


def encoder_of(settings: Settings) -> Encoder:
    """The encoder of these settings, loaded once a process."""
    return _loaded(settings.encoder, settings.models_dir)


def run(step: StepContext) -> StepResult:
    """Encode the messages that have no vector of this encoder, or whose text changed."""
    result = StepResult()
    encoder = encoder_of(step.settings)
    # Another model or precision is another version: its vectors must not be mixed with the old ones.
    version = f"{VERSION}/{encoder.model}/{encoder.precision}"
    with timed(result), step.alone(NAME):
        with step.engine.begin() as connection:
            if step.scope.force:
                mark_range_stale(connection, embeddings.messages, step.mailbox_id, step.scope.since, step.scope.until)
            pending = pending_message_ids(connection, embeddings.messages, version, step.mailbox_id)
        result.counts = {"pending": len(pending), "unchanged": 0}
        done = 0
        step.report(Progress(NAME, 0, len(pending)))
        for ids in batches(pending, step.settings.batch_size):
            with step.engine.connect() as connection:
                wanted = _texts(connection, ids)
                kept = set() if step.scope.force else _unchanged(connection, ids, wanted, version)
            todo = [message_id for message_id in ids if message_id in wanted and message_id not in kept]
            vectors = encoder.encode([wanted[message_id][0] for message_id in todo])
            rows: list[dict[str, Any]] = [
                {
                    "message_id": message_id,
                    "mailbox_id": step.mailbox_id,
                    "model": encoder.model,
                    "precision": encoder.precision,
                    "text_hash": wanted[message_id][1],
                    "vector": vector,
                    "version": version,
                    "run_id": step.run_id,
                }
                for message_id, vector in zip(todo, vectors, strict=True)
            ]
            with step.commit() as connection:
                result.row_count += bulk.replace_rows(connection, embeddings.messages, "message_id", rows)
                if kept:
                    connection.execute(
                        update(embeddings.messages)
                        .where(embeddings.messages.c.message_id == func.any(list(kept)))
                        .values(is_stale=False)
                    )
            result.counts["unchanged"] += len(kept)
            done += len(ids)
            step.report(Progress(NAME, done, len(pending)))
    return result


def _texts(connection: Connection, ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[str, bytes]]:
    columns = mail.messages.c
    # A bare forward has no new text; what it forwards is what it is about.
    body = func.coalesce(func.nullif(columns.new_text, ""), columns.text).label("body")
    query = select(columns.message_id, columns.subject, body).where(columns.message_id == func.any(ids))
    texts = {row.message_id: text_to_encode(row.subject, row.body) for row in connection.execute(query)}
    return {key: (text, hashlib.sha256(text.encode()).digest()) for key, text in texts.items()}


def _unchanged(
    connection: Connection, ids: list[uuid.UUID], wanted: dict[uuid.UUID, tuple[str, bytes]], version: str
) -> set[uuid.UUID]:
    """Stale rows whose text came out the same after all: their vector still holds."""
    columns = embeddings.messages.c
    query = select(columns.message_id, columns.text_hash).where(
        columns.message_id == func.any(ids), columns.version == version
    )
    return {row.message_id for row in connection.execute(query) if wanted[row.message_id][1] == row.text_hash}
