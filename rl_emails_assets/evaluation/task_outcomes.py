"""What people did after a reply to a request: a judgement of closings without labels, from real conversations.

A request or question is followed until just before the next message of whoever had asked. That message, which the
judgement has not seen, then says that the matter was settled (thanks, or it has come) or that it was not (a complaint,
a reminder). Where it says neither, or both, the conversation is left out.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.evaluation.whole_mailboxes import Placed, WholeMailbox
from rl_emails_assets.extraction.following import ThreadMessage, ThreadTask, follow_thread
from rl_emails_assets.extraction.questions import find_questions
from rl_emails_assets.extraction.reply_reading import Act, read_reply
from rl_emails_assets.extraction.task_input import TaskInput
from rl_emails_assets.extraction.tasks import MACHINE_CATEGORIES, find_tasks

MAX_THREAD_MESSAGES = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request or question that was replied to: whether the reply closed it for us, and settled it for the asker."""

    mailbox: str
    thread: str
    is_closed: bool
    is_settled: bool


def outcomes(mailbox: WholeMailbox) -> Iterator[Outcome]:
    """The judged requests and questions of one mailbox."""
    judge = Classifier.load()
    threads: dict[uuid.UUID, list[Placed]] = defaultdict(list)
    for placed in mailbox.messages:
        threads[placed.thread_id].append(placed)
    for thread_id, messages in threads.items():
        if 3 <= len(messages) <= MAX_THREAD_MESSAGES:
            yield from _of_thread(mailbox, str(thread_id), messages, judge)


def _of_thread(mailbox: WholeMailbox, thread: str, messages: list[Placed], judge: Classifier) -> Iterator[Outcome]:
    categories = [_category(placed, judge) for placed in messages]
    shown = [_shown(placed, category) for placed, category in zip(messages, categories, strict=True)]
    for index, (placed, category) in enumerate(zip(messages[:-2], categories, strict=False)):
        if category in MACHINE_CATEGORIES:
            continue
        for task in _tasks(mailbox, placed, category):
            if task.kind == "promise" or task.owner == "someone_else":
                continue
            again = _next_of(messages, index)
            doers = mailbox.owners if task.owner == "me" else {task.owner_address}
            if again is None or not any(each.from_address in doers for each in messages[index + 1 : again]):
                continue
            verdict = _settled(messages[again])
            if verdict is None:
                continue
            (progress,) = follow_thread(shown[:again], [task], mailbox.owners)
            yield Outcome(mailbox.name, f"{mailbox.name}/{thread}", progress.state == "closed", verdict)


def _next_of(messages: list[Placed], index: int) -> int | None:
    """The place of the asker's next message that comes after somebody else's."""
    asker = messages[index].from_address
    between = False
    for place in range(index + 1, len(messages)):
        if messages[place].from_address != asker:
            between = True
        elif between:
            return place
    return None


def _settled(placed: Placed) -> bool | None:
    reply = read_reply(placed.message.new_text, has_attachment=False)
    settled = reply.does(Act.ACCEPTS) or reply.does(Act.THANKS)
    unsettled = reply.does(Act.COMPLAINS)
    return settled if settled != unsettled else None


def _category(placed: Placed, judge: Classifier) -> str:
    message = placed.message
    return judge.classify(
        ClassifierInput(
            subject=message.subject,
            new_text=message.new_text,
            text=message.text,
            from_name=message.from_.name if message.from_ else "",
            from_address=placed.from_address,
            to_count=len(message.to),
            cc_count=len(message.cc),
            is_from_owner=placed.is_from_owner,
            headers=message.headers,
            received_at=placed.at,
        )
    ).category


def _shown(placed: Placed, category: str) -> ThreadMessage:
    message = placed.message
    return ThreadMessage(
        message_id=placed.message_id,
        at=placed.at,
        from_address=placed.from_address,
        from_name=message.from_.name if message.from_ else "",
        is_from_owner=placed.is_from_owner,
        recipients=frozenset(one.address for one in (*message.to, *message.cc)),
        new_text=message.new_text,
        has_attachment=any(not each.is_inline for each in message.attachments),
        is_machine=category in MACHINE_CATEGORIES,
    )


def _tasks(mailbox: WholeMailbox, placed: Placed, category: str) -> Iterator[ThreadTask]:
    message = placed.message
    inputs = TaskInput(
        new_text=message.new_text,
        subject=message.subject,
        from_name=message.from_.name if message.from_ else "",
        from_address=placed.from_address,
        to=message.to,
        cc=message.cc,
        owner_names=(),
        owner_addresses=tuple(sorted(mailbox.owners)),
        is_from_owner=placed.is_from_owner,
        written_at=placed.at,
        category=category,
    )
    found = find_tasks(inputs)
    for number, task in enumerate((*found, *find_questions(inputs, found))):
        task_id = uuid.uuid5(placed.message_id, str(number))
        yield ThreadTask(task_id, placed.message_id, task.kind, task.owner, task.owner_address, task.description)
