"""How tasks end: what closes them, who waits for whom, and that no order of arrival changes it."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.extraction.following import (
    Progress,
    ThreadMessage,
    ThreadTask,
    follow_thread,
)
from rl_emails_assets.extraction.reply_reading import Act, read_reply
from rl_emails_assets.extraction.task_input import Owner
from rl_emails_assets.extraction.tasks import TaskKind

OWNER, ANN, BEN, LIST = "nina@x.example", "ann@y.example", "ben@z.example", "all@x.example"
STARTED_AT = datetime(2026, 5, 4, 9, tzinfo=UTC)


def _message(
    number: int,
    sender: str,
    text: str,
    *to: str,
    has_attachment: bool = False,
    name: str = "",
    is_machine: bool = False,
) -> ThreadMessage:
    return ThreadMessage(
        message_id=uuid.UUID(int=number),
        at=STARTED_AT + timedelta(days=number),
        from_address=sender,
        from_name=name,
        is_from_owner=sender == OWNER,
        recipients=frozenset(to or (ANN if sender == OWNER else OWNER,)),
        new_text=text,
        has_attachment=has_attachment,
        is_machine=is_machine,
    )


def _task(
    owner: Owner,
    *,
    kind: TaskKind = "request",
    description: str = "Send the plan",
    address: str = "",
    message: int = 1,
    task_id: int = 100,
) -> ThreadTask:
    who = address or {"me": OWNER, "them": ANN, "someone_else": BEN}[owner]
    return ThreadTask(uuid.UUID(int=task_id), uuid.UUID(int=message), kind, owner, who, description)


def _one(task: ThreadTask, *messages: ThreadMessage) -> Progress:
    (progress,) = follow_thread(messages, [task], frozenset({OWNER}))
    return progress


def _after(text: str, *, task: ThreadTask | None = None, has_attachment: bool = False) -> Progress:
    """A request of Ann's to the owner, and what the owner writes then."""
    asked = _message(1, ANN, "Please send the plan.")
    return _one(task or _task("me"), asked, _message(2, OWNER, text, has_attachment=has_attachment))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("Here it is.", "delivered"),
        ("Please see the attached plan.", "delivered"),
        ("https://files.example/plan", "delivered"),
        ("I sent it this morning.", "done"),
        ("Done.", "done"),
        ("Sorry, I can't send it.", "declined"),
        ("The plan is with Cara, she keeps it.", "answered"),
        ("Never mind, it is cancelled.", "done"),
        ("Die Liste ist angehängt.", "delivered"),
    ],
)
def test_an_answer_of_whoever_was_asked_closes_a_request(text: str, how: str) -> None:
    """A request that was met and asks for ever."""
    progress = _after(text)
    assert (progress.state, progress.how, progress.message_id) == ("closed", how, uuid.UUID(int=2))
    assert progress.evidence in text
    assert progress.at == STARTED_AT + timedelta(days=2)
    assert (progress.waiting_on, progress.waiting_with) == ("", "")


def test_a_file_without_a_word_delivers() -> None:
    progress = _after("", has_attachment=True)
    assert (progress.state, progress.how, progress.evidence) == ("closed", "delivered", "")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Will do.", "promised"),
        ("I'll send it tomorrow.", "promised"),
        ("Working on it.", "promised"),
        ("Sure, no problem.", "promised"),
        ("Which plan do you mean?", "asked_back"),
        ("Please tell me which one.", "asked_back"),
        ("Thanks!", "open"),
        ("Hi Ann,", "open"),
        ("> I sent it.", "open"),
        ("", "open"),
        ("Sorry for the delay.", "open"),
        ("I am out of the office until Monday.", "open"),
    ],
)
def test_what_is_no_answer_leaves_a_request_open(text: str, state: str) -> None:
    """A courtesy, a promise or a question back that makes a task vanish."""
    progress = _after(text)
    assert progress.state == state
    assert (progress.message_id is None) == (state == "open")
    waits = state != "asked_back"
    assert (progress.waiting_on, progress.waiting_with) == (("me", ANN) if waits else ("", ""))


def test_a_question_is_closed_by_yes_and_a_request_is_not() -> None:
    question = _task("me", kind="question", description="Answer: Is it final?")
    assert (_after("Yes.", task=question).state, _after("Yes.").state) == ("closed", "promised")
    assert _after("No idea.", task=question).how == "answered"
    assert _after("Not sure, I'll check tomorrow.", task=question).state == "promised"


def test_a_request_goes_on_in_the_promise_that_answers_it() -> None:
    """One thing that is waited for twice, or not at all once its promise is marked as done."""
    asked = _message(1, OWNER, "Please send the plan.")
    promised = _message(2, ANN, "I'll send it on Friday.")
    tasks = [_task("them"), _task("them", kind="promise", message=2, task_id=101)]
    request, promise = follow_thread([asked, promised], tasks, frozenset({OWNER}))
    assert (request.state, request.carried_by, request.waiting_on) == ("promised", uuid.UUID(int=101), "")
    assert (promise.state, promise.waiting_on, promise.waiting_with) == ("open", "them", ANN)
    assert promise.since == promised.at
    kept = follow_thread([asked, promised, _message(3, ANN, "Here it is.")], tasks, frozenset({OWNER}))
    assert [(each.state, each.carried_by) for each in kept] == [("closed", None)] * 2


def test_a_promise_is_kept_by_delivery_not_by_talk() -> None:
    promise = _task("them", kind="promise", description="Send you the plan")
    first = _message(1, ANN, "I'll send you the plan.")
    assert _one(promise, first, _message(2, ANN, "By the way, lunch is at noon.")).state == "open"
    assert _one(promise, first, _message(2, OWNER, "Great, thanks!")).state == "open"
    assert _one(promise, first, _message(2, ANN, "The plan is attached.")).how == "delivered"
    assert _one(promise, first, _message(2, OWNER, "Thanks for sending the plan.")).how == "accepted"
    assert _one(promise, first, _message(2, ANN, "I can't send it, sorry.")).how == "declined"
    tell = _task("them", kind="promise", description="Let you know")
    assert _one(tell, first, _message(2, ANN, "It is the second of June.")).how == "answered"
    assert _one(tell, first, _message(2, ANN, "No idea, sorry.")).how == "answered"
    assert _one(tell, first, _message(2, BEN, "Done.")).state == "open"


@pytest.mark.parametrize(
    ("text", "how"), [("Never mind, I found it.", "withdrawn"), ("Got it, thanks for sending it.", "accepted")]
)
def test_whoever_asked_may_end_it(text: str, how: str) -> None:
    progress = _one(_task("me"), _message(1, ANN, "Please send the plan."), _message(2, ANN, text))
    assert (progress.state, progress.how) == ("closed", how)


def test_a_complaint_opens_it_again_and_the_wait_begins_anew() -> None:
    """An answer with the wrong file that ends the matter."""
    messages = [
        _message(1, OWNER, "Please send the plan."),
        _message(2, ANN, "Attached.", has_attachment=True),
        _message(3, OWNER, "This is the wrong file."),
    ]
    progress = _one(_task("them"), *messages)
    assert (progress.state, progress.how, progress.evidence) == ("open", "reopened", "This is the wrong file.")
    assert (progress.since, progress.waiting_on) == (messages[2].at, "them")
    assert _one(_task("them"), *messages, _message(4, ANN, "Here is the right one.")).state == "closed"
    chased = _one(_task("them"), messages[0], _message(3, OWNER, "Any news?"))
    assert (chased.state, chased.since) == ("open", messages[0].at)


def test_what_is_withdrawn_stays_closed_whatever_is_complained_of() -> None:
    progress = _one(
        _task("them"),
        _message(1, OWNER, "Please send the plan."),
        _message(2, OWNER, "Never mind, I found it."),
        _message(3, OWNER, "The printer still does not work."),
    )
    assert progress.how == "withdrawn"


def test_a_question_back_that_is_answered_gives_the_ball_back() -> None:
    messages = [
        _message(1, OWNER, "Please order toner."),
        _message(2, ANN, "Which colour?"),
        _message(3, OWNER, "The black one."),
    ]
    assert _one(_task("them"), *messages[:2]).waiting_on == ""
    back = _one(_task("them"), *messages)
    assert (back.state, back.how, back.evidence) == ("open", "answered_back", "The black one.")
    assert (back.waiting_on, back.since) == ("them", messages[2].at)


def test_a_colleague_may_do_it_but_not_answer_for_the_owner() -> None:
    asked = _message(1, ANN, "Nina, can you unlock it?", OWNER, BEN)
    done = _message(2, BEN, "I've unlocked it.", ANN, OWNER)
    assert _one(_task("me"), asked, done).how == "done_by_other"
    assert _one(_task("me"), asked, _message(2, BEN, "I like the door.", ANN, OWNER)).state == "open"
    question = _task("me", kind="question")
    assert _one(question, asked, _message(2, BEN, "I would take the second.", ANN, OWNER)).state == "open"
    mine = _message(1, OWNER, "Do we have a date?", ANN, BEN)
    theirs = _task("them", kind="question")
    assert _one(theirs, mine, _message(2, BEN, "It is the 27th.", OWNER, ANN)).how == "done_by_other"
    stranger = _message(2, "cy@w.example", "It is the 27th.", OWNER)
    assert _one(theirs, mine, stranger).state == "open"


def test_an_answer_to_somebody_else_is_none() -> None:
    """A mail in which the asked person passes the question on."""
    asked = _message(1, OWNER, "Do you have the number?")
    theirs = _task("them", kind="question")
    assert _one(theirs, asked, _message(2, ANN, "Nina asks for a number.", BEN)).state == "open"
    assert _one(theirs, asked, _message(2, ANN, "It is 4471.", LIST, OWNER)).state == "closed"
    listed = _message(1, OWNER, "Does anybody have the number?", LIST)
    assert _one(theirs, listed, _message(2, ANN, "It is 4471.", LIST)).state == "closed"
    to_list = _task("them", kind="question", address=LIST)
    assert _one(to_list, listed, _message(2, "dan@x.example", "It is 4471.", OWNER, LIST)).how == "done_by_other"


def test_the_same_person_may_answer_from_another_address() -> None:
    asked = _message(1, OWNER, "Please send the plan.")
    earlier = _message(0, ANN, "Hello.", name="Ann Lind")
    home = _message(2, "ann.lind@home.example", "Here it is.", name="Lind, Ann")
    assert _one(_task("them"), earlier, asked, home).how == "delivered"
    other = _message(2, "ann.berg@home.example", "It rains.", name="Ann Berg")
    assert _one(_task("them"), earlier, asked, other).state == "open"


def test_a_machine_answers_nothing() -> None:
    asked = _message(1, OWNER, "Please send the plan.")
    assert _one(_task("them"), asked, _message(2, ANN, "The plan is attached.", is_machine=True)).state == "open"


@pytest.mark.parametrize(
    ("task", "sender", "to", "waiting"),
    [
        (_task("me"), ANN, (OWNER,), ("me", ANN)),
        (_task("them"), OWNER, (ANN,), ("them", ANN)),
        (_task("me", kind="promise"), OWNER, (ANN,), ("me", ANN)),
        (_task("them", kind="promise"), ANN, (OWNER,), ("them", ANN)),
        (_task("them", kind="promise"), ANN, (BEN,), ("", "")),
        (_task("someone_else"), ANN, (BEN, OWNER), ("", "")),
        (_task("me"), OWNER, (OWNER,), ("", "")),
    ],
)
def test_who_waits_for_whom(task: ThreadTask, sender: str, to: tuple[str, ...], waiting: tuple[str, str]) -> None:
    """Notes to oneself and other people's business are nobody's wait."""
    progress = _one(task, _message(1, sender, "Words.", *to))
    assert (progress.waiting_on, progress.waiting_with) == waiting
    assert progress.since == STARTED_AT + timedelta(days=1)


def test_a_task_whose_message_is_gone_is_left_out() -> None:
    assert follow_thread([_message(2, ANN, "Hello.")], [_task("me")], frozenset({OWNER})) == ()


def test_what_came_before_does_not_close_it() -> None:
    earlier, asked = _message(1, OWNER, "Here is the plan."), _message(2, ANN, "Please send the plan.")
    assert _one(_task("me", message=2), earlier, asked).state == "open"


_TEXTS = st.sampled_from(
    ["Here it is.", "Will do.", "Which one?", "Thanks!", "Never mind.", "Any news?", "This is the wrong file.",
     "Yes.", "It is the 27th.", "I can't.", "Got it, thanks.", ""]
)  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from([OWNER, ANN, BEN]), _TEXTS), max_size=7),
    st.sampled_from(["request", "promise", "question"]),
    st.sampled_from(["me", "them", "someone_else"]),
    st.randoms(),
)
def test_the_order_of_arrival_changes_nothing(
    later: list[tuple[str, str]], kind: TaskKind, owner: Owner, random: object
) -> None:
    """Late mail, a crash or a second import that ends in other rows (promise 2)."""
    sender = {"me": ANN, "them": OWNER, "someone_else": ANN}[owner]
    if kind == "promise":
        sender = OWNER if owner == "me" else ANN
    messages = [_message(1, sender, "Words.", OWNER if sender != OWNER else ANN, BEN)]
    messages += [_message(n, who, text, OWNER, ANN, BEN) for n, (who, text) in enumerate(later, start=2)]
    progress = _one(_task(owner, kind=kind), *messages)
    shuffled = list(messages)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _one(_task(owner, kind=kind), *shuffled) == progress
    assert (progress.message_id is None) == (progress.how == "")
    assert progress.state != "closed" or progress.waiting_on == ""
    assert progress.since <= messages[-1].at


@pytest.mark.parametrize(
    ("text", "acts", "never"),
    [
        ("I have not sent it yet.", Act.NONE, Act.DONE),
        ("I will be in touch once it is done.", Act.PROMISES, Act.DONE),
        ("There was no attachment.", Act.COMPLAINS, Act.DELIVERS),
        ("Did you get the attached file?", Act.ASKS, Act.DELIVERS),
        ("Thanks in advance for sending it.", Act.THANKS, Act.NONE),
        ("Thanks for the reminder, it is attached.", Act.DELIVERS | Act.THANKS, Act.ACCEPTS),
        ("Merci!", Act.THANKS, Act.SAYS),
        ("Best regards", Act.NONE, Act.SAYS),
        ("Could you send it again?", Act.ASKS | Act.COMPLAINS, Act.DONE),
        ("Ordered.", Act.DONE, Act.SAYS),
        ("-", Act.NONE, Act.SAYS),
    ],
)
def test_what_a_sentence_does(text: str, acts: Act, never: Act) -> None:
    reply = read_reply(text, has_attachment=False)
    assert all(reply.does(act) for act in acts)
    assert not any(reply.does(act) for act in never)


def test_a_file_that_is_complained_of_is_not_delivered_with_the_complaint() -> None:
    """The wrong file sent back to show it."""
    assert not read_reply("This is the wrong file.", has_attachment=True).does(Act.DELIVERS)
    assert read_reply("As discussed.", has_attachment=True).does(Act.DELIVERS)


@pytest.mark.parametrize("unit", ["thanks for ", "I'll ", "not ", "a ", ".", "?\n", "sent ", "'", "attached no "])
def test_hostile_replies_are_read_in_bounded_work(unit: str) -> None:
    """A quadratic pattern would keep the test from ending."""
    assert read_reply(unit * (200_000 // len(unit)), has_attachment=False).sentences is not None
