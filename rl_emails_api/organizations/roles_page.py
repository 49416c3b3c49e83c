"""docs/reference/roles.md: who may do what, made by asking the rules and the scopes, so that it cannot drift."""

from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from rl_emails_api.identity.principal import OPERATOR_SCOPES, ROLE_SCOPES, SCOPES, Role, Scope
from rl_emails_api.organizations import rules

ROLES: tuple[Role, ...] = get_args(Role)
YES, NO = "yes", ""

_PAGE = """\
# Roles

Made by `make docs` from `rl_emails_api/organizations/rules.py` and the scopes in
`rl_emails_api/identity/principal.py`; do not edit it by hand. How to share a mailbox:
[share-a-mailbox.md](../how-to/share-a-mailbox.md). Why the rules are these:
[decision 0025](../decisions/0025-organizations-and-sharing.md).

## Who may do what

A member sees their own mailboxes and the shared ones, and nobody sees a personal mailbox of somebody else: what a row
says of a mailbox holds for mailboxes that one sees, unless it says otherwise. With Clerk, or in an organization that
the identity provider's tokens name, its name, members, roles and invitations are changed there; the endpoints here
answer 409.

{acts}

An organization always has an owner who may sign in. Nobody raises their own role.

## What a request may ask for

A session may ask for what its person's role allows; an API key for what it was made for, and never for more.
`operator:read` (figures over all organizations) comes with no role: the local access token has it.

{scopes}
"""


def page() -> str:
    """The page."""
    return _PAGE.format(
        acts=_table("", {act: [word(role) for role in ROLES] for act, word in _ACTS.items()}),
        scopes=_table(
            "scope",
            {
                f"`{scope}`": [_word(scope in ROLE_SCOPES[role]) for role in ROLES]
                for scope in get_args(Scope)
                if scope in SCOPES - OPERATOR_SCOPES
            },
        ),
    )


def _word(is_allowed: object) -> str:
    return YES if is_allowed else NO


def _table(title: str, rows: Mapping[str, Iterable[str]]) -> str:
    lines = [f"| {title} | {' | '.join(ROLES)} |", "|---" * (len(ROLES) + 1) + "|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(words)} |" for name, words in rows.items())])


def _scoped(scope: Scope) -> Callable[[Role], str]:
    return lambda role: _word(scope in ROLE_SCOPES[role])


def _ruled(refuse: Callable[[Role], rules.Refusal | None]) -> Callable[[Role], str]:
    return lambda role: _word(refuse(role) is None)


def _leaving(role: Role) -> str:
    refusals = [rules.refuse_removal(role, role, is_self=True, other_owner_count=count) for count in (0, 1)]
    return {(True, True): YES, (False, True): "if there is another owner"}[(not refusals[0], not refusals[1])]


_ACTS: Mapping[str, Callable[[Role], str]] = {
    "See the organization and its members": _scoped("organization:read"),
    "Rename the organization": _scoped("organization:write"),
    "Make a member an administrator, or the other way round": _ruled(
        lambda role: (
            rules.refuse_role(role, "member", "admin", other_owner_count=1)
            or rules.refuse_role(role, "admin", "member", other_owner_count=1)
        )
    ),
    "Make somebody an owner": _ruled(lambda role: rules.refuse_role(role, "member", "owner", other_owner_count=1)),
    "Give another owner another role": _ruled(
        lambda role: rules.refuse_role(role, "owner", "member", other_owner_count=1)
    ),
    "Remove a member or an administrator": _ruled(
        lambda role: (
            rules.refuse_removal(role, "member", is_self=False, other_owner_count=1)
            or rules.refuse_removal(role, "admin", is_self=False, other_owner_count=1)
        )
    ),
    "Remove another owner": _ruled(
        lambda role: rules.refuse_removal(role, "owner", is_self=False, other_owner_count=1)
    ),
    "Leave": _leaving,
    "Invite somebody as a member or an administrator": _ruled(
        lambda role: rules.refuse_invitation(role, "member") or rules.refuse_invitation(role, "admin")
    ),
    "Invite somebody as an owner": _ruled(lambda role: rules.refuse_invitation(role, "owner")),
    "Share one's own mailbox, or make it personal again": _ruled(
        lambda role: (
            rules.refuse_sharing(role, is_own=True, has_owner=True, is_shared=True)
            or rules.refuse_sharing(role, is_own=True, has_owner=True, is_shared=False)
        )
    ),
    "Make a shared mailbox its owner's own again": _ruled(
        lambda role: rules.refuse_sharing(role, is_own=False, has_owner=True, is_shared=False)
    ),
    "See or share a personal mailbox of somebody else": lambda _: _word(
        rules.may_be_assigned(is_shared=False, is_own=False)
    ),
    "Disconnect one's own mailbox": _ruled(lambda role: rules.refuse_disconnection(role, is_own=True)),
    "Disconnect any mailbox of the organization, seen or not": _ruled(
        lambda role: rules.refuse_disconnection(role, is_own=False)
    ),
    "Assign a conversation to a member who sees its mailbox; write a note": _scoped("mail:write"),
    "Change one's own note": _ruled(lambda _: rules.refuse_note_change(is_author=True)),
    "Change a note of somebody else": _ruled(lambda _: rules.refuse_note_change(is_author=False)),
    "Delete a note of somebody else": _ruled(lambda role: rules.refuse_note_deletion(role, is_author=False)),
    "See the audit log and the status of every mailbox": _scoped("admin:read"),
}
