"""The sentences that the request model is made from: two labelled sets, and mail that nobody labelled.

Only the training command and the evaluation import this. What it yields lives in memory; no text of it reaches a file.
"""

import email
import email.policy
import gzip
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rl_emails_assets.classification.corpus import Sentence, new_words
from rl_emails_assets.classification.lexer import Lexer, sentences

NEAR = 0.7
"""Two sentences that share this much of their words (Jaccard) are one for a split."""
_LEAST_TOKENS = 2
_MOST_TOKENS = 60
_MAX_MESSAGE_BYTES = 60_000
_NEXT_MESSAGE = re.compile(r"\n(?=From [^\n]*\d{4}\n)")


def distinct_sentences(found: Sequence[Sentence]) -> list[Sentence]:
    """The sentences without repetition of the same tokens; the first label stands."""
    lexer = Lexer()
    kept: dict[str, Sentence] = {}
    for sentence in found:
        kept.setdefault(" ".join(lexer.tokens(sentence.text)), sentence)
    return [sentence for tokens, sentence in kept.items() if tokens]


def near_groups(texts: Sequence[str], *, near: float = NEAR) -> list[int]:
    """A number for each text, the same for texts that are nearly alike (and for those nearly like one of these)."""
    lexer = Lexer()
    sets = [frozenset(lexer.tokens(text)) for text in texts]
    holders: dict[str, list[int]] = defaultdict(list)
    leader = list(range(len(sets)))

    def root(position: int) -> int:
        while leader[position] != position:
            leader[position] = leader[leader[position]]
            position = leader[position]
        return position

    for position, words in enumerate(sets):
        shared: Counter[int] = Counter()
        for word in words:
            shared.update(holders[word])
            holders[word].append(position)
        for other, count in shared.items():
            if count >= near * (len(words) + len(sets[other]) - count):
                leader[root(position)] = root(other)
    return [root(position) for position in range(len(sets))]


def unlabelled(data: Path, but: Sequence[str]) -> list[list[str]]:
    """The distinct sentences of the mailboxes as tokens, without those of `but` and without quotes and signatures."""
    lexer = Lexer()
    seen = {" ".join(lexer.tokens(text)) for text in but}
    messages: set[str] = set()
    found: list[list[str]] = []
    for body in _bodies(data):
        # A copy in another folder of the mailbox is the same message.
        opening = " ".join(body.split())[:300]
        if opening in messages:
            continue
        messages.add(opening)
        for sentence in sentences(new_words(body)):
            tokens = lexer.tokens(sentence)
            joined = " ".join(tokens)
            if _LEAST_TOKENS <= len(tokens) <= _MOST_TOKENS and joined not in seen:
                seen.add(joined)
                found.append(tokens)
    return found


def _bodies(data: Path) -> Iterator[str]:
    folder = data / "mailboxes"
    for path in sorted(folder.glob("*.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                opened = archive.extractfile(member) if 0 < member.size <= _MAX_MESSAGE_BYTES else None
                if opened is not None:
                    message = email.message_from_bytes(opened.read(), policy=email.policy.compat32)
                    payload = message.get_payload(decode=True)
                    yield payload.decode("latin-1") if isinstance(payload, bytes) else ""
    for path in sorted(folder.glob("*.mbox.gz")):
        with gzip.open(path) as opened_mbox:
            for part in _NEXT_MESSAGE.split(opened_mbox.read().decode("latin-1")):
                yield part.partition("\n\n")[2]
