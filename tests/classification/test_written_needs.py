"""Whole mails in our own words: the half that the rules were tuned on holds, and haste means what it should."""

from dataclasses import replace
from pathlib import Path

import pytest

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.verdict import Verdict
from rl_emails_assets.evaluation.written_needs import RECEIVED_AT, WrittenMail, written_mails

MAILS = written_mails()
PLAIN = next(one.mail for one in MAILS if one.sender == "colleague")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def _said(classifier: Classifier, text: str, **more: object) -> Verdict:
    return classifier.classify(replace(PLAIN, subject="", new_text=text, text=text, **more))  # type: ignore[arg-type]


def test_every_second_mail_is_set_aside_and_all_kinds_are_there() -> None:
    """A set that measures one language, one need, or what the rules were tuned on."""
    assert len(MAILS) >= 120
    assert sum(one.is_set_aside for one in MAILS) == len(MAILS) // 2
    assert len({one.language for one in MAILS}) >= 7
    assert len({(one.needs, one.urgency) for one in MAILS}) >= 10
    assert {one.mail.received_at for one in MAILS} == {RECEIVED_AT}


def test_a_misspelt_mail_is_refused(tmp_path: Path) -> None:
    """A label of the set that no verdict can have."""
    (tmp_path / "mails.txt").write_text("#\n=== answer now en colleague\ns\nb\n")
    with pytest.raises(ValueError, match="mail 1"):
        written_mails(tmp_path / "mails.txt")


@pytest.mark.parametrize("one", [mail for mail in MAILS if not mail.is_set_aside], ids=lambda one: one.mail.subject)
def test_a_reader_would_agree_on_the_need(classifier: Classifier, one: WrittenMail) -> None:
    """A rule that misjudges a mail it was made for."""
    verdict = classifier.classify(one.mail)
    assert (verdict.needs, verdict.urgency) == (one.needs, one.urgency), verdict.evidence


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("I was wondering whether you have the old chart.", "reply"),
        ("Everyone must wear a helmet in hall three and sign the list.", "task"),
        ("Have a wonderful holiday!", "nothing"),
        ("The gate is open again. Thanks for your patience.", "read"),
        ("What time should we be there?", "reply"),
        ("Should we take the early ferry?", "decision"),
        ("Could you repair the fender?", "task"),
        ("The list is below. Feel free to call me if you have any questions.", "read"),
    ],
)
def test_what_a_sentence_needs(classifier: Classifier, text: str, needs: str) -> None:
    """Indirect questions missed; wishes, thanks and standing offers taken for requests."""
    assert _said(classifier, text).needs == needs


def test_words_to_somebody_else_ask_nothing_of_a_copied_owner(classifier: Classifier) -> None:
    """A task for everybody who was in Cc."""
    text = "Tom, can you move the boat?"
    copied = {"is_owner_in_to": False, "is_owner_only_recipient": False, "is_owner_in_cc": True, "cc_count": 1}
    assert _said(classifier, text).needs == "task"
    assert _said(classifier, text, **copied).needs == "read"


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("Please call the pilot right now.", "now"),
        ("Please call the pilot as soon as possible.", "today"),
        ("Please call the pilot, it is not urgent.", "whenever"),
        ("Bitte rufen Sie den Lotsen an, es ist nicht dringend.", "whenever"),
        ("Could you call the pilot by tomorrow?", "this_week"),
    ],
)
def test_haste(classifier: Classifier, text: str, urgency: str) -> None:
    """Everything "now": what only sounds hurried takes the place of what cannot wait."""
    assert _said(classifier, text).urgency == urgency


def test_the_haste_of_a_sale_is_nobodys(classifier: Classifier) -> None:
    """ "Last chance" from a stranger putting an advertisement on top of the day."""
    text = "It is your last chance. Could you send me your comments on the chapter about the tides today?"
    stranger = {"from_address": "lars@boats.example", "sender_replied_count": 0}
    assert _said(classifier, text, **stranger).urgency == "whenever"
    assert _said(classifier, text).urgency == "today"
    assert _said(classifier, text, **stranger | {"sender_replied_count": 2}).urgency == "today"
