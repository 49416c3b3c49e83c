"""Tasks: what is asked, by whom, of whom, by when; and nothing where nothing is asked."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.extraction.task_wording import MAX_DESCRIPTION_CHARS, describe
from rl_emails_assets.extraction.tasks import MAX_TASKS, Task, TaskInput, find_tasks
from rl_emails_assets.mail.message import Address, CalendarEvent

WRITTEN_AT = datetime(2026, 5, 6, 10, 0, tzinfo=timezone(timedelta(hours=-5)))
OWNER = Address("Nina Berg", "nina@corp.example")
TOM = Address("Tom Reed", "tom@corp.example")
ROBERT = Address("Robert Lane", "rlane@corp.example")
ANNA = Address("Stone, Anna", "anna@other.example")


def _tasks(
    text: str,
    *,
    sender: Address = ANNA,
    to: tuple[Address, ...] = (OWNER,),
    cc: tuple[Address, ...] = (),
    subject: str = "",
    category: str = "person",
    needs: str = "",
    calendar: CalendarEvent | None = None,
    owner_names: tuple[str, ...] = ("Nina Berg",),
    owner_addresses: tuple[str, ...] = ("nina@corp.example",),
) -> tuple[Task, ...]:
    return find_tasks(
        TaskInput(
            new_text=text,
            subject=subject,
            from_name=sender.name,
            from_address=sender.address,
            to=to,
            cc=cc,
            owner_names=owner_names,
            owner_addresses=owner_addresses,
            is_from_owner=sender.address in owner_addresses,
            written_at=WRITTEN_AT,
            category=category,
            needs=needs,
            calendar=calendar,
        )
    )


def _event(**changes: object) -> CalendarEvent:
    values: dict[str, object] = {
        "method": "REQUEST",
        "uid": "1",
        "summary": "Budget round",
        "location": "",
        "organizer": "anna@other.example",
        "starts_at": datetime(2026, 5, 12, 9, 0, tzinfo=UTC),
        "ends_at": None,
    }
    return CalendarEvent(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("Could you send me the report?", "Send Anna the report"),
        ("Can you please book the room for us?", "Book the room for us"),
        ("Would you kindly review section two.", "Review section two"),
        ("Please review the draft.", "Review the draft"),
        ("When you can, please call the plumber, thanks!", "Call the plumber"),
        ("Pls forward it to Ray", "Forward it to Ray"),
        ("Thanks, please call me.", "Call Anna"),
        ("I need you to sign the form.", "Sign the form"),
        ("I would like you to join the call", "Join the call"),
        ("I would appreciate it if you could check the totals.", "Check the totals"),
        ("I was wondering if you could help out", "Help out"),
        ("Would you mind sending the slides?", "Send the slides"),
        ("Do you mind checking this one?", "Check this one"),
        ("Would you mind making a copy?", "Make a copy"),
        ("Would you mind getting two?", "Get two"),
        ("Would you mind frobnicating it?", "Frobnicating it"),
        ("Could you check if there are any issues", "Check if there are any issues"),
        ("Don't forget to submit the sheet.", "Submit the sheet"),
        ("Make sure you update the plan", "Update the plan"),
        ("Let me know what you think.", "Let Anna know what you think"),
        ("You need to approve the budget.", "Approve the budget"),
        ("If you can, please print it out", "Print it out"),
        ("You should talk to legal.", "Talk to legal"),
        ("Action required: confirm the seat", "Confirm the seat"),
        ("Send me the file.", "Send Anna the file"),
        ("2) Also update the numbers", "Update the numbers"),
        ("forward this to accounting", "Forward this to accounting"),
        ("Please don’t share the numbers.", "Don't share the numbers"),
        ("Könntest du mir die Zahlen schicken?", "Mir die Zahlen schicken"),
        ("Bitte senden Sie mir den Vertrag.", "Senden Sie mir den Vertrag"),
        ("Schicken Sie mir das Angebot bitte.", "Schicken Sie mir das Angebot"),
        ("Pourriez-vous relire le rapport ?", "Relire le rapport"),
        ("Peux-tu appeler Luc ?", "Appeler Luc"),
        ("Merci de confirmer votre présence.", "Confirmer votre présence"),
        ("Envoyez-moi le fichier s'il vous plaît", "Envoyez-moi le fichier"),
        ("¿Podrías revisar el informe?", "Revisar el informe"),
        ("Por favor, revisa el documento.", "Revisa el documento"),
        ("Le ruego que firme el contrato.", "Firme el contrato"),
    ],
)
def test_a_request_becomes_one_line_in_the_imperative(text: str, description: str) -> None:
    (task,) = _tasks(text)
    assert (task.kind, task.owner, task.owner_address) == ("request", "me", OWNER.address)
    assert task.description == description
    assert task.evidence in text
    assert 0.5 <= task.confidence < 1


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("I'll send you the numbers tomorrow.", "Send you the numbers tomorrow"),
        ("I will get back to you.", "Get back to you"),
        ("We will review it next week.", "Review it next week"),
        ("Let me check with Ray.", "Check with Ray"),
        ("Will forward the deck.", "Forward the deck"),
        ("I'll be sending a draft.", "Send a draft"),
        ("Ich schicke Ihnen die Unterlagen.", "Schicke Ihnen die Unterlagen"),
        ("Je vous envoie le document demain.", "Envoie le document demain"),
        ("Te enviaré el contrato mañana.", "Enviaré el contrato mañana"),
    ],
)
def test_a_promise_is_kept_by_who_makes_it(text: str, description: str) -> None:
    (task,) = _tasks(text)
    assert (task.kind, task.owner, task.owner_address) == ("promise", "them", ANNA.address)
    assert task.description == description
    (mine,) = _tasks(text, sender=OWNER, to=(Address("", "x@y.example"),))
    assert (mine.kind, mine.owner, mine.owner_address) == ("promise", "me", OWNER.address)


@pytest.mark.parametrize(
    "text",
    [
        "Let me know if you have any questions.",
        "Please let me know if I can help with anything.",
        "Please do not hesitate to call.",
        "Feel free to call me.",
        "Please find attached the file.",
        "Please note the new address.",
        "Please see the attached.",
        "Click here to unsubscribe, or send us a note.",
        "If you received this message in error, please delete it.",
        "Please do not reply to this message.",
        "Should you have any concerns, please contact me.",
        "Can you believe it?",
        "Would you like to add something?",
        "I'll be there.",
        "I will not send it.",
        "We will see you there.",
        "I'll let you go.",
        "Thank you for letting me know.",
        "He will let me know.",
        "He asked me to let you know about it.",
        "Tom said he could review it.",
        "Report on the third quarter",
        "Call: 555 0100",
        "Work phone and fax",
        "Change is good.",
        "send",
        "Can we meet?",
        "Do you remember it?",
        "What a day.",
        "Look forward to it!",
        "Bitte zögern Sie nicht, uns anzurufen.",
        "Veuillez agréer mes salutations.",
        "No dude en llamarnos, por favor.",
        "> Could you send me the report?",
        "Could you please?",
        "Which one would you use?",
        "What can you send me?",
        "I'll go home now.",
        "Let us help you save.",
        "Please respond to ada@a.example",
        "Talk to you tomorrow",
        "Ja bitte danke",
        "Call me if you need any help.",
        "",
    ],
)
def test_courtesy_and_noise_are_no_task(text: str) -> None:
    assert _tasks(text) == ()


def test_the_deadline_of_the_sentence_is_the_tasks() -> None:
    (task,) = _tasks("Could you send me the report by Friday?")
    assert task.deadline is not None
    assert (task.deadline.text, task.deadline.at.date().isoformat()) == ("by Friday", "2026-05-08")


def test_a_deadline_in_the_next_sentence_belongs_to_the_request_when_it_says_so() -> None:
    (task,) = _tasks("Please review the draft. I need it by tomorrow.")
    assert task.deadline is not None
    assert task.deadline.text == "by tomorrow"
    (other,) = _tasks("Please review the draft. The fair opens on Friday.")
    assert other.deadline is None


def test_a_proposal_is_a_task_only_when_it_names_a_time() -> None:
    (task,) = _tasks("Can we meet on Friday at 3pm?")
    assert task.description == "Answer: Can we meet on Friday at 3pm"


def test_a_name_says_whose_task_it_is() -> None:
    text = "Tom, please send the deck."
    (toms,) = _tasks(text, to=(OWNER, TOM))
    assert (toms.owner, toms.owner_address) == ("someone_else", TOM.address)
    (strangers,) = _tasks("Zoe, please send the deck.")
    assert (strangers.owner, strangers.owner_address) == ("someone_else", "")
    (mine,) = _tasks("Nina, please send the deck.", to=(TOM, OWNER))
    assert mine.owner == "me"
    (at,) = _tasks("Could you take that one, @Tom?", to=(OWNER, TOM))
    assert at.owner_address == TOM.address
    (last,) = _tasks("Could you take that one, Tom?", to=(OWNER, TOM))
    assert last.owner_address == TOM.address
    (unknown_owner,) = _tasks("Zoe, please send it.", to=(), owner_names=(), owner_addresses=())
    assert (unknown_owner.owner, unknown_owner.owner_address) == ("me", "")


def test_a_short_name_is_the_same_person() -> None:
    (bobs,) = _tasks("Bob, can you take it?", to=(OWNER, ROBERT))
    assert bobs.owner_address == ROBERT.address
    (robs,) = _tasks("Rob - please take it.", to=(OWNER, ROBERT))
    assert robs.owner_address == ROBERT.address


def test_the_greeting_says_who_is_asked_below_it() -> None:
    (toms,) = _tasks("Hi Tom,\n\nplease send the deck.", to=(OWNER, TOM))
    assert toms.owner_address == TOM.address
    (ours,) = _tasks("Tom and Nina,\n\nplease send the deck.", to=(OWNER, TOM))
    assert ours.owner == "me"
    (everyones,) = _tasks("Hello all,\n\nplease send the deck.", to=(OWNER, TOM))
    assert everyones.owner == "me"


def test_what_the_owner_asks_others_do() -> None:
    (task,) = _tasks("Please send me the deck by Friday.", sender=OWNER, to=(TOM,))
    assert (task.owner, task.owner_address, task.description) == ("them", TOM.address, "Send me the deck by Friday")
    (named,) = _tasks("Bob, please send me the deck.", sender=OWNER, to=(TOM, ROBERT))
    assert (named.owner, named.owner_address) == ("them", ROBERT.address)
    (note,) = _tasks("Please call the plumber.", sender=OWNER, to=(OWNER,))
    assert (note.owner, note.owner_address) == ("me", OWNER.address)
    (promise,) = _tasks("I'll send you the notes.", sender=OWNER, to=(TOM,))
    assert promise.description == "Send Tom the notes"
    (many,) = _tasks("Please read it through.", sender=OWNER, to=(TOM, ROBERT, ANNA))
    assert many.owner_address == TOM.address


def test_a_copy_is_no_request_to_the_owner() -> None:
    (copied,) = _tasks("Please send the deck.", to=(TOM,), cc=(OWNER,))
    assert (copied.owner, copied.owner_address) == ("someone_else", TOM.address)
    (blind,) = _tasks("Please send the deck.", to=(TOM,))
    assert (blind.owner, blind.owner_address) == ("someone_else", TOM.address)
    (crowd,) = _tasks("Please send the deck.", to=(OWNER, *[Address("", f"p{i}@x.example") for i in range(9)]))
    assert crowd.owner == "me"
    (few,) = _tasks("Please send the deck.", to=(OWNER, TOM, ROBERT))
    assert copied.confidence < crowd.confidence + 0.2 < few.confidence + 0.2
    assert crowd.confidence < few.confidence


def test_on_a_list_only_who_is_addressed_has_a_task() -> None:
    everybody = (Address("", "r-users@list.example"),)
    assert _tasks("Please send the deck. I'll check the logs.", to=everybody, category="mailing_list") == ()
    (task,) = _tasks("Please send the deck.", category="mailing_list")
    assert task.owner == "me"
    (promise,) = _tasks("I'll check the logs.", to=(TOM,))
    assert promise.confidence < _tasks("I'll check the logs.")[0].confidence


def test_machine_mail_asks_only_with_a_date() -> None:
    for category in ("newsletter", "promotion", "social", "notification", "receipt", "automatic"):
        assert _tasks("Could you send me your details? Buy now, offer ends Friday.", category=category) == ()
    (bill,) = _tasks("Your invoice of 20 USD is due by May 20.", category="receipt")
    assert bill.deadline is not None
    assert bill.deadline.at.date().isoformat() == "2026-05-20"
    assert bill.description == "Pay: Your invoice of 20 USD is due by May 20"
    (pay,) = _tasks("Pay your bill, due on May 20.", category="notification", owner_addresses=())
    assert (pay.description, pay.owner_address) == ("Pay your bill, due on May 20", "")
    (answer,) = _tasks("Hello. Please confirm your seat by May 20.", category="notification")
    assert answer.description == "Please confirm your seat by May 20"
    assert _tasks("Please confirm your seat by May 20.", category="promotion") == ()
    (rsvp,) = _tasks("The party is here. RSVP by May 20!", category="newsletter")
    assert rsvp.description == "RSVP by May 20"
    assert _tasks("The balance is due.", category="receipt") == ()
    assert _tasks("Your balance is due by May 20.", category="receipt", sender=OWNER) == ()


def test_suspicious_mail_sets_no_task() -> None:
    assert _tasks("Please pay the invoice by Friday.", category="suspicious") == ()


def test_an_invitation_asks_for_an_answer_until_it_begins() -> None:
    (task,) = _tasks("", subject="Invitation: Budget round", category="calendar", calendar=_event())
    assert (task.description, task.evidence) == ("Answer the invitation: Budget round", "Invitation: Budget round")
    assert task.deadline is not None
    assert task.deadline.at == datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
    (again,) = _tasks("See you.", subject="Budget", calendar=_event(summary=""), owner_addresses=())
    assert again.description == "Answer the invitation: Budget"
    (asked,) = _tasks("Please bring the plan.", subject="Budget", calendar=_event())
    assert asked.description == "Bring the plan"


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "CANCEL"},
        {"starts_at": None},
        {"starts_at": datetime(2026, 5, 5, tzinfo=UTC)},
        {"starts_at": datetime(2040, 5, 5, tzinfo=UTC)},
    ],
)
def test_an_invitation_that_is_over_or_void_asks_nothing(changes: dict[str, object]) -> None:
    assert _tasks("", subject="Budget", category="calendar", calendar=_event(**changes)) == ()


def test_the_owners_own_or_settled_invitation_asks_nothing() -> None:
    assert _tasks("", subject="Budget", category="calendar", calendar=_event(), sender=OWNER) == ()
    assert _tasks("", subject="Budget", category="calendar", calendar=_event(), needs="nothing") == ()
    assert _tasks("", subject=" ", category="calendar", calendar=_event()) == ()


def test_a_subject_can_ask_when_the_text_does_not_and_it_is_no_reply() -> None:
    (task,) = _tasks("See below.", subject="Please approve the budget")
    assert (task.description, task.evidence) == ("Approve the budget", "Please approve the budget")
    assert _tasks("See below.", subject="Re: Please approve the budget") == ()
    assert _tasks("See below.", subject="I'll send the deck") == ()
    assert _tasks("See below.", subject="Budget round") == ()


def test_the_verdict_shifts_the_confidence() -> None:
    plain, needed, idle = (
        _tasks("Please review the draft.", needs=needs)[0].confidence for needs in ("", "task", "nothing")
    )
    assert idle < plain < needed


def test_the_same_request_comes_once_and_never_too_many() -> None:
    assert len(_tasks("Please call Ray. Please call Ray!")) == 1
    assert len(_tasks(" ".join(f"Please call number {number}x." for number in range(40)))) == MAX_TASKS


def test_a_weak_phrase_in_a_blind_copy_is_dropped() -> None:
    assert _tasks("Send me the file.", to=(TOM,)) == ()


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        find_tasks(
            TaskInput("", "", "", "", (), (), (), (), is_from_owner=False, written_at=datetime(2026, 5, 6))  # noqa: DTZ001
        )


def test_a_description_is_one_short_line() -> None:
    long = describe("please send " + "the report and " * 30, 7, other_name="", other_pronoun="me")
    assert len(long) <= MAX_DESCRIPTION_CHARS
    assert long.endswith("…")
    assert len(describe("x" * 300, 0, other_name="", other_pronoun="me")) == MAX_DESCRIPTION_CHARS
    assert describe("send\n me   it, thanks.", 0, other_name="", other_pronoun="me") == "Send me it"
    assert describe("please", 0, other_name="", other_pronoun="me") == ""


_SENTENCES = st.sampled_from(
    [
        "Could you send me the report by Friday?",
        "Tom, please call.",
        "I'll send it tomorrow",
        "- Review the plan",
        "Hi Nina,",
        "please",
        "RSVP by May 20",
        "Can we meet at 3pm?",
        "Bitte bis Freitag antworten",
        "you need to",
        "@Tom",
        "\n",
    ]
)
_CATEGORIES = st.sampled_from(["", "person", "mailing_list", "newsletter", "receipt", "calendar", "suspicious"])


@given(st.lists(_SENTENCES | st.text(max_size=20), max_size=12), _CATEGORIES, st.booleans(), st.text(max_size=30))
def test_every_task_is_proved_by_words_of_the_message(
    pieces: list[str], category: str, is_own: bool, subject: str
) -> None:
    text = " ".join(pieces)
    for task in _tasks(text, category=category, sender=OWNER if is_own else ANNA, to=(OWNER, TOM), subject=subject):
        assert task.evidence in text or task.evidence in subject
        assert task.evidence
        assert "\n" not in task.description
        assert 3 <= len(task.description) <= MAX_DESCRIPTION_CHARS + 8
        assert 0.5 <= task.confidence <= 0.98
        assert task.deadline is None or task.deadline.at > WRITTEN_AT


@pytest.mark.parametrize(
    "unit",
    """please_ can_you_ you_ Please,_ a if_you_ Tom,_ _ bitte_ le_ 1)_ - A. please_also_ I'll_also_ Hi_ @""".split(),  # noqa: SIM905
)
def test_hostile_repetition_is_read_in_bounded_work(unit: str) -> None:
    """A quadratic pattern would keep the test from ending."""
    text = unit.replace("_", " ") * (100_000 // len(unit))
    assert len(_tasks(text)) <= MAX_TASKS
    assert len(_tasks(text, category="receipt", subject=text)) <= 1
