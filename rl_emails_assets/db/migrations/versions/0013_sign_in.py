"""What sign-in needs: used states, versions of what the identity provider says, and who was removed."""

import sqlalchemy as sa
from alembic import op

from rl_emails_assets.db.row_security import API_ROLE, protect

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("used_sign_ins", "provider_objects", "webhook_deliveries", "removed_memberships")

# Whoever removes a member, in whatever way, leaves the mark; a cascade from an erased person or organization does not.
_FUNCTIONS = (
    """
    create function identity.remember_removal() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
        if tg_op = 'INSERT' then
            delete from identity.removed_memberships
            where organization_id = new.organization_id and user_id = new.user_id;
        elsif exists (select from identity.users where user_id = old.user_id)
            and exists (select from identity.organizations where organization_id = old.organization_id)
        then
            insert into identity.removed_memberships (organization_id, user_id)
            values (old.organization_id, old.user_id)
            on conflict (organization_id, user_id) do update set removed_at = now(), by_provider = false;
        end if;
        return null;
    end
    $$
    """,
    """
    create trigger remember_removal after insert or delete on identity.memberships
    for each row execute function identity.remember_removal()
    """,
    """
    create function identity.own_memberships()
    returns table (organization_id uuid, name text, is_personal boolean, role text)
    language sql stable security definer set search_path = ''
    begin atomic
        select place.organization_id, place.name, place.is_personal, member.role
        from identity.memberships as member
        join identity.organizations as place on place.organization_id = member.organization_id
        join identity.users as person on person.user_id = member.user_id and person.deactivated_at is null
        where member.user_id = identity.own_user_id();
    end
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "used_sign_ins",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_used_sign_ins")),
        schema="identity",
    )
    op.create_index("ix_used_sign_ins_expires_at", "used_sign_ins", ["expires_at"], schema="identity")
    op.create_table(
        "provider_objects",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("version_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "object_id", name=op.f("pk_provider_objects")),
        schema="identity",
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_webhook_deliveries")),
        schema="identity",
    )
    op.create_index("ix_webhook_deliveries_received_at", "webhook_deliveries", ["received_at"], schema="identity")
    op.create_table(
        "removed_memberships",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("by_provider", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["identity.organizations.organization_id"],
            name=op.f("fk_removed_memberships_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["identity.users.user_id"],
            name=op.f("fk_removed_memberships_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name=op.f("pk_removed_memberships")),
        schema="identity",
    )
    op.create_index("ix_removed_memberships_user_id", "removed_memberships", ["user_id"], schema="identity")
    for table in TABLES:
        protect(op.execute, f"identity.{table}", by="service")
    for statement in _FUNCTIONS:
        op.execute(statement)
    op.execute("revoke execute on function identity.own_memberships() from public")
    op.execute(f"grant execute on function identity.own_memberships() to {API_ROLE}")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function identity.own_memberships()")
    op.execute("drop trigger remember_removal on identity.memberships")
    op.execute("drop function identity.remember_removal()")
    for table in reversed(TABLES):
        op.drop_table(table, schema="identity")
