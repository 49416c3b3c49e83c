"""People of a mailbox: the addresses that belong to one person, and how close that person is to the owner.

Two addresses are one person only when their full names are the same, or a full name spells the other's local part, at
a place where names mean persons; a role address (info@, a list, a robot) is never merged. Recomputed per mailbox.
"""

import math
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rl_emails_assets.extraction.signatures import SignatureFacts, name_key

MAX_ADDRESSES_PER_NAME = 8
"""More addresses under one full name are a name that many share, or a forger's: they stay apart."""
_HALF_LIFE_DAYS = 90.0
"""After this long without mail the recency part of the strength is half."""
_FULL_STRENGTH_COUNT = 200.0
"""Weighted messages at which the count part of the strength is 1."""

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
    undisclosed recipients user users owner unknown security account online store shop""".split()  # noqa: SIM905
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
class Person:
    """One person. `addresses` are most used first; `strength` is 0-1."""

    person_id: uuid.UUID
    name: str
    addresses: tuple[str, ...]
    organization: str
    title: str
    phone: str
    received_count: int
    sent_count: int
    strength: float
    last_at: datetime


def is_role_address(address: str) -> bool:
    """Whether an address names a function, a list or a robot instead of a person."""
    local = address.partition("@")[0]
    return bool(_ROLE.search(local[:80])) or len(local) > 64 or sum(map(str.isdigit, local)) > 8


def merge_people(contacts: Sequence[ContactFacts], *, namespace: str) -> tuple[Person, ...]:
    """The people behind `contacts`, strongest first; the same for every order of the contacts.

    `namespace` (the mailbox's id) makes the ids differ between mailboxes; a person's id comes from it and the
    alphabetically first address. An address that comes twice counts once, with the later facts.
    """
    by_address = {contact.address: contact for contact in sorted(contacts, key=lambda one: (one.last_at, repr(one)))}
    ordered = [by_address[address] for address in sorted(by_address)]
    if not ordered:
        return ()
    newest_at = max(contact.last_at for contact in ordered)
    people = [_person(group, newest_at, namespace) for group in _groups(ordered)]
    return tuple(sorted(people, key=lambda person: (-person.strength, person.addresses)))


def _groups(contacts: list[ContactFacts]) -> list[list[ContactFacts]]:
    """Contacts by full name; one without any name joins the only full name that spells its local part at its own
    domain."""
    named: dict[tuple[str, ...], list[ContactFacts]] = defaultdict(list)
    alone: list[list[ContactFacts]] = []
    unnamed: list[ContactFacts] = []
    for contact in contacts:
        is_role = is_role_address(contact.address)
        key = () if is_role else _full_name(contact)
        if key:
            named[key].append(contact)
        elif is_role or any(_says_more(name) for name in contact.names):
            alone.append([contact])
        else:
            unnamed.append(contact)
    alone.extend([one] for key, many in named.items() if len(many) > MAX_ADDRESSES_PER_NAME for one in many)
    joined = {key: list(some) for key, some in sorted(named.items()) if len(some) <= MAX_ADDRESSES_PER_NAME}
    spelled: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for key, members in joined.items():
        for site in {_site(member.address.partition("@")[2]) for member in members}:
            for spelling in _spellings(key):
                spelled[f"{spelling}@{site}"].add(key)
    for contact in unnamed:
        local, _, domain = contact.address.partition("@")
        keys = spelled.get(f"{re.sub(r'[._-]', '', local)}@{_site(domain)}", set())
        if len(keys) == 1:
            joined[next(iter(keys))].append(contact)
        else:
            alone.append([contact])
    return [*alone, *joined.values()]


def _says_more(name: str) -> bool:
    """Whether a display name says more than an address."""
    return "@" not in name and any(character.isalpha() for character in name)


def _full_name(contact: ContactFacts) -> tuple[str, ...]:
    """The full name most used with an address, as `name_key`; () when it has none, or a generic one."""
    counts: Counter[tuple[str, ...]] = Counter()
    for name, count in contact.names.items():
        if "@" not in name:
            counts[name_key(name)] += count
    counts[name_key(contact.signature.name)] += 1
    del counts[()]
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


def _spellings(key: tuple[str, ...]) -> set[str]:
    """Local parts, without dots, that only this name is likely to have: both names, or an initial and a name."""
    spelled: set[str] = set()
    for first in key:
        for last in key:
            if first != last and len(last) > 2:
                spelled |= {first + last, first[0] + last}
    return spelled


def _site(domain: str) -> str:
    """The registrable part of a domain, by a rule of thumb that knows "co.uk" and its like."""
    labels = domain.lower().split(".")
    if len(labels) >= 3 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


def _person(group: list[ContactFacts], newest_at: datetime, namespace: str) -> Person:
    group = sorted(group, key=lambda one: (-(one.from_count + one.to_count), one.address))
    addresses = tuple(contact.address for contact in group)
    received = sum(contact.received_count for contact in group)
    sent = sum(contact.sent_count for contact in group)
    replied = sum(contact.replied_count for contact in group)
    last_at = max(contact.last_at for contact in group)
    signatures = [
        contact.signature for contact in sorted(group, key=lambda one: (one.last_at, one.address), reverse=True)
    ]
    return Person(
        person_id=uuid.uuid5(uuid.NAMESPACE_URL, f"rl-emails:person:{namespace}:{min(addresses)}"),
        name=_display_name(group),
        addresses=addresses,
        organization=_first_said(one.organization for one in signatures) or _organization_of(addresses),
        title=_first_said(one.title for one in signatures),
        phone=_first_said(one.phone for one in signatures),
        received_count=received,
        sent_count=sent,
        strength=_strength(received, sent, replied, (newest_at - last_at).total_seconds() / 86400),
        last_at=last_at,
    )


def _first_said(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def _display_name(group: list[ContactFacts]) -> str:
    """The best of the names used: full rather than single, then the most used, then "First Last" order."""
    counts: Counter[str] = Counter()
    for contact in group:
        for name, count in contact.names.items():
            cleaned = _turned(" ".join(name.split()).strip("\"'"))
            if _says_more(cleaned):
                counts[cleaned] += count
        if contact.signature.name:
            counts[contact.signature.name] += 1
    if counts:
        return min(counts, key=lambda name: (not name_key(name), name.isupper() or name.islower(), -counts[name], name))
    local = group[0].address.partition("@")[0]
    parts = [part for part in re.split(r"[._]", local) if part]
    if len(parts) > 1 and all(part.isalpha() for part in parts) and not is_role_address(group[0].address):
        return " ".join(part.capitalize() for part in parts)
    return local


def _turned(name: str) -> str:
    """ "Last, First" as "First Last"."""
    last, comma, first = name.partition(", ")
    if comma and last and first and "," not in first and len(last.split()) <= 3 and name_key(name):
        return f"{first.strip()} {last.strip()}"
    return name


def _organization_of(addresses: tuple[str, ...]) -> str:
    """The name in the domain of the most used address that belongs to an organization."""
    for address in addresses:
        site = _site(address.partition("@")[2])
        if site and site not in PUBLIC_HOSTS and "." in site:
            label = site.split(".")[0]
            return label.upper() if len(label) <= 3 else label.capitalize()
    return ""


def _strength(received: int, sent: int, replied: int, idle_days: float) -> float:
    """0-1: how much mail there is, on a logarithmic scale (what the owner writes counts twice, both directions together
    half as much again), times how recent it is as of the newest message of the mailbox."""
    weighted = received + 2.0 * sent + 2.0 * replied
    if received and sent:
        weighted *= 1.5
    volume = min(1.0, math.log1p(weighted) / math.log1p(_FULL_STRENGTH_COUNT))
    recency = 0.5 ** (max(0.0, idle_days) / _HALF_LIFE_DAYS)
    return round(volume * (0.4 + 0.6 * float(recency)), 4)
