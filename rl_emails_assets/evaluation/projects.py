"""Projects: whether they last when mail comes in, and whether their threads hang together."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rl_emails_assets.evaluation.section import SEED, Figure, Plot, Section, Series, Table
from rl_emails_assets.evaluation.statistics import ratio_interval
from rl_emails_assets.evaluation.whole_mailboxes import Placed, WholeMailbox, whole_mailboxes
from rl_emails_assets.extraction.people_merging import is_role_address
from rl_emails_assets.extraction.projects import Project, ThreadFacts, group_projects

STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of a mailbox's time order that are there when projects are grouped, one after the other."""
MOST_PEOPLE = 30
DIMENSIONS = 384

_METHOD = (
    "Each mailbox is grouped when half of its mail is there, then again and again with a tenth more, each time with "
    "what the time before has left, as it happens in use. Of the threads that are in a project both times, the "
    "figures are the share whose project has the same id, and the share whose project has the same name. The simpler "
    "way, an id made of a project's first thread, is beside it. No vectors are used here: grouping is by subjects, "
    "people and time alone, which is the harder case for lasting."
)


@dataclass(frozen=True, slots=True)
class _Step:
    mailbox: str
    share: float
    kept: int
    first_thread_kept: int
    named: int
    both: int


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """The section on projects. Raises SourceError when no mailbox is under `data`."""
    steps: list[_Step] = []
    sizes: list[tuple[str | float | int | None, ...]] = []
    for mailbox in whole_mailboxes(data):
        found, projects, thread_count = _grown(mailbox)
        steps += found
        inside = sum(len(project.thread_ids) for project in projects)
        sizes.append((mailbox.name, len(mailbox.messages), thread_count, len(projects), inside))
    return Section(
        key="projects",
        title="Projects",
        method=_METHOD,
        figures=(
            _figure("Threads that keep their project's id after a tenth more mail", steps, "kept", 0.95, seed),
            _figure("Threads that keep their project's name after a tenth more mail", steps, "named", 0.9, seed),
        ),
        tables=(
            Table(
                title="The mailboxes when all mail is there",
                headings=("mailbox", "messages", "threads of people", "projects", "threads in projects"),
                rows=tuple(sizes),
            ),
        ),
        plots=(_plot(steps),),
        failures={
            "thread whose project got another id": sum(step.both - step.kept for step in steps),
            "thread whose project got another name": sum(step.both - step.named for step in steps),
        },
    )


def _grown(mailbox: WholeMailbox) -> tuple[list[_Step], tuple[Project, ...], int]:
    steps: list[_Step] = []
    before: tuple[Project, ...] = ()
    count = 0
    for share in STEPS:
        threads = _threads(mailbox.messages[: round(len(mailbox.messages) * share)], mailbox.owners)
        count = len(threads)
        vectors = np.zeros((count, DIMENSIONS), dtype=np.float32)
        known = {thread: project.project_id for project in before for thread in project.thread_ids}
        now = group_projects(threads, vectors, known)
        if before:
            steps.append(_compared(mailbox.name, share, before, now))
        before = now
    return steps, before, count


def _threads(messages: Sequence[Placed], owners: frozenset[str]) -> list[ThreadFacts]:
    by_thread: dict[uuid.UUID, list[Placed]] = defaultdict(list)
    for placed in messages:
        by_thread[placed.thread_id].append(placed)
    found = []
    for thread_id, own in by_thread.items():
        if all(is_role_address(placed.from_address) for placed in own):
            continue
        people: Counter[str] = Counter()
        for placed in own:
            people.update({one.address for one in (*placed.message.to, *placed.message.cc)} - owners)
            if placed.from_address not in owners:
                people[placed.from_address] += len(own)
        ordered = sorted(people, key=lambda address: (-people[address], address))[:MOST_PEOPLE]
        subject = own[0].message.subject
        found.append(ThreadFacts(thread_id, subject, tuple(ordered), len(own), own[0].at, own[-1].at))
    return found


def _compared(mailbox: str, share: float, before: Sequence[Project], now: Sequence[Project]) -> _Step:
    was = {thread: project for project in before for thread in project.thread_ids}
    pairs = [(was[thread], project) for project in now for thread in project.thread_ids if thread in was]
    return _Step(
        mailbox,
        share,
        kept=sum(old.project_id == new.project_id for old, new in pairs),
        first_thread_kept=sum(old.thread_ids[0] == new.thread_ids[0] for old, new in pairs),
        named=sum(old.name == new.name for old, new in pairs),
        both=len(pairs),
    )


def _figure(name: str, steps: Sequence[_Step], what: str, goal: float, seed: int) -> Figure:
    parts = [float(getattr(step, what)) for step in steps]
    wholes = [float(step.both) for step in steps]
    low, high = ratio_interval(parts, wholes, [step.mailbox for step in steps], seed=seed)
    baselines = {"id of the first thread": sum(step.first_thread_kept for step in steps) / sum(wholes)}
    return Figure(
        name=name,
        value=sum(parts) / sum(wholes),
        split="each mailbox by time, half of it and then a tenth more each time",
        count=int(sum(wholes)),
        low=low,
        high=high,
        goal=goal,
        baselines=baselines if what == "kept" else {},
    )


def _plot(steps: Sequence[_Step]) -> Plot:
    shares = STEPS[1:]

    def line(name: str, what: str) -> Series:
        found = []
        for share in shares:
            own = [step for step in steps if step.share == share]
            found.append(sum(getattr(step, what) for step in own) / max(1, sum(step.both for step in own)))
        return Series(name=name, x=shares, y=tuple(found))

    return Plot(
        kind="learning_curve",
        name="projects-lasting",
        title="Threads whose project lasts as mail comes in",
        x_label="share of the mailbox that is there",
        y_label="share of threads",
        series=(line("same id", "kept"), line("same name", "named"), line("same first thread", "first_thread_kept")),
    )
