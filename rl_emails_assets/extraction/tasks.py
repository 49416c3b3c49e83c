"""What one message asks for or promises, from the mailbox owner's point of view.

A task is proved by one sentence of the message and depends on the message alone. Precision goes first: a sentence of
courtesy is no task, machine mail gives one only for a bill or an answer that has a date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Literal

from rl_emails_assets.extraction.assignees import Assignee, People
from rl_emails_assets.extraction.deadlines import Deadline, deadlines_in
from rl_emails_assets.extraction.phrases import Speech, find_speech, plain
from rl_emails_assets.extraction.sentences import MAX_TEXT_CHARS, Sentence, split_sentences
from rl_emails_assets.extraction.task_input import Owner
from rl_emails_assets.extraction.task_input import TaskInput as TaskInput
from rl_emails_assets.extraction.task_wording import describe
from rl_emails_assets.mail.message import CalendarEvent

MAX_TASKS = 10
MIN_CONFIDENCE = 0.5

TaskKind = Literal["request", "promise", "question"]
"""A question asks for nothing but its answer; `questions.find_questions` finds those."""

MACHINE_CATEGORIES = frozenset({"newsletter", "promotion", "notification", "receipt", "social", "automatic"})
"""Categories of mail that a machine writes."""

_PAYMENT = re.compile(
    r"\b(?:(?:payment|balance|amount|invoice|bill|rent|premium|fee|minimum|total)\b.{0,60}\b"
    r"(?:due|pay(?:able)?)|pay (?:by|before|your|the|this)|due date|overdue|zahlbar|fällig|échéance"
    r"|à payer|vence|vencimiento)\b",
    re.IGNORECASE,
)
_ANSWER_BY = re.compile(
    r"\b(?:rsvp|(?:please )?(?:respond|reply|confirm|submit|complete|renew|return|sign|update"
    r"|verify|approve|enroll|register) .{0,60}(?:by|before|no later than|until)\b)",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"^(?:\W{0,3})(?:(?:i|we)(?:'ll|'d| will| would| really| do)? (?:need|like|want|have to"
    r" have) (?:it|this|them|these|everything|your)|it(?:'s| is)? due|this is due|the deadline"
    r"|deadline|due|by|no later than|ideally|preferably|if possible,? by)\b",
    re.IGNORECASE,
)
"""A sentence that says by when the request before it is wanted."""
_REPLY_SUBJECT = re.compile(r"^\s{0,4}(?:re|aw|sv|fwd?|wg|tr|rv|antw)\s{0,2}(?:\[\d{1,3}\])?\s{0,2}:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Task:
    """`evidence` is a sentence of the new text, or the subject, exactly as written; `evidence_start` and `evidence_end`
    are its offsets in the new text, None when it is the subject. `owner` is who does it, `owner_address` their address
    or "". `confidence` is the probability (0-1) that this is a task and that person's."""

    kind: TaskKind
    description: str
    owner: Owner
    owner_address: str
    deadline: Deadline | None
    evidence: str
    confidence: float
    evidence_start: int | None = None
    evidence_end: int | None = None


def find_tasks(message: TaskInput) -> tuple[Task, ...]:
    """The tasks of one message, in the order of their sentences, at most MAX_TASKS.

    Raises ValueError when `written_at` is naive."""
    if message.written_at.tzinfo is None:
        raise ValueError("written_at has no time zone; pass an aware time, in the sender's zone if that is known")
    if message.category == "suspicious":
        return ()
    if message.calendar is not None and message.category != "person":
        return _invitation(message, message.calendar)
    sentences = split_sentences(message.new_text[:MAX_TEXT_CHARS])
    if message.category in MACHINE_CATEGORIES:
        return _of_machine(message, sentences)
    found = _of_person(message, sentences)
    if not found and message.calendar is not None:
        return _invitation(message, message.calendar)
    return found


def _of_person(message: TaskInput, sentences: Sequence[Sentence]) -> tuple[Task, ...]:
    people = People(message)
    greeted = people.greeted(sentences[0].text) if sentences else None
    tasks: dict[str, Task] = {}
    for index, sentence in enumerate(sentences):
        if sentence.text.startswith(">"):
            continue
        speech = find_speech(sentence.text)
        if speech is None:
            continue
        following = sentences[index + 1] if index + 1 < len(sentences) else None
        _add(tasks, _task(message, people, greeted, sentence, speech, following=following))
        if len(tasks) >= MAX_TASKS:
            break
    if not tasks and not _REPLY_SUBJECT.match(message.subject):
        for sentence in split_sentences(message.subject)[:1]:
            speech = find_speech(sentence.text, with_imperatives=False)
            if speech is not None and speech.kind == "request":
                _add(tasks, _task(message, people, greeted, sentence, speech, following=None, is_subject=True))
    return tuple(tasks.values())


def _add(tasks: dict[str, Task], task: Task | None) -> None:
    if task is not None and task.confidence >= MIN_CONFIDENCE:
        tasks.setdefault(task.description.lower(), task)


def _task(
    message: TaskInput,
    people: People,
    greeted: Assignee | None,
    sentence: Sentence,
    speech: Speech,
    *,
    following: Sentence | None,
    is_subject: bool = False,
) -> Task | None:
    deadline = first_deadline(deadlines_in((sentence,), message.written_at))
    if deadline is None and following is not None and _FOLLOWS.match(plain(following.text)):
        deadline = first_deadline(deadlines_in((following,), message.written_at))
    if speech.is_proposal and deadline is None:
        return None
    assignee = people.promiser() if speech.kind == "promise" else people.asked(sentence.text, greeted)
    if assignee is None:
        return None
    description = describe(
        sentence.text,
        speech.action_start,
        other_name=people.other_name(speech.kind),
        other_pronoun="you" if message.is_from_owner else "me",
    )
    if len(description) < 3:
        return None
    if speech.is_proposal:
        description = f"Answer: {description}"
    confidence = speech.confidence * assignee.factor + (0.05 if deadline is not None else 0.0)
    if message.needs == "nothing":
        confidence -= 0.1
    elif message.needs in ("reply", "decision", "task"):
        confidence += 0.03
    confidence = round(min(0.98, confidence), 4)
    start, end = (None, None) if is_subject else (sentence.start, sentence.end)
    return Task(
        speech.kind, description, assignee.owner, assignee.address, deadline, sentence.text, confidence, start, end
    )


def first_deadline(deadlines: tuple[Deadline, ...]) -> Deadline | None:
    return deadlines[0] if deadlines else None


def _of_machine(message: TaskInput, sentences: Sequence[Sentence]) -> tuple[Task, ...]:
    """A bill that is due, or an answer wanted by a day; marketing only when it is a bill or asks for an RSVP."""
    if message.is_from_owner:
        return ()
    is_marketing = message.category in ("newsletter", "promotion", "social")
    for sentence in sentences:
        deadline = first_deadline(deadlines_in((sentence,), message.written_at))
        if deadline is None:
            continue
        is_payment = bool(_PAYMENT.search(sentence.text))
        answer = _ANSWER_BY.search(sentence.text)
        if not is_payment and (answer is None or (is_marketing and not answer.group().lower().startswith("rsvp"))):
            continue
        start = answer.start() if answer is not None and not is_payment else 0
        said = describe(sentence.text, start, other_name="", other_pronoun="me")
        description = (
            said
            if not is_payment or said.lower().startswith("pay ")
            else describe(f"Pay: {said}", 0, other_name="", other_pronoun="me")
        )
        address = message.owner_addresses[0] if message.owner_addresses else ""
        place = (sentence.start, sentence.end)
        return (Task("request", description, "me", address, deadline, sentence.text, 0.7, *place),)
    return ()


def _invitation(message: TaskInput, event: CalendarEvent) -> tuple[Task, ...]:
    """An invitation that somebody else sent and that has not begun asks for an answer."""
    if event.method != "REQUEST" or message.is_from_owner or message.needs in ("read", "nothing"):
        return ()
    starts_at = event.starts_at
    if starts_at is None or starts_at <= message.written_at or not message.subject.strip():
        return ()
    if starts_at > message.written_at + timedelta(days=3 * 366):
        return ()
    evidence = message.subject.strip()
    title = event.summary.strip() or evidence
    description = describe(f"Answer the invitation: {title}", 0, other_name="", other_pronoun="me")
    deadline = Deadline(starts_at.astimezone(UTC), "", evidence, is_date_only=False)
    address = message.owner_addresses[0] if message.owner_addresses else ""
    return (Task("request", description, "me", address, deadline, evidence, 0.75),)
