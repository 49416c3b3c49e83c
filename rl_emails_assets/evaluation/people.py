"""People: whether addresses are merged that one person has, and whether the strength tells whom the owner writes to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
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
    "Labels are mechanical. These mailboxes have bare addresses; the old mail system wrote the entry of its own "
    "directory beside each (X-From, X-To, X-cc): a full name, which stands in for the display names of today's "
    "mail, and an account, which no engine reads. Two addresses with one account are one person's, with two "
    "accounts two persons'; accounts of lists and functions (dl-, mbx_) and addresses without a clear account "
    "have no label. A person with two accounts counts as two, so the precision is a lower bound. Half of the "
    "accounts, by their hash, were looked at while the rules were made; of the other half only counts were, by "
    "how a pair was merged and whether its names have initials. Strength: at five times of each mailbox, from the "
    "mail up to then, contacts are ordered by the strength; the figure is the probability that one to whom the "
    "owner writes within the next 60 days stands before one to whom the owner does not."
)
_NO_PERSON = ("dl-", "mbx_")
"""How the accounts of lists and of functions begin."""
_CLEAR = 0.8
"""The share of its entries that an address must have with one account."""


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
    is_one_name: bool
    is_tuned_on: bool


@dataclass(frozen=True, slots=True)
class _Order:
    mailbox: str
    strength: float
    count: float
    recency: float


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """The section on people. Raises SourceError when no mailbox is under `data`."""
    mailboxes = list(whole_mailboxes(data))
    pairs = [pair for mailbox in mailboxes for pair in _pairs(mailbox, seed)]
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


def _pairs(mailbox: WholeMailbox, seed: int) -> list[_Pair]:
    """Pairs that could be taken for one person: merged, of one account, or of one name."""
    contacts = _contacts(mailbox.messages, mailbox.owners)
    names, accounts = _directory(mailbox)
    for address, contact in contacts.items():
        contact.names.update(names.get(address, {}))
    facts = [_facts(address, contacts[address]) for address in sorted(contacts)]
    group_of: dict[str, int] = {}
    for number, group in enumerate(group_contacts(facts)):
        group_of.update((contact.address, number) for contact in group.contacts)
    keys = {address: name_key(names[address].most_common(1)[0][0]) for address in names if address in group_of}
    known = sorted({*accounts, *keys} & group_of.keys())
    by: defaultdict[object, list[str]] = defaultdict(list)
    for address in known:
        by["group", group_of[address]].append(address)
        by["account", accounts.get(address) or address].append(address)
        by["name", keys.get(address) or address].append(address)
    pairs = sorted({pair for addresses in by.values() for pair in combinations(addresses, 2)})
    found = []
    for one, other in pairs:
        mine, theirs = accounts.get(one), accounts.get(other)
        found.append(
            _Pair(
                mailbox.name,
                is_merged=group_of[one] == group_of[other],
                is_one=mine == theirs if mine and theirs else None,
                is_one_name=bool(keys.get(one)) and keys.get(one) == keys.get(other),
                is_tuned_on=_is_tuned_on(min(mine or "", theirs or ""), seed),
            )
        )
    return found


def _is_tuned_on(account: str, seed: int) -> bool:
    return blake2b(f"{seed}/{account}".encode(), digest_size=8).digest()[0] < 128


def _directory(mailbox: WholeMailbox) -> tuple[dict[str, Counter[str]], dict[str, str]]:
    """The directory's names of each address, and its account where it has a clear one that is a person's."""
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    accounts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for placed in mailbox.messages:
        for entry in placed.directory:
            if entry.name:
                names[entry.address][entry.name] += 1
            if entry.account:
                accounts[entry.address][entry.account] += 1
    clear = {}
    for address, counts in accounts.items():
        account, count = counts.most_common(1)[0]
        if count >= _CLEAR * counts.total() and not account.startswith(_NO_PERSON):
            clear[address] = account
    return dict(names), clear


def _merge_figures(pairs: Sequence[_Pair], seed: int) -> tuple[Figure, ...]:
    told = [each for each in pairs if each.is_one is not None]
    figures = []
    for split, rows in (
        ("half of the accounts, not tuned on", [each for each in told if not each.is_tuned_on]),
        ("half of the accounts, tuned on", [each for each in told if each.is_tuned_on]),
        ("all", told),
    ):
        merged, one = [each for each in rows if each.is_merged], [each for each in rows if each.is_one]
        for name, each_row, right, goal in (
            ("Merged addresses are one person's (precision)", merged, [bool(each.is_one) for each in merged], 0.99),
            ("One person's addresses are merged (recall)", one, [each.is_merged for each in one], 0.8),
        ):
            if not each_row:
                continue
            low, high = ratio_interval(
                [float(each) for each in right], [1.0] * len(right), [each.mailbox for each in each_row], seed=seed
            )
            one_name = [each for each in rows if each.is_one_name]
            baseline = (
                sum(each.is_one_name for each in one) / len(one)
                if each_row is one
                else sum(bool(each.is_one) for each in one_name) / max(1, len(one_name))
            )
            figures.append(
                Figure(
                    name=f"{name}: {split}",
                    value=sum(right) / len(right),
                    split=split,
                    count=len(each_row),
                    low=low,
                    high=high,
                    goal=goal,
                    baselines={"one name is one person": baseline},
                )
            )
    return tuple(figures)


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
            "without a label",
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
