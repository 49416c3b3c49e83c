"""People: whether addresses are merged that one person has, and whether the strength tells whom the owner writes to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np

from rl_emails_assets.evaluation.section import SEED, Figure, Section, Table
from rl_emails_assets.evaluation.statistics import bootstrap, ratio_interval
from rl_emails_assets.evaluation.whole_mailboxes import Placed, WholeMailbox, whole_mailboxes
from rl_emails_assets.extraction.people import strength_of, strength_parts
from rl_emails_assets.extraction.people_merging import ContactFacts, group_contacts
from rl_emails_assets.extraction.signatures import name_key, signature_facts
from rl_emails_assets.ranking.measures import auc

HORIZON = timedelta(days=60)
"""Whom the owner writes to within this time is what the strength should tell."""
_LEAST_CONTACTS = 20
_NEVER = datetime(1, 1, 1, tzinfo=UTC)

_METHOD = (
    "Labels are mechanical. These mailboxes have bare addresses; the old mail system's own directory wrote each "
    "sender's full name into a header of its own (X-From), which stands in for the display names of today's mail. "
    "Two addresses with one directory name at one host are one person's when both local parts have the surname in "
    "them; with other local parts (functions, mailings) or two names they are not. Pairs at different hosts have no "
    "label: a name alone does not tell there; the table counts them. Strength: at five times of each mailbox, from "
    "the mail up to then, contacts are ordered by the strength; the figure is the probability that one to whom the "
    "owner writes within the next 60 days stands before one to whom the owner does not."
)


@dataclass(slots=True)
class _Contact:
    names: Counter[str] = field(default_factory=Counter)
    from_count: int = 0
    to_count: int = 0
    received: int = 0
    sent: int = 0
    replied: int = 0
    first_at: datetime = _NEVER
    last_at: datetime = _NEVER
    signature: str = ""
    awaits: bool = False

    def seen(self, at: datetime) -> None:
        if self.first_at == _NEVER:
            self.first_at = at
        self.last_at = at


@dataclass(frozen=True, slots=True)
class _Pair:
    mailbox: str
    is_merged: bool
    is_one: bool | None
    """None where the labels do not tell."""


@dataclass(frozen=True, slots=True)
class _Order:
    mailbox: str
    strength: float
    count: float
    recency: float


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """The section on people. Raises SourceError when no mailbox is under `data`."""
    mailboxes = list(whole_mailboxes(data))
    pairs = [pair for mailbox in mailboxes for pair in _pairs(mailbox)]
    orders = [order for mailbox in mailboxes for order in _orders(mailbox)]
    failures = {
        "two persons made one": sum(pair.is_merged and pair.is_one is False for pair in pairs),
        "one person left as two": sum(bool(pair.is_one) and not pair.is_merged for pair in pairs),
    }
    return Section(
        key="people",
        title="People",
        method=_METHOD,
        figures=(*_merge_figures(pairs, seed), *_strength_figures(orders, seed)),
        tables=(_merge_table(pairs), _strength_table(orders)),
        failures=failures,
    )


def _contacts(messages: Iterable[Placed], owners: frozenset[str]) -> dict[str, _Contact]:
    """What the messages tell of each address; an address is answered when the owner writes to it after it wrote."""
    found: defaultdict[str, _Contact] = defaultdict(_Contact)
    for placed in messages:
        message = placed.message
        for address in {one.address for one in (*message.to, *message.cc)} - owners:
            contact = found[address]
            contact.to_count += 1
            contact.seen(placed.at)
            if placed.is_from_owner:
                contact.sent += 1
                contact.replied += contact.awaits
                contact.awaits = False
        for one in (*message.to, *message.cc):
            if one.name and one.address not in owners:
                found[one.address].names[one.name] += 1
        if placed.is_from_owner or message.from_ is None:
            continue
        contact = found[placed.from_address]
        contact.from_count += 1
        contact.received += 1
        contact.awaits = True
        contact.seen(placed.at)
        contact.signature = message.signature or contact.signature
        if message.from_.name:
            contact.names[message.from_.name] += 1
    return dict(found)


def _facts(address: str, contact: _Contact) -> ContactFacts:
    name = contact.names.most_common(1)[0][0] if contact.names else ""
    return ContactFacts(
        address=address,
        names=dict(contact.names.most_common(20)),
        from_count=contact.from_count,
        to_count=contact.to_count,
        received_count=contact.received,
        sent_count=contact.sent,
        replied_count=contact.replied,
        first_at=contact.first_at,
        last_at=contact.last_at,
        signature=signature_facts(contact.signature, name),
    )


def _pairs(mailbox: WholeMailbox) -> list[_Pair]:
    """Pairs that could be taken for one person: merged, or with a name in common at one host."""
    contacts = _contacts(mailbox.messages, mailbox.owners)
    names = _directory_names(mailbox)
    for address, contact in contacts.items():
        if not contact.names and address in names:
            contact.names[names[address]] += 1
    facts = [_facts(address, contacts[address]) for address in sorted(contacts)]
    group_of: dict[str, int] = {}
    for number, group in enumerate(group_contacts(facts)):
        group_of.update((contact.address, number) for contact in group.contacts)
    labelled = [address for address in sorted(names) if address in group_of and name_key(names[address])]
    found = []
    for one, other in combinations(labelled, 2):
        keys = name_key(names[one]), name_key(names[other])
        is_merged = group_of[one] == group_of[other]
        if not is_merged and set(keys[0]).isdisjoint(keys[1]):
            continue
        if one.partition("@")[2] != other.partition("@")[2]:
            if is_merged or keys[0] == keys[1]:
                found.append(_Pair(mailbox.name, is_merged, is_one=None))
            continue
        surname = names[one].split()[-1] if "," not in names[one] else names[one].partition(",")[0]
        has_surname = all(surname.lower() in address.partition("@")[0] for address in (one, other))
        found.append(_Pair(mailbox.name, is_merged, is_one=keys[0] == keys[1] and has_surname))
    return found


def _directory_names(mailbox: WholeMailbox) -> dict[str, str]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for placed in mailbox.messages:
        name = " ".join(placed.directory_name.partition("<")[0].replace('"', "").split())
        if name_key(name) and not placed.is_from_owner:
            counts[placed.from_address][name] += 1
    return {address: names.most_common(1)[0][0] for address, names in counts.items()}


def _merge_figures(pairs: Sequence[_Pair], seed: int) -> tuple[Figure, ...]:
    split = "rules without training; all mailboxes"
    told = [each for each in pairs if each.is_one is not None]
    merged, one = [each for each in told if each.is_merged], [each for each in told if each.is_one]
    figures = []
    for name, rows, right, goal in (
        ("Merged addresses are one person's (precision)", merged, [bool(each.is_one) for each in merged], 0.99),
        ("One person's addresses are merged (recall)", one, [each.is_merged for each in one], 0.8),
    ):
        if not rows:
            continue
        low, high = ratio_interval(
            [float(each) for each in right], [1.0] * len(right), [each.mailbox for each in rows], seed=seed
        )
        figures.append(
            Figure(
                name=name,
                value=sum(right) / len(right),
                split=split,
                count=len(rows),
                low=low,
                high=high,
                goal=goal,
                baselines={"never merged": 0.0} if rows is one else {"one name is one person": _share_one(told)},
            )
        )
    return tuple(figures)


def _share_one(pairs: Sequence[_Pair]) -> float:
    """Of the pairs with a name in common, how many are one person's."""
    return sum(bool(each.is_one) for each in pairs) / len(pairs)


def _orders(mailbox: WholeMailbox) -> list[tuple[_Order, bool]]:
    messages = mailbox.messages
    found: list[tuple[_Order, bool]] = []
    for tenth in (4, 5, 6, 7, 8):
        past = messages[: len(messages) * tenth // 10]
        now = past[-1].at
        coming = [placed for placed in messages[len(past) :] if placed.at <= now + HORIZON and placed.is_from_owner]
        written = {one.address for placed in coming for one in (*placed.message.to, *placed.message.cc)}
        contacts = _contacts(past, mailbox.owners)
        if len(contacts) < _LEAST_CONTACTS or not written & contacts.keys():
            continue
        for address, contact in contacts.items():
            idle = (now - contact.last_at).total_seconds() / 86_400
            parts = strength_parts(contact.received, contact.sent, contact.replied, idle)
            name = f"{mailbox.name}/{tenth}"
            order = _Order(name, strength_of(parts), contact.from_count + contact.to_count, -idle)
            found.append((order, address in written))
    return found


def _strength_figures(orders: Sequence[tuple[_Order, bool]], seed: int) -> tuple[Figure, ...]:
    if not orders:
        return ()
    times = sorted({order.mailbox for order, _ in orders})
    rows = {time: [each for each in orders if each[0].mailbox == time] for time in times}

    def each_time(measure: str) -> list[float]:
        return [_auc(rows[time], measure) for time in times]

    strength = np.array(each_time("strength"))
    low, high = bootstrap(
        lambda drawn: float(strength[drawn].mean()), [time.partition("/")[0] for time in times], seed=seed
    )
    return (
        Figure(
            name="Whom the owner writes to next, by strength (mean AUC)",
            value=float(strength.mean()),
            split="the mail up to a time against the 60 days after it, five times a mailbox",
            count=len(times),
            low=low,
            high=high,
            goal=0.8,
            baselines={
                "count of mail": float(np.mean(each_time("count"))),
                "latest first": float(np.mean(each_time("recency"))),
            },
        ),
    )


def _auc(rows: Sequence[tuple[_Order, bool]], measure: str) -> float:
    scores = np.array([getattr(order, measure) for order, _ in rows], dtype=np.float64)
    labels = np.array([is_written for _, is_written in rows], dtype=np.float64)
    return auc(scores, labels) or 0.0


def _merge_table(pairs: Sequence[_Pair]) -> Table:
    names = sorted({pair.mailbox for pair in pairs})
    rows: list[tuple[str | float | int | None, ...]] = []
    for name in names:
        own = [pair for pair in pairs if pair.mailbox == name]
        apart = [pair for pair in own if pair.is_one is None]
        both = sum(pair.is_merged and bool(pair.is_one) for pair in own)
        one, merged = sum(bool(pair.is_one) for pair in own), sum(pair.is_merged for pair in own)
        rows.append((name, both, one, merged - sum(pair.is_merged for pair in apart), len(apart)))
    return Table(
        title="Pairs of addresses, by mailbox",
        headings=(
            "mailbox",
            "merged and one person's",
            "one person's",
            "merged",
            "one name at two hosts, not labelled",
        ),
        rows=tuple(rows),
    )


def _strength_table(orders: Sequence[tuple[_Order, bool]]) -> Table:
    names = sorted({order.mailbox.partition("/")[0] for order, _ in orders})
    rows: list[tuple[str | float | int | None, ...]] = []
    for name in names:
        times = sorted({order.mailbox for order, _ in orders if order.mailbox.startswith(f"{name}/")})
        own = [[each for each in orders if each[0].mailbox == time] for time in times]
        means = (float(np.mean([_auc(each, measure) for each in own])) for measure in ("strength", "count", "recency"))
        rows.append((name, len(times), *(round(mean, 3) for mean in means)))
    return Table(
        title="Whom the owner writes to next (mean AUC), by mailbox",
        headings=("mailbox", "times", "strength", "count of mail", "latest first"),
        rows=tuple(rows),
    )
