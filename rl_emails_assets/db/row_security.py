"""Tenants are separated by the database (promise 8): the policies of row-level security, for migrations to call.

The API reads and writes as `API_ROLE`, which owns nothing. What a request sees follows from two settings of its
transaction, `rl_emails.organization_id` and `rl_emails.user_id`; unset, it sees nothing. The functions that the
policies ask are in the schema `identity` (migration 0008). Row-level security is forced, so it holds for the tables'
owner too; a policy of its own lets the owner, who is what the graph's steps connect as, do its work over all mailboxes.
"""

from collections.abc import Callable
from typing import Literal

API_ROLE = "rl_emails_api"
FIGURES_ROLE = "rl_emails_figures"
"""What an administrator's figures are read as: it may count what the organization's mailboxes hold and read none of it,
because its rights are on the columns that are counted only."""

By = Literal["mailbox", "operation", "organization", "user", "person", "service", "installation"]

_ALL = "select, insert, update, delete"
_VISIBLE = "mailbox_id = any ((select identity.visible_mailboxes())::uuid[])"
_OPERATED = "mailbox_id = any ((select identity.operated_mailboxes())::uuid[])"
_ORGANIZATION = "organization_id = (select identity.own_organization_id())"
_USER = "user_id = (select identity.own_user_id())"
# The memberships that this reads are under their own policy: those of the same organization.
_PERSON = f"{_USER} or user_id in (select member.user_id from identity.memberships as member)"  # noqa: S608

CONDITIONS: dict[By, str | None] = {
    "mailbox": _VISIBLE,
    "operation": _OPERATED,
    "organization": _ORGANIZATION,
    "user": _USER,
    "person": _PERSON,
    "service": None,
    "installation": None,
}
"""`mailbox`: who may read the mailbox. `operation`: they, and administrators of its organization: when it was synced,
not what it holds. `organization`: its members. `user`: themself. `person`: they and the members of their organization.
`service`: nobody; only the tables' owner. `installation`: everybody may read it, because it tells of no tenant."""


def protect(execute: Callable[[str], object], table: str, *, by: By, rights: str = _ALL, figures: str = "") -> None:
    """Put `table` (`schema.name`) under row-level security; `execute` runs a statement (`op.execute`).

    `rights` are the API role's; `figures` are the columns of a mailbox's table that administrators may count by.
    """
    execute(f"alter table {table} enable row level security")
    execute(f"alter table {table} force row level security")
    execute(
        f"do $$ begin execute format('create policy service on {table} to %I using (true) with check (true)', "
        "current_user); end $$"
    )
    if by == "service":
        return
    if by == "installation":
        execute(f"create policy tenant on {table} for select to {API_ROLE}, {FIGURES_ROLE} using (true)")
        execute(f"grant select on {table} to {API_ROLE}, {FIGURES_ROLE}")
        return
    execute(f"create policy tenant on {table} to {API_ROLE} using ({CONDITIONS[by]}) with check ({CONDITIONS[by]})")
    execute(f"grant {rights} on {table} to {API_ROLE}")
    if by == "operation" or figures:
        execute(f"create policy figures on {table} for select to {FIGURES_ROLE} using ({_OPERATED})")
        execute(f"grant select {f'({figures})' if figures else ''} on {table} to {FIGURES_ROLE}")


def unprotect(execute: Callable[[str], object], table: str) -> None:
    """Undo `protect`, for a migration's way down."""
    execute(f"revoke all on {table} from {API_ROLE}, {FIGURES_ROLE}")
    for policy in ("service", "tenant", "figures"):
        execute(f"drop policy if exists {policy} on {table}")
    execute(f"alter table {table} no force row level security")
    execute(f"alter table {table} disable row level security")
