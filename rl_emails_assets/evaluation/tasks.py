"""Tasks, who waits for whom, and what closes them: on written conversations, and by what people did in real ones."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rl_emails_assets.evaluation.section import SEED, Figure, Section, Table
from rl_emails_assets.evaluation.statistics import ratio_interval, wilson
from rl_emails_assets.evaluation.task_outcomes import Outcome, outcomes
from rl_emails_assets.evaluation.task_threads import Found, Label, WrittenThread, found_in, written_threads
from rl_emails_assets.evaluation.whole_mailboxes import whole_mailboxes

_METHOD = (
    "{threads} short conversations were written for this by the author of the rules, with every task and question in "
    "them, who has to act, and how each stands at the end. Every second was set aside before anything was tuned; the "
    "figures are of these {held}. They are short, clean and of one hand: expect less of other mail. A task is found "
    "when it is in the labelled sentence. The second part needs no labels: in the mailboxes a request or question "
    "that somebody answered is followed up to just before the next message of whoever had asked; that message then "
    "says whether the matter was settled (thanks) or not (a complaint, or a reminder). What those words are is read "
    "by the same patterns that read replies, but in a message that the judgement has not seen."
)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One label with what was found for it, if anything."""

    thread: str
    label: Label
    found: Found | None
    is_replied: bool
    """The simpler way: whether anybody else wrote after the labelled sentence."""

    @property
    def is_closed(self) -> bool:
        return self.label.state == "closed"


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """The section on tasks. Raises SourceError when no mailbox is under `data`."""
    threads = written_threads()
    held = [thread for thread in threads if thread.is_held_out]
    judged, extra = _judged(held)
    seen = [outcome for mailbox in whole_mailboxes(data) for outcome in outcomes(mailbox)]
    return Section(
        key="tasks",
        title="Tasks and waiting-for",
        method=_METHOD.format(threads=len(threads), held=len(held)),
        figures=(*_written_figures(held, judged, extra, seed), *_seen_figures(seen, seed)),
        tables=(_by_half(threads), _by_mailbox(seen)),
        failures=_failures(judged, extra),
    )


def _judged(threads: Iterable[WrittenThread]) -> tuple[list[_Judged], list[tuple[str, Found]]]:
    """Each label with its found task, and the found tasks that no label names."""
    judged: list[_Judged] = []
    extra: list[tuple[str, Found]] = []
    for thread in threads:
        left = list(found_in(thread))
        for label in thread.labels:
            match = next((one for one in left if label.words in " ".join(one.task.evidence.split())), None)
            if match is not None:
                left.remove(match)
            judged.append(_Judged(thread.name, label, match, _is_replied(thread, label)))
        extra.extend((thread.name, one) for one in left)
    return judged, extra


def _written_figures(
    threads: Sequence[WrittenThread], judged: list[_Judged], extra: list[tuple[str, Found]], seed: int
) -> tuple[Figure, ...]:
    split = "written conversations set aside before tuning"
    found = [each for each in judged if each.found is not None]
    names = [each.thread for each in found]

    def share(name: str, right: list[bool], groups: list[str], goal: float, **baselines: float) -> Figure:
        low, high = ratio_interval([float(each) for each in right], [1.0] * len(right), groups, seed=seed)
        value = sum(right) / len(right)
        return Figure(
            name=name, value=value, split=split, count=len(right), low=low, high=high, goal=goal, baselines=baselines
        )

    marks = sum(_question_marks(thread) for thread in threads)
    precise = [True] * len(found) + [False] * len(extra)
    owned = [each.found is not None and each.found.task.owner == each.label.owner for each in found]
    stands = [each.found is not None and each.found.progress.state == each.label.state for each in found]
    closed = [each for each in found if each.found is not None and each.found.progress.state == "closed"]
    ended = [each for each in found if each.is_closed]
    replied = [(each.label.state == "closed") == each.is_replied for each in found]
    waits = [each for each in found if each.found is not None and each.found.progress.waiting_on]
    return (
        share("Tasks and questions: precision", precise, names + [name for name, _ in extra], 0.9),
        share(
            "Tasks and questions: recall",
            [each.found is not None for each in judged],
            [each.thread for each in judged],
            0.85,
            sentences_with_a_question_mark=marks / len(judged),
        ),
        share("Owner is right", owned, names, 0.9, always_the_owner=_share(each.label.owner == "me" for each in found)),
        share(
            "State is right",
            stands,
            names,
            0.8,
            any_reply_closes=_share(replied),
            always_open=_share(each.label.state == "open" for each in found),
        ),
        share("Closed: precision", [each.is_closed for each in closed], [each.thread for each in closed], 0.9),
        share(
            "Closed: recall",
            [each.found is not None and each.found.progress.state == "closed" for each in ended],
            [each.thread for each in ended],
            0.85,
        ),
        share(
            "Closed by the right message",
            [each.found is not None and each.found.by == each.label.by for each in ended if each in closed],
            [each.thread for each in ended if each in closed],
            0.9,
        ),
        share(
            "Waiting for: precision",
            [_waits(each.label) == (each.found.progress.waiting_on if each.found else "") for each in waits],
            [each.thread for each in waits],
            0.85,
        ),
    )


def _question_marks(thread: WrittenThread) -> int:
    texts = [message.text for message in thread.messages]
    return sum(any(label.words in text and "?" in text for text in texts) for label in thread.labels)


def _is_replied(thread: WrittenThread, label: Label) -> bool:
    place = next(at for at, one in enumerate(thread.messages) if label.words in " ".join(one.text.split()))
    return any(later.sender != thread.messages[place].sender for later in thread.messages[place + 1 :])


def _waits(label: Label) -> str:
    return "" if label.owner == "someone_else" or label.state in ("closed", "asked_back") else label.owner


def _share(values: Iterable[bool]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def _seen_figures(seen: list[Outcome], seed: int) -> tuple[Figure, ...]:
    """Real conversations whose next message says how it went."""
    closed = [outcome for outcome in seen if outcome.is_closed]
    settled = [outcome for outcome in seen if outcome.is_settled]
    split = "real conversations, judged by a message that was not seen"
    figures = []
    for name, rows, right, goal in (
        ("Closed by a reply, and settled by what followed", closed, [one.is_settled for one in closed], 0.9),
        ("Settled by what followed, and closed by the reply", settled, [one.is_closed for one in settled], 0.7),
    ):
        if not rows:
            continue
        low, high = ratio_interval(
            [float(each) for each in right], [1.0] * len(right), [one.thread for one in rows], seed=seed
        )
        baseline = _share(one.is_settled for one in seen)
        figures.append(
            Figure(
                name=name,
                value=_share(right),
                split=split,
                count=len(rows),
                low=low,
                high=high,
                goal=goal,
                baselines={"any_reply_closes": baseline if rows is closed else 1.0},
            )
        )
    return tuple(figures)


def _by_half(threads: Sequence[WrittenThread]) -> Table:
    rows = []
    for name, is_held_out in (("tuned on", False), ("set aside", True)):
        half = [thread for thread in threads if thread.is_held_out == is_held_out]
        judged, extra = _judged(half)
        found = [each for each in judged if each.found is not None]
        right = sum(each.found is not None and each.found.progress.state == each.label.state for each in found)
        low, high = wilson(right, len(found))
        rows.append((name, len(half), len(judged), len(found), len(extra), right, round(low, 3), round(high, 3)))
    return Table(
        title="The written conversations by half",
        headings=("half", "conversations", "labels", "found", "found besides", "state right", "low", "high"),
        rows=tuple(rows),
    )


def _by_mailbox(seen: list[Outcome]) -> Table:
    counts: dict[str, Counter[str]] = {}
    for outcome in seen:
        kind = ("closed" if outcome.is_closed else "open") + (" and settled" if outcome.is_settled else ", not settled")
        counts.setdefault(outcome.mailbox, Counter())[kind] += 1
    kinds = ("closed and settled", "closed, not settled", "open and settled", "open, not settled")
    return Table(
        title="Answered requests and questions whose asker wrote again, by mailbox",
        headings=("mailbox", *kinds),
        rows=tuple((mailbox, *(counts[mailbox][kind] for kind in kinds)) for mailbox in sorted(counts)),
    )


def _failures(judged: list[_Judged], extra: list[tuple[str, Found]]) -> dict[str, int]:
    failures: Counter[str] = Counter()
    for each in judged:
        if each.found is None:
            failures[f"{each.label.kind} not found"] += 1
        elif each.found.progress.state != each.label.state:
            failures[f"{each.label.state}, taken for {each.found.progress.state}"] += 1
    for _, found in extra:
        failures[f"{found.task.kind} where none is"] += 1
    return dict(failures)
