"""Nothing of the future, no folder and no copy of a test message reaches the ranker's features, scores or training."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rl_emails_assets.ranking import train
from rl_emails_assets.ranking.ranker import Ranker
from tests.evaluation.packed_mailbox import (
    OWNER,
    Filed,
    busy_year,
    judged,
    letter,
    mailbox_of,
    shuffled_future,
    unpacked,
)

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "mailboxes"
RANKER = Ranker.load()


def before(
    messages: list[Filed], cut: int, folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows
) -> list[object]:
    """What is said of the messages before the cut; `change` spoils the features."""
    end = messages[cut].at
    box = mailbox_of(folder, messages)
    return [item for item in judged(replace(box, rows=change(box.rows)), RANKER) if item[0] < end]


def last_of_its_time(messages: list[Filed], cut: int) -> int:
    """The first cut from there on that no two messages of one time lie across."""
    while messages[cut - 1].at == messages[cut].at:
        cut += 1
    return cut


@given(seed=st.integers(0, 2**20), share=st.floats(0.3, 0.95))
@settings(
    max_examples=3,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_shuffling_the_future_changes_no_feature_and_no_score(tmp_path: Path, seed: int, share: float) -> None:
    """A feature that counts over the whole mailbox makes every figure too good, and no score could be served."""
    messages = busy_year(1, days=40)
    cut = last_of_its_time(messages, int(share * len(messages)))
    told = before(messages, cut, tmp_path)
    assert len(told) > 30
    changed = shuffled_future(messages, cut, seed)
    assert before([*changed[:cut], replace(messages[cut]), *changed[cut:]], cut, tmp_path) == told


def test_shuffling_the_future_of_a_real_mailbox_changes_no_score(tmp_path: Path) -> None:
    """The same on mail as it is: copies, forwarded mail, forged dates, people of several addresses."""
    path = DATA / "enron-bailey-s.tar.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    messages = unpacked(path)
    cut = last_of_its_time(messages, int(0.7 * len(messages)))
    told = before(messages, cut, tmp_path)
    assert len(told) > 100
    changed = shuffled_future(messages, cut, 1)
    assert before([*changed[:cut], messages[cut], *changed[cut:]], cut, tmp_path) == told


def test_what_is_learned_from_is_the_same_whatever_comes_after_the_cut(tmp_path: Path) -> None:
    """An answer that comes after the cut is not known at the cut: a model that learned from it saw the future."""
    messages = busy_year(1, days=40)
    cut = last_of_its_time(messages, int(0.7 * len(messages)))
    asked = [message for message in messages[cut - 40 : cut] if message.folder == "inbox"]
    late = [
        letter(
            7000 + index, OWNER, 35 + index / 100, to=message.sender, subject=f"Re: {message.subject}", folder="sent"
        )
        for index, message in enumerate(asked)
    ]
    answered = sorted([*messages, *late], key=lambda message: message.at)
    first, second = (
        train.taught(box.name, box.rows) for box in (mailbox_of(tmp_path, messages), mailbox_of(tmp_path, answered))
    )
    end = next(row for row, at in enumerate(first.received_at) if at >= messages[cut].at)
    assert sum(second.y[:end]) > sum(first.y[:end]) + 5
    assert first.outcomes(end) == second.outcomes(end)


def test_what_the_owner_did_later_is_in_no_feature(tmp_path: Path) -> None:
    """The "Re:" of the owner's own sent mail is the answer that the ranker is asked for."""
    silent = [message for message in busy_year(3, days=40) if message.folder == "inbox"]
    closed = letter(9001, OWNER, 60, to="ann@corp.example", folder="sent")
    opened = letter(9002, OWNER, -1, to="ann@corp.example", folder="sent")
    quiet = mailbox_of(tmp_path, [opened, *silent, closed])
    answers = [
        letter(index, OWNER, 41 + index / 1000, to="ann@corp.example", subject=f"Re: matter {index}",
               folder="sent")
        for index in range(0, 600, 10)
    ]  # fmt: skip
    answered = mailbox_of(tmp_path, [opened, *silent, *answers, closed])
    assert answered.rows["is_replied"].sum() > quiet.rows["is_replied"].sum() == 0
    assert judged(answered, RANKER) == judged(quiet, RANKER)


@pytest.mark.parametrize("folder", ["deleted_items", "junk"])
def test_where_a_message_was_filed_is_in_no_feature(tmp_path: Path, folder: str) -> None:
    """A folder is chosen after reading: a model that sees it knows what was done."""
    messages = busy_year(4, days=40)
    refiled = [replace(message, folder=folder) if message.folder == "inbox" else message for message in messages]
    first, second = mailbox_of(tmp_path, messages), mailbox_of(tmp_path, refiled)
    assert judged(first, RANKER) == judged(second, RANKER)
    assert first.rows["is_replied"].to_list() == second.rows["is_replied"].to_list()


def test_copies_of_a_message_are_dropped_before_anything_is_split(tmp_path: Path) -> None:
    """A copy in another folder would be trained on and tested on."""
    messages = busy_year(5, days=40)
    copies = [
        replace(message, folder="all_documents", content=message.content.replace(b"-ID: <", b"-ID: <copy"))
        for message in messages
    ]
    once, twice = mailbox_of(tmp_path, messages), mailbox_of(tmp_path, [*messages, *copies])
    assert judged(once, RANKER) == judged(twice, RANKER)


def test_the_check_of_leaks_can_fail(tmp_path: Path) -> None:
    """A check that would not see a leak proves nothing: it finds a count over the whole mailbox, and a rank in it."""
    messages = busy_year(6, days=40)
    changed = shuffled_future(messages, 100, 1)
    assert changed[:100] == messages[:100]
    assert {message.at for message in changed[100:]} < {message.at for message in messages[100:]}
    changed.insert(100, messages[100])
    assert before(changed, 100, tmp_path) == before(messages, 100, tmp_path)
    for leak in (pl.col("word_count").count(), pl.col("sender_received_count").rank("average")):
        feature = leak.cast(pl.Int64).alias("word_count")
        spoilt = [
            before(sample, 100, tmp_path, lambda rows, f=feature: rows.with_columns(f))
            for sample in (changed, messages)
        ]
        assert spoilt[0] != spoilt[1]
