"""Who may do what: what holds whatever the order of acts, and each rule's own answers."""

from dataclasses import dataclass, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_api.identity.principal import Role
from rl_emails_api.organizations import rules
from rl_emails_api.organizations.rules import Refusal

ROLES: tuple[Role, ...] = get_args(Role)
RANK = {"member": 0, "admin": 1, "owner": 2}


@dataclass(frozen=True)
class _Member:
    role: Role
    is_active: bool


_names = st.sampled_from("abcde")
_members = st.dictionaries(_names, st.builds(_Member, st.sampled_from(ROLES), st.booleans()), min_size=1).map(
    lambda found: {"z": _Member("owner", is_active=True), **found}
)
_acts = st.lists(
    st.tuples(
        st.sampled_from("abcdez"), st.sampled_from("abcdez"), st.sampled_from([*ROLES, "remove", "leave", "invite"])
    ),
    max_size=40,
)


def _other_owners(members: dict[str, _Member], name: str) -> int:
    return sum(each.role == "owner" and each.is_active for other, each in members.items() if other != name)


def _after(members: dict[str, _Member], actor: str, about: str, act: str) -> dict[str, _Member]:
    """The members after an act, which is done only if the rules allow it."""
    who, whom = members[actor], members.get(about)
    if act == "invite":
        is_refused = about in members or rules.refuse_invitation(who.role, "admin") is not None
        return members if is_refused else {**members, about: _Member("admin", is_active=True)}
    if act == "leave":
        about, whom = actor, who
    if whom is None:
        return members
    others = _other_owners(members, about)
    if act in ("remove", "leave"):
        if rules.refuse_removal(who.role, whom.role, is_self=about == actor, other_owner_count=others):
            return members
        return {name: each for name, each in members.items() if name != about}
    wanted: Role = act  # type: ignore[assignment]
    if rules.refuse_role(who.role, whom.role, wanted, other_owner_count=others):
        return members
    return {**members, about: replace(whom, role=wanted)}


@given(_members, _acts)
def test_no_order_of_acts_leaves_an_organization_without_an_owner(
    members: dict[str, _Member], acts: list[tuple[str, str, str]]
) -> None:
    """An organization that nobody can manage any more; an administrator who gets rid of an owner or becomes one."""
    for actor, about, act in acts:
        if actor not in members or not members[actor].is_active:
            continue
        after = _after(members, actor, about, act)
        assert any(each.role == "owner" and each.is_active for each in after.values())
        before_owners = {name for name, each in members.items() if each.role == "owner"}
        after_owners = {name for name, each in after.items() if each.role == "owner"}
        if members[actor].role != "owner":
            assert before_owners == after_owners, "only an owner changes who is an owner"
        if members[actor].role == "member":
            assert {**after, actor: members[actor]} == members, "a member changes nobody but themself"
        if actor in after:
            assert RANK[after[actor].role] <= RANK[members[actor].role], "nobody raises their own role"
        members = after


@pytest.mark.parametrize(
    ("actor", "member", "wanted", "others", "code"),
    [
        ("owner", "member", "owner", 0, None),
        ("owner", "owner", "member", 1, None),
        ("owner", "owner", "member", 0, "last-owner"),
        ("owner", "owner", "owner", 0, None),
        ("admin", "member", "admin", 1, None),
        ("admin", "admin", "member", 1, None),
        ("admin", "admin", "owner", 1, "role-too-low"),
        ("admin", "owner", "admin", 5, "role-too-low"),
        ("member", "member", "member", 1, "role-too-low"),
    ],
)
def test_giving_roles(actor: Role, member: Role, wanted: Role, others: int, code: str | None) -> None:
    """Rules so strict that nobody can hand an organization over, or so loose that an administrator takes it."""
    assert _code(rules.refuse_role(actor, member, wanted, other_owner_count=others)) == code


@pytest.mark.parametrize(
    ("actor", "member", "is_self", "others", "code"),
    [
        ("owner", "owner", False, 1, None),
        ("owner", "owner", True, 1, None),
        ("owner", "owner", True, 0, "last-owner"),
        ("admin", "admin", True, 1, None),
        ("member", "member", True, 1, None),
        ("member", "member", False, 1, "role-too-low"),
        ("admin", "member", False, 1, None),
        ("admin", "admin", False, 1, None),
        ("admin", "owner", False, 2, "role-too-low"),
    ],
)
def test_ending_memberships(actor: Role, member: Role, is_self: bool, others: int, code: str | None) -> None:
    """Somebody who cannot leave, or whom anybody can throw out."""
    assert _code(rules.refuse_removal(actor, member, is_self=is_self, other_owner_count=others)) == code


def test_inviting() -> None:
    """A member who lets people in, or an administrator who makes an owner by a detour."""
    allowed = {(actor, wanted) for actor in ROLES for wanted in ROLES if not rules.refuse_invitation(actor, wanted)}
    assert allowed == {("owner", role) for role in ROLES} | {("admin", "admin"), ("admin", "member")}


_INVITED = {
    "address": "grace@example.org",
    "invited_address": "grace@example.org",
    "wanted": "member",
    "inviter": "admin",
    "is_revoked": False,
    "is_accepted": False,
    "is_expired": False,
}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"address": "ada@example.org"}, "not-invited"),
        ({"address": "", "invited_address": ""}, "not-invited"),
        ({"is_revoked": True}, "invitation-ended"),
        ({"is_accepted": True}, "invitation-ended"),
        ({"is_expired": True}, "invitation-ended"),
        ({"inviter": None}, "invitation-ended"),
        ({"inviter": "member"}, "invitation-ended"),
        ({"wanted": "owner"}, "invitation-ended"),
        ({"wanted": "owner", "inviter": "owner"}, None),
    ],
)
def test_accepting(changed: dict[str, object], code: str | None) -> None:
    """A link that works for whoever finds it, twice, for ever, or after the word of who gave it has lost its weight."""
    assert _code(rules.refuse_acceptance(**{**_INVITED, **changed})) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("actor", "is_own", "has_owner", "is_shared", "code"),
    [
        ("member", True, True, True, None),
        ("member", True, True, False, None),
        ("member", False, True, False, "role-too-low"),
        ("admin", False, True, False, None),
        ("owner", False, True, False, None),
        ("admin", False, False, False, "mailbox-has-no-owner"),
        ("admin", False, False, True, None),
    ],
)
def test_sharing(actor: Role, is_own: bool, has_owner: bool, is_shared: bool, code: str | None) -> None:
    """A shared mailbox that any member takes away from all, or that nobody can see any more."""
    refusal = rules.refuse_sharing(actor, is_own=is_own, has_owner=has_owner, is_shared=is_shared)
    assert _code(refusal) == code


def test_disconnecting_and_notes() -> None:
    """A member who erases what is everybody's, or puts words into a colleague's mouth."""
    assert [_code(rules.refuse_disconnection(role, is_own=False)) for role in ROLES] == [None, None, "role-too-low"]
    assert rules.refuse_disconnection("member", is_own=True) is None
    assert rules.refuse_note_change(is_author=True) is None
    assert _code(rules.refuse_note_change(is_author=False)) == "not-the-author"
    deleted = [_code(rules.refuse_note_deletion(role, is_author=False)) for role in ROLES]
    assert deleted == [None, None, "not-the-author"]
    assert rules.refuse_note_deletion("member", is_author=True) is None


def test_assigning() -> None:
    """A conversation given to somebody who cannot read it."""
    seen = {(shared, own): rules.may_be_assigned(is_shared=shared, is_own=own) for shared in (0, 1) for own in (0, 1)}
    assert seen == {(0, 0): False, (0, 1): True, (1, 0): True, (1, 1): True}


def _code(refusal: Refusal | None) -> str | None:
    return refusal and refusal.code
