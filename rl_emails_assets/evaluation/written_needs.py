"""Short mails in our own words, with the need and the urgency that a reader would give: data of tests and evaluation.

Every second mail is set aside. The rules of needs.py and urgency.py are tuned on the others only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.verdict import NEEDS, URGENCIES, Needs, Urgency

FILE = Path(__file__).with_name("written_needs.txt")
RECEIVED_AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
"""A Wednesday."""
_BULK = {"list-unsubscribe": "<https://out.example/u/1>", "feedback-id": "9:camp:mailer", "precedence": "bulk"}
_SENDERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "colleague": ("Mira Holt", "mira.holt@harbor.example", {}),
    "friend": ("Jonas Weber", "jonas.weber@gmx.de", {}),
    "stranger": ("Karin Aalto", "karin.aalto@aalto-marine.example", {}),
    "shop": ("Garden & Sea", "offers@gardensea.example", _BULK),
    "news": ("The Harbor Weekly", "newsletter@harborweekly.example", _BULK),
    "notice": ("Kiln", "notifications@kiln.example", {"auto-submitted": "auto-generated"}),
    "list": ("Ole Strand", "ole@strand.example", {"list-id": "<sailors.sail.example>", "list-post": "<mailto:s@x.y>"}),
}
PLACES = ("cc", "many", "answer", "high")


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """A mail with what a reader would say of it."""

    mail: ClassifierInput
    needs: Needs
    urgency: Urgency
    language: str
    sender: str
    is_set_aside: bool


def written_mails(path: Path = FILE) -> list[WrittenMail]:
    """The mails in the order of the file."""
    return list(_read(path.read_text("utf-8")))


def _read(text: str) -> Iterator[WrittenMail]:
    for number, block in enumerate(text.split("\n=== ")[1:]):
        head, _, rest = block.partition("\n")
        subject, _, body = rest.strip().partition("\n")
        need, haste, language, sender, *places = head.split()
        if need not in NEEDS or haste not in URGENCIES or sender not in _SENDERS or not set(places) <= set(PLACES):
            raise ValueError(f"mail {number + 1} begins with {head!r}")
        yield WrittenMail(
            mail=_mail(subject, body, sender, places),
            needs=need,
            urgency=haste,
            language=language,
            sender=sender,
            is_set_aside=number % 2 == 1,
        )


def _mail(subject: str, body: str, sender: str, places: list[str]) -> ClassifierInput:
    name, address, headers = _SENDERS[sender]
    is_direct = not {"cc", "many"}.intersection(places) and sender != "list"
    return ClassifierInput(
        subject=subject,
        new_text=body,
        text=body,
        from_name=name,
        from_address=address,
        to_count=10 if "many" in places else 1,
        cc_count=1 if "cc" in places else 0,
        is_owner_in_to="cc" not in places and sender != "list",
        is_owner_in_cc="cc" in places,
        is_owner_only_recipient=is_direct,
        is_reply_to_owner="answer" in places,
        owner_domain="harbor.example",
        sender_replied_count=3 if sender in ("colleague", "friend") else 0,
        headers=headers | ({"importance": "High"} if "high" in places else {}),
        received_at=RECEIVED_AT,
    )
