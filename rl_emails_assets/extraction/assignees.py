"""Who is asked: the people of one message, and the names by which it calls them."""

import re
from dataclasses import dataclass

from rl_emails_assets.extraction.phrase_list import Kind
from rl_emails_assets.extraction.phrases import plain
from rl_emails_assets.extraction.task_input import Owner, TaskInput
from rl_emails_assets.mail.message import Address

_MAX_RECIPIENTS_READ = 50
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


@dataclass(frozen=True, slots=True)
class Assignee:
    """Who does it; `factor` (0-1) is how sure that is, times the phrase's own confidence."""

    owner: Owner
    address: str
    factor: float


class People:
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

    def promiser(self) -> Assignee | None:
        """The sender; what a list's members promise each other is not kept track of."""
        if self._message.is_from_owner:
            return Assignee("me", self._message.from_address or self._owner_address, 1.0)
        if self._message.category == "mailing_list" and not self._is_for_owner():
            return None
        return Assignee("them", self._message.from_address, 0.9 if self._is_for_owner() else 0.7)

    def asked(self, sentence: str, greeted: Assignee | None) -> Assignee | None:
        """Whom a request is put to: whoever is called by name, else whom the mail greets, else its recipients."""
        called = self._called(sentence)
        if called is not None:
            return called
        if greeted is not None:
            return greeted
        message = self._message
        if message.is_from_owner:
            if self._others:
                return Assignee("them", self._others[0].address, 1.0 if len(self._to) <= 2 else 0.9)
            # A note to oneself.
            return Assignee("me", message.from_address, 1.0)
        if self._is_for_owner():
            recipients = len(self._to)
            return Assignee("me", self._owner_address, 1.0 if recipients <= 2 else 0.9 if recipients <= 8 else 0.75)
        if message.category == "mailing_list":
            return None
        if self._to and any(one.address in self._owner_addresses for one in self._cc):
            return Assignee("someone_else", self._to[0].address, 0.9)
        # Neither To nor Cc names the owner: a list, or a blind copy.
        return Assignee("someone_else", self._to[0].address, 0.65)

    def greeted(self, first_sentence: str) -> Assignee | None:
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

    def _called(self, sentence: str) -> Assignee | None:
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
                return Assignee("someone_else", "", 0.8)
        return None

    def _named(self, name: str) -> Assignee | None:
        """The person called `name`: the owner, or another recipient."""
        word = name.lower()
        if not self._message.is_from_owner and _is_called(word, self._owner_words):
            return Assignee("me", self._owner_address, 1.0)
        for one in self._others:
            if _is_called(word, _name_words(one.name) | _local_words(one.address)):
                return Assignee("them" if self._message.is_from_owner else "someone_else", one.address, 1.0)
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
