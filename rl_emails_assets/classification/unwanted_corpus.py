"""Reads the mail that the unwanted-mail model is trained and measured on. Only training and evaluation import this.

SpamAssassin's public corpus has the labels. Beside it stands mail that is wanted and otherwise made (two lists'
archives, Enron's letters) and mail of today in our own words, without which HTML alone would look like spam.
"""

import gzip
import random
import re
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rl_emails_assets.classification.document import plain_subject
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.message_input import input_of
from rl_emails_assets.classification.written_mails import read_mails
from rl_emails_assets.errors import SourceError
from rl_emails_assets.mail.parse import parse

SPAMASSASSIN = "spamassassin"
_PER_ARCHIVE = 300
_PER_MAILBOX = 80
_MAX_BYTES = 2_000_000
_NOT_A_LETTER = re.compile(r"[\W\d_]+")
_LIST_START = re.compile(rb"\n(?=From [^\n]{1,200}\d{4}\n)")
_BANDS, _PER_BAND, _SHINGLE = 4, 3, 5


@dataclass(frozen=True, slots=True)
class LabelledMail:
    """A message and whether it was unwanted. `group` is its sender's site, `folder` the part of the set it is from."""

    given: ClassifierInput
    is_unwanted: bool
    group: str
    source: str
    folder: str = ""


def labelled_mails(data: Path, *, seed: int) -> list[LabelledMail]:
    """All of it, without repetition of the same words, in a fixed order."""
    kept: dict[str, LabelledMail] = {}
    for found in (spamassassin(data), written(), archives(data, seed=seed), letters(data, seed=seed)):
        for one in found:
            kept.setdefault(one.source + _words_of(one.given), one)
    return list(kept.values())


def spamassassin(data: Path) -> Iterator[LabelledMail]:
    """labelled/spamassassin.tar.gz: what lies in a folder named spam is unwanted."""
    path = data / "labelled" / "spamassassin.tar.gz"
    if not path.is_file():
        raise SourceError(f"{path.name} is not in {path.parent}; give --data the folder that holds labelled/")
    for name, content in _files(path):
        folder = name.rpartition("/")[0].rpartition("/")[2]
        if folder and not name.endswith(("/cmds", ".csv")):
            mail = content.split(b"\n", 1)[-1] if content.startswith(b"From ") else content
            given = input_of(parse(mail))
            yield LabelledMail(given, "spam" in folder, site_of(given.from_address), SPAMASSASSIN, folder)


def written() -> Iterator[LabelledMail]:
    """The mails of today, each with and without authentication's result, and without headers."""
    for one in read_mails():
        is_unwanted = one.category in ("unwanted", "suspicious")
        for number, variant in enumerate(({}, {"is_authenticated": False}, {"has_headers": False})):
            given = replace(input_of(parse(one.rfc822(**variant))), sender_replied_count=0)
            yield LabelledMail(given, is_unwanted, one.sender_host, f"written{number}")


def archives(data: Path, *, seed: int) -> Iterator[LabelledMail]:
    """A sample of the two lists' archives; an archive keeps few headers, so none are shown."""
    for path in sorted((data / "mailboxes").glob("*.mbox.gz")):
        with gzip.open(path) as opened:
            mails = _LIST_START.split(opened.read())
        chosen = random.Random(seed).sample(mails, min(_PER_ARCHIVE, len(mails)))  # noqa: S311 - a sample, no secret
        for mail in chosen:
            yield LabelledMail(without_headers(input_of(parse(mail.split(b"\n", 1)[-1]))), False, path.name, "archive")


def letters(data: Path, *, seed: int) -> Iterator[LabelledMail]:
    """What lies in the sent folders and the inboxes of Enron's people, whose headers were rewritten by a collector."""
    for path in sorted((data / "mailboxes").glob("enron-*.tar.gz")):
        names = {"sent", "sent_items", "_sent_mail", "inbox"}
        found = [content for name, content in _files(path) if names.intersection(name.split("/"))]
        for content in random.Random(seed).sample(found, min(_PER_MAILBOX, len(found))):  # noqa: S311
            yield LabelledMail(without_headers(input_of(parse(content))), False, path.name, "letters")


def without_headers(given: ClassifierInput) -> ClassifierInput:
    """The message as an archive shows it."""
    return replace(given, headers={}, rfc822_message_id="")


def site_of(address: str) -> str:
    """The last two labels of an address's host."""
    return ".".join(address.rpartition("@")[2].split(".")[-2:])


def near_groups(mails: Sequence[LabelledMail]) -> list[str]:
    """For each message a group: messages of one site, and those that say nearly the same, share one (MinHash bands)."""
    parents = list(range(len(mails)))

    def root(position: int) -> int:
        while parents[position] != position:
            parents[position] = parents[parents[position]]
            position = parents[position]
        return position

    first: dict[tuple[object, ...], int] = {}
    generator = np.random.default_rng(7)
    factors = generator.integers(1, 2**31, size=(_BANDS * _PER_BAND, 1), dtype=np.uint64)
    for position, one in enumerate(mails):
        keys: list[tuple[object, ...]] = [("site", one.source, one.group)] if one.group else []
        words = _words_of(one.given).split()
        if len(words) >= 4 * _SHINGLE:
            shingles = {" ".join(words[start : start + _SHINGLE]) for start in range(len(words) - _SHINGLE + 1)}
            hashed = np.array([zlib.crc32(each.encode()) for each in shingles], dtype=np.uint64)
            least = ((factors * hashed) % np.uint64(4_294_967_291)).min(axis=1).tolist()
            keys += [(band, *least[band * _PER_BAND : (band + 1) * _PER_BAND]) for band in range(_BANDS)]
        for key in keys:
            parents[root(position)] = root(first.setdefault(key, position))
    return [f"{root(position)}" for position in range(len(mails))]


def _words_of(given: ClassifierInput) -> str:
    text = " ".join(_NOT_A_LETTER.sub(" ", given.text[:6_000].lower()).split())[:600]
    return text or " ".join(_NOT_A_LETTER.sub(" ", plain_subject(given.subject).lower()).split())


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.isfile() and member.size <= _MAX_BYTES else None
            if opened is not None:
                yield member.name, opened.read()


def counts_by_source(mails: Sequence[LabelledMail]) -> dict[str, int]:
    """How many messages each source gave, for the card."""
    counts: dict[str, int] = defaultdict(int)
    for one in mails:
        counts[f"{one.source}/{'unwanted' if one.is_unwanted else 'wanted'}"] += 1
    return dict(sorted(counts.items()))
