"""Which addresses are one person's, and why.

The same full name is never enough: two people may share it. Two addresses of one name are one person when something
else says so: they are at one organization, a mail to the one was answered from the other, the one names the other as
its own, or their signatures have the same phone number. One organization is not enough where the name is so common
there that two may bear it (_Crowd), and no tie is where the initials differ. Two forms of one given name ("Bill",
"William") with one family name are one name at one organization. An address without any name joins the only full name
that spells its local part at its own organization. Spellings of one mailbox (ada+news@, a.da@gmail.com) are one. A role
address (info@, a list, a robot) is never merged, nor is one that several people write from.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rl_emails_assets.extraction.person_names import PersonName, forms_of, is_same_given, person_name
from rl_emails_assets.extraction.signatures import SignatureFacts, name_key

MAX_ADDRESSES_PER_NAME = 8
"""More addresses under one full name are a name that many share, or a forger's: they stay apart."""

How = Literal["organization", "answered_from", "names_itself", "phone", "spelling", "nickname", "same_mailbox"]
"""Why two addresses are one person's: one name at one organization; a mail to one was answered from the other under the
same name; one of them names the other as its own; one phone number in both signatures; a bare address spells it; two
forms of one given name, with one family name, at one organization; two spellings of one mailbox."""

MOST_NAMESAKES = 0.02
"""Expected number of other people of one name at an organization, above which the name alone ties nobody there."""
_SAME_INITIAL = 0.07
"""How likely two people of one name share the initial too, about one in fifteen."""
_SHARED_NAMES = 3
"""An address that so many full names were seen with, none of them mostly, is shared."""

PUBLIC_HOSTS = frozenset(
    """gmail.com googlemail.com yahoo.com ymail.com rocketmail.com hotmail.com outlook.com live.com msn.com aol.com
    icloud.com me.com
    mac.com gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de posteo.de mailbox.org proton.me
    protonmail.com
    fastmail.com fastmail.fm hey.com zoho.com mail.com mail.ru yandex.ru yandex.com qq.com 163.com 126.com sina.com
    naver.com orange.fr
    wanadoo.fr free.fr laposte.net sfr.fr libero.it tiscali.it virgilio.it hotmail.co.uk hotmail.fr hotmail.de
    yahoo.co.uk yahoo.fr yahoo.de
    yahoo.co.in btinternet.com bigpond.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net earthlink.net
    cox.net charter.net
    juno.com netzero.net swbell.net prodigy.net compuserve.com excite.com telefonica.net terra.es rediffmail.com
    pacbell.net""".split()  # noqa: SIM905
)
"""Hosts that give an address to anybody: they say nothing about an organization."""

_ROLE = re.compile(
    r"(?:^|[._+-])(?:info|support|help|helpdesk|service|services|sales|contact|kontakt|contacto"
    r"|office|admin|administrator|administration|webmaster|postmaster|hostmaster|abuse|billing"
    r"|accounts?|accounting|invoice|invoices|orders?|press|marketing|jobs|careers|hr|team|staff"
    r"|all|everyone|list|lists|users|announce|announcements|news|newsletter|noreply|no-?reply"
    r"|donotreply"
    r"|do-?not-?reply|notifications?|notify|alerts?|mailer|mailer-daemon|daemon|bounces?|bounce"
    r"|owner|request|subscribe|unsubscribe|robot|bot|system|root|feedback|enquiries|inquiries"
    r"|hello|mail"
    r"|security|privacy|legal|reply|updates?|digest|calendar|bugzilla|jira|github|devel?|discuss)(?:$|[._+-])",
    re.IGNORECASE,
)
_GENERIC_NAME_WORDS = frozenset(
    """team support service services customer desk help info news newsletter list group department dept office admin
    administrator accounts billing sales notification notifications alert alerts system mail mailing reply noreply
    undisclosed recipients user users owner unknown security account online store shop chairman editor editors
    editorial network member members investor investors announcement announcements messaging management com net org
    www inc llc ltd corp gmbh press marketing promotions offers deals rewards club community survey surveys events
    registration""".split()  # noqa: SIM905
)
_SECOND_LEVEL = frozenset("co com ac gov edu org net or ne".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What a mailbox knows about one address. `names` counts the display names seen with it; `from_count` and
    `to_count` are the
    messages that carry it as sender and as recipient; `received_count`, `sent_count` and `replied_count` are what the
    owner
    received from it, sent to it and answered."""

    address: str
    names: Mapping[str, int]
    from_count: int
    to_count: int
    received_count: int
    sent_count: int
    replied_count: int
    first_at: datetime
    last_at: datetime
    signature: SignatureFacts = field(default_factory=SignatureFacts)


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


def is_role_address(address: str) -> bool:
    """Whether an address names a function, a list or a robot instead of a person."""
    local = address.partition("@")[0]
    return bool(_ROLE.search(local[:80])) or len(local) > 64 or sum(map(str.isdigit, local)) > 8


def namesakes(contacts: Sequence[ContactFacts]) -> tuple[tuple[str, ...], ...]:
    """The addresses of each full name that is at several organizations or hosts: evidence on these is worth finding."""
    return tuple(
        tuple(one.address for one in members)
        for members in _named(contacts).values()
        if 1 < len(members) <= MAX_ADDRESSES_PER_NAME and _is_scattered(members)
    )


def _is_scattered(members: Sequence[ContactFacts]) -> bool:
    places = {_place(one) for one in members}
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
    crowds = _crowds(named)
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
        key = () if is_role_address(contact.address) else _full_name(contact)
        if key:
            named[key].append(contact)
    return named


@dataclass(slots=True)
class _Crowd:
    """The full names known at one place: how common each part of them is there."""

    names: int = 0
    given: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    family: Counter[str] = field(default_factory=Counter)

    def add(self, name: PersonName) -> None:
        """Count one more name."""
        self.names += 1
        self.given[name.given] += 1
        self.forms.update(forms_of(name.given))
        self.family[name.family] += 1

    def namesakes(self, one: PersonName, other: PersonName) -> float:
        """How many people besides are expected to bear these names there, if given and family names were drawn apart."""
        if one.given == other.given:
            known, given = 1, self.given[one.given]
        else:
            known, given = 2, max((self.forms[form] for form in forms_of(one.given) & forms_of(other.given)), default=0)
        others = max(0, given - known) * max(0, self.family[one.family] - known) / max(1, self.names)
        return others * (_SAME_INITIAL if one.initials & other.initials else 1.0)


def _crowds(named: Mapping[tuple[str, ...], Sequence[ContactFacts]]) -> dict[str, _Crowd]:
    crowds: defaultdict[str, _Crowd] = defaultdict(_Crowd)
    for members in named.values():
        for place in {_place(one) for one in members}:
            name = next((name for one in members if _place(one) == place and (name := _name_of(one))), None)
            if name is not None:
                crowds[place].add(name)
    return crowds


def _joined(
    members: list[ContactFacts], links_of: Mapping[str, list[Link]], crowds: Mapping[str, _Crowd]
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
    said = [name.initials for one in members if (name := _name_of(one)) and name.initials]
    return any(one.isdisjoint(other) for one in said for other in said)


def _initials(contacts: Iterable[ContactFacts]) -> list[frozenset[str]]:
    return [name.initials for one in contacts if (name := _name_of(one)) and name.initials]


def _differ(one: Group, other: Group) -> bool:
    """Whether the initials tell the two apart: "Mark A." and "Mark S."."""
    others = _initials(other.contacts)
    return any(left.isdisjoint(right) for left in _initials(one.contacts) for right in others)


def _tie(
    group: Group,
    contact: ContactFacts,
    links_of: Mapping[str, list[Link]],
    crowds: Mapping[str, _Crowd],
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
    contact: ContactFacts, other: ContactFacts, crowds: Mapping[str, _Crowd], *, is_ambiguous: bool
) -> bool:
    place = _place(contact)
    if place != _place(other) or site_of(contact.address.partition("@")[2]) in PUBLIC_HOSTS:
        return False
    one, two = _name_of(contact), _name_of(other)
    if one is None or two is None:
        return not is_ambiguous
    is_one_initialled = bool(one.initials) != bool(two.initials)
    if is_one_initialled and (is_ambiguous or contact.address.partition("@")[2] == other.address.partition("@")[2]):
        # At one host two people of one name are told apart by an initial.
        return False
    return place not in crowds or crowds[place].namesakes(one, two) <= MOST_NAMESAKES


def _join_forms(by_name: dict[tuple[str, ...], list[Group]], crowds: Mapping[str, _Crowd]) -> None:
    """Joins the only two groups that bear forms of one given name, and one family name, at one organization."""
    at: defaultdict[tuple[str, str], list[tuple[PersonName, Group]]] = defaultdict(list)
    for _, some in sorted(by_name.items()):
        for group in some:
            seen = {(name.family, _place(one)): name for one in group.contacts if (name := _name_of(one))}
            for (family, place), name in seen.items():
                if place not in PUBLIC_HOSTS:
                    at[family, place].append((name, group))
    for (_, place), bearers in sorted(at.items(), key=lambda item: item[0]):
        for one, group in bearers:
            same = [(name, other) for name, other in bearers if other is not group and is_same_given(one.given, name.given)]
            if len(same) != 1 or one.given == same[0][0].given or not group.contacts:
                continue
            name, other = same[0]
            of_other = [each for each, that in bearers if that is not other and is_same_given(each.given, name.given)]
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


def _one_mailbox(groups: list[Group]) -> list[Group]:
    """Joins groups with spellings of one mailbox, unless two full names are on them."""
    first: dict[str, Group] = {}
    kept: list[Group] = []
    for group in groups:
        mailboxes = {mailbox for one in group.contacts if (mailbox := _mailbox_of(one.address))}
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
    keys = [{key for contact in group.contacts if (key := _full_name(contact))} for group in (one, other)]
    return not keys[0] or not keys[1] or keys[0] == keys[1]


def _mailbox_of(address: str) -> str:
    """The mailbox that an address with a tag, or with the dots that one host ignores, leads to; "" for a role's."""
    if is_role_address(address):
        return ""
    local, _, domain = address.partition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def _place(contact: ContactFacts) -> str:
    """The organization of an address: the name in its domain, whatever country ("ibm.com", "ibm.de")."""
    site = site_of(contact.address.partition("@")[2])
    label = site.split(".")[0]
    return label if site not in PUBLIC_HOSTS and len(label) > 3 else site


def _digits(phone: str) -> str:
    return "".join(character for character in phone if character.isdigit())[-10:]


def _has_own_name(contact: ContactFacts) -> bool:
    return is_role_address(contact.address) or any(says_more(name) for name in contact.names)


def _spelled(address: str) -> str:
    local, _, domain = address.partition("@")
    return f"{re.sub(r'[._-]', '', local)}@{site_of(domain)}"


def says_more(name: str) -> bool:
    """Whether a display name says more than an address."""
    return "@" not in name and any(character.isalpha() for character in name)


def _full_name(contact: ContactFacts) -> tuple[str, ...]:
    """The full name most used with an address, as `name_key`; () when it has none, a generic one, or several people's."""
    counts: Counter[tuple[str, ...]] = Counter()
    for name, count in contact.names.items():
        if "@" not in name and (person := person_name(name)):
            counts[person.key] += count
    counts[name_key(contact.signature.name)] += 1
    del counts[()]
    if len(counts) >= _SHARED_NAMES and 2 * max(counts.values()) <= counts.total():
        return ()
    for key, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        return () if _GENERIC_NAME_WORDS.intersection(key) or len(key) > 4 else key
    # No display name with two words: "first.last@" says the name itself.
    parts = [part for part in re.split(r"[._]", contact.address.partition("@")[0][:64]) if part]
    if (
        len(parts) in (2, 3)
        and all(part.isalpha() and len(part) > 1 for part in (parts[0], parts[-1]))
        and not contact.names
    ):
        return name_key(f"{parts[0]} {parts[-1]}")
    return ()


def _name_of(contact: ContactFacts) -> PersonName | None:
    """The full name of an address taken apart, in the form that has initials if there is one."""
    key = _full_name(contact)
    forms = [name for said in sorted(contact.names) if (name := person_name(said)) and name.key == key]
    return max(forms, key=lambda name: (len(name.initials), name.given), default=person_name(" ".join(key)))


def _spellings(key: tuple[str, ...]) -> set[str]:
    """Local parts, without dots, that only this name is likely to have: both names, or an initial and a name."""
    spelled: set[str] = set()
    for first in key:
        for last in key:
            if first != last and len(last) > 2:
                spelled |= {first + last, first[0] + last}
    return spelled


def site_of(domain: str) -> str:
    """The registrable part of a domain, by a rule of thumb that knows "co.uk" and its like."""
    labels = domain.lower().split(".")
    if len(labels) >= 3 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])
