"""GET /v1/learning: what the owner's corrections changed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import Connection, RowMapping

from rl_emails_api.identity.principal import needs
from rl_emails_api.learning import queries
from rl_emails_api.learning.schemas import CorrectionState, LearnedCorrection, LearnedModel, Learning, Moved
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["learning"], dependencies=[needs("mail:read")])


@router.get("/v1/learning", summary="What corrections changed")
def get_learning(
    transaction: Transaction,
    mailbox: ChosenMailbox,
    message_id: Annotated[UUID | None, Query(description="Only corrections of this message.")] = None,
) -> Learning:
    """The models that serve this mailbox, why there is no newer one, and of each correction what it moved. The numbers
    were recorded when the model was made; nothing is worked out again."""
    said = queries.corrections(transaction, mailbox.mailbox_id, message_id)
    return Learning(
        models=[_model(row) for row in queries.models(transaction, mailbox.mailbox_id)],
        corrections=[_correction(transaction, mailbox.mailbox_id, row) for row in said],
        top=[Moved(**row) for row in queries.top(transaction, mailbox.mailbox_id)],
    )


def _model(row: RowMapping) -> LearnedModel:
    state = {"candidate": "waiting", "serving": "serving" if row["is_own"] else "shared"}.get(row["state"], "shared")
    return LearnedModel(
        state=state,
        since=row["served_at"],
        version=row["version"] if state != "shared" else None,
        **{name: row[name] for name in LearnedModel.model_fields if name not in ("state", "since", "version")},
    )


def _correction(connection: Connection, mailbox_id: UUID, row: RowMapping) -> LearnedCorrection:
    state: CorrectionState = "waiting"
    if row["model_id"] is not None:
        # What served once has been applied, or another model has taken its place meanwhile.
        state = "learned" if row["model_state"] == "serving" and row["applied_at"] is None else "applied"
    elif row["is_heard"]:
        state = "unchanged"
    moved = (
        queries.top(connection, mailbox_id, model_id=row["model_id"], from_address=row["from_address"])
        if row["moved_count"]
        else []
    )
    return LearnedCorrection(
        **{name: row[name] for name in ("feedback_id", "message_id", "from_address", "kind", "value", "created_at")},
        state=state,
        reason=(row["reason"] if row["model_id"] is not None else row["note"] if row["is_heard"] else "") or "",
        model_version=row["version"],
        moved_count=row["moved_count"],
        top=[Moved(**each) for each in moved],
    )
