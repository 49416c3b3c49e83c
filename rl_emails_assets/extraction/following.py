"""How each task of a conversation stands after its last message: open, promised, asked back, or closed, and by what.

Worked out from the conversation alone, without a clock and without a model: the same messages give the same rows,
in whatever order they were read. How long somebody has waited is for whoever serves it to say.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal

from rl_emails_assets.extraction.reply_reading import Act, Reply, read_reply
from rl_emails_assets.extraction.signatures import name_key
from rl_emails_assets.extraction.task_input import Owner
from rl_emails_assets.extraction.tasks import TaskKind

State = Literal["open", "promised", "asked_back", "closed"]
How = Literal[
    "", "answered", "delivered", "done", "done_by_other", "accepted", "withdrawn", "declined", "promised", "asked_back",
    "answered_back", "reopened",
]  # fmt: skip
"""What brought a task to its state."""
WaitingOn = Literal["me", "them", ""]


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """A message of the conversation. `recipients` are the addresses in To and Cc, lower case; `at` is aware."""

    message_id: uuid.UUID
    at: datetime
    from_address: str
    from_name: str
    is_from_owner: bool
    recipients: frozenset[str]
    new_text: str
    has_attachment: bool = False
    is_machine: bool = False
    """Written by a machine: an absence notice, a bounce, a newsletter. It answers nothing."""


@dataclass(frozen=True, slots=True)
class ThreadTask:
    """A task found in one of the messages."""

    task_id: uuid.UUID
    message_id: uuid.UUID
    kind: TaskKind
    owner: Owner
    owner_address: str
    description: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How a task stands. `message_id`, `at` and `evidence` (a sentence, or "" for a file) tell what brought it there;
    None and "" while nothing has. `waiting_on` is who has to act next: the owner (me), or the other person (them); ""
    when nobody waits for anybody: it is closed, a note to oneself, other people's business, or goes on in the promise
    `carried_by`. `waiting_with` is the other person's address and `since` since when one waits."""

    task_id: uuid.UUID
    state: State
    how: How
    message_id: uuid.UUID | None
    at: datetime | None
    evidence: str
    waiting_on: WaitingOn
    waiting_with: str
    since: datetime
    carried_by: uuid.UUID | None


_TELLS = re.compile(
    r"^(?:answer|let|tell|advise|confirm|explain|reply|respond|say|clarify|comment|describe|give|update (?:me|us)"
    r"|keep|inform"
    r"|suggest|recommend|remind|know|share your|find out|check (?:if|whether|with)|provide|think|specify|name|list"
    r"|report"
    r"|indicate|state|vote|rsvp)\b",
    re.IGNORECASE,
)
"""What is done by saying something: any answer that says something closes it."""
_PROMISED_TO_TELL = re.compile(
    r"^(?:let|tell|get back|come back|check|look|find|ask|think|see|call|talk|confirm|follow|advise|answer|reply"
    r"|respond"
    r"|keep|give|write|contact|speak|discuss|report)\b",
    re.IGNORECASE,
)
_ANY = (Act.SAYS, Act.AGREES, Act.DELIVERS, Act.DECLINES, Act.PROMISES, Act.DONE)
_CLOSING_ACTS = (Act.DELIVERS, Act.DONE)


def follow_thread(
    messages: Sequence[ThreadMessage], tasks: Sequence[ThreadTask], owner_addresses: frozenset[str]
) -> tuple[Progress, ...]:
    """How each of `tasks` stands after the last of `messages`, in the order of `tasks`.

    A task of a message that is not among `messages` is left out.
    """
    ordered = sorted(messages, key=lambda message: (message.at, message.message_id.int))
    place = {message.message_id: index for index, message in enumerate(ordered)}
    by_message: dict[uuid.UUID, list[ThreadTask]] = {}
    for task in tasks:
        by_message.setdefault(task.message_id, []).append(task)

    @cache
    def reading(index: int) -> Reply:
        message = ordered[index]
        return read_reply(message.new_text, has_attachment=message.has_attachment)

    thread = _Thread(ordered, by_message, owner_addresses, reading)
    return tuple(_follow(thread, place[task.message_id], task) for task in tasks if task.message_id in place)


@dataclass(frozen=True, slots=True)
class _Thread:
    messages: list[ThreadMessage]
    tasks: dict[uuid.UUID, list[ThreadTask]]
    owner_addresses: frozenset[str]
    reading: Callable[[int], Reply]


@dataclass(frozen=True, slots=True)
class _Parties:
    """Who does a task, and for whom."""

    doer: str
    doer_name: tuple[str, ...]
    is_doer_owner: bool
    wanter: str
    is_wanter_owner: bool
    others: frozenset[str]


@dataclass(slots=True)
class _Standing:
    state: State
    how: How
    index: int | None
    evidence: str
    since: datetime
    carried_by: uuid.UUID | None = None

    def become(self, state: State, how: How, index: int, evidence: str) -> None:
        self.state, self.how, self.index, self.evidence = state, how, index, evidence
        self.carried_by = None


def _follow(thread: _Thread, start: int, task: ThreadTask) -> Progress:
    source = thread.messages[start]
    parties = _parties(thread, source, task)
    standing = _Standing("open", "", None, "", source.at)
    for index in range(start + 1, len(thread.messages)):
        message = thread.messages[index]
        if message.is_machine:
            continue
        if _is_doer(parties, message):
            _from_doer(thread, standing, task, parties, index)
        elif _is_wanter(parties, message):
            _from_wanter(thread, standing, index)
        else:
            _from_other(thread, standing, task, parties, index)
    brought = thread.messages[standing.index] if standing.index is not None else None
    waiting_on, waiting_with = _waiting(standing, parties)
    return Progress(
        task_id=task.task_id,
        state=standing.state,
        how=standing.how,
        message_id=brought.message_id if brought else None,
        at=brought.at if brought else None,
        evidence=standing.evidence,
        waiting_on=waiting_on,
        waiting_with=waiting_with,
        since=standing.since,
        carried_by=standing.carried_by,
    )


def _parties(thread: _Thread, source: ThreadMessage, task: ThreadTask) -> _Parties:
    recipients = source.recipients - {source.from_address}
    if task.kind == "promise":
        wanters = sorted(recipients - thread.owner_addresses)
        to_owner = bool(recipients & thread.owner_addresses) and not source.is_from_owner
        return _Parties(
            doer=source.from_address,
            doer_name=name_key(source.from_name),
            is_doer_owner=source.is_from_owner,
            wanter="" if to_owner else (wanters[0] if wanters else ""),
            is_wanter_owner=to_owner,
            others=recipients,
        )
    names = {message.from_address: name_key(message.from_name) for message in thread.messages}
    return _Parties(
        doer=task.owner_address,
        doer_name=names.get(task.owner_address, ()),
        is_doer_owner=task.owner == "me",
        wanter=source.from_address,
        is_wanter_owner=source.is_from_owner,
        others=recipients,
    )


def _is_doer(parties: _Parties, message: ThreadMessage) -> bool:
    if parties.is_doer_owner or message.is_from_owner:
        return parties.is_doer_owner and message.is_from_owner
    key = name_key(message.from_name)
    return message.from_address == parties.doer or (bool(key) and key == parties.doer_name)


def _is_wanter(parties: _Parties, message: ThreadMessage) -> bool:
    if message.is_from_owner:
        return parties.is_wanter_owner
    return message.from_address == parties.wanter


def _is_directed(thread: _Thread, parties: _Parties, message: ThreadMessage) -> bool:
    """Whether the message goes to whoever waits: to them, to the list they wrote to, or to nobody that is named."""
    if not message.recipients:
        return True
    if parties.is_wanter_owner:
        # A mail that the owner has came to the owner, unless it names others alone and none who were there.
        heard = thread.owner_addresses | parties.others
    else:
        heard = frozenset({parties.wanter}) | parties.others
    return bool((message.recipients & heard) - {message.from_address})


def _from_doer(thread: _Thread, standing: _Standing, task: ThreadTask, parties: _Parties, index: int) -> None:
    """What whoever was asked, or has promised, writes later."""
    message, reply = thread.messages[index], thread.reading(index)
    if standing.state == "closed" or not _is_directed(thread, parties, message):
        return
    closing = _closed_by_doer(task, reply)
    if closing is not None:
        standing.become("closed", closing, index, _proof(reply, closing))
        return
    if task.kind == "promise":
        return
    if reply.does(Act.PROMISES) or reply.does(Act.AGREES):
        standing.become("promised", "promised", index, reply.proof(Act.PROMISES, Act.AGREES))
        standing.carried_by = _promise_in(thread, message)
    elif reply.does(Act.ASKS):
        standing.become("asked_back", "asked_back", index, reply.proof(Act.ASKS))


def _closed_by_doer(task: ThreadTask, reply: Reply) -> How | None:
    """How the doer's message closes the task; None when it does not."""
    is_told = task.kind == "question" or bool(_TELLS.match(task.description))
    if task.kind == "promise":
        return _promise_closed(task, reply)
    if reply.does(Act.DELIVERS):
        return "delivered"
    if reply.does(Act.DONE):
        return "done"
    if is_told and _says_something(reply, task):
        return "answered"
    if reply.does(Act.DECLINES) and not reply.does(Act.PROMISES):
        return "answered" if is_told else "declined"
    if reply.does(Act.WITHDRAWS):
        return "done"
    says = reply.does(Act.SAYS) and not reply.does(Act.PROMISES) and not reply.does(Act.ASKS)
    return "answered" if says else None


def _says_something(reply: Reply, task: ThreadTask) -> bool:
    """Whether it answers a question: says a thing, or yes or no to one; a promise to answer is no answer."""
    if reply.does(Act.SAYS):
        return True
    agrees = task.kind == "question" or task.description.startswith("Answer")
    if agrees and reply.does(Act.AGREES):
        return not _is_only_promise(reply)
    return agrees and reply.does(Act.DECLINES) and not reply.does(Act.PROMISES)


def _is_only_promise(reply: Reply) -> bool:
    return reply.does(Act.PROMISES) and reply.proof(Act.PROMISES) == reply.proof(Act.AGREES)


def _promise_closed(task: ThreadTask, reply: Reply) -> How | None:
    if reply.does(Act.DELIVERS):
        return "delivered"
    if reply.does(Act.DONE):
        return "done"
    if reply.does(Act.DECLINES) and not reply.does(Act.PROMISES):
        return "answered" if _PROMISED_TO_TELL.match(task.description) else "declined"
    tells = bool(_PROMISED_TO_TELL.match(task.description))
    return "answered" if tells and reply.does(Act.SAYS) and not reply.does(Act.PROMISES) else None


def _proof(reply: Reply, how: How) -> str:
    order: dict[How, tuple[Act, ...]] = {
        "delivered": (Act.DELIVERS,),
        "done": (Act.DONE, Act.WITHDRAWS),
        "declined": (Act.DECLINES,),
        "accepted": (Act.ACCEPTS, Act.THANKS),
        "withdrawn": (Act.WITHDRAWS,),
        "done_by_other": (*_CLOSING_ACTS, Act.WITHDRAWS, Act.SAYS, Act.AGREES),
    }
    return reply.proof(*order.get(how, (Act.SAYS, Act.AGREES, Act.DECLINES)))


def _promise_in(thread: _Thread, message: ThreadMessage) -> uuid.UUID | None:
    """The promise of that message in which a request goes on, so that one thing is not waited for twice."""
    promises = [task.task_id for task in thread.tasks.get(message.message_id, ()) if task.kind == "promise"]
    return promises[0] if len(promises) == 1 else None


def _from_wanter(thread: _Thread, standing: _Standing, index: int) -> None:
    """What whoever waits writes later: thanks, withdraws, complains, or answers what was asked back."""
    message, reply = thread.messages[index], thread.reading(index)
    if reply.does(Act.COMPLAINS):
        if standing.state == "closed" and standing.how in ("answered", "delivered", "done", "done_by_other"):
            standing.become("open", "reopened", index, reply.proof(Act.COMPLAINS))
            standing.since = message.at
        return
    if standing.state == "closed":
        return
    if reply.does(Act.WITHDRAWS):
        standing.become("closed", "withdrawn", index, reply.proof(Act.WITHDRAWS))
    elif reply.does(Act.ACCEPTS):
        standing.become("closed", "accepted", index, reply.proof(Act.ACCEPTS))
    elif standing.state == "asked_back":
        standing.become("open", "answered_back", index, reply.proof(*_ANY))
        standing.since = message.at


def _from_other(thread: _Thread, standing: _Standing, task: ThreadTask, parties: _Parties, index: int) -> None:
    """Somebody else of the conversation, who may have done it or known it."""
    message, reply = thread.messages[index], thread.reading(index)
    if standing.state == "closed" or task.kind == "promise" or not _is_directed(thread, parties, message):
        return
    is_put_to_several = task.kind == "question" and not parties.is_doer_owner
    # Whoever answers to an address that was asked (a list, a team) has heard the question there.
    heard_at = (message.recipients & parties.others) - thread.owner_addresses - {parties.wanter}
    is_asked_too = message.from_address in parties.others or message.is_from_owner or bool(heard_at)
    has_done = reply.does(Act.DONE) or reply.does(Act.DELIVERS)
    if has_done or (is_put_to_several and is_asked_too and _says_something(reply, task)):
        standing.become("closed", "done_by_other", index, _proof(reply, "done_by_other"))


def _waiting(standing: _Standing, parties: _Parties) -> tuple[WaitingOn, str]:
    if standing.state in ("closed", "asked_back") or standing.carried_by is not None:
        return "", ""
    if parties.is_doer_owner and not parties.is_wanter_owner and parties.wanter:
        return "me", parties.wanter
    if parties.is_wanter_owner and not parties.is_doer_owner:
        return "them", parties.doer
    return "", ""
