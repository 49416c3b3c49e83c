"""entities.people: the people behind a mailbox's addresses. Merging needs all of them, so all are computed together."""

import uuid
from collections import defaultdict
from itertools import permutations
from typing import Any

from sqlalchemy import Connection, select, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.pending import is_current
from rl_emails_assets.db.tables import entities, signals
from rl_emails_assets.extraction.people import merge_people
from rl_emails_assets.extraction.people_merging import ContactFacts, Link, namesakes
from rl_emails_assets.extraction.signatures import SignatureFacts
from rl_emails_assets.steps.claim_end import end_claim
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed
from rl_emails_assets.steps.records import as_row

VERSION = "3"
NAME = "entities.people"

_CONTACTS = text(
    """
    select c.address, c.from_count, c.to_count, c.first_at, c.last_at,
           s.received_count, s.sent_count, s.replied_count
    from mail.contacts c join signals.contacts s using (mailbox_id, address)
    where c.mailbox_id = :mailbox_id
      and not exists (select from mailboxes.aliases a where a.mailbox_id = c.mailbox_id and a.address = c.address)
    order by c.address
    """
)

_NAMES = text(
    """
    select p.address, p.name, count(*) as uses
    from mail.participants p join mail.messages m using (message_id)
    where p.mailbox_id = :mailbox_id and p.name <> '' and m.duplicate_of is null
    group by p.address, p.name
    order by p.address, uses desc, p.name
    """
)

# The newest signature that says something: people change titles and numbers.
_SIGNATURES = text(
    """
    select distinct on (m.from_address) m.from_address as address, e.signature_facts
    from entities.messages e join mail.messages m using (message_id)
    where e.mailbox_id = :mailbox_id and e.signature_facts <> '{}'::jsonb
    order by m.from_address, m.received_at desc, m.message_id
    """
)

# A mail of the owner's to one address of the pair, and the next of that conversation, under the same name, from the
# other, which it was not sent to; or a mail from the one that names the other.
_EVIDENCE = text(
    """
    with pairs as (
        select * from unnest(cast(:addresses as text[]), cast(:others as text[])) as p (address, other)
    ), answered as (
        select distinct p.address, p.other
        from pairs p
        join mail.participants asked
          on asked.mailbox_id = :mailbox_id and asked.address = p.address and asked.role = 'to'
        join mail.messages m on m.message_id = asked.message_id and m.duplicate_of is null
        join signals.messages s on s.message_id = m.message_id and s.is_from_owner
        cross join lateral (
            select r.from_address, r.in_reply_to from mail.messages r
            where r.thread_id = m.thread_id and r.received_at > m.received_at and r.duplicate_of is null
            order by r.received_at, r.message_id limit 1
        ) r
        where r.from_address = p.other and r.in_reply_to in ('', m.rfc822_message_id)
          and not exists (select from mail.participants a where a.message_id = m.message_id and a.address = p.other)
    ), named as (
        select distinct p.address, p.other
        from pairs p
        join mail.messages m on m.mailbox_id = :mailbox_id and m.from_address = p.address and m.duplicate_of is null
        where position(p.other in lower(left(m.new_text, 5000) || ' ' || m.signature)) > 0
    )
    select address, other, 'answered_from' as how from answered
    union all
    select address, other, 'names_itself' from named
    order by 1, 2, 3
    """
)

MOST_NAMES = 20


def run(step: StepContext) -> StepResult:
    """Compute the people again when a contact's history or a signature changed; the last step, it ends the claim."""
    result = _compute(step)
    end_claim(step)
    return result


def _compute(step: StepContext) -> StepResult:
    result = StepResult()
    with timed(result), step.alone(NAME), step.commit() as connection:
        inputs = (signals.contacts, entities.messages)
        if not step.scope.force and is_current(connection, entities.people, VERSION, step.mailbox_id, inputs):
            return result
        contacts = _contacts(connection, step)
        people = merge_people(
            contacts,
            namespace=str(step.mailbox_id),
            evidence=_evidence(connection, step, contacts),
            before=_people_before(connection, step),
        )
        rows = [
            as_row(person)
            | {
                "addresses": list(person.addresses),
                "merged_by": [as_row(link) for link in person.merged_by],
                "mailbox_id": step.mailbox_id,
                "version": VERSION,
                "run_id": step.run_id,
            }
            for person in people
        ]
        connection.execute(entities.people.delete().where(entities.people.c.mailbox_id == step.mailbox_id))
        result.row_count = bulk.copy_rows(connection, entities.people, rows)
        step.report(Progress(NAME, len(rows), len(rows), "people"))
    return result


def _evidence(connection: Connection, step: StepContext, contacts: list[ContactFacts]) -> list[Link]:
    """What mail says of the addresses that share a full name; only for these is it looked up."""
    pairs = [pair for addresses in namesakes(contacts) for pair in permutations(addresses, 2)]
    if not pairs:
        return []
    parameters = {
        "mailbox_id": step.mailbox_id,
        "addresses": [address for address, _ in pairs],
        "others": [other for _, other in pairs],
    }
    return [Link(row.address, row.other, row.how) for row in connection.execute(_EVIDENCE, parameters)]


def _people_before(connection: Connection, step: StepContext) -> dict[str, uuid.UUID]:
    """The person of each address as merged last."""
    columns = entities.people.c
    query = select(columns.person_id, columns.addresses).where(columns.mailbox_id == step.mailbox_id)
    return {address: row.person_id for row in connection.execute(query) for address in row.addresses}


def _contacts(connection: Connection, step: StepContext) -> list[ContactFacts]:
    parameters = {"mailbox_id": step.mailbox_id}
    names: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_NAMES, parameters):
        if len(names[row.address]) < MOST_NAMES:
            names[row.address][row.name] = row.uses
    signatures: dict[str, dict[str, Any]] = {
        row.address: row.signature_facts for row in connection.execute(_SIGNATURES, parameters)
    }
    return [
        ContactFacts(
            **row, names=names.get(row["address"], {}), signature=SignatureFacts(**signatures.get(row["address"], {}))
        )
        for row in connection.execute(_CONTACTS, parameters).mappings()
    ]
