"""The views beside the inbox: tasks, search, projects, people, status, settings, and the first run."""

import re
from datetime import timedelta

import pytest
from mails import NEWEST_AT, OWNER, TOMAS, Mail, seed_id
from page_places import rows
from playwright.sync_api import expect
from seed import add_mail
from sqlalchemy import select

from rl_emails_assets.db.tables import sync_queue

pytestmark = pytest.mark.browser


def test_tasks_can_be_done(server, visit):
    """A task list that cannot be worked off."""
    page = visit(server, "#/tasks")
    tasks = page.locator(".task")
    expect(tasks).to_have_count(2)
    expect(page.locator(".task-groups h2")).to_have_text(["This week", "Later"])
    expect(tasks.first).to_contain_text("in 4 days")
    expect(tasks.first.locator(".proof")).to_contain_text("Please send me your approval")
    tasks.first.get_by_role("checkbox").click()
    expect(tasks.first.get_by_role("checkbox")).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="Done", exact=True).click()
    expect(tasks).to_have_count(1)
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("button", name="Waiting", exact=True).click()
    mine, theirs = page.locator("[data-waiting=them]"), page.locator("[data-waiting=me]")
    expect(mine.locator("h2")).to_have_text("You wait for")
    expect(mine.locator(".task")).to_have_count(1)
    expect(mine.locator(".task")).to_contain_text("They promised")
    expect(mine.locator(".task")).to_contain_text("Tomas")
    expect(theirs.locator("h2")).to_have_text("They wait for you")
    expect(theirs.locator(".task")).to_have_count(1)
    mine.get_by_role("link").first.click()
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")


def test_tasks_long_overdue_are_folded(server, visit):
    """A year of forgotten deadlines above everything that can still be done."""
    late = {"deadline_at": NEWEST_AT - timedelta(days=20), "deadline_text": "", "owner": "me"}
    tasks = ({**late, "description": "Return the theodolite", "evidence": "Return the theodolite by then."},)
    with server.engine.begin() as connection:
        add_mail(connection, seed_id(OWNER), Mail("late", TOMAS, "Late", "Late.", 25.0, 0.3, tasks=tasks))
    page = visit(server, "#/tasks")
    expect(page.locator(".task").first).to_be_hidden()
    expect(page.locator(".task").nth(1)).to_be_visible()
    page.get_by_text("Overdue for more than two weeks").click()
    expect(page.locator(".task").first).to_contain_text("Return the theodolite")


def test_search_as_you_type(server, visit):
    """Search that needs Enter, loses the box's focus, or forgets the query when a message is opened."""
    page = visit(server)
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("/")
    page.get_by_label("Search mail").press_sequentially("lighth")
    expect(rows(page).first).to_contain_text("Photographs from the lighthouse")
    expect(page.get_by_label("Search mail")).to_be_focused()
    rows(page).first.click()
    expect(page.locator("#reader-pane h2")).to_have_text("Photographs from the lighthouse")
    expect(page.get_by_label("Search mail")).to_have_value("lighth")
    page.get_by_label("Search mail").fill("quote")
    expect(page.locator("#list-pane mark").first).to_have_text("quote")
    page.get_by_label("Search mail").fill("zzzzzz")
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_text("Nothing found")).to_be_visible()


def test_projects_people_and_status(server, visit):
    """A view that does not open."""
    page = visit(server, "#/projects")
    page.get_by_role("link", name=re.compile("Pier survey")).click()
    expect(page.get_by_label("Conversations").locator(".row")).to_contain_text("Pier survey: first quote")
    expect(page.locator(".task")).to_have_count(1)
    page.get_by_role("navigation").get_by_role("link", name="People").click()
    expect(page.locator(".person").first).to_contain_text("Nadia Okafor")
    page.locator(".person").first.click()
    expect(page.get_by_label("Search mail")).to_have_value("nadia@harbour.example")
    expect(rows(page).first).to_contain_text("Nadia Okafor")
    page.get_by_role("navigation").get_by_role("link", name="Status").click()
    expect(page.locator("#list-pane")).to_contain_text("1 gap")
    expect(page.get_by_role("link", name="Administration")).to_have_attribute("href", "/admin")


def test_a_sync_is_asked_for(server, visit):
    """The button without effect."""
    page = visit(server, "#/status")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator(".toast")).to_contain_text("In the queue")
    with server.engine.connect() as connection:
        assert connection.execute(select(sync_queue.requests.c.asked_by)).scalars().all() == ["button"]


def test_no_mailbox_yet(empty_server, visit):
    """A blank page on the first day."""
    page = visit(empty_server)
    expect(page.get_by_text("No mailbox yet")).to_be_visible()
    expect(page.get_by_text("rl-emails import PATH --mailbox ADDRESS")).to_be_visible()
