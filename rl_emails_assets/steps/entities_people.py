"""entities.people: the people behind a mailbox's addresses. Merging needs all of them, so all are computed together."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.pending import is_current
from rl_emails_assets.db.tables import entities, signals
from rl_emails_assets.extraction.people import ContactFacts, merge_people
from rl_emails_assets.extraction.signatures import SignatureFacts
from rl_emails_assets.steps.claim_end import end_claim
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed

VERSION = "1"
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
        people = merge_people(_contacts(connection, step), namespace=str(step.mailbox_id))
        rows = [
            asdict(person)
            | {
                "addresses": list(person.addresses),
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
