"""Who may do what in an organization and in its mailboxes: pure rules, and the only place that has them.

Each rule answers None when the act is allowed, else why it is not. What always holds, whatever the order of acts: an
organization has an owner; an administrator neither touches an owner nor makes one; nobody raises their own role.
"""

from dataclasses import dataclass

from rl_emails_api.identity.principal import Role

MANAGERS: frozenset[Role] = frozenset({"owner", "admin"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not allowed. A conflict goes away when something else is done first; the rest does not."""

    code: str
    text: str
    is_conflict: bool = False


_NOT_A_MANAGER = Refusal(
    "role-too-low", "Only owners and administrators of the organization may do this. Ask one of them."
)
_NOT_AN_OWNER = Refusal(
    "role-too-low", "Only an owner of the organization may change an owner, or make one. Ask an owner."
)
_LAST_OWNER = Refusal(
    "last-owner",
    "This is the organization's only owner, and it needs one. Make another member an owner first.",
    is_conflict=True,
)
_NOT_INVITED = Refusal(
    "not-invited",
    "This invitation is for another address than the one you signed in with. Sign in with the address that was "
    "invited, or ask for an invitation of yours.",
)
_REVOKED = Refusal("invitation-ended", "This invitation was taken back. Ask for another one.", is_conflict=True)
_USED = Refusal("invitation-ended", "This invitation was used already. Ask for another one.", is_conflict=True)
_EXPIRED = Refusal("invitation-ended", "This invitation has lapsed. Ask for another one.", is_conflict=True)
_NOT_YOURS = Refusal("role-too-low", "Only the mailbox's owner and administrators of the organization may do this.")
_OWNERLESS = Refusal(
    "mailbox-has-no-owner",
    "The person who connected this mailbox has left the organization, so it can only be shared or disconnected.",
    is_conflict=True,
)
_NOT_THE_AUTHOR = Refusal("not-the-author", "Only who wrote a note may change it. Write one of your own.")
_NOT_THE_AUTHORS_TO_DELETE = Refusal(
    "not-the-author", "Only who wrote a note, or an administrator of the organization, may delete it."
)


def refuse_role(actor: Role, member: Role, wanted: Role, *, other_owner_count: int) -> Refusal | None:
    """May an `actor` give `wanted` to someone who is a `member`, themself included?

    `other_owner_count` is how many owners there are who may sign in, besides whom it is about.
    """
    if actor not in MANAGERS:
        return _NOT_A_MANAGER
    if actor != "owner" and "owner" in (member, wanted):
        return _NOT_AN_OWNER
    if member == "owner" and wanted != "owner" and not other_owner_count:
        return _LAST_OWNER
    return None


def refuse_removal(actor: Role, member: Role, *, is_self: bool, other_owner_count: int) -> Refusal | None:
    """May an `actor` end the membership of someone who is a `member`? Anybody may leave, but for the last owner."""
    if is_self:
        return _LAST_OWNER if member == "owner" and not other_owner_count else None
    if actor not in MANAGERS:
        return _NOT_A_MANAGER
    if actor != "owner" and member == "owner":
        return _NOT_AN_OWNER
    return None


def refuse_invitation(actor: Role, wanted: Role) -> Refusal | None:
    """May an `actor` invite somebody as `wanted`, see invitations to it, or take one back?"""
    if actor not in MANAGERS:
        return _NOT_A_MANAGER
    return _NOT_AN_OWNER if actor != "owner" and wanted == "owner" else None


def refuse_acceptance(
    *,
    address: str,
    invited_address: str,
    wanted: Role,
    inviter: Role | None,
    is_revoked: bool,
    is_accepted: bool,
    is_expired: bool,
) -> Refusal | None:
    """May a person with the verified `address` ('' when they have none) accept this invitation as `wanted`?

    `inviter` is the present role of who made it: an invitation is worth no more than the word of who gives it.
    """
    if not address or address != invited_address:
        return _NOT_INVITED
    if is_revoked or inviter is None or refuse_invitation(inviter, wanted) is not None:
        return _REVOKED
    if is_accepted:
        return _USED
    return _EXPIRED if is_expired else None


def refuse_sharing(actor: Role, *, is_own: bool, has_owner: bool, is_shared: bool) -> Refusal | None:
    """May an `actor` who sees the mailbox make it shared, or (`is_shared` False) personal again?

    An administrator does not see a personal mailbox of somebody else, so nobody can make its mail everybody's but its
    owner.
    """
    if not is_own and actor not in MANAGERS:
        return _NOT_YOURS
    # Personal without an owner would be visible to nobody, for ever.
    return _OWNERLESS if not is_shared and not has_owner else None


def refuse_disconnection(actor: Role, *, is_own: bool) -> Refusal | None:
    """May an `actor` disconnect a mailbox of the organization, which erases it?

    An administrator may, personal mailboxes included: else nobody could erase what somebody who left has left.
    """
    return None if is_own or actor in MANAGERS else _NOT_YOURS


def refuse_note_change(*, is_author: bool) -> Refusal | None:
    """May someone who sees a note change its text?"""
    return None if is_author else _NOT_THE_AUTHOR


def refuse_note_deletion(actor: Role, *, is_author: bool) -> Refusal | None:
    """May an `actor` who sees a note delete it?"""
    return None if is_author or actor in MANAGERS else _NOT_THE_AUTHORS_TO_DELETE


def may_be_assigned(*, is_shared: bool, is_own: bool) -> bool:
    """May a thread be assigned to this member: do they see its mailbox?"""
    return is_shared or is_own
