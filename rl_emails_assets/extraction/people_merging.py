"""Which addresses are one person's, and why.

The same full name is never enough: two people may share it. Two addresses of one name are one person when something
else says so: they are at one organization, a mail to the one was answered from the other, the one names the other as
its own, or their signatures have the same phone number. One organization is not enough where the name is so common
there that two may bear it (Crowd), and no tie is where the initials differ. Two forms of one given name ("Bill",
"William") with one family name are one name at one organization. An address without any name joins the only full name
that spells its local part at its own organization. Spellings of one mailbox (ada+news@, a.da@gmail.com) are one. A role
address (info@, a list, a robot) is never merged, nor is one that several people write from.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rl_emails_assets.extraction.contact_names import PUBLIC_HOSTS as PUBLIC_HOSTS
from rl_emails_assets.extraction.contact_names import ContactFacts as ContactFacts
from rl_emails_assets.extraction.contact_names import Crowd, crowds_of, full_name, mailbox_of, name_of, place_of
from rl_emails_assets.extraction.contact_names import is_role_address as is_role_address
from rl_emails_assets.extraction.contact_names import says_more as says_more
from rl_emails_assets.extraction.contact_names import site_of as site_of
from rl_emails_assets.extraction.person_names import PersonName, is_misspelt, is_same_given

MAX_ADDRESSES_PER_NAME = 8
"""More addresses under one full name are a name that many share, or a forger's: they stay apart."""

How = Literal["organization", "answered_from", "names_itself", "phone", "spelling", "nickname", "same_mailbox"]
"""Why two addresses are one person's: one name at one organization; a mail to one was answered from the other under the
same name; one of them names the other as its own; one phone number in both signatures; a bare address spells it; two
forms of one given name, with one family name, at one organization; two spellings of one mailbox."""

MOST_NAMESAKES = 0.02
"""Expected number of other people of one name at an organization, above which the name alone ties nobody there."""


@dataclass(frozen=True, slots=True)
class Link:
    """What ties `address` to `other`, an address of the same full name or to be joined to one."""

    address: str
    other: str
    how: How


@dataclass(slots=True)
class Group:
    """Addresses of one person; `links` say why each beyond the first is theirs."""

    contacts: list[ContactFacts]
    links: list[Link] = field(default_factory=list)


def namesakes(contacts: Sequence[ContactFacts]) -> tuple[tuple[str, ...], ...]:
    """The addresses of each full name that is at several organizations or hosts: evidence on these is worth finding."""
    return tuple(
        tuple(one.address for one in members)
        for members in _named(contacts).values()
        if 1 < len(members) <= MAX_ADDRESSES_PER_NAME and _is_scattered(members)
    )


def _is_scattered(members: Sequence[ContactFacts]) -> bool:
    places = {place_of(one) for one in members}
    return len(places) > 1 or not places.isdisjoint(PUBLIC_HOSTS)


def group_contacts(contacts: Sequence[ContactFacts], evidence: Iterable[Link] = ()) -> list[Group]:
    """Contacts by person. `contacts` are sorted by address, each once; `evidence` are links that mail gave."""
    named = _named(contacts)
    in_named = {contact.address for members in named.values() for contact in members}
    groups: list[Group] = []
    links_of: dict[str, list[Link]] = defaultdict(list)
    for link in evidence:
        links_of[link.address].append(link)
        links_of[link.other].append(link)
    by_name: dict[tuple[str, ...], list[Group]] = {}
    crowds = crowds_of(named)
    for key, members in sorted(named.items()):
        if len(members) > MAX_ADDRESSES_PER_NAME:
            groups.extend(Group([one]) for one in members)
        else:
            by_name[key] = _joined(members, links_of, crowds)
    _join_forms(by_name, crowds)
    groups.extend(group for some in by_name.values() for group in some)
    spelled: dict[str, list[Group]] = defaultdict(list)
    for key, some in by_name.items():
        for group in some:
            for site in {site_of(member.address.partition("@")[2]) for member in group.contacts}:
                for spelling in _spellings(key):
                    spelled[f"{spelling}@{site}"].append(group)
    for contact in contacts:
        if contact.address in in_named:
            continue
        candidates = [] if _has_own_name(contact) else spelled.get(_spelled(contact.address), [])
        if len(candidates) == 1:
            first = candidates[0].contacts[0].address
            candidates[0].contacts.append(contact)
            candidates[0].links.append(Link(contact.address, first, "spelling"))
        else:
            groups.append(Group([contact]))
    return _one_mailbox(groups)


def _named(contacts: Sequence[ContactFacts]) -> dict[tuple[str, ...], list[ContactFacts]]:
    named: dict[tuple[str, ...], list[ContactFacts]] = defaultdict(list)
    for contact in contacts:
        key = () if is_role_address(contact.address) else full_name(contact)
        if key:
            named[key].append(contact)
    return named


def _joined(
    members: list[ContactFacts], links_of: Mapping[str, list[Link]], crowds: Mapping[str, Crowd]
) -> list[Group]:
    """Contacts of one full name, those tied together by something else in one group."""
    groups: list[Group] = []
    is_ambiguous = _has_two_initials(members)
    for contact in members:
        ties = [
            (group, link)
            for group in groups
            if (link := _tie(group, contact, links_of, crowds, is_ambiguous=is_ambiguous)) is not None
        ]
        if not ties:
            groups.append(Group([contact]))
            continue
        (into, link), *others = ties
        into.contacts.append(contact)
        into.links.append(link)
        for group, also in others:
            if not _differ(into, group):
                into.contacts.extend(group.contacts)
                into.links.extend([*group.links, also])
                groups.remove(group)
    return groups


def _has_two_initials(members: Sequence[ContactFacts]) -> bool:
    said = [name.initials for one in members if (name := name_of(one)) and name.initials]
    return any(one.isdisjoint(other) for one in said for other in said)


def _initials(contacts: Iterable[ContactFacts]) -> list[frozenset[str]]:
    return [name.initials for one in contacts if (name := name_of(one)) and name.initials]


def _differ(one: Group, other: Group) -> bool:
    """Whether the initials tell the two apart: "Mark A." and "Mark S."."""
    others = _initials(other.contacts)
    return any(left.isdisjoint(right) for left in _initials(one.contacts) for right in others)


def _tie(
    group: Group,
    contact: ContactFacts,
    links_of: Mapping[str, list[Link]],
    crowds: Mapping[str, Crowd],
    *,
    is_ambiguous: bool,
) -> Link | None:
    if _differ(group, Group([contact])):
        return None
    for other in group.contacts:
        for link in links_of.get(contact.address, ()):
            if other.address in (link.address, link.other):
                return Link(contact.address, other.address, link.how)
        if _is_of_one_organization(contact, other, crowds, is_ambiguous=is_ambiguous):
            return Link(contact.address, other.address, "organization")
        digits = _digits(contact.signature.phone)
        if len(digits) >= 7 and digits == _digits(other.signature.phone):
            return Link(contact.address, other.address, "phone")
    return None


def _is_of_one_organization(
    contact: ContactFacts, other: ContactFacts, crowds: Mapping[str, Crowd], *, is_ambiguous: bool
) -> bool:
    place = place_of(contact)
    if place != place_of(other) or site_of(contact.address.partition("@")[2]) in PUBLIC_HOSTS:
        return False
    one, two = name_of(contact), name_of(other)
    if one is None or two is None:
        return not is_ambiguous
    is_one_initialled = bool(one.initials) != bool(two.initials)
    if is_one_initialled and (is_ambiguous or contact.address.partition("@")[2] == other.address.partition("@")[2]):
        # At one host two people of one name are told apart by an initial.
        return False
    return place not in crowds or crowds[place].namesakes(one, two) <= MOST_NAMESAKES


def _join_forms(by_name: dict[tuple[str, ...], list[Group]], crowds: Mapping[str, Crowd]) -> None:
    """Joins the only two groups that bear forms of one given name, and one family name, at one organization."""
    at: defaultdict[tuple[str, str], list[tuple[PersonName, Group]]] = defaultdict(list)
    for _, some in sorted(by_name.items()):
        for group in some:
            seen = {(name.family, place_of(one)): name for one in group.contacts if (name := name_of(one))}
            for (family, place), name in seen.items():
                if place not in PUBLIC_HOSTS:
                    at[family, place].append((name, group))
    for (_, place), bearers in sorted(at.items(), key=lambda item: item[0]):
        for one, group in bearers:
            same = [
                (name, other) for name, other in bearers if other is not group and _is_one_given(one, name, bearers)
            ]
            if len(same) != 1 or one.given == same[0][0].given or not group.contacts:
                continue
            name, other = same[0]
            of_other = [each for each, that in bearers if that is not other and _is_one_given(each, name, bearers)]
            if len(of_other) != 1 or not other.contacts or _differ(group, other):
                continue
            if crowds[place].namesakes(one, name) > MOST_NAMESAKES:
                continue
            link = Link(other.contacts[0].address, group.contacts[0].address, "nickname")
            group.contacts.extend(other.contacts)
            group.links.extend([*other.links, link])
            other.contacts.clear()
    for key, some in by_name.items():
        by_name[key] = [group for group in some if group.contacts]


def _is_one_given(one: PersonName, other: PersonName, bearers: Sequence[object]) -> bool:
    """Forms of one given name, or, where only these two bear the family name, two spellings of one."""
    return is_same_given(one.given, other.given) or (len(bearers) == 2 and is_misspelt(one.given, other.given))


def _one_mailbox(groups: list[Group]) -> list[Group]:
    """Joins groups with spellings of one mailbox, unless two full names are on them."""
    first: dict[str, Group] = {}
    kept: list[Group] = []
    for group in groups:
        mailboxes = {mailbox for one in group.contacts if (mailbox := mailbox_of(one.address))}
        into = next((first[mailbox] for mailbox in sorted(mailboxes) if mailbox in first), None)
        if into is None or not _may_be_one(into, group):
            kept.append(group)
            first.update((mailbox, group) for mailbox in mailboxes if mailbox not in first)
            continue
        link = Link(group.contacts[0].address, into.contacts[0].address, "same_mailbox")
        into.contacts.extend(group.contacts)
        into.links.extend([*group.links, link])
        first.update((mailbox, into) for mailbox in mailboxes if mailbox not in first)
    return kept


def _may_be_one(one: Group, other: Group) -> bool:
    keys = [{key for contact in group.contacts if (key := full_name(contact))} for group in (one, other)]
    return not keys[0] or not keys[1] or keys[0] == keys[1]


def _digits(phone: str) -> str:
    return "".join(character for character in phone if character.isdigit())[-10:]


def _has_own_name(contact: ContactFacts) -> bool:
    return is_role_address(contact.address) or any(says_more(name) for name in contact.names)


def _spelled(address: str) -> str:
    local, _, domain = address.partition("@")
    return f"{re.sub(r'[._-]', '', local)}@{site_of(domain)}"


def _spellings(key: tuple[str, ...]) -> set[str]:
    """Local parts, without dots, that only this name is likely to have: both names, or an initial and a name."""
    spelled: set[str] = set()
    for first in key:
        for last in key:
            if first != last and len(last) > 2:
                spelled |= {first + last, first[0] + last}
    return spelled
