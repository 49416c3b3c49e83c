"""classifications.opinions: what a language model says of the messages that the offline engine is unsure of.

Does nothing, and opens no connection to anybody, unless a model is set. A question is reserved, sent and settled in
transactions of its own: none is open while an answer is waited for. What was not asked in the time that a run may take,
or was refused, is asked by a later run; meanwhile the offline verdict stands.
"""

import json
import threading
import time
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rl_emails_assets.classification.verdict import Verdict
from rl_emails_assets.db import opinions as table
from rl_emails_assets.db.pending import mark_stale, pending_message_ids
from rl_emails_assets.db.tables import classifications
from rl_emails_assets.language_models.answer import as_stored
from rl_emails_assets.language_models.asking import Settled, ask
from rl_emails_assets.language_models.injection import speaks_to_a_program
from rl_emails_assets.language_models.merging import allowed_categories
from rl_emails_assets.language_models.prices import Prices, about_tokens
from rl_emails_assets.language_models.question import PROMPT_VERSION, Question, question_of
from rl_emails_assets.language_models.reply import Reply
from rl_emails_assets.steps import classifications_messages as verdicts
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed
from rl_emails_assets.steps.models_serving import serving_signs
from rl_emails_assets.steps.per_message import count
from rl_emails_assets.sync_queue import queue

if TYPE_CHECKING:
    from rl_emails_assets.language_models.client import ModelClient

VERSION = PROMPT_VERSION
NAME = "classifications.opinions"
MOST_A_RUN = 500
"""Messages that one run looks at; the newest first."""
FAILED_PAUSE_SECONDS = 60.0
OTHERS_PAUSE_SECONDS = 900.0
WRONG_SETTINGS_PAUSE_SECONDS = 900.0
"""After an error that any question would meet: a wrong key, model or address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is to be asked about a message."""

    opinion_id: uuid.UUID
    message_id: uuid.UUID
    question: Question
    verdict: Verdict


def opinion_id_of(message_id: uuid.UUID, question: Question, model: str) -> uuid.UUID:
    """The same message, content, model and prompt have the same opinion."""
    return uuid.uuid5(message_id, f"{question.content_hash.hex()}:{model}:{PROMPT_VERSION}")


def run(step: StepContext) -> StepResult:
    """Ask about the messages that need it, as far as time, pace and money allow."""
    result = StepResult()
    model = step.settings.language_model
    if not model:
        return result
    with timed(result), step.alone(NAME):
        with step.engine.begin() as connection:
            signs = serving_signs(connection, step.mailbox_id)
            ids = pending_message_ids(connection, classifications.messages, verdicts.version(signs), step.mailbox_id)
            late = table.waiting_ids(connection, step.settings, step.mailbox_id, PROMPT_VERSION, limit=MOST_A_RUN)
        recent = [*reversed(ids)][:MOST_A_RUN]
        to_ask = _prepare(step, model, list(dict.fromkeys([*recent, *late])), set(late), result)
        step.report(Progress(NAME, 0, len(to_ask)))
        if to_ask:
            _Asking(step, result).ask_all(to_ask)
    return result


def _prepare(
    step: StepContext, model: str, ids: list[uuid.UUID], late: set[uuid.UUID], result: StepResult
) -> list[Asked]:
    """What is left to ask; equal questions are answered from their equals, and what must not be shown is not."""
    with step.engine.begin() as connection:
        inputs = verdicts.inputs_of(connection, step.mailbox_id, ids)
    after = datetime.now(UTC) - timedelta(days=step.settings.language_model_days)
    found: list[Asked] = []
    hidden: list[Asked] = []
    for message_id in ids:
        given = inputs[message_id]
        if given.is_from_owner or (message_id not in late and (given.received_at is None or given.received_at < after)):
            continue
        verdict = verdicts.loaded().classify(given)
        allowed = allowed_categories(verdict)
        if verdict.confidence >= step.settings.language_model_confidence or not allowed:
            continue
        question = question_of(given, allowed)
        asked = Asked(opinion_id_of(message_id, question, model), message_id, question, verdict)
        is_hidden = speaks_to_a_program(given.subject, given.new_text or given.text)
        (hidden if is_hidden else found).append(asked)
    with step.commit() as connection:
        states = table.states_of(connection, [asked.opinion_id for asked in found + hidden])
        found = [asked for asked in found if states.get(asked.opinion_id) not in table.FINAL_STATES]
        hidden = [asked for asked in hidden if asked.opinion_id not in states]
        hashes = [asked.question.content_hash for asked in found]
        equals = table.equal_answers(connection, step.mailbox_id, model, PROMPT_VERSION, hashes)
        copied = [asked for asked in found if asked.question.content_hash in equals]
        rows = [_row(step, model, asked, "wanted") for asked in found if asked not in copied]
        rows = [row for row in rows if row["opinion_id"] not in states]
        rows += [_row(step, model, asked, "not_shown", reason="it speaks to a program") for asked in hidden]
        for asked in copied:
            equal = equals[asked.question.content_hash]
            rows.append(
                _row(step, model, asked, equal["state"], reason=equal["reason"])
                | {
                    "answer": equal["answer"],
                    "dropped": equal["dropped"],
                    "is_copy": True,
                    "answered_at": datetime.now(UTC),
                }
            )
        table.put(connection, rows)
        mark_stale(connection, classifications.opinions, [asked.message_id for asked in copied])
    count(result, "not_shown", len(hidden))
    count(result, "copied", len(copied))
    result.row_count += len(hidden) + len(copied)
    return [asked for asked in found if asked not in copied]


def _row(step: StepContext, model: str, asked: Asked, state: str, *, reason: str = "") -> dict[str, Any]:
    return {
        "opinion_id": asked.opinion_id,
        "mailbox_id": step.mailbox_id,
        "message_id": asked.message_id,
        "content_hash": asked.question.content_hash,
        "model": model,
        "prompt_version": PROMPT_VERSION,
        "state": state,
        "reason": reason,
        "run_id": step.run_id,
    }


@dataclass(slots=True)
class _Asking:
    """The questions of one run, asked by a few threads that stop together."""

    step: StepContext
    result: StepResult
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _again_seconds: float | None = None
    _open: int = 0

    def ask_all(self, to_ask: list[Asked]) -> None:
        # Loaded only where a model is set: the SDK takes a second, and every run would wait for it.
        from rl_emails_assets.language_models.client import ModelClient  # noqa: PLC0415

        settings = self.step.settings
        until = time.monotonic() + settings.language_model_seconds_a_run
        left = deque(_distinct(to_ask))
        client = ModelClient(settings)
        prices = Prices.of(settings)

        def work() -> None:
            while not self._stop.is_set() and time.monotonic() < until:
                try:
                    asked = left.popleft()
                except IndexError:
                    return
                if not self._ask(client, prices, asked):
                    # What the others have reserved and will not spend makes room again.
                    left.append(asked)
                    return

        try:
            with ThreadPoolExecutor(settings.language_model_concurrency, "opinions") as pool:
                for future in [pool.submit(work) for _ in range(settings.language_model_concurrency)]:
                    future.result()
        finally:
            client.close()
        if left or self._again_seconds is not None or len(_distinct(to_ask)) < len(to_ask):
            with self.step.engine.begin() as connection:
                delay = 0.0 if self._again_seconds is None else self._again_seconds
                queue.enqueue(connection, self.step.mailbox_id, asked_by="opinions", delay_seconds=delay)

    def _ask(self, client: "ModelClient", prices: Prices, asked: Asked) -> bool:
        """Returns False when a cap leaves no room for it beside the questions that are being asked."""
        step = self.step
        with self._lock, step.engine.begin() as connection:
            reserved = table.reserve(connection, step.settings, step.mailbox_id, prices.most(asked.question))
            if isinstance(reserved, table.Reserved):
                table.begin(connection, asked.opinion_id, step.run_id, reserved.amount)
                self._open += 1
            elif self._open:
                return False
        if not isinstance(reserved, table.Reserved):
            self._halt(f"cap_{reserved}", _cap_seconds(reserved))
            return True
        try:
            settled = ask(client.ask, prices, asked.verdict, asked.question, verdicts.loaded().asks)
            self._settle(asked, reserved, settled)
        finally:
            with self._lock:
                self._open -= 1
        return True

    def _settle(self, asked: Asked, reserved: table.Reserved, settled: Settled) -> None:
        reply, paid = settled.reply, settled.paid_usd
        row = _settled_row(reply)
        with self.step.engine.begin() as connection:
            table.settle(connection, self.step.mailbox_id, reserved, paid)
            table.end(connection, asked.opinion_id, row | {"difference": paid - reserved.amount})
            if reply.outcome == "answered":
                mark_stale(connection, classifications.opinions, [asked.message_id])
        with self._lock:
            count(self.result, reply.outcome)
            for part in reply.dropped:
                count(self.result, f"dropped_{part}")
            self.result.cost_usd += float(paid)
            self.result.row_count += 1
            self.step.report(Progress(NAME, self.result.row_count, self.result.row_count))
        if reply.outcome == "rate_limited":
            self._halt("halted_by_rate", reply.pause_seconds)
        elif reply.is_for_all:
            self._halt("halted_by_settings", WRONG_SETTINGS_PAUSE_SECONDS)
        elif row["pause_seconds"]:
            self._again(row["pause_seconds"])

    def _halt(self, name: str, seconds: float) -> None:
        """No more questions in this run; another run goes on after the pause."""
        with self._lock:
            if not self._stop.is_set():
                count(self.result, name)
        self._stop.set()
        self._again(seconds)

    def _again(self, seconds: float) -> None:
        with self._lock:
            self._again_seconds = max(self._again_seconds or 0.0, seconds)


def _distinct(to_ask: list[Asked]) -> list[Asked]:
    """One of each content: the others are answered from it by the run that follows."""
    kept: dict[bytes, Asked] = {}
    for asked in to_ask:
        kept.setdefault(asked.question.content_hash, asked)
    return list(kept.values())


def _settled_row(reply: Reply) -> dict[str, Any]:
    is_over = reply.outcome in table.FINAL_STATES
    pause = WRONG_SETTINGS_PAUSE_SECONDS if reply.is_for_all else max(reply.pause_seconds, FAILED_PAUSE_SECONDS)
    return {
        "state": reply.outcome,
        "reason": reply.reason,
        "answer": None if reply.answer is None else json.dumps(as_stored(reply.answer)),
        "dropped": list(reply.dropped),
        # A refusal for the rate is no fault of the question's.
        "unasked": int(reply.outcome == "rate_limited"),
        "input_tokens": reply.input_tokens or 0,
        "output_tokens": reply.output_tokens or 0,
        "latency_ms": reply.latency_ms,
        "pause_seconds": 0.0 if is_over else pause,
    }


def _cap_seconds(cap: table.Cap) -> float:
    """When there may be room again: runs of other mailboxes give back what they have reserved and not spent."""
    if cap == "organization_day":
        return OTHERS_PAUSE_SECONDS
    now = datetime.now(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    return (tomorrow - now).total_seconds() + 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking about the unsure verdicts of a range of dates takes. `most_usd` is never passed; `about_usd` is what
    to expect without halves, with them up to three times that."""

    message_count: int
    question_count: int
    not_shown_count: int
    input_tokens: int
    about_usd: float
    most_usd: float


def estimate(step: StepContext, since: datetime | None, until: datetime | None, *, is_wanted: bool = False) -> Estimate:
    """Count what is unsure in [since, until) and has no opinion; nothing is sent. With `is_wanted` the questions are
    put down for the next run, which asks them as far as the caps allow."""
    model = step.settings.language_model or ""
    prices = Prices.of(step.settings)
    with step.engine.begin() as connection:
        ids = table.unsure_ids(connection, step.settings, step.mailbox_id, PROMPT_VERSION, since, until)
        inputs = verdicts.inputs_of(connection, step.mailbox_id, ids)
        found: list[Asked] = []
        not_shown = 0
        for message_id in ids:
            given = inputs[message_id]
            verdict = verdicts.loaded().classify(given)
            allowed = allowed_categories(verdict)
            if given.is_from_owner or not allowed:
                continue
            if speaks_to_a_program(given.subject, given.new_text or given.text):
                not_shown += 1
                continue
            question = question_of(given, allowed)
            found.append(Asked(opinion_id_of(message_id, question, model), message_id, question, verdict))
        if is_wanted and found:
            states = table.states_of(connection, [asked.opinion_id for asked in found])
            rows = [_row(step, model, asked, "wanted") for asked in found if asked.opinion_id not in states]
            table.put(connection, rows)
            queue.enqueue(connection, step.mailbox_id, asked_by="opinions")
    questions = [asked.question for asked in _distinct(found)]
    return Estimate(
        message_count=len(found),
        question_count=len(questions),
        not_shown_count=not_shown,
        input_tokens=sum(about_tokens(question) for question in questions),
        about_usd=float(sum(prices.about(question) for question in questions)),
        most_usd=float(sum(prices.most(question) for question in questions)),
    )
