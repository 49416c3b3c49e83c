"""How tasks stand, from the tables: late mail, mail that goes, and a clock change nothing that they should not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.steps import entities_task_progress
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.entities_tasks import run
from rl_emails_assets.steps.flow import run_flow
from rl_emails_assets.steps.removal import remove_messages
from tests.small_mailbox import OWNER, mail, state

ANN = "Ann Lind <ann@one.example>"
ASKED = mail(1, ANN, subject="Plan", body="Can you send me the plan by Friday?", hours=1)
PROMISED = mail(2, OWNER, to=ANN, subject="Re: Plan", body="Will do.", hours=2, in_reply_to=1)
SENT = mail(3, OWNER, to=ANN, subject="Re: Plan", body="Here it is.", hours=30, in_reply_to=1)
WRONG = mail(4, ANN, subject="Re: Plan", body="This is the wrong file.", hours=50, in_reply_to=3)


def progress(engine: Engine) -> list[tuple[str, str, str]]:
    query = text(
        "select p.state, p.how, p.waiting_on from entities.task_progress p join entities.tasks t using (task_id) "
        "where t.description like 'Send%' order by p.since"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def scores(engine: Engine) -> dict[str, float]:
    query = text(
        "select m.rfc822_message_id, p.score from priorities.messages p join mail.messages m using (message_id)"
    )
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def test_each_message_of_a_conversation_moves_its_tasks(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A task that stays as it was found, whatever is written later."""
    expected = [("open", "", "me"), ("promised", "promised", "me"), ("closed", "delivered", ""),
                ("open", "reopened", "me")]  # fmt: skip
    for count, stands in enumerate(expected):
        step = steps_on(write_folder([(ASKED, PROMISED, SENT, WRONG)[count]], first=count))
        run_flow(step)
        assert progress(engine) == [stands]


def test_closing_a_task_changes_no_score(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A score that later mail moves (promise 5): the request was a request when it came."""
    step = steps_on(write_folder([ASKED]))
    run_flow(step)
    before = scores(engine)
    write_folder([SENT], first=1)
    run_flow(step)
    assert progress(engine) == [("closed", "delivered", "")]
    assert {name: score for name, score in scores(engine).items() if name in before} == before


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_mail_that_comes_late_ends_in_the_same_rows(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine, order: tuple[int, ...]
) -> None:
    """An old mailbox is fetched newest first: what is closed would depend on the order of fetching."""
    for place, index in enumerate(order):
        write_folder([(ASKED, PROMISED, SENT, WRONG)[index]], first=place)
        run_flow(steps_on(write_folder([])))
    assert progress(engine) == [("open", "reopened", "me")]


def test_an_answer_that_is_deleted_closes_nothing_any_more(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """What is deleted at the provider would go on to say that something was done."""
    step = steps_on(write_folder([ASKED, SENT]))
    run_flow(step)
    with engine.begin() as connection:
        query = text("select message_id from mail.messages where rfc822_message_id = 'm3@example.org'")
        remove_messages(connection, step.mailbox_id, list(connection.execute(query).scalars()))
        stale = connection.execute(text("select bool_and(is_stale) from entities.task_progress")).scalar_one()
    assert stale
    run(step)
    assert progress(engine) == [("open", "", "me")]
    with engine.begin() as connection:
        query = text("select message_id from mail.messages")
        remove_messages(connection, step.mailbox_id, list(connection.execute(query).scalars()))
    run(step)
    assert state(engine)["entities.task_progress"] == []


def test_a_message_without_tasks_makes_the_step_follow_its_conversation_and_no_other(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """Following every conversation for each mail would make a sync as slow as an import."""
    other = mail(9, ANN, subject="Keys", body="Could you call Ben?", hours=3)
    step = steps_on(write_folder([ASKED, other]))
    run_flow(step)
    write_folder([mail(5, ANN, subject="Re: Plan", body="It rains.", hours=9, in_reply_to=1)], first=2)
    counts = [entities_task_progress.run(step).row_count]
    run_flow(step)
    query = text("select count(distinct run_id) from entities.task_progress")
    with engine.connect() as connection:
        assert connection.execute(query).scalar_one() == 1
    later = StepContext(step.engine, step.mailbox_id, "run-2", step.settings)
    write_folder([SENT], first=3)
    run_flow(later)
    with engine.connect() as connection:
        rows = connection.execute(
            text("select p.run_id, t.description from entities.task_progress p join entities.tasks t using (task_id)")
        ).all()
    assert counts == [0]
    assert {row.run_id for row in rows if row.description.startswith("Send")} == {"run-2"}
    assert {row.run_id for row in rows if row.description.startswith("Call")} == {"run-1"}


def test_later_mail_does_not_change_who_owns_a_task(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """What correspondents come to call the owner would hand tasks of old mail to somebody else, and move its score."""
    called = mail(1, ANN, to=f"{OWNER}, ben@two.example", body="Nina, can you send me the plan?", hours=1)
    step = steps_on(write_folder([called]))
    run_flow(step)
    owners = text("select owner, owner_address from entities.tasks")
    with engine.connect() as connection:
        before = connection.execute(owners).all()
    named = mail(2, ANN, to=f"Nina Berg <{OWNER}>", body="It rains.", hours=5)
    write_folder([named], first=1)
    run_flow(StepContext(step.engine, step.mailbox_id, "run-2", step.settings))
    with engine.begin() as connection:
        connection.execute(text("update entities.messages set is_stale = true"))
    run_flow(step)
    with engine.connect() as connection:
        assert connection.execute(owners).all() == before


def test_a_project_and_a_person_keep_their_ids_when_older_mail_comes(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A link to a project or a person that leads nowhere after the next sync."""
    ann = "Ann Lind <zoe.lind@one.example>"
    newer = [
        mail(n, ann, subject=f"Harbour lamp order {n}", body="About the lamps.", hours=100 + n) for n in (11, 12, 13)
    ]
    older = [mail(n, "Ann Lind <ann@one.example>", subject=f"Harbour lamp order {n}", hours=n) for n in (1, 2)]
    step = steps_on(write_folder(newer))
    run_flow(step)
    ids = text("select project_id from entities.projects")
    people = text("select person_id from entities.people where 'zoe.lind@one.example' = any(addresses)")
    with engine.connect() as connection:
        first = connection.execute(ids).scalars().all(), connection.execute(people).scalar_one()
    write_folder(older, first=3)
    run_flow(step)
    with engine.connect() as connection:
        now = connection.execute(ids).scalars().all(), connection.execute(people).scalar_one()
        row = connection.execute(text("select addresses, merged_by from entities.people")).one()
        project = connection.execute(
            text("select thread_count, cardinality(message_keys) from entities.projects")
        ).one()
    assert len(first[0]) == 1
    assert now == first
    assert (sorted(row.addresses), row.merged_by[0]["how"]) == (
        ["ann@one.example", "zoe.lind@one.example"],
        "organization",
    )
    assert tuple(project) == (5, 5)


def test_two_addresses_of_one_name_are_one_person_once_mail_says_so(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """Two persons of one common name merged on the name alone; or a person's two addresses never merged."""
    work, home = "Ann Lind <ann@one.example>", "Ann Lind <ann.lind@gmail.com>"
    apart = [mail(1, work, hours=1), mail(2, home, hours=2)]
    step = steps_on(write_folder(apart))
    run_flow(step)
    count = text("select array_agg(cardinality(addresses)) from entities.people")
    with engine.connect() as connection:
        assert connection.execute(count).scalar_one() == [1, 1]
    said = [
        mail(3, OWNER, to=work, subject="Keys", hours=3),
        mail(4, home, subject="Re: Keys", hours=4, in_reply_to=3),
    ]
    write_folder(said, first=2)
    run_flow(step)
    with engine.connect() as connection:
        row = connection.execute(text("select addresses, merged_by from entities.people")).one()
    assert len(row.addresses) == 2
    assert {link["how"] for link in row.merged_by} == {"answered_from"}
