"""Organizations and people; which mailbox is whose; row-level security on every table.

The installation's own organization and person own what was connected so far. The API's role is made here: it owns
nothing and cannot log in by itself; the API's connections take it on for each transaction.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from rl_emails_assets.db.row_security import API_ROLE, FIGURES_ROLE, protect, unprotect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Migrations keep their own copies: what the code calls by these names may change.
LOCAL_ORGANIZATION = "5d1a4a70-3c0e-4f52-9c1d-000000000001"
LOCAL_USER = "5d1a4a70-3c0e-4f52-9c1d-000000000002"

_FIGURES = "mailbox_id, message_id, run_id"
CONTENT = {
    "raw.messages": f"{_FIGURES}, stored_at",
    "raw.labels": "",
    "mail.messages": f"{_FIGURES}, computed_at, received_at, duplicate_of",
    "mail.participants": "",
    "mail.threads": "",
    "mail.thread_nodes": "",
    "mail.contacts": "",
    "signals.messages": f"{_FIGURES}, computed_at",
    "signals.contacts": "",
    "embeddings.messages": f"{_FIGURES}, computed_at",
    "classifications.messages": f"{_FIGURES}, computed_at",
    "classifications.opinions": "mailbox_id, message_id, state",
    "entities.messages": f"{_FIGURES}, computed_at",
    "entities.tasks": "",
    "entities.task_progress": "",
    "entities.projects": "",
    "entities.project_threads": "",
    "entities.people": "",
    "priorities.messages": f"{_FIGURES}, computed_at, is_stale",
    "priorities.threads": "",
    "models.behaviour": "",
    "models.versions": "mailbox_id, applied_at, ended_at",
    "models.trainings": "mailbox_id, trained_at",
    "models.shifts": "",
    "app.feedback": "",
    "app.task_states": "",
    "app.message_states": "",
    "mailboxes.aliases": "",
}
"""What belongs to a mailbox, and the columns that an administrator's figures are counted from."""
OPERATIONS = (
    "mailboxes.connections",
    "mailboxes.watches",
    "mailboxes.quotas",
    "raw.gaps",
    "raw.cursors",
    "raw.backlog",
    "raw.listings",
    "classifications.spending",
    "app.notices",
    "sync_queue.requests",
    "sync_queue.ended_requests",
)
INSTALLATION = ("sync_queue.pushes", "sync_queue.push_counts", "sync_queue.workers", "sync_queue.upkeep_runs")
SERVICE = ("mailboxes.credentials", "mailboxes.oauth_states", "sync_queue.handovers")

# Definer's rights: what a policy asks must not be under that policy itself. An empty search path: nobody's schema can
# put another function in the place of the ones named here. The settings come from transactions.py of the API.
_FUNCTIONS = (
    """
    create function identity.own_user_id() returns uuid language sql stable parallel safe
    return nullif(current_setting('rl_emails.user_id', true), '')::uuid
    """,
    """
    create function identity.own_organization_id() returns uuid
    language sql stable parallel safe security definer set search_path = ''
    return (
        select member.organization_id
        from identity.memberships as member
        join identity.users as person on person.user_id = member.user_id and person.deactivated_at is null
        where
            member.organization_id = nullif(current_setting('rl_emails.organization_id', true), '')::uuid
            and member.user_id = identity.own_user_id()
    )
    """,
    """
    create function identity.is_administrator() returns boolean
    language sql stable parallel safe security definer set search_path = ''
    return exists (
        select from identity.memberships
        where
            organization_id = identity.own_organization_id()
            and user_id = identity.own_user_id()
            and role in ('owner', 'admin')
    )
    """,
    """
    create function identity.visible_mailboxes() returns uuid[]
    language sql stable parallel safe security definer set search_path = ''
    return (
        select coalesce(array_agg(mailbox_id), '{}')
        from mailboxes.connections
        where
            organization_id = identity.own_organization_id()
            and (is_shared or owner_user_id = identity.own_user_id())
    )
    """,
    """
    create function identity.operated_mailboxes() returns uuid[]
    language sql stable parallel safe security definer set search_path = ''
    return (
        select coalesce(array_agg(mailbox_id), '{}')
        from mailboxes.connections
        where
            organization_id = identity.own_organization_id()
            and (is_shared or owner_user_id = identity.own_user_id() or identity.is_administrator())
    )
    """,
    """
    create function identity.end_access() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
        update identity.sessions set revoked_at = now()
        where organization_id = old.organization_id and user_id = old.user_id and revoked_at is null;
        update identity.api_keys set revoked_at = now()
        where organization_id = old.organization_id and user_id = old.user_id and revoked_at is null;
        return null;
    end
    $$
    """,
    """
    create trigger end_access after delete on identity.memberships
    for each row execute function identity.end_access()
    """,
)
_ROLES = f"""
do $$
declare wanted text;
begin
    foreach wanted in array array['{API_ROLE}', '{FIGURES_ROLE}'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception when duplicate_object or unique_violation then
                null;  -- another installation on this server made it at the same moment
            when insufficient_privilege then
                raise exception 'The role % is not there and % may not create it.', wanted, current_user
                    using hint = format('Have an administrator run: create role %I nologin; grant %I to %I;',
                        wanted, wanted, current_user);
            end;
        end if;
        if not pg_has_role(current_user, wanted, 'member') then
            begin
                execute format('grant %I to %I', wanted, current_user);
            exception when insufficient_privilege then
                raise exception '% is not a member of the role %.', current_user, wanted
                    using hint = format('Have an administrator run: grant %I to %I;', wanted, current_user);
            end;
        end if;
    end loop;
end
$$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(_ROLES)
    op.execute("create schema identity")
    op.create_table(
        "audit_events",
        sa.Column("audit_event_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("client", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("request_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("audit_event_id", name=op.f("pk_audit_events")),
        schema="identity",
    )
    op.create_index(
        "ix_audit_events_organization_id_created_at",
        "audit_events",
        ["organization_id", sa.literal_column("created_at desc")],
        unique=False,
        schema="identity",
    )
    op.create_table(
        "organizations",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_personal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("external_id", name=op.f("uq_organizations_external_id")),
        schema="identity",
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        schema="identity",
    )
    op.create_index("uq_users_issuer_subject", "users", ["issuer", "subject"], unique=True, schema="identity")
    op.create_table(
        "api_keys",
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["identity.organizations.organization_id"],
            name=op.f("fk_api_keys_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity.users.user_id"], name=op.f("fk_api_keys_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("api_key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
        schema="identity",
    )
    op.create_index("ix_api_keys_organization_id", "api_keys", ["organization_id"], unique=False, schema="identity")
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"], unique=False, schema="identity")
    op.create_table(
        "invitations",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role in ('owner', 'admin', 'member')", name=op.f("ck_invitations_role")),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["identity.users.user_id"], name=op.f("fk_invitations_invited_by_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["identity.organizations.organization_id"],
            name=op.f("fk_invitations_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
        schema="identity",
    )
    op.create_index(
        "ix_invitations_organization_id", "invitations", ["organization_id"], unique=False, schema="identity"
    )
    op.create_table(
        "memberships",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role in ('owner', 'admin', 'member')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["identity.organizations.organization_id"],
            name=op.f("fk_memberships_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity.users.user_id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name=op.f("pk_memberships")),
        schema="identity",
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"], unique=False, schema="identity")
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["identity.organizations.organization_id"],
            name=op.f("fk_sessions_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity.users.user_id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
        schema="identity",
    )
    op.create_index("ix_sessions_organization_id", "sessions", ["organization_id"], unique=False, schema="identity")
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False, schema="identity")

    op.execute(
        "insert into identity.organizations (organization_id, name, is_personal) "
        f"values ('{LOCAL_ORGANIZATION}', 'This installation', true)"
    )
    op.execute(f"insert into identity.users (user_id, issuer, subject) values ('{LOCAL_USER}', 'local', 'local')")
    op.execute(
        "insert into identity.memberships (organization_id, user_id, role) "
        f"values ('{LOCAL_ORGANIZATION}', '{LOCAL_USER}', 'owner')"
    )
    _give_mailboxes_an_owner()
    for statement in _FUNCTIONS:
        op.execute(statement)
    _protect()


def _give_mailboxes_an_owner() -> None:
    op.execute(
        f"update mailboxes.connections set organization_id = '{LOCAL_ORGANIZATION}' where organization_id is null"
    )
    op.alter_column(
        "connections",
        "organization_id",
        nullable=False,
        server_default=sa.text(f"'{LOCAL_ORGANIZATION}'"),
        schema="mailboxes",
    )
    op.add_column(
        "connections",
        sa.Column("owner_user_id", sa.Uuid(), server_default=sa.text(f"'{LOCAL_USER}'"), nullable=True),
        schema="mailboxes",
    )
    op.add_column(
        "connections",
        sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="mailboxes",
    )
    for column, table in (("organization_id", "organizations"), ("owner_user_id", "users")):
        op.create_foreign_key(
            op.f(f"fk_connections_{column}_{table}"),
            "connections",
            table,
            [column],
            ["organization_id" if table == "organizations" else "user_id"],
            source_schema="mailboxes",
            referent_schema="identity",
        )
    op.create_index("ix_connections_owner_user_id", "connections", ["owner_user_id"], schema="mailboxes")
    op.drop_constraint(op.f("uq_connections_address"), "connections", schema="mailboxes")
    op.create_unique_constraint(
        op.f("uq_connections_organization_id_address"),
        "connections",
        ["organization_id", "address"],
        schema="mailboxes",
    )
    # A push names its mailbox by the address, whatever the organization.
    op.create_index("ix_connections_address", "connections", ["address"], schema="mailboxes")


def _protect() -> None:
    for role in (API_ROLE, FIGURES_ROLE):
        for schema in _schemas():
            op.execute(f"grant usage on schema {schema} to {role}")
    for table, figures in CONTENT.items():
        protect(op.execute, table, by="mailbox", figures=figures)
    for table in OPERATIONS:
        protect(op.execute, table, by="operation")
    for table in INSTALLATION:
        protect(op.execute, table, by="installation")
    for table in SERVICE:
        protect(op.execute, table, by="service")
    protect(op.execute, "identity.sessions", by="user")
    protect(op.execute, "identity.api_keys", by="user")
    protect(op.execute, "identity.audit_events", by="organization", rights="insert")
    protect(op.execute, "identity.organizations", by="organization", rights="select, update")
    protect(op.execute, "identity.invitations", by="organization")
    protect(op.execute, "identity.memberships", by="organization")
    protect(op.execute, "identity.users", by="person", rights="select, update")
    # Who is in, and who may come in, is for administrators to change; the endpoints' own rules come on top.
    for table, commands in {
        "identity.organizations": ("update",),
        "identity.invitations": ("insert", "update", "delete"),
        "identity.memberships": ("insert", "update", "delete"),
    }.items():
        for command in commands:
            use = "with check" if command == "insert" else "using"
            op.execute(
                f"create policy administrators_{command} on {table} as restrictive for {command} to {API_ROLE} "
                f"{use} ((select identity.is_administrator()))"
            )
    op.execute(f"grant select on identity.audit_events to {API_ROLE}")
    op.execute(
        f"create policy administrators_select on identity.audit_events as restrictive for select to {API_ROLE} "
        "using ((select identity.is_administrator()))"
    )
    op.execute(
        f"create policy self_update on identity.users as restrictive for update to {API_ROLE} "
        "using (user_id = (select identity.own_user_id()))"
    )


def _schemas() -> list[str]:
    tables = (*CONTENT, *OPERATIONS, *INSTALLATION, *SERVICE, "identity.users")
    return sorted({table.partition(".")[0] for table in tables})


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in (*CONTENT, *OPERATIONS, *INSTALLATION, *SERVICE):
        unprotect(op.execute, table)
    op.drop_constraint(op.f("uq_connections_organization_id_address"), "connections", schema="mailboxes")
    op.create_unique_constraint(op.f("uq_connections_address"), "connections", ["address"], schema="mailboxes")
    for index in ("ix_connections_address", "ix_connections_owner_user_id"):
        op.drop_index(index, "connections", schema="mailboxes")
    for column in ("organization_id", "owner_user_id"):
        table = "organizations" if column == "organization_id" else "users"
        op.drop_constraint(op.f(f"fk_connections_{column}_{table}"), "connections", schema="mailboxes")
    # With it go the functions, which read the columns below.
    op.execute("drop schema identity cascade")
    op.drop_column("connections", "is_shared", schema="mailboxes")
    op.drop_column("connections", "owner_user_id", schema="mailboxes")
    op.alter_column("connections", "organization_id", nullable=True, server_default=None, schema="mailboxes")
    op.execute(
        f"update mailboxes.connections set organization_id = null where organization_id = '{LOCAL_ORGANIZATION}'"
    )
    for role in (API_ROLE, FIGURES_ROLE):
        for schema in _schemas():
            if schema != "identity":
                op.execute(f"revoke usage on schema {schema} from {role}")
