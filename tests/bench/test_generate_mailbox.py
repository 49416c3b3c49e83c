"""Benchmarks compare figures at different sizes; that needs mail that is the same per message at every size."""

import mailbox
import re
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from itertools import islice, pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from generate_mailbox import OWNER_ADDRESS, generate

COUNT = 4_000


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return [message_from_bytes(raw) for raw in generate(COUNT, 7)]


def plain(message: Message) -> str | None:
    """The text/plain part, or None for HTML-only mail."""
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            return data.decode()
    return None


def sender(message: Message) -> str:
    return parseaddr(str(message["From"]))[1]


def is_machine(message: Message) -> bool:
    return "Category" in str(message["X-Gmail-Labels"])


def test_same_seed_same_mail_and_a_longer_one_begins_alike() -> None:
    """Two runs of a benchmark measure different mail."""
    short, long = list(generate(300, 3)), list(islice(generate(5_000, 3), 300))
    assert short == long
    assert list(generate(50, 4)) != short[:50]
    assert list(generate(0, 4)) == []


def test_shares_of_senders_and_forms(messages: list[Message]) -> None:
    """The mix drifts away from a real mailbox's."""
    assert 0.57 < sum(map(is_machine, messages)) / COUNT < 0.63
    sent = [m for m in messages if sender(m) == OWNER_ADDRESS]
    assert 0.10 < len(sent) / COUNT < 0.14
    assert all("Sent" in str(m["X-Gmail-Labels"]) for m in sent)
    html = sum(any(part.get_content_type() == "text/html" for part in m.walk()) for m in messages)
    assert 0.46 < html / COUNT < 0.54
    assert 0.08 < sum(plain(m) is None for m in messages) / COUNT < 0.18


def test_lengths_are_like_real_mail(messages: list[Message]) -> None:
    """Parsing and encoding are measured on mail that is too short or too long."""
    words = [len(text.split()) for message in messages if (text := plain(message)) is not None]
    cuts = statistics.quantiles(words, n=20)
    assert 80 <= statistics.median(words) <= 105
    assert 300 <= cuts[-1] <= 410


def test_statistics_do_not_depend_on_the_place_in_the_mailbox(messages: list[Message]) -> None:
    """The hundred-thousandth message costs more than the first because it is another kind of message."""
    first, last = messages[: COUNT // 2], messages[COUNT // 2 :]
    measures: tuple[Callable[[list[Message]], float], ...] = (
        lambda part: sum(len(m.as_bytes()) for m in part) / len(part),
        lambda part: sum(map(is_machine, part)) / len(part),
        lambda part: sum(m["In-Reply-To"] is not None for m in part) / len(part),
    )
    for measure in measures:
        assert measure(last) == pytest.approx(measure(first), rel=0.1)


def test_senders_grow_with_the_square_root(messages: list[Message]) -> None:
    """Every message comes from a new sender, or all from the same few, and the contact tables tell nothing."""
    quarter = len({sender(m) for m in messages[: COUNT // 4]})
    whole = len({sender(m) for m in messages})
    assert whole / quarter == pytest.approx(2, rel=0.15)
    assert 2 < whole / COUNT**0.5 < 5


def test_threads(messages: list[Message]) -> None:
    """A reply to nothing, a thread of hundreds, or a Takeout thread that the references contradict."""
    threads: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        threads[message["X-GM-THRID"]].append(message)
    for thread in threads.values():
        ids = [str(m["Message-ID"]) for m in thread]
        for place, message in enumerate(thread):
            assert str(message["References"] or "").split() == ids[:place]
            assert (message["In-Reply-To"] or None) == (ids[place - 1] if place else None)
    sizes = Counter(map(len, threads.values()))
    assert set(sizes) == set(range(1, 9))
    assert len({str(m["Message-ID"]) for m in messages}) == COUNT


def test_time_goes_forward_in_proportion(messages: list[Message]) -> None:
    """Mail of the future, or all mail in one day."""
    dates = [parsedate_to_datetime(str(m["Date"])) for m in messages]
    assert all(earlier < later for earlier, later in pairwise(dates))
    assert (dates[-1] - dates[0]).days == pytest.approx(COUNT / 40, rel=0.02)
    for message, date in zip(messages, dates, strict=True):
        if message["Received"]:
            assert parsedate_to_datetime(str(message["Received"]).rpartition(";")[2]) == date


def test_words_vary_and_topics_differ(messages: list[Message]) -> None:
    """Sentences repeat so often that deduplication, search and vectors look better than they are."""
    bodies = [re.sub(r"(?m)^>.*$|^On .* wrote:$", "", text) for m in messages if (text := plain(m)) is not None]
    assert len(set(bodies)) > 0.98 * len(bodies)
    subjects = {str(m["Subject"]) for m in messages if not str(m["Subject"]).startswith("Re: ")}
    assert len(subjects) > 1_500
    assert len({word for body in bodies for word in body.split()}) > 1_000


def test_no_address_is_real(messages: list[Message]) -> None:
    """A benchmark's mail names somebody's domain."""
    hosts = {host for m in messages for host in re.findall(r"(?:@|//)([\w.-]+\w)", m.as_string())}
    assert {host for host in hosts if not host.endswith(".example")} == set()


def test_command_writes_an_mbox(tmp_path: Path) -> None:
    """The file is not an mbox that others can read."""
    command = [sys.executable, str(Path(__file__).with_name("generate_mailbox.py")), "40", "m.mbox", "--seed", "7"]
    subprocess.run(command, cwd=tmp_path, check=True)
    box = mailbox.mbox(tmp_path / "m.mbox", create=False)
    assert [m["Message-ID"] for m in box] == [message_from_bytes(raw)["Message-ID"] for raw in generate(40, 7)]
    box.close()
