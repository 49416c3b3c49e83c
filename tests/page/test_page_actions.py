"""Done, snoozed, starred, in bulk; taken back; and what happens when the server refuses."""

import pytest
from mails import seed_id
from page_places import ALL, open_quote, row_of, rows, section, toast
from playwright.sync_api import expect
from sqlalchemy import select

from rl_emails_assets.db.tables import app

pytestmark = pytest.mark.browser


def states(server, name):
    """What is stored of a message."""
    table = app.message_states
    with server.engine.connect() as connection:
        return connection.execute(select(table).where(table.c.message_id == seed_id(name))).mappings().first()


def test_done_in_bulk_and_undone(server, visit):
    """A row that stays, a wrong row that goes, or an undo that brings back half."""
    page = visit(server, "#/inbox?period=all")
    expect(row_of(page, "lunch")).to_be_visible()
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    bar = page.get_by_role("toolbar", name="Selected messages")
    expect(bar).to_contain_text("2 selected")
    page.keyboard.press("e")
    expect(row_of(page, "lunch")).to_have_count(0)
    expect(row_of(page, "pier-earlier")).to_have_count(0)
    expect(section(page, "reply")).to_be_hidden()
    expect(bar).to_be_hidden()
    expect(row_of(page, "quote")).to_be_focused()
    expect(toast(page, "Done: 2 messages.")).to_be_visible()
    assert states(server, "lunch")["done_at"] is not None
    assert states(server, "pier-earlier")["done_at"] is not None
    page.keyboard.press("z")
    expect(row_of(page, "lunch")).to_be_visible()
    expect(row_of(page, "pier-earlier")).to_be_visible()
    assert states(server, "lunch")["done_at"] is None
    page.get_by_label("State").select_option("done")
    expect(page.get_by_text("Nothing is done yet")).to_be_visible()


def test_done_in_the_reader_goes_on_to_the_next(server, visit):
    """Back to the list after every message; or a message that is done and still stands there."""
    page = visit(server, ALL)
    open_quote(page)
    page.keyboard.press("e")
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")
    expect(row_of(page, "quote")).to_have_count(0)
    expect(row_of(page, "lunch")).to_have_attribute("aria-current", "true")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(rows(page)).to_have_count(1)
    row_of(page, "quote").focus()
    page.keyboard.press("e")
    expect(rows(page)).to_have_count(0)
    expect(toast(page, "Open again.")).to_be_visible()
    toast(page, "Open again.").get_by_role("button", name="Undo").click()
    expect(row_of(page, "quote")).to_be_visible()


def test_snooze_until_tomorrow_and_wake(server, visit):
    """A message put away for ever, or one that is not put away."""
    page = visit(server, ALL)
    row_of(page, "lunch").focus()
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Snooze until")
    dialog.get_by_role("button", name="Tomorrow morning").click()
    expect(row_of(page, "lunch")).to_have_count(0)
    assert states(server, "lunch")["snoozed_until"] is not None
    page.get_by_label("State").select_option("snoozed")
    expect(row_of(page, "lunch")).to_contain_text("Until ")
    row_of(page, "lunch").hover()
    page.get_by_role("button", name="Wake: Lunch on Friday?").click()
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_text("Nothing is snoozed")).to_be_visible()
    assert states(server, "lunch")["snoozed_until"] is None


def test_star_and_unread(server, visit):
    """Marks that are shown and not kept."""
    page = visit(server, ALL)
    row_of(page, "draft-report").focus()
    page.keyboard.press("s")
    expect(row_of(page, "draft-report").locator(".star")).to_be_visible()
    expect(toast(page, "Starred.")).to_be_visible()
    open_quote(page)
    expect(row_of(page, "quote").locator(".vh", has_text="Unread")).to_have_count(0)
    page.keyboard.press("U")
    expect(row_of(page, "quote").locator(".vh", has_text="Unread")).to_have_count(1)
    page.reload()
    expect(row_of(page, "draft-report").locator(".star")).to_be_visible()


def test_what_the_server_refuses_comes_back(server, visit):
    """Mail that seems done and is not; a selection that is lost with the failure."""
    page = visit(server, ALL)
    expect(rows(page).first).to_be_visible()
    problem = '{"detail": "The database cannot be reached."}'
    page.route(
        "**/v1/messages/actions*",
        lambda route: route.fulfill(status=503, body=problem, content_type="application/problem+json"),
    )
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("e")
    expect(toast(page, "The database cannot be reached.")).to_be_visible()
    expect(row_of(page, "quote")).to_be_visible()
    expect(page.get_by_role("toolbar", name="Selected messages")).to_contain_text("1 selected")
    page.watch.complaints.clear()


def test_boxes_and_shift_select_a_range(server, visit):
    """A selection that only the keyboard can make."""
    page = visit(server, ALL)
    rows(page).first.hover()
    page.locator(".pick").first.click()
    page.locator(".pick").nth(3).click(modifiers=["Shift"])
    expect(page.get_by_role("toolbar", name="Selected messages")).to_contain_text("4 selected")
    expect(page.get_by_role("checkbox", name="Select: Lunch on Friday?")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar", name="Selected messages")).to_be_hidden()
