"""The written conversations of task_threads.txt, and what the engines make of them."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rl_emails_assets.extraction.following import Progress, ThreadMessage, ThreadTask, follow_thread
from rl_emails_assets.extraction.questions import find_questions
from rl_emails_assets.extraction.task_input import TaskInput
from rl_emails_assets.extraction.tasks import Task, find_tasks
from rl_emails_assets.mail.message import Address

FILE = Path(__file__).with_name("task_threads.txt")
OWNER = Address("Nina Berg", "nina@harbor.example")
STARTED_AT = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)

_HEADER = re.compile(r"^(?P<sender>[A-Z][\w ]*(?:<\S+>)?) > (?P<to>[A-Z][\w ,]*?)(?: / (?P<cc>[A-Z][\w ,]*))?$")
_LABEL = re.compile(
    r"^\? (?P<kind>request|promise|question) (?P<owner>me|them|someone_else) (?P<state>open|closed|asked_back|promised)"
    r"(?:@(?P<by>\d))?(?: due (?P<due>\S+))?: (?P<words>.+)$"
)


@dataclass(frozen=True, slots=True)
class Written:
    """One message of a written conversation."""

    sender: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    text: str
    has_attachment: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says of a sentence; `by` is the place (0 first) of the message that brought the state, or None."""

    kind: str
    owner: str
    state: str
    by: int | None
    due: date | None
    words: str


@dataclass(slots=True)
class WrittenThread:
    """One conversation with its labels; `is_held_out` when it was set aside before tuning."""

    name: str
    is_held_out: bool
    messages: list[Written] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """A task that was found, with how it stands; `by` is the place of the message that brought its state, or None."""

    task: Task
    progress: Progress
    by: int | None


def written_threads(file: Path = FILE) -> tuple[WrittenThread, ...]:
    """The conversations of the file, in its order. Raises ValueError, naming the line, when one cannot be read."""
    threads: list[WrittenThread] = []
    lines: list[str] = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        if line.startswith("=== "):
            threads.append(WrittenThread(line[4:], is_held_out=len(threads) % 2 == 1))
            continue
        if not threads or not line.strip():
            continue
        header, label = _HEADER.match(line), _LABEL.match(line)
        if header:
            lines = []
            threads[-1].messages.append(_message(header, lines, len(threads[-1].messages)))
        elif label:
            threads[-1].labels.append(_label(label))
        elif line.startswith("? ") or not threads[-1].messages:
            raise ValueError(f"{file.name}, line {number}: neither a message, a label nor text: {line!r}")
        else:
            lines.append(line)
            threads[-1].messages[-1] = _with_text(threads[-1].messages[-1], lines)
    return tuple(threads)


def _message(header: "re.Match[str]", lines: list[str], index: int) -> Written:
    sender = _person(header["sender"])
    to = tuple(_person(name) for name in header["to"].split(", "))
    cc = tuple(_person(name) for name in header["cc"].split(", ")) if header["cc"] else ()
    return _with_text(Written(sender, to, cc, "", False, STARTED_AT + timedelta(days=index)), lines)


def _with_text(message: Written, lines: list[str]) -> Written:
    text = "\n".join(lines)
    return Written(
        message.sender, message.to, message.cc, text.replace("[file]", "").strip(), "[file]" in text, message.at
    )


def _person(name: str) -> Address:
    if name == "Me":
        return OWNER
    display, _, address = name.partition(" <")
    if address:
        return Address(display, address.rstrip(">"))
    full = "Ann Lind" if name == "Ann" else f"{name} Holm"
    return Address(full, f"{full.lower().replace(' ', '.')}@harbor.example")


def _label(match: "re.Match[str]") -> Label:
    return Label(
        match["kind"],
        match["owner"],
        match["state"],
        int(match["by"]) - 1 if match["by"] else None,
        date.fromisoformat(match["due"]) if match["due"] else None,
        match["words"],
    )


def found_in(thread: WrittenThread) -> tuple[Found, ...]:
    """What the engines find in a conversation and how each stands at its end."""
    messages: list[ThreadMessage] = []
    tasks: list[tuple[ThreadTask, Task]] = []
    for index, (message_id, written) in enumerate(_numbered(thread)):
        messages.append(_thread_message(message_id, written))
        inputs = _task_input(written)
        found = find_tasks(inputs)
        for place, task in enumerate((*found, *find_questions(inputs, found))):
            task_id = uuid.UUID(int=(index + 1) * 1000 + place)
            tasks.append(
                (ThreadTask(task_id, message_id, task.kind, task.owner, task.owner_address, task.description), task)
            )
    standing = follow_thread(messages, [each for each, _ in tasks], frozenset({OWNER.address}))
    place_of = {message.message_id: index for index, message in enumerate(messages)}
    return tuple(
        Found(task, progress, place_of[progress.message_id] if progress.message_id else None)
        for (_, task), progress in zip(tasks, standing, strict=True)
    )


def _numbered(thread: WrittenThread) -> Iterator[tuple[uuid.UUID, Written]]:
    for index, written in enumerate(thread.messages, start=1):
        yield uuid.UUID(int=index), written


def _thread_message(message_id: uuid.UUID, written: Written) -> ThreadMessage:
    return ThreadMessage(
        message_id=message_id,
        at=written.at,
        from_address=written.sender.address,
        from_name=written.sender.name,
        is_from_owner=written.sender == OWNER,
        recipients=frozenset(one.address for one in (*written.to, *written.cc)),
        new_text=written.text,
        has_attachment=written.has_attachment,
    )


def _task_input(written: Written) -> TaskInput:
    return TaskInput(
        new_text=written.text,
        subject="",
        from_name=written.sender.name,
        from_address=written.sender.address,
        to=written.to,
        cc=written.cc,
        owner_names=(OWNER.name,),
        owner_addresses=(OWNER.address,),
        is_from_owner=written.sender == OWNER,
        written_at=written.at,
        category="newsletter" if written.sender.name == "Shop" else "person",
    )
