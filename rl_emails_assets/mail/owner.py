"""From which addresses the owner of a mailbox writes."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

SMALLEST_SHARE = 0.05
"""Of the sent mail; an address with less is believed only with other evidence."""
_SMALLEST_COUNT = 2

LABELS_READ = frozenset({"SENT", "DRAFT"})
"""The labels that tell what the owner wrote; no other one changes what is found here."""

_NO_PERSON = re.compile(
    r"no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|postmaster|bounce|^notifications?@|-owner@|^owner-|-request@|listserv|majordomo"
    r"|@lists?\.|@googlegroups\.|@groups\."
)


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """What one message says about whose mailbox it is in. Addresses are lower case."""

    from_address: str
    from_name: str
    labels: frozenset[str]
    delivered_to: frozenset[str] = frozenset()
    """Of the Delivered-To and X-Original-To headers."""


def owner_aliases(rows: Iterable[OwnerRow], *, owner: str) -> frozenset[str]:
    """The addresses, other than `owner`, that the owner writes from.

    An address is one when at least two sent messages (or all) are from it, and it has a share of `SMALLEST_SHARE` of
    them, or the owner's name, or mail is delivered to it. Lists and addresses without a person never are.
    """
    sent: Counter[str] = Counter()
    names: dict[str, Counter[str]] = {}
    delivered: set[str] = set()
    for row in rows:
        if "SENT" not in row.labels:
            delivered |= row.delivered_to
        elif row.from_address and "DRAFT" not in row.labels:
            sent[row.from_address] += 1
            if name := " ".join(row.from_name.casefold().split()):
                names.setdefault(row.from_address, Counter())[name] += 1
    owner = owner.casefold()
    owner_names = set(names.get(owner, ()))
    total = sent.total()
    return frozenset(
        address
        for address, count in sent.items()
        if address != owner
        and (count >= _SMALLEST_COUNT or count == total)
        and _NO_PERSON.search(address) is None
        and (
            count >= SMALLEST_SHARE * total
            or address in delivered
            or not owner_names.isdisjoint(names.get(address, ()))
        )
    )
