"""The rows of language models' opinions, and the ledger that keeps their cost below its caps.

What a question may cost at most is reserved before it is sent and settled after. A process that dies between leaves its
reservation counted: a cap may be reached early, and is never passed.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables import classifications
from rl_emails_assets.settings import Settings

FINAL_STATES = ("answered", "refused", "malformed", "not_shown")
"""Asking again would give the same, or cost the same."""
MOST_ATTEMPTS = 3
Cap = Literal["mailbox_day", "organization_day", "organization_month"]
_LEDGER_LOCK = 7_410_041

_SPENT = text(
    """
    select coalesce(sum(cost_usd) filter (where mailbox_id = :mailbox_id and day = today), 0) as mailbox_day,
           coalesce(sum(cost_usd) filter (where day = today), 0) as organization_day,
           coalesce(sum(cost_usd), 0) as organization_month,
           today
    from (select (now() at time zone 'UTC')::date as today) t
    left join classifications.spending on day >= date_trunc('month', today) and day <= today
    group by today
    """
)

_ADD = text(
    """
    insert into classifications.spending (mailbox_id, day, cost_usd, question_count)
    values (:mailbox_id, :day, :amount, :questions)
    on conflict (mailbox_id, day) do update
    set cost_usd = spending.cost_usd + excluded.cost_usd, question_count = spending.question_count + :questions
    """
)

_WAITING = text(
    """
    select m.message_id
    from classifications.messages c join mail.messages m using (message_id)
    where c.mailbox_id = :mailbox_id and c.confidence < :confidence and c.opinion_id is null
      and m.received_at > now() - make_interval(secs => :seconds)
      and not exists (
          select from classifications.opinions o
          where o.message_id = c.message_id and o.model = :model and o.prompt_version = :prompt_version
            and (o.state = any(:final) or o.attempts >= :most or o.next_at > now()))
    order by m.received_at desc
    limit :limit
    """
)

_UNSURE = text(
    """
    select m.message_id
    from classifications.messages c join mail.messages m using (message_id)
    where c.mailbox_id = :mailbox_id and c.confidence < :confidence and c.opinion_id is null
      and m.received_at >= coalesce(:since, '-infinity'::timestamptz)
      and m.received_at < coalesce(:until, 'infinity'::timestamptz)
      and not exists (
          select from classifications.opinions o
          where o.message_id = c.message_id and o.model = :model and o.prompt_version = :prompt_version
            and o.state = any(:final))
    order by m.received_at desc
    """
)

_WANTED = text(
    """
    select message_id from classifications.opinions
    where mailbox_id = :mailbox_id and model = :model and prompt_version = :prompt_version and state <> all(:final)
      and attempts < :most and coalesce(next_at, now()) <= now()
      and (state <> 'asked' or asked_at < now() - make_interval(secs => :silent_seconds))
    order by opinion_id
    limit :limit
    """
)


@dataclass(frozen=True, slots=True)
class Reserved:
    """An amount that is counted already; `day` is the day it is counted on."""

    day: date
    amount: Decimal


def reserve(connection: Connection, settings: Settings, mailbox_id: uuid.UUID, amount: Decimal) -> Reserved | Cap:
    """Count what a question may cost; or say which cap it would pass, and count nothing.

    One caller at a time, until its transaction ends.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LEDGER_LOCK})
    spent = connection.execute(_SPENT, {"mailbox_id": mailbox_id}).one()
    caps: tuple[tuple[Cap, float], ...] = (
        ("mailbox_day", settings.language_model_mailbox_usd_a_day),
        ("organization_day", settings.language_model_organization_usd_a_day),
        ("organization_month", settings.language_model_organization_usd_a_month),
    )
    for name, most in caps:
        if amount > 0 and getattr(spent, name) + amount > Decimal(str(most)):
            return name
    _add(connection, mailbox_id, spent.today, amount, questions=1)
    return Reserved(spent.today, amount)


def settle(connection: Connection, mailbox_id: uuid.UUID, reserved: Reserved, paid: Decimal) -> None:
    """Replace what was reserved by what was paid."""
    _add(connection, mailbox_id, reserved.day, paid - reserved.amount, questions=0)


def waiting_ids(
    connection: Connection, settings: Settings, mailbox_id: uuid.UUID, prompt_version: str, *, limit: int
) -> list[uuid.UUID]:
    """Messages judged without certainty of late that have no opinion yet, the newest first; then those asked for."""
    parameters = {
        "mailbox_id": mailbox_id,
        "confidence": settings.language_model_confidence,
        "seconds": settings.language_model_days * 86_400,
        "silent_seconds": 3 * settings.language_model_timeout_seconds,
        "model": settings.language_model,
        "prompt_version": prompt_version,
        "final": list(FINAL_STATES),
        "most": MOST_ATTEMPTS,
        "limit": limit,
    }
    late = connection.execute(_WAITING, parameters).scalars()
    return list(dict.fromkeys([*late, *connection.execute(_WANTED, parameters).scalars()]))


def unsure_ids(
    connection: Connection,
    settings: Settings,
    mailbox_id: uuid.UUID,
    prompt_version: str,
    since: datetime | None,
    until: datetime | None,
) -> list[uuid.UUID]:
    """Messages received in [since, until) that were judged without certainty and have no opinion, the newest first."""
    parameters = {
        "mailbox_id": mailbox_id,
        "confidence": settings.language_model_confidence,
        "since": since,
        "until": until,
        "model": settings.language_model,
        "prompt_version": prompt_version,
        "final": list(FINAL_STATES),
    }
    return list(connection.execute(_UNSURE, parameters).scalars())


def equal_answers(
    connection: Connection, mailbox_id: uuid.UUID, model: str, prompt_version: str, hashes: Sequence[bytes]
) -> dict[bytes, Mapping[str, Any]]:
    """By what was sent: a settled opinion of this mailbox on an equal question. Never of another mailbox."""
    query = text(
        """
        select distinct on (content_hash) content_hash, state, reason, answer, dropped
        from classifications.opinions
        where mailbox_id = :mailbox_id and model = :model and prompt_version = :prompt_version
          and content_hash = any(:hashes) and state = any(:final)
        order by content_hash, answered_at
        """
    )
    parameters = {
        "mailbox_id": mailbox_id,
        "model": model,
        "prompt_version": prompt_version,
        "hashes": list(hashes),
        "final": list(FINAL_STATES),
    }
    return {bytes(row["content_hash"]): dict(row) for row in connection.execute(query, parameters).mappings()}


def states_of(connection: Connection, opinion_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The states of those of these opinions that there are."""
    query = text("select opinion_id, state from classifications.opinions where opinion_id = any(:ids)")
    return {row.opinion_id: row.state for row in connection.execute(query, {"ids": list(opinion_ids)})}


def answers_of(connection: Connection, message_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Mapping[str, Any]]]:
    """The answered opinions on each of these messages, the latest first."""
    query = text(
        """
        select opinion_id, message_id, content_hash, model, prompt_version, answer, cost_usd
        from classifications.opinions
        where message_id = any(:ids) and state = 'answered'
        order by answered_at desc, opinion_id
        """
    )
    found: dict[uuid.UUID, list[Mapping[str, Any]]] = {}
    for row in connection.execute(query, {"ids": list(message_ids)}).mappings():
        found.setdefault(row["message_id"], []).append(dict(row))
    return found


def put(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write opinions; one that is there is replaced in the columns given."""
    for row in rows:
        statement = insert(classifications.opinions).values(**row)
        changed = {name: statement.excluded[name] for name in row if name != "opinion_id"}
        connection.execute(statement.on_conflict_do_update(index_elements=["opinion_id"], set_=changed))


_BEGIN = text(
    """
    update classifications.opinions
    set state = 'asked', attempts = attempts + 1, cost_usd = cost_usd + :amount, asked_at = now(), run_id = :run_id
    where opinion_id = :opinion_id
    """
)

_END = text(
    """
    update classifications.opinions
    set state = :state, reason = :reason, answer = cast(:answer as jsonb), dropped = :dropped,
        attempts = attempts - :unasked, input_tokens = input_tokens + :input_tokens,
        output_tokens = output_tokens + :output_tokens, cost_usd = cost_usd + :difference, latency_ms = :latency_ms,
        next_at = now() + make_interval(secs => :pause_seconds), answered_at = now()
    where opinion_id = :opinion_id
    """
)


def begin(connection: Connection, opinion_id: uuid.UUID, run_id: str, amount: Decimal) -> None:
    """The question is about to be sent, and may cost so much."""
    connection.execute(_BEGIN, {"opinion_id": opinion_id, "run_id": run_id, "amount": amount})


def end(connection: Connection, opinion_id: uuid.UUID, settled: Mapping[str, Any]) -> None:
    """The question is settled; `settled` has the parameters of the statement above."""
    connection.execute(_END, {"opinion_id": opinion_id, **settled})


def _add(connection: Connection, mailbox_id: uuid.UUID, day: date, amount: Decimal, *, questions: int) -> None:
    parameters = {"mailbox_id": mailbox_id, "day": day, "amount": amount, "questions": questions}
    connection.execute(_ADD, parameters)
