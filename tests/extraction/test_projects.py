"""Projects: conversations of one matter together, under a name, and nothing that swallows the mailbox."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.extraction.projects import (
    MAX_PROJECT_THREADS,
    Project,
    ThreadFacts,
    group_projects,
)
from rl_emails_assets.extraction.subject_words import is_distinctive, subject_words

START = datetime(2026, 1, 5, tzinfo=UTC)
ADA, BOB, CY = "ada@a.example", "bob@b.example", "cy@c.example"


def _thread(
    number: int, subject: str, people: tuple[str, ...] = (ADA, BOB), *, day: int = 0, messages: int = 2
) -> ThreadFacts:
    first_at = START + timedelta(days=day)
    return ThreadFacts(uuid.UUID(int=number + 1), subject, people, messages, first_at, first_at + timedelta(days=1))


def _vectors(*directions: int) -> npt.NDArray[np.float32]:
    """A unit vector for each thread; equal numbers are equal vectors, different ones are orthogonal, -1 is none."""
    rows = np.zeros((len(directions), 384), dtype=np.float32)
    for row, direction in enumerate(directions):
        if direction >= 0:
            rows[row, direction] = 1.0
    return rows


def _noise(count: int, first: int = 100) -> list[ThreadFacts]:
    """Unrelated conversations that make common words common."""
    return [
        _thread(first + index, f"Lunch nr{chr(97 + index % 26)}{index}x", (f"p{index}@x.example",), day=index)
        for index in range(count)
    ]


def _project(threads: list[ThreadFacts], vectors: npt.NDArray[np.float32] | None = None) -> Project:
    (project,) = group_projects(threads, _vectors(*[-1] * len(threads)) if vectors is None else vectors)
    return project


def test_conversations_about_one_matter_are_one_project_under_its_name() -> None:
    threads = [
        _thread(1, "Re: Harbor Bridge retrofit: bids", day=1),
        _thread(2, "Fwd: [ops] harbor bridge retrofit schedule", (BOB, CY), day=9),
        _thread(3, "Harbor Bridge retrofit - steel", day=20, messages=4),
        *_noise(8),
    ]
    project = _project(threads)
    assert project.name == "Harbor Bridge retrofit"
    assert set(project.keywords) == {"harbor", "bridge", "retrofit"}
    assert project.thread_ids == tuple(thread.thread_id for thread in threads[:3])
    assert project.message_count == 8
    assert project.people[:2] == (ADA, BOB)
    assert (project.first_at, project.last_at) == (threads[0].first_at, threads[2].last_at)


def test_a_long_conversation_is_a_project_and_a_short_one_is_not() -> None:
    assert _project([_thread(1, "Zephyr kiln order", messages=6), *_noise(5)]).name == "Zephyr kiln order"
    assert group_projects([_thread(1, "Zephyr kiln order", messages=4)], _vectors(0)) == ()
    assert group_projects([_thread(1, "Kiln", messages=9)], _vectors(0)) == ()


@pytest.mark.parametrize(
    "subject", ["Re: Re:", "meeting update", "Ada", "Question about Monday", "2026 10:30", "", "RE: fw: [list]"]
)
def test_generic_words_names_and_dates_name_no_project(subject: str) -> None:
    threads = [_thread(number, subject, day=number, messages=9) for number in range(4)]
    assert group_projects(threads, _vectors(0, 0, 0, 0)) == ()


def test_one_shared_common_word_needs_more_than_two_conversations() -> None:
    two = [_thread(1, "Kiln"), _thread(2, "kiln", day=2)]
    assert group_projects(two, _vectors(0, 0)) == ()
    assert _project([*two, _thread(3, "KILN", day=3)], _vectors(0, 0, 0)).name == "Kiln"


def test_vectors_and_people_bring_together_what_words_leave_apart() -> None:
    threads = [
        _thread(1, "Zephyr kiln order", day=1),
        _thread(2, "Zephyr glaze order", day=2),
        _thread(3, "Clay pots", day=3),
        _thread(4, "Rye bread", (CY,), day=4),
    ]
    together = group_projects(threads, _vectors(0, 0, 0, 1))
    assert len(together) == 1
    assert together[0].thread_ids == tuple(thread.thread_id for thread in threads[:3])
    strangers = [threads[0], threads[1], _thread(3, "Clay pots", (CY,), day=3)]
    assert len(group_projects(strangers, _vectors(0, 0, 0))[0].thread_ids) == 2
    nobody = [_thread(1, "Zephyr kiln order", ()), _thread(2, "Clay pots", (), day=1)]
    assert group_projects(nobody, _vectors(0, 0)) == ()


def test_the_same_words_half_a_year_later_are_another_project() -> None:
    threads = [
        *[_thread(number, "Zephyr kiln order", day=number) for number in range(3)],
        *[_thread(number, "Zephyr kiln order", day=200 + number) for number in range(3, 6)],
    ]
    projects = group_projects(threads, _vectors(*[0] * 6))
    assert [len(project.thread_ids) for project in projects] == [3, 3]
    assert projects[0].first_at > projects[1].first_at


def test_groups_of_one_name_within_the_season_are_one_project() -> None:
    threads = [_thread(number, "Zephyr kiln order", (f"p{number}@x.example",), day=3 * number) for number in range(28)]
    noise = _noise(60)
    projects = group_projects([*threads, *noise], _vectors(*[-1] * 88))
    assert [len(project.thread_ids) for project in projects] == [28]


def test_no_project_grows_beyond_the_cap() -> None:
    threads = [_thread(number, "Zephyr kiln order", day=number // 3) for number in range(200)]
    noise = _noise(26, first=1000)
    projects = group_projects([*threads, *noise], _vectors(*[0] * 200, *[-1] * 26))
    assert all(len(project.thread_ids) <= MAX_PROJECT_THREADS for project in projects)


def test_a_project_without_other_people_is_none() -> None:
    threads = [_thread(number, "Zephyr kiln order", (), day=number) for number in range(3)]
    assert group_projects(threads, _vectors(0, 0, 0)) == ()


def test_the_place_name_keeps_its_article() -> None:
    words = ["rates", "rates", "tap"]
    threads = [_thread(number, f"El Paso pipeline {word}", day=number) for number, word in enumerate(words)]
    assert _project(threads, _vectors(0, 0, 0)).name.startswith("El Paso pipeline")


def test_the_id_comes_from_the_earliest_conversation() -> None:
    threads = [_thread(1, "Zephyr kiln order", day=1), _thread(2, "Zephyr kiln order", day=2)]
    later = [*threads, _thread(3, "Zephyr kiln order", day=3)]
    first, second = group_projects(threads, _vectors(0, 0)), group_projects(later, _vectors(0, 0, 0))
    assert first[0].project_id == second[0].project_id


def test_a_wrong_number_of_vectors_is_refused() -> None:
    with pytest.raises(ValueError, match="one row for each thread"):
        group_projects([_thread(1, "Kiln")], _vectors(0, 0))
    assert group_projects([], _vectors()) == ()


_THREADS = st.lists(
    st.tuples(
        st.lists(st.sampled_from("Zephyr kiln Order El Paso Re: Q3 meeting X9 ada".split()), max_size=5),  # noqa: SIM905
        st.lists(st.sampled_from([ADA, BOB, CY, "dee@d.example"]), max_size=3, unique=True),
        st.integers(0, 400),
        st.integers(1, 9),
        st.integers(-1, 4),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=60)
@given(_THREADS, st.randoms())
def test_the_order_of_the_threads_changes_nothing(
    drawn: list[tuple[list[str], list[str], int, int, int]], random: object
) -> None:
    threads = [
        _thread(number, " ".join(words), tuple(people), day=day, messages=messages)
        for number, (words, people, day, messages, _) in enumerate(drawn)
    ]
    vectors = _vectors(*[direction for *_, direction in drawn])
    projects = group_projects(threads, vectors)
    grouped = [thread_id for project in projects for thread_id in project.thread_ids]
    assert len(grouped) == len(set(grouped))
    assert all(project.name and project.keywords and project.people for project in projects)
    order = list(range(len(threads)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert group_projects([threads[index] for index in order], vectors[order]) == projects


def test_subject_words_leave_reply_marks_and_list_tags_out() -> None:
    assert subject_words("Re: FW: [ops-list] AW[2]: Kiln's glaze-mix R&D") == ("Kiln's", "glaze-mix", "R&D")
    assert len(subject_words("re:" * 50 + "word " * 50)) <= 16
    assert subject_words("x" * 100_000)[0] == "x" * 200


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *[("Kiln", True), ("GE", True), ("kln", True), ("Q3", True)],
        *[("ge", False), ("1st", False), ("10:30", False), ("ada", False), ("the", False), ("x" * 40, False)],
    ],
)
def test_distinctive_words(word: str, expected: bool) -> None:
    assert is_distinctive(word, frozenset({"ada"})) is expected
