"""Labelled sets of our own making whose labels are tosses of a coin: nothing can be learned from them, so anything that
is measured above chance is a leak.

Each set can be made so that one leak, and only it, would show: the same text several times with one label (a copy is
trained on and tested on), or one label for all that a sender wrote (a sender is on both sides).
"""

import csv
import io
import random
import tarfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from tests.evaluation.packed_mailbox import OWNER, START, Filed, letter, packed

_PARTS = ("ba", "de", "fi", "go", "lu", "mer", "nat", "pos", "ri", "sol", "tan", "ver", "wen", "yor", "zim")


class Words:
    """Made-up words, the same for a seed."""

    def __init__(self, seed: int, count: int = 400) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - chance, no secret
        self._known = ["".join(self.chance.choices(_PARTS, k=2)) for _ in range(count)]

    def sentence(self, length: int = 9) -> str:
        return " ".join(self.chance.choices(self._known, k=length))

    def toss(self, share: float = 0.5) -> bool:
        return self.chance.random() < share


def sentences(seed: int, count: int, copies: int = 1) -> Iterator[tuple[str, bool]]:
    """Sentences with a tossed label, each `copies` times, in no order."""
    words = Words(seed)
    found = [(words.sentence() + ("?" if words.toss(0.3) else "."), words.toss()) for _ in range(count)] * copies
    words.chance.shuffle(found)
    yield from found


def parakweet(data: Path, rows: Iterator[tuple[str, bool]]) -> None:
    """In the form of the request sentences."""
    folder = data / "labelled"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{'Yes' if label else 'No'}\t{text}" for text, label in rows]
    (folder / "intent-parakweet-ask0729.txt").write_text("\n".join(lines) + "\n")


def actionable(data: Path, rows: Iterator[tuple[str, bool]]) -> None:
    """In the form of the actionable sentences."""
    folder = data / "labelled"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "actionable-sentences.csv").open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("sentences", "class"))
        writer.writerows((text, int(label)) for text, label in rows)


def mails(
    seed: int, senders: int, each: int, copies: int = 1, *, is_label_of_sender: bool = False
) -> Iterator[tuple[bool, bytes]]:
    """Whether it is spam, by a toss, and the message; each `copies` times with another Message-ID."""
    words = Words(seed)
    found: list[tuple[bool, bytes]] = []
    for sender in range(senders):
        sender_label = words.toss()
        slogan = words.sentence(6)
        for number in range(each):
            label = sender_label if is_label_of_sender else words.toss()
            subject, body = words.sentence(4), f"{slogan}\n\n" + "\n".join(words.sentence() for _ in range(5))
            for copy in range(copies):
                message = EmailMessage()
                message["From"] = f"Someone <news@host{sender}.example>"
                message["To"] = "reader@home.example"
                message["Subject"] = subject
                message["Date"] = format_datetime(START)
                message["Message-ID"] = f"<{sender}.{number}.{copy}@host{sender}.example>"
                message.set_content(body + "\n")
                found.append((label, message.as_bytes()))
    words.chance.shuffle(found)
    yield from found


def spamassassin(data: Path, found: Iterator[tuple[bool, bytes]]) -> None:
    """In the form of the ham and spam mail."""
    folder = data / "labelled"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / "spamassassin.tar.gz", "w:gz", compresslevel=1) as archive:
        for number, (is_spam, content) in enumerate(found):
            entry = tarfile.TarInfo(f"./{'spam' if is_spam else 'easy_ham'}/{number:05}.0")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def mailbox(seed: int, days: int, replies: Callable[[Words, int], bool]) -> list[Filed]:
    """Three messages a day from twelve senders; `replies` tosses whether the owner answers one of sender n."""
    words = Words(seed)
    found: list[Filed] = []
    for day in range(days):
        for number, sender in enumerate(words.chance.sample(range(12), 3)):
            index, at = 10 * day + number, day + number / 10
            address = f"p{sender}@corp.example"
            found.append(letter(index, address, at, subject=f"{words.sentence(3)} {index}", body=words.sentence(20)))
            if replies(words, sender):
                subject = found[-1].subject
                found.append(
                    letter(index, OWNER, at + 0.05, to=address, subject=f"Re: {subject}", body="Yes.", folder="sent")
                )
    return sorted(found, key=lambda item: item.at)


def mailboxes(data: Path, seed: int, count: int, days: int, replies: Callable[[Words, int], bool]) -> None:
    """In the form of the packed mailboxes."""
    for number in range(count):
        path = data / "mailboxes" / f"enron-doe{'abcdef'[number]}-j.tar.gz"
        packed(path, mailbox(seed + number, days, replies))
