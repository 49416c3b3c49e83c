"""How well search finds a known message: `python -m tests.bench.search_quality --data FOLDER [--cases N]`.

From each of two whole mailboxes and one mailing list a message is drawn, and queries are made of it: some words of one
of its sentences, the same with a slip, with one or two words of another message in place of its own, its subject and a
word, or the start of the sentence as it stands. Printed are how often the message is among the first ten (recall@10)
and the mean of one over its place (MRR), for words alone, for meaning alone, and for both as the product fuses them.
"""

import argparse
import gzip
import json
import random
import re
import tarfile
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from rl_emails_api.search import queries
from rl_emails_api.search.query_encoder import QueryEncoder
from rl_emails_api.search.query_language import STOP_WORDS, Reading, parse
from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.embedding.load import load_encoder
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import STEPS
from tests.bench.workplace import SEED, Workplace, workplace

OWNERS = {"enron-allen-p": "phillip.allen@enron.com", "enron-donohoe-t": "tom.donohoe@enron.com"}
LIST = "r-sig-finance"
LIST_MESSAGES = 4000
_NEEDED = (keys.RAW_MESSAGES, keys.MAIL_MESSAGES, keys.MAIL_THREADS, keys.MAIL_CONTACTS, keys.EMBEDDINGS_MESSAGES)


@dataclass(frozen=True, slots=True)
class Case:
    """A query, how it was made, and the message it was made of."""

    kind: str
    query: str
    message_id: uuid.UUID


def cases(connection: Connection, mailbox_id: uuid.UUID, count: int, seed: int = SEED) -> list[Case]:
    """Queries of each kind from `count` messages of a mailbox that say something that no other does."""
    chance = random.Random(seed)  # noqa: S311 - a sample
    rows = connection.execute(
        text(
            "select message_id, subject, new_text "
            "from (select *, count(*) over (partition by left(new_text, 300)) as alike from mail.messages "
            "where mailbox_id = :mailbox_id and duplicate_of is null and length(new_text) > 200) as m "
            "where alike = 1 order by message_id"
        ),
        {"mailbox_id": mailbox_id},
    ).all()
    made: list[Case] = []
    for row in chance.sample(rows, min(count, len(rows))):
        sentences = [part for part in re.split(r"(?<=[.!?])\s+", row.new_text) if 7 <= len(_words(part)) <= 30]
        if not sentences:
            continue
        sentence = _words(chance.choice(sentences))
        content = [word for word in sentence if word.lower() not in STOP_WORDS and len(word) > 3]
        if len(content) < 4:
            continue
        other = chance.choice(made).query.split() if made else ["zeppelin"]
        three, five = _some(content, 3, chance), _some(content, 5, chance)
        place = chance.randrange(len(five))
        slipped, strange, stranger = list(five), list(five), list(five)
        slipped[place] = _slip(five[place], chance)
        strange[place] = chance.choice(other)
        stranger[place], stranger[(place + 2) % len(five)] = chance.choice(other), chance.choice(other)
        subject = [word for word in _words(row.subject) if word.lower() not in ("re", "fw", "fwd")]
        made += [
            Case("3 words", " ".join(three), row.message_id),
            Case("5 words", " ".join(five), row.message_id),
            Case("5 words, a slip", " ".join(slipped), row.message_id),
            Case("5 words, 1 wrong", " ".join(strange), row.message_id),
            Case("5 words, 2 wrong", " ".join(stranger), row.message_id),
            Case("sentence", " ".join(sentence[:12]), row.message_id),
        ]
        if len(subject) > 1:
            made.append(Case("subject and word", " ".join([*subject[:4], chance.choice(content)]), row.message_id))
    return made


def evaluate(connection: Connection, mailbox_id: uuid.UUID, wanted: Sequence[Case], encoder: QueryEncoder) -> Any:
    """Places of the wanted messages, by system and kind; 0 when it is not among the first fifty."""
    places: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for case in wanted:
        tree = parse(case.query, Reading(datetime.now(UTC), UTC)).tree
        vector = encoder.vector(case.query)
        if tree is None or vector is None:
            continue
        for system, used in (("words", None), ("fused", vector)):
            rows = queries.found(connection, mailbox_id, tree, vector=used, with_unwanted=True, after=None, limit=50)
            places[system][case.kind].append(_place([row["message_id"] for row in rows], case))
        places["meaning"][case.kind].append(_place(_nearest(connection, mailbox_id, vector), case))
    return places


def figures(places: Any) -> dict[str, dict[str, str]]:
    """recall@10 and MRR of each system, by kind and together."""
    shown: dict[str, dict[str, str]] = {}
    for system, by_kind in places.items():
        by_kind = {**by_kind, "together": [place for each in by_kind.values() for place in each]}  # noqa: PLW2901
        shown[system] = {
            kind: f"{sum(0 < place <= 10 for place in each) / len(each):.3f} / "
            f"{sum(1 / place for place in each if place) / len(each):.3f}"
            for kind, each in by_kind.items()
        }
    return shown


def _nearest(connection: Connection, mailbox_id: uuid.UUID, vector: queries.QueryVector) -> list[uuid.UUID]:
    query = text(
        "select message_id from embeddings.messages where mailbox_id = :mailbox_id "
        "order by vector <=> cast(:vector as halfvec), message_id limit 50"
    )
    shown = "[" + ",".join(f"{value:.6g}" for value in vector.values) + "]"
    return list(connection.execute(query, {"mailbox_id": mailbox_id, "vector": shown}).scalars())


def _place(found: Sequence[uuid.UUID], case: Case) -> int:
    return found.index(case.message_id) + 1 if case.message_id in found else 0


def _words(line: str) -> list[str]:
    return re.findall(r"[A-Za-z]{2,}", line)


def _some(words: Sequence[str], count: int, chance: random.Random) -> list[str]:
    return [words[place] for place in sorted(chance.sample(range(len(words)), min(count, len(words))))]


def _slip(word: str, chance: random.Random) -> str:
    """Two letters next to each other in the wrong order."""
    place = chance.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _sources(place: Workplace, data: Path) -> Iterator[tuple[str, Path, str]]:
    for name, owner in OWNERS.items():
        with tarfile.open(data / "mailboxes" / f"{name}.tar.gz") as packed:
            packed.extractall(place.folder / name, filter="data")
        yield owner, place.folder / name, "folder"
    path, count = place.folder / "list.mbox", 0
    with gzip.open(data / "mailboxes" / f"{LIST}.mbox.gz", "rb") as packed_list, path.open("wb") as cut:
        for line in packed_list:
            count += line.startswith(b"From ") and b" at " in line
            if count > LIST_MESSAGES:
                break
            cut.write(line)
    yield "owner@example.org", path, "mbox"


def imported(place: Workplace, data: Path) -> tuple[Engine, QueryEncoder, list[uuid.UUID]]:
    """The mailboxes in a fresh database, with vectors of the default encoder."""
    settings = place.settings("bench_quality")
    engine = make_engine(str(settings.database_url), "bench")
    mailboxes = []
    for owner, path, kind in _sources(place, data):
        with engine.begin() as connection:
            mailbox = connect_files(connection, owner, {"path": str(path), "kind": kind}, aliases=())
        step = StepContext(engine, mailbox.mailbox_id, "bench", settings)
        for key in _NEEDED:
            STEPS[key](step)
        mailboxes.append(mailbox.mailbox_id)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
    return engine, QueryEncoder(lambda: load_encoder(settings.encoder, settings.models_dir)), mailboxes


def measure(engine: Engine, encoder: QueryEncoder, mailboxes: Sequence[uuid.UUID], count: int) -> dict[str, Any]:
    """The figures over all mailboxes."""
    together: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    with engine.connect() as connection:
        for mailbox_id in mailboxes:
            found = evaluate(connection, mailbox_id, cases(connection, mailbox_id, count), encoder)
            for system, by_kind in found.items():
                for kind, places in by_kind.items():
                    together[system][kind] += places
    return {"queries": sum(map(len, together["words"].values())), "recall@10 / MRR": figures(together)}


def main() -> None:
    """Import, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with mailboxes/ in it")
    parser.add_argument("--cases", type=int, default=100, help="messages that queries are made of, a mailbox")
    arguments = parser.parse_args()
    with workplace() as place:
        engine, encoder, mailboxes = imported(place, arguments.data)
        print(json.dumps(measure(engine, encoder, mailboxes, arguments.cases), indent=2))
        engine.dispose()


if __name__ == "__main__":
    main()
