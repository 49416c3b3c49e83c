"""The messages of the seeded mailbox, and what is said about each."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

OWNER = "ada@example.org"
OTHER_OWNER = "grace@example.net"
NEWEST_AT = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
RUN_ID = "5b0f6f0e-8d6c-4e55-9a77-0c3d5e1f2a10"
MODEL = "seeded@0000"
_SPACE = uuid.UUID("0a4f6d52-2f0e-4c39-8a55-3a1f4f0c7d11")

HOSTILE_HTML = (
    "<p>Your parcel is <b>waiting</b>.</p><script>parent.hacked=1;top.document.title='hacked'</script>"
    "<img src=x onerror=\"top.document.title='hacked'\"><img src='http://tracker.example/pixel.gif'>"
    "<a href='javascript:alert(1)'>press here</a><svg onload=\"top.document.title='hacked'\"></svg>"
    "<form action='http://tracker.example/'><input name=a></form>"
    "<style>body{background:url(http://tracker.example/bg.png)}</style>"
)


def seed_id(name: str) -> uuid.UUID:
    """The id of a seeded thing, from its name."""
    return uuid.uuid5(_SPACE, name)


@dataclass(frozen=True)
class Mail:
    """One seeded message; the defaults are those of a note between people."""

    name: str
    sender: tuple[str, str]
    subject: str
    text: str
    days_ago: float
    score: float | None
    category: str = "person"
    needs: str = "read"
    urgency: str = "whenever"
    labels: tuple[str, ...] = ("INBOX",)
    thread: str = ""
    quoted: str = ""
    signature: str = ""
    html: str = ""
    attachment: tuple[str, bytes] | None = None
    to: tuple[str, str] = ("Ada Byron", OWNER)
    tasks: tuple[Mapping[str, Any], ...] = ()
    reasons: tuple[str, ...] = ("You usually answer this sender",)
    duplicate_of: str = ""
    is_parsed: bool = True
    contributions: tuple[tuple[str, Any, float], ...] = field(
        default=(("sender_replied_count", 9, 1.4), ("is_owner_in_to", True, 0.6), ("is_bulk", False, 0.2))
    )


NADIA = ("Nadia Okafor", "nadia@harbour.example")
TOMAS = ("Tomas Lindqvist", "tomas@lindqvist.example")

MAILS = (
    Mail(
        "quote",
        NADIA,
        "Pier survey: can you sign off the revised quote?",
        "Hi Ada,\n\nthe contractor needs our answer by Tuesday. Please send me your approval of the revised quote "
        "before noon on 24 March; without it we lose the April slot.\n\nIs the second dive in?",
        0.1,
        0.94,
        needs="decision",
        urgency="today",
        labels=("IMPORTANT", "INBOX", "UNREAD"),
        thread="pier",
        quoted="> On Monday Ada Byron wrote:\n> Ask them for a revised quote, please.",
        signature="Nadia Okafor\nHarbour Works, +44 20 7946 0000",
        attachment=("revised quote.pdf", b"%PDF-1.4 not really a quote"),
        tasks=(
            {
                "description": "Approve the revised quote for the pier survey",
                "owner": "me",
                "deadline_at": datetime(2026, 3, 24, 12, tzinfo=UTC),
                "deadline_text": "before noon on 24 March",
                "evidence": "Please send me your approval of the revised quote before noon on 24 March; without it we "
                "lose the April slot.",
            },
        ),
        reasons=("You answered 9 of 10 of this sender's messages", "It asks for a decision", "It names a deadline"),
    ),
    Mail(
        "pier-earlier",
        NADIA,
        "Pier survey: first quote",
        "Ada, here is the first quote. It seems high to me; what do you think?",
        2.2,
        0.71,
        needs="reply",
        thread="pier",
    ),
    Mail(
        "sent",
        ("Ada Byron", OWNER),
        "Re: Pier survey: first quote",
        "Ask them for a revised quote, please.",
        2.0,
        0.05,
        labels=("SENT",),
        thread="pier",
        to=NADIA,
    ),
    Mail(
        "lunch",
        TOMAS,
        "Lunch on Friday?",
        "Are you free on Friday? I will book the place by the canal if you say yes.",
        0.6,
        0.78,
        needs="reply",
        urgency="this_week",
        labels=("INBOX", "UNREAD"),
        tasks=(
            {
                "description": "Book the place by the canal",
                "owner": "them",
                "kind": "promise",
                "evidence": "I will book the place by the canal if you say yes.",
            },
        ),
        reasons=("It asks you a question", "You wrote to this sender last week"),
    ),
    Mail(
        "draft-report",
        ("Ingrid Vos", "ingrid@harbour.example"),
        "Tide report, draft 3",
        "Please read chapter two before the review on 2 April.",
        4.0,
        0.66,
        needs="task",
        urgency="this_week",
        tasks=(
            {
                "description": "Read chapter two of the tide report",
                "owner": "me",
                "deadline_at": datetime(2026, 4, 2, tzinfo=UTC),
                "deadline_text": "before the review on 2 April",
                "evidence": "Please read chapter two before the review on 2 April.",
            },
        ),
        reasons=("It gives you something to do",),
    ),
    Mail(
        "invite",
        ("Ingrid Vos", "ingrid@harbour.example"),
        "Invitation: tide report review",
        "Review of the tide report, second floor.",
        5.0,
        0.58,
        category="calendar",
        needs="decision",
        urgency="this_week",
        reasons=("It is an invitation",),
    ),
    Mail(
        "receipt",
        ("Kestrel Books", "orders@kestrel.example"),
        "Your receipt for order 2291",
        "Thank you. Total: 31.50 EUR.",
        6.0,
        0.16,
        category="receipt",
        needs="nothing",
        reasons=("A machine sent it",),
        contributions=(("is_automatic", True, -1.6), ("is_bulk", True, -0.9), ("word_count", 5, 0.1)),
    ),
    Mail(
        "newsletter",
        ("The Slow Post", "letters@slowpost.example"),
        "Nine gardens that look after themselves",
        "This week: ferns, mosses and the art of leaving things alone.",
        7.5,
        0.11,
        category="newsletter",
        needs="nothing",
        labels=("INBOX", "UNREAD"),
        html="<h1>Nine gardens</h1><p>This week: ferns, mosses and the art of leaving things alone.</p>",
        reasons=("It was sent to many people",),
    ),
    Mail(
        "hostile",
        ('<img src=x onerror="document.title=\'hacked\'">', "parcel@trap.example"),
        "<script>document.title='hacked'</script> parcel \"><svg onload=document.title='hacked'>",
        "<img src=x onerror=\"document.title='hacked'\"> press here",
        8.0,
        0.08,
        category="suspicious",
        needs="nothing",
        html=HOSTILE_HTML,
        reasons=("<b onmouseover=\"document.title='hacked'\">It looks like a trap</b>",),
    ),
    Mail(
        "list",
        ("moss-lovers", "talk@moss.example"),
        "[moss] Re: best shade for Bryum?",
        "North wall, always. " * 20,
        9.0,
        0.21,
        category="mailing_list",
        needs="read",
        labels=("INBOX", "Lists/moss"),
        reasons=("It came through a mailing list",),
    ),
    Mail("old", TOMAS, "Photographs from the lighthouse", "They came out well!", 48.0, 0.62, labels=("INBOX",)),
    Mail("spam", ("Prize Desk", "win@prize.example"), "You have won", "Claim now.", 1.0, 0.9, labels=("SPAM",)),
    Mail("trash", TOMAS, "Old thing", "Never mind.", 1.5, 0.9, labels=("TRASH",)),
    Mail("copy", NADIA, "Pier survey: first quote", "Here is the first quote.", 2.2, None, duplicate_of="pier-earlier"),
    Mail("unranked", TOMAS, "Just arrived", "Not ranked yet.", 0.02, None, category=""),
    Mail("unparsed", TOMAS, "Not parsed yet", "Not parsed yet.", 0.01, None, category="", is_parsed=False),
)  # fmt: skip

VISIBLE_BY_PRIORITY = (
    "quote", "lunch", "pier-earlier", "draft-report", "old", "invite", "list", "receipt", "newsletter", "hostile",
)  # fmt: skip
