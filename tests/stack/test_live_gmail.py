"""The two flows of a person with a Gmail account, on the whole running product: connecting it, and mail that arrives.

The stand-in for Google is a process of its own; `rl-emails up` runs as people run it. The mail is the sample mailbox.
"""

import mailbox
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from importlib import resources
from typing import Any

import httpx
import pytest

from rl_emails_assets.commands.demo import ADDRESS, ALIAS
from rl_emails_assets.settings import Settings
from tests.gmail.standin.remote import RemoteGmail, RemoteUser, served_elsewhere
from tests.stack.up_process import REAL, UpProcess, eventually

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)


@pytest.fixture
def google(settings: Settings) -> Iterator[RemoteGmail]:
    """Google, with Maya's mailbox in it; the environment points the product at it."""
    with served_elsewhere(settings.home, "--units-per-minute", "1000000") as gmail:
        gmail.add_user(ADDRESS)
        former = dict(os.environ)
        os.environ.update(gmail.environment())
        yield gmail
        os.environ.clear()
        os.environ.update(former)


def _sample() -> list[tuple[bytes, tuple[str, ...], datetime]]:
    """The sample's messages as Gmail would hold them, the newest a day old."""
    with resources.as_file(resources.files("rl_emails_assets.sample").joinpath("mailbox.mbox")) as path:
        box = mailbox.mbox(path)
        mails = [(message.as_bytes(), parseaddr(str(message["From"]))[1]) for message in box]
        box.close()
    newest = NOW - timedelta(days=1)
    return [
        (
            content,
            ("SENT",) if sender.lower() in {ADDRESS, ALIAS} else ("INBOX", "UNREAD"),
            newest - timedelta(hours=6 * (len(mails) - number)),
        )
        for number, (content, sender) in enumerate(mails)
    ]


class Person:
    """Somebody with the page open: a browser's cookies, and what the page asks the API. A context manager."""

    def __init__(self, up: UpProcess) -> None:
        links = up.running().links
        self.browser = httpx.Client(base_url=links.api, follow_redirects=True, timeout=30)
        self.browser.get(links.page)
        self.browser.headers["Sec-Fetch-Site"] = "same-origin"

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *_: object) -> None:
        self.browser.close()

    def ask(self, path: str, **parameters: Any) -> Any:
        return self.browser.get(path, params=parameters).raise_for_status().json()

    def connects_gmail(self) -> str:
        """Follows the button to Google, consents there, and comes back. Returns the page that says how it went."""
        begun = self.browser.post("/v1/connections/gmail", json={"login_hint": ADDRESS}).raise_for_status().json()
        return self.browser.get(begun["authorization_url"]).raise_for_status().text

    def mailbox(self) -> dict[str, Any]:
        return next((item for item in self.ask("/v1/mailboxes")["items"] if item["address"] == ADDRESS), {})

    def status(self) -> dict[str, Any]:
        return next(item for item in self.ask("/v1/admin/status")["mailboxes"] if item["address"] == ADDRESS)

    def inbox(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.ask("/v1/inbox", order="date", limit=100)["items"]
        return items


def _knows_all_of(person: Person, user: RemoteUser) -> bool:
    status = person.status()
    return bool(
        status["stored_count"] == len(user.ids()) and not status["pending_count"] and not status["backlog_count"]
    )


def test_a_person_connects_gmail_and_mail_arrives_in_the_open_inbox(
    google: RemoteGmail, start_up: Callable[[str], UpProcess]
) -> None:
    """Each part may work and the product still not: this is what somebody with a Gmail account does and sees."""
    user = google.user(ADDRESS)
    mails = _sample()
    assert len(mails) > 150, "onboarding with next to no mail would prove little"
    for start in range(0, len(mails), 60):
        user.fill(mails[start : start + 60])
    up = start_up(REAL).wait_ready()
    google.configure(**{"pubsub.endpoint": f"{up.running().links.api}/webhooks/gmail"})
    with Person(up) as person:
        _lives(google, user, person)
    assert up.process.poll() is None


def _lives(google: RemoteGmail, user: RemoteUser, person: Person) -> None:
    assert person.ask("/v1/mailboxes")["items"] == []

    # Onboarding: connect, first sync, pipeline, projects, tasks, priority inbox.
    assert ADDRESS in person.connects_gmail()
    eventually(lambda: person.inbox() and person.inbox()[0]["priority"] is not None, "the first messages are ranked")
    eventually(lambda: _knows_all_of(person, user), "every message is stored and ranked")
    eventually(lambda: person.mailbox()["freshness"] == "live", "the watch is alive and the page says so")
    eventually(lambda: len(person.ask("/v1/projects")["items"]) > 2, "projects are found")
    tasks = person.ask("/v1/tasks", status="open", limit=100)["items"]
    assert len(tasks) > 10
    ranked = person.ask("/v1/inbox", order="priority", limit=100)["items"]
    assert [item["priority"] for item in ranked] == sorted((item["priority"] for item in ranked), reverse=True)
    assert person.status()["gap_count"] == 0

    # Real time: a push, a new message that asks for something, then what happens to it at Gmail.
    arrived = user.deliver(
        subject="Mooring plan for berth 9",
        text="Hi Maya,\n\nplease send me the signed mooring plan by Friday noon.\n\nThanks,\nTomas",
        sender="Tomas Berg <tomas.berg@portworks.example>",
        labels=("INBOX", "UNREAD"),
    )
    eventually(lambda: _subject(person, "Mooring plan for berth 9"), "the new message is in the inbox")
    shown = _subject(person, "Mooring plan for berth 9")
    assert shown is not None
    assert shown["is_unread"]
    eventually(lambda: _task_of(person, shown["message_id"]), "its request is a task")
    user.relabel(arrived, remove=["UNREAD"])
    eventually(lambda: not (_subject(person, "Mooring plan for berth 9") or {"is_unread": True})["is_unread"], "read")
    user.delete(arrived)
    eventually(lambda: _subject(person, "Mooring plan for berth 9") is None, "deleted there, gone here")
    eventually(lambda: not _task_of(person, shown["message_id"]), "and its task with it")
    pushes = [push for push in google.pushes() if push["acknowledged_at"]]
    assert pushes, "everything above may have come by polling"

    # The grant is withdrawn at Google: the owner is told once; disconnecting erases everything.
    user.act("revoke")
    user.deliver(subject="Never to be seen", text="Nobody may read this.", sender="a@b.example", labels=("INBOX",))
    eventually(lambda: person.mailbox()["freshness"] == "reconnect_needed", "the page asks to reconnect")
    assert [notice["kind"] for notice in person.mailbox()["notices"]] == ["reconnect_needed"]
    gone = person.browser.delete(f"/v1/connections/{person.mailbox()['mailbox_id']}")
    assert gone.status_code == 202
    eventually(lambda: person.ask("/v1/mailboxes")["items"] == [], "everything of it is erased")


def _subject(person: Person, subject: str) -> dict[str, Any] | None:
    return next((item for item in person.inbox() if item["subject"] == subject), None)


def _task_of(person: Person, message_id: str) -> bool:
    tasks = person.ask("/v1/tasks", limit=100)["items"]
    return any(task["message_id"] == message_id for task in tasks)
