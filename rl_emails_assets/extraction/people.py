"""People of a mailbox: who they are, behind which addresses, and how close they are to the owner.

Which addresses are one person's is decided in people_merging. Computed for a mailbox as a whole; ids last.
"""

import math
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rl_emails_assets.extraction.lasting_ids import lasting_ids
from rl_emails_assets.extraction.people_merging import (
    PUBLIC_HOSTS,
    Group,
    Link,
    group_contacts,
    is_role_address,
    says_more,
    site_of,
)
from rl_emails_assets.extraction.people_merging import ContactFacts as ContactFacts
from rl_emails_assets.extraction.signatures import name_key

_HALF_LIFE_DAYS = 90.0
"""After this long without mail the recency part of the strength is half."""
_FULL_STRENGTH_COUNT = 200.0
"""Weighted messages at which the volume part of the strength is 1."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, or one address of a function when `is_role`. `addresses` are most used first; `merged_by` says why
    they are one person's. `strength` is 0-1, made of `strength_parts` (volume, recency, reciprocity)."""

    person_id: uuid.UUID
    name: str
    addresses: tuple[str, ...]
    organization: str
    title: str
    phone: str
    received_count: int
    sent_count: int
    replied_count: int
    strength: float
    strength_parts: Mapping[str, float]
    last_at: datetime
    is_role: bool = False
    merged_by: tuple[Link, ...] = field(default=())


def merge_people(
    contacts: Sequence[ContactFacts],
    *,
    namespace: str,
    evidence: Iterable[Link] = (),
    before: Mapping[str, uuid.UUID] | None = None,
) -> tuple[Person, ...]:
    """The people behind `contacts`, strongest first; the same for every order of the contacts.

    `evidence` is what mail says of addresses of one name (people_merging.namesakes); `before` has the person of each
    address as merged last, whose id goes on (lasting_ids). `namespace` (the mailbox's id) makes new ids differ between
    mailboxes. An address that comes twice counts once, with the later facts.
    """
    by_address = {contact.address: contact for contact in sorted(contacts, key=lambda one: (one.last_at, repr(one)))}
    ordered = [by_address[address] for address in sorted(by_address)]
    if not ordered:
        return ()
    newest_at = max(contact.last_at for contact in ordered)
    groups = group_contacts(ordered, evidence)
    weights = {contact.address: 1.0 + contact.from_count + contact.to_count for contact in ordered}
    members = [sorted(contact.address for contact in group.contacts) for group in groups]
    ids = lasting_ids(members, before or {}, weights=weights, namespace=f"person:{namespace}")
    people = [_person(group, newest_at, person_id) for group, person_id in zip(groups, ids, strict=True)]
    return tuple(sorted(people, key=lambda person: (-person.strength, person.addresses)))


def _person(found: Group, newest_at: datetime, person_id: uuid.UUID) -> Person:
    group = sorted(found.contacts, key=lambda one: (-(one.from_count + one.to_count), one.address))
    addresses = tuple(contact.address for contact in group)
    received = sum(contact.received_count for contact in group)
    sent = sum(contact.sent_count for contact in group)
    replied = sum(contact.replied_count for contact in group)
    last_at = max(contact.last_at for contact in group)
    signatures = [
        contact.signature for contact in sorted(group, key=lambda one: (one.last_at, one.address), reverse=True)
    ]
    parts = strength_parts(received, sent, replied, (newest_at - last_at).total_seconds() / 86400)
    return Person(
        person_id=person_id,
        name=_display_name(group),
        addresses=addresses,
        organization=_first_said(one.organization for one in signatures) or _organization_of(addresses),
        title=_first_said(one.title for one in signatures),
        phone=_first_said(one.phone for one in signatures),
        received_count=received,
        sent_count=sent,
        replied_count=replied,
        strength=strength_of(parts),
        strength_parts=parts,
        last_at=last_at,
        is_role=all(is_role_address(address) for address in addresses),
        merged_by=tuple(sorted(found.links, key=lambda link: (link.address, link.other))),
    )


def _first_said(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def _display_name(group: list[ContactFacts]) -> str:
    """The best of the names used: full rather than single, then the most used, then "First Last" order."""
    counts: Counter[str] = Counter()
    for contact in group:
        for name, count in contact.names.items():
            cleaned = _turned(" ".join(name.split()).strip("\"'"))
            if says_more(cleaned):
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
        site = site_of(address.partition("@")[2])
        if site and site not in PUBLIC_HOSTS and "." in site:
            label = site.split(".")[0]
            return label.upper() if len(label) <= 3 else label.capitalize()
    return ""


def strength_parts(received: int, sent: int, replied: int, idle_days: float) -> dict[str, float]:
    """What the strength is made of, each 0-1: `volume`, the mail there is on a logarithmic scale (what the owner writes
    and answers counts twice); `recency`, halved by every 90 days since the last mail, as of the mailbox's newest;
    `reciprocity`, 1 when as much went as came. These are three of the dimensions of tie strength that Gilbert and
    Karahalios (Predicting tie strength with social media, CHI 2009) found to tell most, and that mail headers show."""
    volume = min(1.0, math.log1p(received + 2.0 * sent + 2.0 * replied) / math.log1p(_FULL_STRENGTH_COUNT))
    recency = 0.5 ** (max(0.0, idle_days) / _HALF_LIFE_DAYS)
    both = received + sent
    reciprocity = 2.0 * min(received, sent) / both if both else 0.0
    return {"volume": round(volume, 4), "recency": round(recency, 4), "reciprocity": round(reciprocity, 4)}


def strength_of(parts: Mapping[str, float]) -> float:
    """0-1: volume, times what recency and reciprocity leave of it (two fifths and seven tenths at least)."""
    return round(parts["volume"] * (0.4 + 0.6 * parts["recency"]) * (0.7 + 0.3 * parts["reciprocity"]), 4)
