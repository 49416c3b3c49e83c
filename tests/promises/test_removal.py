"""Messages that vanish at the provider, and labels that change there: the tables forget as if they had never known."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import TransientError
from rl_emails_assets.steps import removal
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import STEPS, run_flow
from rl_emails_assets.steps.removal import change_labels, remove_messages
from tests.small_mailbox import OWNER, conversation, mail, state

PEOPLE = (
    "Ada <ada@one.example>",
    "Bo Berg <bo@two.example>",
    "Cy <cy@two.example>",
    "ada@one.example",
    "news@three.example",
    "d@gmail.com",
)
TEXTS = (
    "Can you send me the plan by Friday?",
    "I will send it by Thursday noon.",
    "Thank you.\n\n-- \nAda Ahlgren\nHead of Plans\nOne Ltd\n+44 20 7946 0000",
    "Please review the numbers.",
    "Issue of this week. Unsubscribe here: https://three.example/u",
    "Is the budget final?",
)
NOT_COMPARED = {"raw.cursors"}  # what was read of the files, which are fewer the second time


def random_mailbox(seed: int) -> list[bytes]:
    """Twenty to thirty messages that hang together in every way there is: answers, missing parents, ids that are
    forged or used twice, subjects alone, a provider's own conversations, and copies."""
    choose = random.Random(seed)  # noqa: S311 - a test's choices
    with_provider = choose.random()
    messages: list[bytes] = []
    for index in range(choose.randint(20, 30)):
        owners = choose.random() < 0.3
        sender = OWNER if owners else choose.choice(PEOPLE)
        to = choose.choice(PEOPLE) if owners else choose.choice((OWNER, f"{OWNER}, {choose.choice(PEOPLE)}"))
        parent = choose.randrange(max(1, index)) if choose.random() < 0.5 else None
        if parent is not None and choose.random() < 0.15:
            parent = choose.randrange(index, index + 8)  # has not come yet, or never will
        named = [choose.randrange(40) for _ in range(choose.randint(0, 3))] if choose.random() < 0.25 else []
        subject = choose.choice(("", "Plan", "Re: Plan", "Numbers", "Re: Numbers", "Weekly news", "hello"))
        content = mail(
            index,
            sender,
            to=to,
            subject=subject,
            body=choose.choice(TEXTS),
            hours=1.0 + choose.randrange(index * 6 + 1) + index / 100,
            in_reply_to=parent,
            references=" ".join(f"<m{each}@example.org>" for each in named),
        )
        if choose.random() < 0.1 and index:
            content = content.replace(b"<m%d@" % index, b"<m%d@" % choose.randrange(index))
        both = [content]
        if choose.random() < 0.2:
            both.append(content.replace(b"Message-ID: <", b"Message-ID: <copy%d" % choose.randrange(9)))
        for each in both:
            has_conversation = choose.random() < with_provider
            messages.append((b"X-GM-THRID: %d\n" % choose.randrange(100, 106) if has_conversation else b"") + each)
    return messages


def comparable(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {name: rows for name, rows in state(engine).items() if name not in NOT_COMPARED}


def assert_same(one: dict[str, list[dict[str, Any]]], other: dict[str, list[dict[str, Any]]]) -> None:
    differing = [name for name in one if one[name] != other[name]]
    assert {name: one[name] for name in differing} == {name: other[name] for name in differing}


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("delete from mailboxes.connections"))


def know_aliases(engine: Engine, aliases: list[dict[str, Any]]) -> None:
    """Which addresses are the owner's stays known when the sent mail that told it is gone."""
    with engine.begin() as connection:
        for alias in aliases:
            connection.execute(insert(mailboxes.aliases).values(**alias).on_conflict_do_nothing())


def stored(engine: Engine) -> dict[str, Any]:
    """The file name of each stored message, and its id."""
    with engine.connect() as connection:
        rows = connection.execute(text("select source, message_id from raw.messages order by seq")).all()
    return {Path(row.source.partition(":")[0]).name: row.message_id for row in rows}


def write_mailbox(tmp_path: Path, seed: int) -> Path:
    """The random mailbox as files in folders, which become labels."""
    choose = random.Random(seed)  # noqa: S311 - a test's choices
    root = tmp_path / "mail"
    for index, content in enumerate(random_mailbox(seed)):
        folder = root / choose.choice(("inbox", "archive", "Promotions", "Sent"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index:04}.eml").write_bytes(content)
    return root


def run_later_steps(step: StepContext) -> None:
    """Every step but the first, which would read the files' folders as labels again."""
    for key, run in STEPS.items():
        if key != keys.RAW_MESSAGES:
            run(step)


def written_at(engine: Engine) -> dict[str, Any]:
    """When each computed table was written last, and how often its rows are marked."""
    with engine.connect() as connection:
        return {
            table: tuple(connection.execute(text(f"select max(computed_at), count(*) from {table}")).one())  # noqa: S608
            for table in ("mail.messages", "mail.threads", "mail.contacts", "signals.messages", "signals.contacts",
                          "embeddings.messages", "classifications.messages", "entities.messages", "entities.people",
                          "entities.projects", "priorities.messages", "priorities.threads")
        }  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_after_a_removal_every_table_is_as_if_the_messages_had_never_been_stored(
    steps_on: Callable[..., StepContext], tmp_path: Path, engine: Engine, seed: int
) -> None:
    """Deleted mail that still counted, named a conversation or held it together would be seen for ever."""
    choose = random.Random(seed)  # noqa: S311 - a test's choices
    root = write_mailbox(tmp_path, seed)
    files = sorted(path.name for path in root.glob("*/*.eml"))
    removed = choose.sample(files, k=choose.randint(1, len(files) // 2))
    require_forgotten(engine, steps_on, root, removed)


def require_forgotten(engine: Engine, steps_on: Callable[..., StepContext], root: Path, removed: Sequence[str]) -> None:
    """Removing these files' messages leaves what there would be had they never been imported."""
    step = steps_on(root)
    run_flow(step)
    files = stored(engine)
    gone = [files[name] for name in removed if name in files]
    with engine.begin() as connection:
        assert remove_messages(connection, step.mailbox_id, gone) == len(gone)
    for name in removed:
        next(root.glob(f"*/{name}")).unlink()
    run_flow(step)
    after = comparable(engine)
    empty(engine)
    step = steps_on(root)
    know_aliases(engine, after["mailboxes.aliases"])
    run_flow(step)
    assert_same(after, comparable(engine))


def test_a_correspondent_of_removed_mail_alone_is_forgotten(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """Nothing else changes here that would have people, projects and contacts looked at again."""
    lone = mail(90, "Eve Ek <eve@gone.example>", subject="A lone matter", hours=700, body="Can you call me by Friday?")
    require_forgotten(engine, steps_on, write_folder([*conversation()[:6], lone]), ["0006.eml"])
    with engine.connect() as connection:
        for table in ("mail.contacts", "signals.contacts"):
            query = text(f"select count(*) from {table} where address = 'eve@gone.example'")  # noqa: S608 - constants
            assert connection.execute(query).scalar_one() == 0


def test_an_answer_that_is_removed_no_longer_counts_for_whom_it_answered(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """The answer went to somebody else, so that its own addresses do not lead to whom it answered."""
    messages = [
        mail(1, "ada@one.example", subject="Plan", hours=1),
        mail(2, OWNER, to="bo@two.example", subject="Re: Plan", hours=2, in_reply_to=1),
        mail(3, "ada@one.example", subject="Other", hours=9),
    ]
    require_forgotten(engine, steps_on, write_folder(messages), ["0001.eml"])


def test_a_copy_in_another_conversation_counts_there_once_its_original_is_removed(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """The copy's own conversation and recipients have nothing to do with the removed message's."""
    original = mail(1, "ada@one.example", subject="Plan", body="The plan.", hours=1)
    copy = original.replace(b"<m1@", b"<c1@").replace(b"To: owner@example.org", b"To: bo@two.example")
    other = mail(2, "bo@two.example", subject="Numbers", hours=2)
    messages = [b"X-GM-THRID: 100\n" + original, b"X-GM-THRID: 101\n" + other, b"X-GM-THRID: 101\n" + copy]
    require_forgotten(engine, steps_on, write_folder(messages), ["0000.eml"])


@pytest.mark.parametrize("how", ["removed", "relabelled"])
def test_sent_mail_that_goes_may_tell_another_address_of_the_owner(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine, how: str
) -> None:
    """An address is the owner's by its share of the sent mail, which grows when other sent mail goes."""
    usual = [mail(index, OWNER, to="ada@one.example") for index in range(1, 42)]
    alias = [mail(index, "me@private.example", to="ada@one.example") for index in (50, 51)]
    root = write_folder([*usual, *alias], name="Sent")
    known = text("select address from mailboxes.aliases where found_by = 'sent_mail'")
    step = steps_on(root)
    run_flow(step)
    with engine.begin() as connection:
        assert connection.execute(known).scalars().all() == []
        ids = [stored(engine)[f"{index:04}.eml"] for index in range(20)]
        if how == "removed":
            remove_messages(connection, step.mailbox_id, ids)
        else:
            change_labels(connection, step.mailbox_id, dict.fromkeys(ids, frozenset({"INBOX"})))
        assert connection.execute(known).scalars().all() == ["me@private.example"]


def test_a_message_that_held_a_conversation_together_takes_its_past_from_those_that_stay(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """The removed message is the newest here: what changes lies before it, in the conversation that falls apart."""
    messages = [
        mail(1, "ada@one.example", subject="Alpha", hours=1),
        mail(2, "cy@two.example", subject="Gamma", hours=2, in_reply_to=4),
        mail(3, "bo@three.example", subject="Re: Alpha", hours=3, in_reply_to=1),
        mail(4, "di@four.example", subject="Beta", hours=50, in_reply_to=1),
    ]
    step = steps_on(write_folder(messages))
    run_flow(step)
    earlier = text("select array_agg(thread_earlier_count order by received_at) from signals.messages")
    with engine.begin() as connection:
        assert connection.execute(earlier).scalar_one() == [0, 1, 2, 3]
        remove_messages(connection, step.mailbox_id, [stored(engine)["0003.eml"]])
    run_later_steps(step)
    with engine.connect() as connection:
        assert connection.execute(earlier).scalar_one() == [0, 0, 1]


@pytest.mark.parametrize("seed", range(20, 25))
def test_labels_that_change_leave_what_they_would_have_left_from_the_start(
    steps_on: Callable[..., StepContext], tmp_path: Path, engine: Engine, seed: int
) -> None:
    """A label that was taken away and still counted, for the message or for the one it copies, would never leave."""
    choose = random.Random(seed)  # noqa: S311 - a test's choices
    root = write_mailbox(tmp_path, seed)
    step = steps_on(root)
    run_flow(step)
    names = ("INBOX", "UNREAD", "SENT", "DRAFT", "SPAM", "CATEGORY_PROMOTIONS", "CATEGORY_SOCIAL", "Mine")
    changes = {
        message_id: frozenset(choose.sample(names, k=choose.randint(0, 3)))
        for message_id in stored(engine).values()
        if choose.random() < 0.4
    }
    with engine.begin() as connection:
        assert change_labels(connection, step.mailbox_id, changes) > 0
        assert change_labels(connection, step.mailbox_id, changes) == 0
    run_later_steps(step)
    after = comparable(engine)
    empty(engine)
    step = steps_on(root)
    STEPS[keys.RAW_MESSAGES](step)
    know_aliases(engine, after["mailboxes.aliases"])
    with engine.begin() as connection:
        change_labels(connection, step.mailbox_id, changes)
    run_later_steps(step)
    assert_same(after, comparable(engine))


def test_reading_starring_and_filing_mail_makes_no_engine_work(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A verdict that changed because its message was filed, or a reading that costs what arriving costs (every mail
    that is read loses UNREAD)."""
    step = steps_on(write_folder(conversation()))
    run_flow(step)
    before = written_at(engine)
    with engine.begin() as connection:
        changes = dict.fromkeys(
            stored(engine).values(),
            frozenset({"INBOX", "STARRED", "IMPORTANT", "TRASH", "SPAM", "CATEGORY_PROMOTIONS", "Mine"}),
        )
        assert change_labels(connection, step.mailbox_id, changes) == len(changes)
    run_later_steps(step)
    assert written_at(engine) == before


def test_a_copy_takes_the_place_of_a_removed_original_with_its_own_labels(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A message that lies in two folders and is deleted from one would vanish from the other, or keep its folder."""
    original = mail(1, "ada@one.example", subject="Plan", body="The plan.")
    write_folder([original], name="a-first")
    copies = [original.replace(b"<m1@", b"<c%d@" % number) for number in (1, 2)]
    write_folder(copies[:1], name="b-second")
    step = steps_on(write_folder(copies[1:], name="c-third"))
    run_flow(step)
    shown = text(
        "select m.message_id, array_agg(l.label order by l.label) as labels from mail.messages m "
        "join priorities.messages p using (message_id) join raw.labels l using (message_id) group by 1"
    )
    with engine.connect() as connection:
        first = connection.execute(shown).one()
        ids = list(connection.execute(text("select message_id from raw.messages order by seq")).scalars())
    assert first == (ids[0], ["a-first", "b-second", "c-third"])
    for left in (1, 2):
        with engine.begin() as connection:
            remove_messages(connection, step.mailbox_id, [ids[left - 1]])
        run_later_steps(step)
        with engine.connect() as connection:
            assert connection.execute(shown).one() == (ids[left], ["b-second", "c-third"][left - 1 :])


def test_what_people_said_of_a_removed_message_goes_with_it_and_nothing_else(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """Corrections of deleted mail would be kept although the mail may not be; those of other mail must stay."""
    step = steps_on(write_folder(conversation()))
    run_flow(step)
    with engine.begin() as connection:
        tasks = connection.execute(text("select task_id, message_id from entities.tasks order by message_id")).all()
        for task in tasks:
            parameters = {"task": task.task_id, "message": task.message_id, "mailbox": step.mailbox_id}
            for statement in (
                "insert into app.task_states (task_id, mailbox_id, status) values (:task, :mailbox, 'done')",
                (
                    "insert into app.message_states (message_id, mailbox_id) values (:message, :mailbox) "
                    "on conflict do nothing"
                ),
                (
                    "insert into app.feedback (feedback_id, mailbox_id, message_id, kind, value, task_id, was) "
                    "values (gen_random_uuid(), :mailbox, :message, 'task_status', 'done', :task, '{}')"
                ),
            ):
                connection.execute(text(statement), parameters)
        # A task that is not found any more leaves the owner's word on it; that goes with its message as well.
        gone = tasks[0].message_id
        connection.execute(text("delete from entities.tasks where message_id = :id"), {"id": gone})
        assert remove_messages(connection, step.mailbox_id, [gone]) == 1
        for table, column in (("task_states", "task_id"), ("message_states", "message_id"), ("feedback", "message_id")):
            query = text(f"select distinct {column} from app.{table}")  # noqa: S608 - constants
            left = {getattr(task, column) for task in tasks if task.message_id != gone}
            assert set(connection.execute(query).scalars()) == left, table


def test_another_mailbox_is_not_touched_even_when_its_ids_are_given(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """An id from somebody else's mailbox must not delete or file that mailbox's mail."""
    root = write_folder(conversation()[:8])
    run_flow(steps_on(root))
    ids = list(stored(engine).values())
    before = comparable(engine)
    other = steps_on(root, "other@example.org")
    with engine.begin() as connection:
        assert remove_messages(connection, other.mailbox_id, ids) == 0
        assert change_labels(connection, other.mailbox_id, dict.fromkeys(ids, frozenset({"SPAM"}))) == 0
        connection.execute(text("delete from mailboxes.connections where mailbox_id = :id"), {"id": other.mailbox_id})
    assert_same(before, comparable(engine))


def test_a_removal_does_not_cut_into_a_step_of_another_run(
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message placed while its conversation is taken apart would end in one that is no more; waiting for hours
    with an open transaction would be as bad."""
    step = steps_on(write_folder(conversation()[:5]))
    run_flow(step)
    ids = list(stored(engine).values())
    monkeypatch.setattr(removal, "LONGEST_WAIT_SECONDS", 0.05)
    with step.alone("mail.messages"), pytest.raises(TransientError, match="try again"), engine.begin() as connection:
        remove_messages(connection, step.mailbox_id, ids[:1])
    with engine.begin() as connection:
        before = connection.execute(text("show lock_timeout")).scalar_one()
        assert remove_messages(connection, step.mailbox_id, ids[:1]) == 1
        assert connection.execute(text("show lock_timeout")).scalar_one() == before


def test_mail_that_is_removed_before_it_was_read_leaves_nothing(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """A first sync is long: mail may be deleted at the provider before the first step has seen it."""
    step = steps_on(write_folder(conversation()[:6]))
    STEPS[keys.RAW_MESSAGES](step)
    with engine.begin() as connection:
        assert remove_messages(connection, step.mailbox_id, list(stored(engine).values())) == 6
    run_later_steps(step)
    left = {name for name, rows in comparable(engine).items() if rows and not name.startswith("identity.")}
    assert left == {"mailboxes.connections", "mailboxes.aliases"}
