"""Mailboxes packed as the ranker's training reads them, of our own making or with the future of a real one shuffled."""

import io
import random
import re
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.ranking.training_data import Mailbox, load_mailboxes

START = datetime(2001, 3, 1, 9, tzinfo=UTC)
OWNER = "jane.doe@corp.example"
JUDGE = Classifier.load()
_DATE = re.compile(rb"^Date: .*$", re.MULTILINE)


@dataclass(frozen=True)
class Filed:
    """A message's bytes, when it says it was sent, and the folder it lies in."""

    folder: str
    at: datetime
    content: bytes

    @property
    def sender(self) -> str:
        return self.content.partition(b"From: ")[2].partition(b"\n")[0].decode()

    @property
    def subject(self) -> str:
        return self.content.partition(b"Subject: ")[2].partition(b"\n")[0].decode()

    def moved_to(self, at: datetime) -> "Filed":
        date = b"Date: " + format_datetime(at).encode()
        return replace(self, at=at, content=_DATE.sub(lambda _: date, self.content, count=1))


def letter(
    index: int, sender: str, day: float, *, to: str = OWNER, subject: str = "", body: str = "", folder: str = "inbox"
) -> Filed:
    at = START + timedelta(days=day)
    lines = [
        f"From: {sender}", f"To: {to}", f"Subject: {subject or f'matter {index}'}", f"Date: {format_datetime(at)}",
        f"Message-ID: <{index}.{day}@corp.example>", "", body or f"Words number {index}, {day:.3f}.", "",
    ]  # fmt: skip
    return Filed(folder, at, "\n".join(lines).encode())


def busy_year(seed: int, days: int = 200) -> list[Filed]:
    """A year of an owner who answers a friend always, colleagues at times, and shops never."""
    chance = random.Random(seed)  # noqa: S311 - chance, no secret
    found: list[Filed] = []
    people = [("ann@corp.example", 0.9), *((f"c{i}@corp.example", 0.3) for i in range(6)), ("shop@mart.example", 0.0)]
    for day in range(days):
        for number, (sender, rate) in enumerate(chance.sample(people, 3)):
            index = 10 * day + number
            asks = chance.random() < 0.5
            body = f"Could you look at number {index}, Jane?" if asks else f"For your files: number {index}."
            found.append(letter(index, sender, day + number / 10, body=body))
            if chance.random() < rate * (1.2 if asks else 0.8):
                delay = chance.choice((0.05, 0.3, 2, 9))
                found.append(
                    letter(
                        index, OWNER, day + number / 10 + delay, to=sender, subject=f"Re: matter {index}",
                        body=f"Yes to {index}.", folder="sent",
                    )
                )  # fmt: skip
    return sorted(found, key=lambda item: item.at)


def packed(path: Path, messages: Iterable[Filed]) -> Path:
    """Written as an archive that `load_mailboxes` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number, message in enumerate(messages):
            entry = tarfile.TarInfo(f"doe-j/{message.folder}/{number}_")
            entry.size = len(message.content)
            archive.addfile(entry, io.BytesIO(message.content))
    return path


def unpacked(path: Path) -> list[Filed]:
    """A real one, in order of time; what has no date is left out."""
    found: list[Filed] = []
    with tarfile.open(path) as archive:
        for member in archive:
            handle = archive.extractfile(member) if member.isfile() else None
            content = handle.read() if handle else b""
            dated = _DATE.search(content)
            if dated is not None:
                at = parsedate_to_datetime(dated.group().decode("latin-1")[6:])
                at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
                found.append(Filed(member.name.split("/")[1], at, content))
    return sorted(found, key=lambda item: item.at)


def shuffled_future(messages: Sequence[Filed], cut: int, seed: int) -> list[Filed]:
    """The same until `cut`; after it each message lies elsewhere, at the time of another, and every third is gone."""
    chance = random.Random(seed)  # noqa: S311 - chance, no secret
    future = list(messages[cut:])
    times = [message.at for message in future]
    chance.shuffle(times)
    changed = [message.moved_to(at) for message, at in zip(future, times, strict=True)]
    kept = [message for message in changed if chance.random() < 0.67]
    chance.shuffle(kept)
    return [*messages[:cut], *kept]


def mailbox_of(folder: Path, messages: Iterable[Filed]) -> Mailbox:
    """As the ranker is trained and measured on it, with the classifier's verdicts."""
    packed(folder / "enron-doe-j.tar.gz", messages)
    (box,) = load_mailboxes(folder, JUDGE)
    return box


def judged(box: Mailbox, ranker: Ranker) -> list[tuple[datetime, dict[str, Any], Any]]:
    """When, features, and everything that the ranker says, of each received message in order of time."""
    found = []
    for row in box.rows.iter_rows(named=True):
        message = RankInput.from_row(row)
        found.append((row["received_at"], asdict(message), ranker.rank(message)))
    return found
