"""What one message asks for or promises, from the mailbox owner's point of view.

A task is proved by one sentence of the message and depends on the message alone. Precision goes first: a sentence of
courtesy is no task, machine mail gives one only for a bill or an answer that has a date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from rl_emails_assets.extraction.deadlines import Deadline, deadlines_in
from rl_emails_assets.extraction.phrase_list import Kind
from rl_emails_assets.extraction.phrases import Speech, find_speech, plain
from rl_emails_assets.extraction.sentences import MAX_TEXT_CHARS, Sentence, split_sentences
from rl_emails_assets.extraction.task_wording import describe
from rl_emails_assets.mail.message import Address, CalendarEvent

MAX_TASKS = 10
MIN_CONFIDENCE = 0.5
_MAX_RECIPIENTS_READ = 50

Owner = Literal["me", "them", "someone_else"]

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
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|bonjour|cher"
    r"|chère|hola|estimad[oa]),? ){0,2}(?P<names>[A-Z][\w.'-]{1,20}(?:(?:,| and| &|/|,? und"
    r"| et| y)? ?[A-Z][\w.'-]{1,20}){0,3})\s?(?:[,:;!.–—-]{1,3}|$)",
    re.IGNORECASE,
)
_VOCATIVE = re.compile(
    r"^\W{0,4}(?P<name>[A-Z][\w'-]{1,20})(?:\s?,\s|\s?[-–—:]{1,2}\s|\s(?=can you|could you|would"
    r" you|will you|please|pls))|@(?P<at>[A-Z][\w'-]{1,20})\b"
)
_TRAILING_VOCATIVE = re.compile(r",\s(?P<name>[A-Z][\w'-]{1,20})\s?[?.!]*$")
_NOT_A_NAME = frozenset(
    """also thanks thank ok okay hi hello hey dear all team folks guys everyone everybody however then so yes no sure
    well
    again finally first second third next otherwise meanwhile additionally furthermore lastly sorry btw fyi ps ladies
    gentlemen sir madam today tomorrow tonight monday tuesday wednesday thursday friday saturday sunday january february
    march april may june july august september october november december please asap important urgent note reminder
    action and but or if when once after before since as while because for in on at by with from to of great perfect
    good morning afternoon evening anyway now here there this that these those therefore thus hence still maybe perhaps
    question request subject re fw fwd todo bitte danke hallo merci bonjour hola gracias colleagues friends both they we
    you he she it i who what where why how alternatively instead similarly attached regarding basically
    actually""".split()  # noqa: SIM905
)
NICKNAMES = {
    short: name
    for name, shorts in {
        "anthony": "tony", "charles": "chuck charlie", "edward": "ted ned", "elizabeth": "liz beth betty lisa",
        "henry": "hank harry", "james": "jim jimmy", "john": "jack", "katherine": "kate kathy", "lawrence": "larry",
        "margaret": "peggy maggie meg", "michael": "mike", "patricia": "tricia", "richard": "rick dick",
        "robert": "bob bobby rob", "stephen": "steve", "steven": "steve", "theodore": "ted", "thomas": "tom tommy",
        "william": "bill billy will",
    }.items()
    for short in shorts.split()
}  # fmt: skip
"""Short forms that are not the beginning of the name."""

_FOLLOWS = re.compile(
    r"^(?:\W{0,3})(?:(?:i|we)(?:'ll|'d| will| would| really| do)? (?:need|like|want|have to"
    r" have) (?:it|this|them|these|everything|your)|it(?:'s| is)? due|this is due|the deadline"
    r"|deadline|due|by|no later than|ideally|preferably|if possible,? by)\b",
    re.IGNORECASE,
)
"""A sentence that says by when the request before it is wanted."""
_REPLY_SUBJECT = re.compile(r"^\s{0,4}(?:re|aw|sv|fwd?|wg|tr|rv|antw)\s{0,2}(?:\[\d{1,3}\])?\s{0,2}:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TaskInput:
    """One message, as its tasks are looked for in it. `category` and `needs` are the verdict's words, or "" when
    there is none.
    `owner_names` and `owner_addresses` (lower case) are the mailbox owner's; `written_at` is aware, in the sender's
    zone."""

    new_text: str
    subject: str
    from_name: str
    from_address: str
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    owner_names: tuple[str, ...]
    owner_addresses: tuple[str, ...]
    is_from_owner: bool
    written_at: datetime
    category: str = ""
    needs: str = ""
    calendar: CalendarEvent | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """`evidence` is a sentence of the new text, or the subject, exactly as written. `owner` is who does it,
    `owner_address`
    their address or "". `confidence` is the probability (0-1) that this is a task and that person's."""

    kind: Kind
    description: str
    owner: Owner
    owner_address: str
    deadline: Deadline | None
    evidence: str
    confidence: float


@dataclass(frozen=True, slots=True)
class _Assignee:
    owner: Owner
    address: str
    factor: float


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
    people = _People(message)
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
                _add(tasks, _task(message, people, greeted, sentence, speech, following=None))
    return tuple(tasks.values())


def _add(tasks: dict[str, Task], task: Task | None) -> None:
    if task is not None and task.confidence >= MIN_CONFIDENCE:
        tasks.setdefault(task.description.lower(), task)


def _task(
    message: TaskInput,
    people: "_People",
    greeted: _Assignee | None,
    sentence: Sentence,
    speech: Speech,
    *,
    following: Sentence | None,
) -> Task | None:
    deadline = _first(deadlines_in((sentence,), message.written_at))
    if deadline is None and following is not None and _FOLLOWS.match(plain(following.text)):
        deadline = _first(deadlines_in((following,), message.written_at))
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
    return Task(speech.kind, description, assignee.owner, assignee.address, deadline, sentence.text, confidence)


def _first(deadlines: tuple[Deadline, ...]) -> Deadline | None:
    return deadlines[0] if deadlines else None


def _of_machine(message: TaskInput, sentences: Sequence[Sentence]) -> tuple[Task, ...]:
    """A bill that is due, or an answer wanted by a day; marketing only when it is a bill or asks for an RSVP."""
    if message.is_from_owner:
        return ()
    is_marketing = message.category in ("newsletter", "promotion", "social")
    for sentence in sentences:
        deadline = _first(deadlines_in((sentence,), message.written_at))
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
        return (Task("request", description, "me", address, deadline, sentence.text, 0.7),)
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


class _People:
    """Who is who in one message: the sender, the owner, and the names by which people may be called."""

    def __init__(self, message: TaskInput) -> None:
        self._message = message
        self._owner_addresses = frozenset(message.owner_addresses)
        self._to = message.to[:_MAX_RECIPIENTS_READ]
        self._cc = message.cc[:_MAX_RECIPIENTS_READ]
        self._others = tuple(one for one in (*self._to, *self._cc) if one.address not in self._owner_addresses)
        self._owner_words = _name_words(*message.owner_names)
        for one in (*self._to, *self._cc):
            if one.address in self._owner_addresses:
                self._owner_words |= _name_words(one.name) or _local_words(one.address)

    @property
    def _owner_address(self) -> str:
        return self._message.owner_addresses[0] if self._message.owner_addresses else ""

    def promiser(self) -> _Assignee | None:
        """The sender; what a list's members promise each other is not kept track of."""
        if self._message.is_from_owner:
            return _Assignee("me", self._message.from_address or self._owner_address, 1.0)
        if self._message.category == "mailing_list" and not self._is_for_owner():
            return None
        return _Assignee("them", self._message.from_address, 0.9 if self._is_for_owner() else 0.7)

    def asked(self, sentence: str, greeted: _Assignee | None) -> _Assignee | None:
        """Whom a request is put to: whoever is called by name, else whom the mail greets, else its recipients."""
        called = self._called(sentence)
        if called is not None:
            return called
        if greeted is not None:
            return greeted
        message = self._message
        if message.is_from_owner:
            if self._others:
                return _Assignee("them", self._others[0].address, 1.0 if len(self._to) <= 2 else 0.9)
            # A note to oneself.
            return _Assignee("me", message.from_address, 1.0)
        if self._is_for_owner():
            recipients = len(self._to)
            return _Assignee("me", self._owner_address, 1.0 if recipients <= 2 else 0.9 if recipients <= 8 else 0.75)
        if message.category == "mailing_list":
            return None
        if self._to and any(one.address in self._owner_addresses for one in self._cc):
            return _Assignee("someone_else", self._to[0].address, 0.9)
        # Neither To nor Cc names the owner: a list, or a blind copy.
        return _Assignee("someone_else", self._to[0].address, 0.65)

    def greeted(self, first_sentence: str) -> _Assignee | None:
        """Whom the first line greets, when that settles who is asked: one name that is a recipient's or the owner's."""
        match = _GREETING.match(plain(first_sentence)[:120])
        if match is None:
            return None
        names = [
            word for word in re.findall(r"[^\W\d_][\w'-]{1,20}", match["names"]) if word.lower() not in _NOT_A_NAME
        ]
        found = [self._named(name) for name in names[:4]]
        known = [one for one in found if one is not None]
        if not known:
            return None
        mine = [one for one in known if one.owner == "me"]
        return mine[0] if mine else known[0]

    def _called(self, sentence: str) -> _Assignee | None:
        text = plain(sentence)
        for pattern in (_VOCATIVE, _TRAILING_VOCATIVE):
            match = pattern.search(text)
            if match is None:
                continue
            name = match["name"] or match["at"]
            if name.lower() in _NOT_A_NAME:
                continue
            known = self._named(name)
            if known is not None:
                return known
            if pattern is _VOCATIVE and not self._message.is_from_owner and self._owner_words:
                return _Assignee("someone_else", "", 0.8)
        return None

    def _named(self, name: str) -> _Assignee | None:
        """The person called `name`: the owner, or another recipient."""
        word = name.lower()
        if not self._message.is_from_owner and _is_called(word, self._owner_words):
            return _Assignee("me", self._owner_address, 1.0)
        for one in self._others:
            if _is_called(word, _name_words(one.name) | _local_words(one.address)):
                return _Assignee("them" if self._message.is_from_owner else "someone_else", one.address, 1.0)
        return None

    def _is_for_owner(self) -> bool:
        return not self._to or any(one.address in self._owner_addresses for one in self._to)

    def other_name(self, kind: Kind) -> str:
        """The first name of the person that "me" (in what the owner is asked) or "you" (in what the owner promises)
        stands for; "" when it should stay as it is."""
        if self._message.is_from_owner:
            return _first_name(self._others[0]) if kind == "promise" and len(self._others) == 1 else ""
        if kind == "promise":
            return ""
        return _first_name(Address(self._message.from_name, self._message.from_address))


def _is_called(word: str, names: set[str]) -> bool:
    """Whether somebody with these names answers to `word`: a name, its usual short form, or its beginning."""
    if word in names or NICKNAMES.get(word, word) in names:
        return True
    return len(word) >= 3 and any(name.startswith(word) for name in names)


def _name_words(*names: str) -> set[str]:
    return {word.lower() for name in names for word in re.findall(r"[^\W\d_][\w'-]{1,30}", name[:100])}


def _local_words(address: str) -> set[str]:
    return {word for word in re.split(r"[._+-]", address.partition("@")[0][:64]) if len(word) > 2}


def _first_name(person: Address) -> str:
    """The first name as written, "Last, First" turned round; "" when there is only an address."""
    name = person.name.strip()[:100]
    if "," in name:
        name = name.partition(",")[2].strip()
    first = name.split(" ")[0].strip("\"'(")
    return first if len(first) > 1 and first[:1].isupper() and first.replace("-", "").replace("'", "").isalpha() else ""
