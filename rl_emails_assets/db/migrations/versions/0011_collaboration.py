"""Shared mailboxes: assignments and notes; what ends with a membership."""

import sqlalchemy as sa
from alembic import op

from rl_emails_assets.db.change_feed import follow
from rl_emails_assets.db.row_security import API_ROLE, protect, unprotect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Definer's rights: who removes a member sees neither the member's keys nor their personal mailboxes. Triggers, so that it
# is the same whoever ends the membership: an endpoint, the identity provider's webhook, an erasure. Sessions and keys end
# by another one (migration 0008).
_FUNCTIONS = (
    """
    create function identity.end_collaboration() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
        delete from app.thread_assignments as assignment
        using mailboxes.connections as connection
        where
            connection.mailbox_id = assignment.mailbox_id
            and connection.organization_id = old.organization_id
            and assignment.user_id = old.user_id;
        update identity.invitations set revoked_at = now()
        where
            organization_id = old.organization_id and invited_by = old.user_id
            and accepted_at is null and revoked_at is null;
        update mailboxes.connections set owner_user_id = null
        where organization_id = old.organization_id and owner_user_id = old.user_id and is_shared;
        update mailboxes.connections
        set
            state = 'reconnect_needed', state_reason = 'Its owner has left the organization',
            state_changed_at = now()
        where
            organization_id = old.organization_id and owner_user_id = old.user_id
            and provider <> 'files' and state = 'connected';
        -- Without an answer to whom: what was waiting to be told is not told.
        delete from app.webhooks where organization_id = old.organization_id and user_id = old.user_id;
        return null;
    end
    $$
    """,
    """
    create function identity.end_invitations() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
        update identity.invitations set revoked_at = now()
        where
            organization_id = new.organization_id and invited_by = new.user_id
            and accepted_at is null and revoked_at is null
            and (new.role = 'member' or (new.role = 'admin' and role = 'owner'));
        return null;
    end
    $$
    """,
    # With a lock on the membership: one that ends at this moment either waits, and then finds the assignment, or is gone.
    """
    create function identity.check_assignee() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
        perform from mailboxes.connections as connection
        join identity.memberships as member
            on member.organization_id = connection.organization_id and member.user_id = new.user_id
        where
            connection.mailbox_id = new.mailbox_id
            and (connection.is_shared or connection.owner_user_id = new.user_id)
        for key share of member;
        if not found then
            raise check_violation using
                message = 'A conversation is assigned to members who see its mailbox only.',
                constraint = 'ck_thread_assignments_assignee';
        end if;
        return new;
    end
    $$
    """,
    """
    create trigger check_assignee before insert or update of user_id, mailbox_id on app.thread_assignments
    for each row execute function identity.check_assignee()
    """,
    """
    create trigger end_collaboration after delete on identity.memberships
    for each row execute function identity.end_collaboration()
    """,
    """
    create trigger end_invitations after update of role on identity.memberships
    for each row when (old.role is distinct from new.role) execute function identity.end_invitations()
    """,
)


def _person(name: str, *, on_delete: str) -> sa.ForeignKeyConstraint:
    table = "thread_notes" if name == "author_user_id" else "thread_assignments"
    return sa.ForeignKeyConstraint(
        [name], ["identity.users.user_id"], name=op.f(f"fk_{table}_{name}_users"), ondelete=on_delete
    )


def _mailbox(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["mailbox_id"],
        ["mailboxes.connections.mailbox_id"],
        name=op.f(f"fk_{table}_mailbox_id_connections"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "thread_assignments",
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_by", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _mailbox("thread_assignments"),
        _person("user_id", on_delete="CASCADE"),
        _person("assigned_by", on_delete="SET NULL"),
        sa.PrimaryKeyConstraint("thread_id", name=op.f("pk_thread_assignments")),
        schema="app",
    )
    op.create_index(
        "ix_thread_assignments_mailbox_id_user_id", "thread_assignments", ["mailbox_id", "user_id"], schema="app"
    )
    op.create_index("ix_thread_assignments_user_id", "thread_assignments", ["user_id"], schema="app")
    op.create_table(
        "thread_notes",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("author_user_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(text) between 1 and 10000", name=op.f("ck_thread_notes_text")),
        _mailbox("thread_notes"),
        _person("author_user_id", on_delete="SET NULL"),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_thread_notes")),
        schema="app",
    )
    op.create_index(
        "ix_thread_notes_thread_id_created_at", "thread_notes", ["thread_id", "created_at", "note_id"], schema="app"
    )
    op.create_index("ix_thread_notes_mailbox_id", "thread_notes", ["mailbox_id"], schema="app")
    op.create_index("ix_thread_notes_author_user_id", "thread_notes", ["author_user_id"], schema="app")
    for table in ("app.thread_assignments", "app.thread_notes"):
        protect(op.execute, table, by="mailbox")
        follow(op.execute, table, "", {"thread": "changed.thread_id"})
    # Nobody writes in another's name, whatever an endpoint lets through.
    author = "author_user_id = (select identity.own_user_id())"
    for command, condition in {
        "insert": f"with check ({author})",
        "update": f"using ({author}) with check ({author})",
        "delete": f"using ({author} or (select identity.is_administrator()))",
    }.items():
        op.execute(
            f"create policy author_{command} on app.thread_notes as restrictive for {command} to {API_ROLE} {condition}"
        )
    for statement in _FUNCTIONS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for trigger in ("end_collaboration", "end_invitations"):
        op.execute(f"drop trigger {trigger} on identity.memberships")
        op.execute(f"drop function identity.{trigger}()")
    for command in ("insert", "update", "delete"):
        op.execute(f"drop policy author_{command} on app.thread_notes")
    for table in ("thread_notes", "thread_assignments"):
        unprotect(op.execute, f"app.{table}")
        op.drop_table(table, schema="app")
    op.execute("drop function identity.check_assignee()")
