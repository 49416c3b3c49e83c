"""Projects: conversations that belong together by the words of their subjects, their people, what they say, and when.

Candidate pairs come from an inverted index over rare subject words and from the nearest vectors within a time window,
so nothing is quadratic; pairs join by average linkage with a cap on the size, so that one project cannot swallow the
mailbox. Recomputed per mailbox; deterministic, and the same for every order of the threads.
"""

import heapq
import math
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rl_emails_assets.extraction.lasting_ids import lasting_ids
from rl_emails_assets.extraction.subject_words import is_distinctive, subject_words

MAX_PROJECT_THREADS = 60
MAX_KEYWORDS = 6
MAX_PEOPLE = 8
LONG_THREAD_MESSAGES = 5
"""A single conversation this long is a project of its own when its subject is distinctive."""

_WINDOW_DAYS = 120.0
_DECAY_DAYS = 90.0
_NEIGHBOURS = 8
_WINDOW_THREADS = 4_000
"""At most so many earlier threads are compared by vector, however dense the mail is."""
_BLOCK = 512
_WORD_NEIGHBOURS = 12
_MIN_PAIR = 0.42
"""Least affinity of two threads that are considered together."""
_MIN_LINK = 0.2
"""Least average affinity between two groups that join, unknown pairs counting 0."""
_VECTOR_ALONE = 0.8
"""Cosine from which two threads without a common word may belong together, if their people do."""
_PARTICLES = frozenset("el la las los san santa saint st new north south east west upper lower big great old".split())  # noqa: SIM905
"""Words that open a place's name ("El Paso") and say nothing alone."""


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """One conversation of people. `subject` is its first subject as written; `people` are the addresses in it, most
    active first,
    without the owner; times are aware."""

    thread_id: uuid.UUID
    subject: str
    people: tuple[str, ...]
    message_count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Project:
    """Conversations that belong together; `thread_ids` oldest first, `keywords` and `people` most telling first."""

    project_id: uuid.UUID
    name: str
    keywords: tuple[str, ...]
    people: tuple[str, ...]
    thread_ids: tuple[uuid.UUID, ...]
    message_count: int
    first_at: datetime
    last_at: datetime


def group_projects(
    threads: Sequence[ThreadFacts],
    vectors: npt.NDArray[np.float32],
    before: Mapping[uuid.UUID, uuid.UUID] | None = None,
) -> tuple[Project, ...]:
    """The projects among `threads`, the latest first; `vectors[i]` is the unit mean vector of `threads[i]`, a zero row
    when there is none. `before` has the project of each thread as it was grouped last: a project that goes on keeps its
    id (`lasting_ids`); of the grouping itself nothing is kept. Raises ValueError when the numbers of threads and
    vectors differ."""
    if vectors.ndim != 2 or len(threads) != vectors.shape[0]:
        raise ValueError(
            f"{len(threads)} threads came with vectors of shape {vectors.shape}; pass one row for each thread"
        )
    order = sorted(range(len(threads)), key=lambda index: (threads[index].first_at, threads[index].thread_id.int))
    ordered = [threads[index] for index in order]
    mailbox = _Mailbox(ordered, np.ascontiguousarray(vectors[order], dtype=np.float32))
    found = _joined_by_name(mailbox, _clusters(mailbox))
    counts = {thread.thread_id: float(thread.message_count) for thread in ordered}
    ids = lasting_ids([project.thread_ids for project in found], before or {}, weights=counts, namespace="project")
    projects = [replace(project, project_id=each) for project, each in zip(found, ids, strict=True)]
    return tuple(sorted(projects, key=lambda project: (-project.last_at.timestamp(), project.project_id.int)))


class _Mailbox:
    """The threads in time order with their telling words and how rare each is."""

    def __init__(self, threads: list[ThreadFacts], vectors: npt.NDArray[np.float32]) -> None:
        self.threads = threads
        self.vectors = vectors
        self.has_vector: list[bool] = np.abs(vectors).sum(axis=1).astype(bool).tolist()
        self.first_days = np.array([thread.first_at.timestamp() / 86400 for thread in threads], dtype=np.float64)
        self.last_days = np.array([thread.last_at.timestamp() / 86400 for thread in threads], dtype=np.float64)
        self.people = [frozenset(thread.people) for thread in threads]
        names = frozenset(
            word
            for people in self.people
            for address in people
            for word in re.split(r"[^a-zà-ÿ]", address.partition("@")[0][:64])
            if len(word) > 2
        )
        self.words = [
            frozenset(word.lower() for word in subject_words(thread.subject) if is_distinctive(word, names))
            for thread in threads
        ]
        counts = Counter(word for words in self.words for word in words)
        total = len(threads)
        self.rarity = {word: math.log((total + 1) / count) for word, count in counts.items()}
        most = max(30, total // 40)
        self.rare = frozenset(word for word, count in counts.items() if 2 <= count <= most)
        # What a person writes to everybody links nothing: weigh people by how few threads they are in.
        self.person_counts = Counter(address for people in self.people for address in people)


def _affinity(mailbox: _Mailbox, left: int, right: int, cosine: float) -> float:
    """0-1: how likely two threads belong to one matter, `left` the earlier."""
    common = mailbox.words[left] & mailbox.words[right] & mailbox.rare
    shared = _weight(mailbox, common)
    union = _weight(mailbox, mailbox.words[left] | mailbox.words[right])
    subject = shared / union if union else 0.0
    people = _people_overlap(mailbox, left, right)
    if not shared and people < 0.5:
        return 0.0
    gap = max(0.0, float(mailbox.first_days[right] - mailbox.last_days[left]))
    affinity = 0.5 * subject + 0.2 * people
    if mailbox.has_vector[left] and mailbox.has_vector[right]:
        affinity += 0.3 * max(0.0, cosine)
    else:
        affinity /= 0.7
    return round(affinity * math.exp(-gap / _DECAY_DAYS), 5)


def _weight(mailbox: _Mailbox, words: frozenset[str]) -> float:
    return sum(mailbox.rarity[word] for word in sorted(words))


def _people_overlap(mailbox: _Mailbox, left: int, right: int) -> float:
    first, second = mailbox.people[left], mailbox.people[right]
    if not first or not second:
        return 0.0
    return len(first & second) / min(len(first), len(second))


def _pairs(mailbox: _Mailbox) -> dict[tuple[int, int], float]:
    """Affinities of the candidate pairs (earlier, later) that reach _MIN_PAIR."""
    candidates = _pairs_by_word(mailbox)
    candidates |= _pairs_by_vector(mailbox)
    if not candidates:
        return {}
    pairs = sorted(candidates)
    left, right = np.array(pairs, dtype=np.int64).T
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(pairs), 65_536):
        rows = slice(start, start + 65_536)
        cosines = np.einsum("ij,ij->i", mailbox.vectors[left[rows]], mailbox.vectors[right[rows]])
        for pair, cosine in zip(pairs[rows], cosines.tolist(), strict=True):
            affinity = _affinity(mailbox, *pair, round(cosine, 4))
            if affinity >= _MIN_PAIR:
                found[pair] = affinity
    return found


def _pairs_by_word(mailbox: _Mailbox) -> set[tuple[int, int]]:
    """Each thread with the next few that share a rare subject word."""
    holders: dict[str, list[int]] = defaultdict(list)
    for index, words in enumerate(mailbox.words):
        for word in words & mailbox.rare:
            holders[word].append(index)
    pairs: set[tuple[int, int]] = set()
    for indices in holders.values():
        for place, left in enumerate(indices):
            for right in indices[place + 1 : place + 1 + _WORD_NEIGHBOURS]:
                if mailbox.first_days[right] - mailbox.last_days[left] <= _WINDOW_DAYS:
                    pairs.add((left, right))
    return pairs


def _pairs_by_vector(mailbox: _Mailbox) -> set[tuple[int, int]]:
    """Each thread with its nearest earlier threads in the window."""
    pairs: set[tuple[int, int]] = set()
    total = len(mailbox.threads)
    for start in range(0, total, _BLOCK):
        stop = min(start + _BLOCK, total)
        since = int(np.searchsorted(mailbox.first_days, mailbox.first_days[start] - _WINDOW_DAYS))
        since = max(since, start - _WINDOW_THREADS)
        cosines = mailbox.vectors[start:stop] @ mailbox.vectors[since:stop].T
        rows, places = np.nonzero(cosines >= _VECTOR_ALONE)
        earlier = since + places < start + rows
        rows, places = rows[earlier], places[earlier]
        # Sorted by row, then nearest, then latest; the first few of each row are kept.
        best = np.lexsort((-places, -cosines[rows, places].round(4), rows))
        rows, places = rows[best], places[best]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        kept = rank < _NEIGHBOURS
        pairs.update(zip((since + places[kept]).tolist(), (start + rows[kept]).tolist(), strict=True))
    return pairs


def _clusters(mailbox: _Mailbox) -> list[list[int]]:
    """Groups of threads by average linkage over the sparse affinities, each in time order."""
    links: list[dict[int, float]] = [{} for _ in mailbox.threads]
    heap: list[tuple[float, int, int, int, int]] = []
    for (left, right), affinity in _pairs(mailbox).items():
        links[left][right] = links[right][left] = affinity
        heap.append((-affinity, left, right, 1, 1))
    heapq.heapify(heap)
    members: list[list[int]] = [[index] for index in range(len(mailbox.threads))]
    while heap:
        _, left, right, left_size, right_size = heapq.heappop(heap)
        if (len(members[left]), len(members[right])) != (left_size, right_size):
            continue
        # The earlier group keeps its place; the other's links move over.
        members[left] = sorted(members[left] + members[right])
        members[right] = []
        links[left].pop(right)
        for other, affinity in links[right].items():
            if other != left:
                links[other].pop(right)
                links[left][other] = links[other][left] = links[left].get(other, 0.0) + affinity
        links[right] = {}
        for other, affinity in links[left].items():
            average = affinity / (len(members[left]) * len(members[other]))
            if average >= _MIN_LINK and len(members[left]) + len(members[other]) <= MAX_PROJECT_THREADS:
                first, second = min(left, other), max(left, other)
                heapq.heappush(heap, (-average, first, second, len(members[first]), len(members[second])))
    return [group for group in members if group]


def _joined_by_name(mailbox: _Mailbox, groups: list[list[int]]) -> list[Project]:
    """The projects of the groups; what goes on under one name within the window is one project."""
    open_groups: dict[str, list[int]] = {}
    finished: list[list[int]] = []
    for group in groups:
        project = _project(mailbox, group)
        if project is None:
            continue
        name = project.name.lower()
        earlier = open_groups.get(name)
        if earlier is None:
            open_groups[name] = group
            continue
        gap = float(mailbox.first_days[group].min() - mailbox.last_days[earlier].max())
        if gap <= _WINDOW_DAYS and len(earlier) + len(group) <= MAX_PROJECT_THREADS:
            open_groups[name] = sorted(earlier + group)
        else:
            finished.append(earlier)
            open_groups[name] = group
    projects = (_project(mailbox, group) for group in (*finished, *open_groups.values()))
    return [project for project in projects if project is not None]


def _is_telling(keywords: list[str], threads: list[ThreadFacts], message_count: int) -> bool:
    """Whether the shared words make a name that a person would recognize: two of them, or one that is much used."""
    if len(threads) == 1:
        return len(keywords) >= 2
    return len(keywords) >= 2 or (bool(keywords) and len(threads) >= 3 and message_count >= LONG_THREAD_MESSAGES)


def _project(mailbox: _Mailbox, group: list[int]) -> Project | None:
    threads = [mailbox.threads[index] for index in group]
    message_count = sum(thread.message_count for thread in threads)
    if len(group) == 1 and message_count < LONG_THREAD_MESSAGES:
        return None
    counts = Counter(word for index in group for word in mailbox.words[index])
    least = 2 if len(group) > 1 else 1
    weights = {word: count * mailbox.rarity[word] for word, count in counts.items() if count >= least}
    keywords = sorted(weights, key=lambda word: (-weights[word], word))[:MAX_KEYWORDS]
    if not _is_telling(keywords, threads, message_count):
        return None
    activity: Counter[str] = Counter()
    for thread in threads:
        for place, address in enumerate(thread.people[:20]):
            activity[address] += thread.message_count if place == 0 else max(1, thread.message_count // 2)
    if not activity:
        return None
    people = sorted(activity, key=lambda address: (-activity[address], address))[:MAX_PEOPLE]
    return Project(
        project_id=uuid.UUID(int=0),  # given once all are known
        name=_name(threads, weights),
        keywords=tuple(keywords),
        people=tuple(people),
        thread_ids=tuple(thread.thread_id for thread in threads),
        message_count=message_count,
        first_at=threads[0].first_at,
        last_at=max(thread.last_at for thread in threads),
    )


def _name(threads: list[ThreadFacts], weights: dict[str, float]) -> str:
    """The run of subject words that most threads share and that says most, in its most usual spelling."""
    runs: Counter[tuple[str, ...]] = Counter()
    spellings: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for thread in threads:
        words = subject_words(thread.subject)
        seen: set[tuple[str, ...]] = set()
        for start in range(len(words)):
            for stop in range(start + 1, min(len(words), start + 5) + 1):
                run = tuple(word.lower() for word in words[start:stop])
                opens = run[0] in weights or (len(run) > 1 and run[0] in _PARTICLES and run[1] in weights)
                if not opens or run[-1] not in weights or run in seen:
                    continue
                seen.add(run)
                runs[run] += 1
                spellings[run][" ".join(words[start:stop])] += 1

    def value(run: tuple[str, ...]) -> float:
        said = sum(weights.get(word, 0.0) for word in dict.fromkeys(run))
        return runs[run] * said

    best = min(runs, key=lambda run: (-round(value(run), 6), run[0] not in _PARTICLES, len(run), run))
    spelling = min(spellings[best], key=lambda text: (-spellings[best][text], text.isupper(), text.islower(), text))
    return spelling[0].upper() + spelling[1:]
