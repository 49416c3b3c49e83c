"""Mail as senders of today make it: HTML with a layout, invitations, lures, in several languages."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.message_input import input_of
from rl_emails_assets.classification.written_mails import WrittenMail, read_mails
from rl_emails_assets.mail.parse import parse

CLASSIFIER = Classifier.load()
MAILS = list(read_mails(Path(__file__).with_name("modern_mails.txt")))


def given(mail: WrittenMail, **variant: bool) -> ClassifierInput:
    read = input_of(parse(mail.rfc822(**variant)))
    return replace(read, is_owner_in_to=True, is_owner_only_recipient=True, owner_domain="harrow.test")


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: f"{mail.category}: {mail.subject[:40]}")
@pytest.mark.parametrize("is_authenticated", [True, False], ids=["authenticated", "unchecked"])
def test_a_reader_of_today_would_agree(mail: WrittenMail, is_authenticated: bool) -> None:
    """HTML taken for spam, a receipt for a sale, a lure for a letter, as a model of 2002 would have it."""
    verdict = CLASSIFIER.classify(given(mail, is_authenticated=is_authenticated))
    assert verdict.category == mail.category, verdict


def test_the_mails_cover_what_people_get() -> None:
    """A test of mails of today that forgot a kind."""
    counts = Counter(mail.category for mail in MAILS)
    assert len(MAILS) >= 40
    assert {"newsletter", "promotion", "receipt", "notification", "social", "calendar", "suspicious"} <= counts.keys()
    assert {mail.headers[0] for mail in MAILS}.isdisjoint(mail.headers[0] for mail in read_mails())
