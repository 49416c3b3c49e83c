"""classifications.messages: the verdict on each message, recorded with what it rests on."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, text

from rl_emails_assets.classification import classifier
from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.learned import LearnedSigns
from rl_emails_assets.classification.verdict import Verdict
from rl_emails_assets.db import bulk, opinions
from rl_emails_assets.db.tables import classifications
from rl_emails_assets.language_models.answer import Answer
from rl_emails_assets.language_models.merging import allowed_categories, merged
from rl_emails_assets.language_models.question import question_of
from rl_emails_assets.steps.context import StepContext, StepResult
from rl_emails_assets.steps.models_serving import note_applied, serving_signs
from rl_emails_assets.steps.per_message import count, run_per_message
from rl_emails_assets.steps.records import as_row, inputs_hash

_INPUTS = text(
    """
    select m.message_id, m.subject, m.new_text, m.text, m.from_name, m.from_address,
           coalesce(m.reply_to->0->>'address', '') as reply_to_address,
           jsonb_array_length(m."to") as to_count, jsonb_array_length(m.cc) as cc_count,
           m.headers, m.calendar, m.attachments, m.is_html_only, m.has_mismatched_link, m.received_at,
           s.is_owner_in_to, s.is_owner_in_cc, s.is_owner_only_recipient, s.is_from_owner, s.is_reply_to_owner,
           s.sender_replied_count, s.sender_received_count, s.link_count,
           split_part(c.address, '@', 2) as owner_domain, m.rfc822_message_id, m.markup,
           (m.in_reply_to <> '' or m.reference_ids <> '{}') as is_reply
    from mail.messages m
    join signals.messages s using (message_id)
    join mailboxes.connections c on c.mailbox_id = m.mailbox_id
    where m.message_id = any(:ids) and m.mailbox_id = :mailbox_id
    """
)


@cache
def loaded() -> Classifier:
    """The shipped classifier, loaded once a process."""
    return Classifier.load()


def version(signs: LearnedSigns | None = None) -> str:
    """The versions of the rules, the model and what the mailbox taught; a change of one makes its verdicts pending."""
    own = f"{classifier.VERSION}/{loaded().model_version}"
    return own if signs is None else f"{own}+{signs.version}"


def run(step: StepContext) -> StepResult:
    """Give a verdict on the messages that have none of this version.

    What the mailbox taught is read once, with a lock in hand, so that a run is of one mind; a change meanwhile asks for
    a run of its own.
    """
    with step.alone("classifications.signs"):
        with step.engine.begin() as connection:
            signs = serving_signs(connection, step.mailbox_id)
        write = partial(_classify_batch, step, signs)
        result = run_per_message(step, classifications.messages, version(signs), write)
        if signs is not None:
            with step.engine.begin() as connection:
                note_applied(connection, step.mailbox_id, "classifier", signs.version)
    return result


def inputs_of(
    connection: Connection,
    mailbox_id: uuid.UUID,
    message_ids: Sequence[uuid.UUID],
    signs: LearnedSigns | None = None,
) -> dict[uuid.UUID, ClassifierInput]:
    """What the classifier is told about each of these messages of one mailbox, with what `signs` say of it."""
    parameters = {"ids": list(message_ids), "mailbox_id": mailbox_id}
    return {row.message_id: _input(row, signs) for row in connection.execute(_INPUTS, parameters)}


def _classify_batch(
    step: StepContext, signs: LearnedSigns | None, connection: Connection, ids: list[uuid.UUID], result: StepResult
) -> None:
    rows: list[dict[str, Any]] = []
    answers = opinions.answers_of(connection, ids)
    for message_id, inputs in inputs_of(connection, step.mailbox_id, ids, signs).items():
        verdict = loaded().classify(inputs)
        opinion = _opinion_on(inputs, verdict, answers.get(message_id, []))
        if opinion is not None:
            verdict = merged(verdict, Answer.model_validate(opinion["answer"]), loaded().asks)
            count(result, "with_opinion")
        rows.append(
            {
                "message_id": message_id,
                "mailbox_id": step.mailbox_id,
                "category": verdict.category,
                "needs": verdict.needs,
                "urgency": verdict.urgency,
                "handler": verdict.handler,
                "confidence": verdict.confidence,
                "evidence": [as_row(evidence) for evidence in verdict.evidence],
                "opinion_id": opinion and opinion["opinion_id"],
                "cost_usd": opinion["cost_usd"] if opinion else 0,
                "model_version": _model_version(opinion, signs),
                "inputs_hash": inputs_hash(inputs, opinion and opinion["answer"]),
                "version": version(signs),
                "run_id": step.run_id,
            }
        )
        count(result, f"category_{verdict.category}")
    bulk.replace_rows(connection, classifications.messages, "message_id", rows)


def _opinion_on(
    inputs: ClassifierInput, verdict: Verdict, answers: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The latest opinion on what the message says now; one on what it said before it was parsed anew does not count."""
    if not answers or not (allowed := allowed_categories(verdict)):
        return None
    asked = question_of(inputs, allowed).content_hash
    return next((answer for answer in answers if bytes(answer["content_hash"]) == asked), None)


def _model_version(opinion: Mapping[str, Any] | None, signs: LearnedSigns | None) -> str:
    own = loaded().model_version if signs is None else f"{loaded().model_version}+{signs.version}"
    return f"{own}+{opinion['model']}/{opinion['prompt_version']}" if opinion else own


def _input(row: Any, signs: LearnedSigns | None) -> ClassifierInput:
    list_id = row.headers.get("list-id", "")
    calendar = row.calendar or {}
    starts_at = calendar.get("starts_at")
    return ClassifierInput(
        learned={} if signs is None else signs.signs_for(row.from_address, list_id, row.subject),
        subject=row.subject,
        new_text=row.new_text,
        text=row.text,
        from_name=row.from_name,
        from_address=row.from_address,
        reply_to_address=row.reply_to_address,
        to_count=row.to_count,
        cc_count=row.cc_count,
        is_owner_in_to=row.is_owner_in_to,
        is_owner_in_cc=row.is_owner_in_cc,
        is_owner_only_recipient=row.is_owner_only_recipient,
        is_from_owner=row.is_from_owner,
        is_reply_to_owner=row.is_reply_to_owner,
        owner_domain=row.owner_domain,
        sender_replied_count=row.sender_replied_count,
        sender_sent_count=row.sender_received_count,
        headers=row.headers,
        has_calendar=row.calendar is not None,
        calendar_method=calendar.get("method", ""),
        calendar_starts_at=datetime.fromisoformat(starts_at) if starts_at else None,
        attachment_names=tuple(attachment["filename"] for attachment in row.attachments),
        is_html_only=row.is_html_only,
        link_count=row.link_count,
        has_mismatched_link=row.has_mismatched_link,
        received_at=row.received_at,
        rfc822_message_id=row.rfc822_message_id,
        is_reply=row.is_reply,
        markup=row.markup,
    )
