"""Synthetic mailboxes of any size for benchmarks: `python tests/bench/generate_mailbox.py COUNT FILE [--seed N]`.

The mail is alike per message whatever the count, so that figures at 1,000 and 100,000 messages can be compared:
60 % machines, 28 % people, 12 % the owner; threads of 1 to 8; half with HTML; about 90 words in the median and 350 at
the 95th percentile; 40 messages a day; the number of senders grows with the square root of the number of messages.
"""

import argparse
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import mailbox_words as vocabulary

OWNER = "Robin Vale <robin.vale@mail.example>"
OWNER_ADDRESS = "robin.vale@mail.example"
START = datetime(2021, 1, 4, 6, tzinfo=UTC)
SECONDS_PER_MESSAGE = 86_400 / 40
MACHINE_SHARE, OWNER_SHARE = 0.60, 0.12
PEOPLE_PER_ROOT, MACHINES_PER_ROOT = 2.4, 1.6
MEDIAN_WORDS, SIGMA = 84, 0.85
# Chances of 1, 2 ... 8 messages in a thread; their mean is how many messages a new thread brings.
_THREAD_SIZES = [1] * 42 + [2] * 24 + [3] * 13 + [4] * 8 + [5] * 5 + [6] * 4 + [7] * 2 + [8] * 2
_NEW_THREAD = len(_THREAD_SIZES) / sum(_THREAD_SIZES)
_OPEN_THREADS = 60
_QUOTED_LINES = 8
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES = ("+0000", "+0100", "+0200", "-0500", "-0800", "+0530")
_PAGE = (
    "<!doctype html><html><head><style>body{font-family:Arial} .b{background:#246;padding:9px}</style></head>"
    '<body><table width="600" align="center"><tr><td style="padding:20px">\n%s\n'
    '<p><a class="b" href="https://%s/open/%x">Open</a></p><p style="font-size:11px">'
    '<a href="https://%s/leave">Unsubscribe</a></p></td></tr></table></body></html>'
)

Template = list[tuple[str, str]]
Words = dict[str, list[str]]


@dataclass(slots=True)
class _Thread:
    """A conversation that may get another message."""

    number: int
    subject: str
    topic: int
    partner: int
    ids: list[str]
    last_text: str
    last_from: str
    left: int


def _templates(text: str) -> list[Template]:
    return [re.findall(r"([^{}]*)(?:\{(\w+)\})?", line)[:-1] for line in text.strip().split("\n")]


def _words(*sources: dict[str, str]) -> Words:
    return {slot: words.split("|") for source in sources for slot, words in source.items()}


_TOPIC_WORDS = [_words(vocabulary.SHARED, topic) for topic in vocabulary.TOPICS.values()]
_GERMAN_WORDS = _words(vocabulary.SHARED, vocabulary.GERMAN_WORDS)
_PERSON = _templates(vocabulary.PERSON_SENTENCES)
_MACHINE = _templates(vocabulary.MACHINE_SENTENCES)
_GERMAN = _templates(vocabulary.GERMAN_SENTENCES)
_SUBJECTS = _templates(vocabulary.SUBJECTS)
_MACHINE_SUBJECTS = _templates(vocabulary.MACHINE_SUBJECTS)


def _fill(templates: list[Template], words: Words, chance: Callable[[], float]) -> str:
    out = []
    for literal, slot in templates[int(chance() * len(templates))]:
        out.append(literal)
        if slot:
            pool = words[slot]
            out.append(pool[int(chance() * len(pool))])
    text = "".join(out)
    return text[0].upper() + text[1:]


def _body(templates: list[Template], words: Words, length: float, chance: Callable[[], float]) -> str:
    """Sentences in paragraphs of about four, one paragraph a line, until there are `length` words."""
    paragraphs: list[str] = []
    sentences: list[str] = []
    count = 0
    while count < length:
        sentence = _fill(templates, words, chance)
        sentences.append(sentence)
        count += sentence.count(" ") + 1
        if chance() < 0.25:
            paragraphs.append(" ".join(sentences))
            sentences = []
    if sentences:
        paragraphs.append(" ".join(sentences))
    return "\n\n".join(paragraphs)


def _person(number: int) -> tuple[str, str]:
    """Name and address of the person of that number; no two are the same."""
    first = vocabulary.FIRST_NAMES[number % len(vocabulary.FIRST_NAMES)]
    last = vocabulary.LAST_NAMES[(number * 7 + number // 43) % len(vocabulary.LAST_NAMES)]
    firm = vocabulary.FIRMS[number % len(vocabulary.FIRMS)]
    return f"{first} {last}", f"{first}.{last}.{number}@{firm}.example".lower()


def _machine(number: int) -> tuple[str, str]:
    """Name and address of the machine of that number; no two are the same."""
    kind = vocabulary.MACHINES[number % len(vocabulary.MACHINES)]
    firm = vocabulary.FIRMS[(number * 11) % len(vocabulary.FIRMS)]
    return f"{firm.title()} {kind}", f"{kind}@{firm}{number}.example"


def _sender(target: int, known: int, chance: Callable[[], float]) -> int:
    """The next unknown sender when there should be more by now, else a known one, earlier ones more often."""
    return known if known < target else int(known * chance() ** 2)


def _date(at: datetime, zone: str) -> str:
    sign = 1 if zone[0] == "+" else -1
    at += timedelta(minutes=sign * (int(zone[1:3]) * 60 + int(zone[3:])))
    clock = f"{at.hour:02}:{at.minute:02}:{at.second:02} {zone}"
    return f"{_WEEKDAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year} {clock}"


def _paragraphs(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return "<p>" + safe.replace("\n\n", "</p><p>").replace("\n", "<br>\n") + "</p>"


def _mime(text: str, html: str, *, is_html_only: bool, number: int) -> str:
    """The content headers and the body."""
    if not html:
        return f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    page = f"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{html}\n"
    if is_html_only:
        return page
    edge = f"=_part_{number:x}"
    return (
        f'Content-Type: multipart/alternative; boundary="{edge}"\n\n--{edge}\nContent-Type: text/plain; charset=utf-8\n'
        f"Content-Transfer-Encoding: 8bit\n\n{text}\n\n--{edge}\n{page}\n--{edge}--\n"
    )


def generate(count: int, seed: int) -> Iterator[bytes]:
    """`count` messages as RFC 5322 bytes with LF line ends, oldest first, with Takeout's headers.

    The same seed gives the same bytes, and a longer mailbox begins with the messages of a shorter one.
    """
    dice = random.Random(seed)  # noqa: S311 - reproducible variety, not secrecy
    chance = dice.random
    open_threads: list[_Thread] = []
    people = machines = threads = 0
    for number in range(count):
        at = START + timedelta(seconds=(number + chance() * 0.9) * SECONDS_PER_MESSAGE)
        root = (number + 1) ** 0.5
        kind = chance()
        is_machine, is_owner = kind < MACHINE_SHARE, kind > 1 - OWNER_SHARE
        length = min(2_000.0, dice.lognormvariate(0, SIGMA) * MEDIAN_WORDS)
        identity = f"{number:x}.{int(chance() * 16**12):012x}"
        if is_machine:
            who = _sender(int(MACHINES_PER_ROOT * root) + 1, machines, chance)
            machines = max(machines, who + 1)
            name, address = _machine(who)
            threads += 1
            words = _TOPIC_WORDS[who % len(_TOPIC_WORDS)]
            text = _body(_MACHINE, words, length, chance)
            subject = _fill(_MACHINE_SUBJECTS, words, chance)
            domain = address.partition("@")[2]
            html = _PAGE % (_paragraphs(text), domain, number, domain) if chance() < 0.65 else ""
            category = ("Promotions", "Updates", "Updates", "Social")[who % 4]
            labels = f"Inbox,{'Unread' if chance() < 0.4 else 'Opened'},Category {category}"
            extra = f"List-Unsubscribe: <https://{domain}/leave>\nPrecedence: bulk\n" if who % 3 else ""
            extra += "Auto-Submitted: auto-generated\n" if who % 2 else ""
            thread_number, to = threads, OWNER
            is_html_only = chance() < 0.33
            message_id = f"{identity}@{domain}"
        else:
            if open_threads and chance() >= _NEW_THREAD:
                thread = open_threads[int(chance() * len(open_threads))]
            else:
                threads += 1
                who = _sender(int(PEOPLE_PER_ROOT * root) + 1, people, chance)
                people = max(people, who + 1)
                topic = int(chance() * len(_TOPIC_WORDS))
                subject = _fill(_SUBJECTS, _TOPIC_WORDS[topic], chance)
                size = _THREAD_SIZES[int(chance() * len(_THREAD_SIZES))]
                thread = _Thread(threads, subject, topic, who, [], "", "", size)
                open_threads.append(thread)
            name, address = _person(thread.partner)
            to = OWNER
            if is_owner:
                name, address, to = "Robin Vale", OWNER_ADDRESS, f"{name} <{address}>"
            is_german = thread.partner % 16 == 5
            text = _body(
                _GERMAN if is_german else _PERSON,
                _GERMAN_WORDS if is_german else _TOPIC_WORDS[thread.topic],
                length,
                chance,
            )
            message_id = f"{identity}@{address.partition('@')[2]}"
            subject, extra = thread.subject, ""
            if thread.ids:
                subject = f"Re: {subject}"
                extra = f"In-Reply-To: <{thread.ids[-1]}>\nReferences: {' '.join(f'<{one}>' for one in thread.ids)}\n"
            new_text = f"{text}\n\n{name.split(' ', 1)[0]}"
            text = new_text
            if thread.ids and chance() < 0.6:
                quoted = "\n> ".join(thread.last_text.split("\n")[:_QUOTED_LINES])
                text = f"{new_text}\n\nOn {at:%d/%m/%Y}, {thread.last_from} wrote:\n> {quoted}"
            html = f'<div dir="ltr">{_paragraphs(text)}</div>' if chance() < 0.28 else ""
            is_html_only = False
            labels = "Sent,Opened" if is_owner else f"Inbox,{'Unread' if chance() < 0.2 else 'Opened'}"
            thread.ids.append(message_id)
            thread.last_text, thread.last_from, thread.left = new_text, f"{name} <{address}>", thread.left - 1
            thread_number = thread.number
            if thread.left == 0:
                open_threads.remove(thread)
            elif len(open_threads) > _OPEN_THREADS:
                open_threads.pop(0)
        received = (
            ""
            if is_owner
            else f"Delivered-To: {OWNER_ADDRESS}\nReceived: from mx.example by mail.example; {_date(at, '+0000')}\n"
        )
        zone = _ZONES[int(chance() * len(_ZONES))]
        yield (
            f"X-GM-THRID: {1_700_000_000_000_000_000 + thread_number}\nX-Gmail-Labels: {labels}\n"
            f"{received}From: {name} <{address}>\nTo: {to}\nSubject: {subject}\n"
            f"Date: {_date(at, zone)}\nMessage-ID: <{message_id}>\n{extra}MIME-Version: 1.0\n"
            f"{_mime(text, html, is_html_only=is_html_only, number=number)}"
        ).encode()


def write_mbox(path: Path, count: int, seed: int) -> None:
    """The messages as an mboxrd file."""
    with path.open("wb") as file:
        for number, message in enumerate(generate(count, seed)):
            at = START + timedelta(seconds=number * SECONDS_PER_MESSAGE)
            quoted = re.sub(rb"(?m)^(>*From )", rb">\1", message)
            file.write(
                b"From %d@xxx %s\n%s\n" % (number + 1, at.strftime("%a %b %d %H:%M:%S +0000 %Y").encode(), quoted)
            )


def main() -> None:
    """Write a mailbox file."""
    arguments = argparse.ArgumentParser(description="Write a synthetic mailbox (mbox) for benchmarks.")
    arguments.add_argument("count", type=int, help="number of messages")
    arguments.add_argument("file", type=Path, help="the mbox file to write")
    arguments.add_argument("--seed", type=int, default=1, help="another seed gives another mailbox (default 1)")
    given = arguments.parse_args()
    write_mbox(given.file, given.count, given.seed)


if __name__ == "__main__":
    main()
