"""What people did with their mail, the models learned from it, and which of them serve.

All of it belongs to one mailbox, and goes with it. A model is what one mailbox taught: its person's own part of the
ranker, or the signs that its corrections taught the classifier. The weights that all share are files of the release.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import count, mailbox_column, message_column, metadata, provenance_columns

KINDS = ("ranker", "classifier")
STATES = ("candidate", "serving", "retired", "rejected")

behaviour = Table(
    "behaviour",
    metadata,
    message_column(),
    mailbox_column(),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="As in mail.messages; orders the past."),
    Column("reply_hours", Float, comment="Hours until the owner answered it; null when they did not."),
    Column("is_starred", Boolean, nullable=False, comment="It has a star at its provider."),
    Column("is_filed", Boolean, nullable=False, comment="It left the inbox for a folder of the owner's."),
    Column("is_deleted", Boolean, nullable=False, comment="It is in the trash, or was called spam."),
    Column("is_read", Boolean, nullable=False, comment="It was opened here."),
    Column("is_done", Boolean, nullable=False, comment="A task of it was marked as done here."),
    Column("correction", Text, comment="The owner's last word: important or not_important; null without one."),
    Column("corrected_at", DateTime(timezone=True), comment="When that was said."),
    Column("acted", Float, nullable=False, comment="Whether the owner acted on it, 0-1: what the ranker predicts."),
    Column("weight", Float, nullable=False, comment="How much the row counts; a correction counts for several."),
    Column(
        "settled_at",
        DateTime(timezone=True),
        nullable=False,
        comment="Since when that is known: an action, or the end of the time in which one would have come.",
    ),
    *provenance_columns(),
    CheckConstraint("acted >= 0 and acted <= 1", name="acted"),
    CheckConstraint("correction in ('important', 'not_important')", name="correction"),
    Index("ix_models_behaviour_mailbox_id_received_at", "mailbox_id", "received_at"),
    schema="models",
    comment="What became of a received message whose outcome is known.",
)

versions = Table(
    "versions",
    metadata,
    Column("model_id", Uuid, primary_key=True, comment="The model."),
    mailbox_column(),
    Column("kind", Text, nullable=False, comment="ranker (a person's own part) or classifier (learned signs)."),
    Column("version", Text, nullable=False, comment="Hash of its weights, as decisions name it."),
    Column("weights", JSONB, nullable=False, comment="What was learned; {} when nothing of its own is left."),
    Column("trained_from", JSONB, nullable=False, comment="{outcomes, acted, corrections, until, shared_model}."),
    Column(
        "evaluation", JSONB, nullable=False, comment="What it was measured to be, beside what it was compared with."
    ),
    Column("state", Text, nullable=False, comment=f"{', '.join(STATES)}."),
    Column("is_passed", Boolean, nullable=False, comment="The gate let it through (docs/decisions/0022)."),
    Column(
        "is_rolled_back",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Its owner took it back; only a later correction, or they themselves, bring a new one.",
    ),
    Column("reason", Text, nullable=False, comment="Why it is in this state, for its owner."),
    Column("took_over_from", Uuid, comment="The model that served before it; null when the shared weights alone did."),
    Column("moved_count", Integer, nullable=False, server_default=text("0"), comment="Messages it moved, or would."),
    Column("run_id", Text, nullable=False, comment="The Dagster run that trained it."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Trained."),
    Column("served_at", DateTime(timezone=True), comment="Since when it serves, or served last."),
    Column("applied_at", DateTime(timezone=True), comment="When every message of the mailbox was decided with it."),
    Column("ended_at", DateTime(timezone=True), comment="When it was refused, or another took its place."),
    CheckConstraint("kind in ('ranker', 'classifier')", name="kind"),
    CheckConstraint("state in ('candidate', 'serving', 'retired', 'rejected')", name="state"),
    Index("uq_models_versions_serving", "mailbox_id", "kind", unique=True, postgresql_where=text("state = 'serving'")),
    # What a training made and nothing has promoted yet; a sensor looks every few seconds.
    Index("ix_models_versions_waiting", "created_at", postgresql_where=text("state = 'candidate'")),
    Index("ix_models_versions_mailbox_id_created_at", "mailbox_id", text("created_at desc")),
    schema="models",
    comment="A model that a mailbox taught: what it was trained from, how good it is, and whether it serves.",
)

trainings = Table(
    "trainings",
    metadata,
    mailbox_column(primary_key=True),
    Column("kind", Text, primary_key=True, comment="ranker or classifier."),
    count("feedback_count", "Corrections that it had seen."),
    Column("feedback_at", DateTime(timezone=True), comment="The newest of them."),
    count("outcome_count", "Settled outcomes that the last fit had seen; a correction alone makes no fit."),
    Column("evidence_hash", LargeBinary, nullable=False, comment="Hash of what the last fit had seen; '' before one."),
    Column("looked_at", DateTime(timezone=True), comment="When outcomes were last looked through for a fit."),
    Column("model_id", Uuid, comment="The candidate it made; null when it made none."),
    Column("note", Text, nullable=False, comment="What came of it, for the owner."),
    Column("run_id", Text, nullable=False, comment="The Dagster run."),
    Column("trained_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When."),
    CheckConstraint("kind in ('ranker', 'classifier')", name="kind"),
    schema="models",
    comment="The last training of a mailbox, and what it had seen: what came since has still to be learned.",
)

shifts = Table(
    "shifts",
    metadata,
    Column(
        "model_id",
        Uuid,
        ForeignKey("models.versions.model_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The model beside the one that served.",
    ),
    Column(
        "message_id",
        Uuid,
        ForeignKey("raw.messages.message_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The message that moves.",
    ),
    mailbox_column(),
    Column("score_before", Float, nullable=False, comment="Its score by what served when the model was made."),
    Column("score_after", Float, nullable=False, comment="Its score by the model."),
    Column("place_before", Integer, nullable=False, comment="Its place among the mailbox's messages, from 1."),
    Column("place_after", Integer, nullable=False, comment="Its place by the model."),
    Column("category_before", Text, nullable=False, comment="Its category by what served."),
    Column("category_after", Text, nullable=False, comment="Its category by the model."),
    Index("ix_models_shifts_mailbox_id", "mailbox_id"),
    Index("ix_models_shifts_message_id", "message_id"),
    schema="models",
    comment="A message that a model moves, beside where it stands: computed over the mailbox before the model serves.",
)
