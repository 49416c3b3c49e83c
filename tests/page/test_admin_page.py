"""The administrator's page."""

import re

import live_state
import pytest
from live_state import DEAD_LETTER
from mails import OWNER
from page_contrast import worst_contrast
from playwright.sync_api import expect
from sqlalchemy import select, text

from rl_emails_assets.db.tables import sync_queue

pytestmark = pytest.mark.browser

SOON = 20_000
"""Milliseconds until a check is given up."""
REFRESH_MS = 6000
"""The page refreshes every five seconds."""


@pytest.fixture
def busy(server):
    """A server with a Gmail mailbox and all of its live state."""
    live_state.make_gmail(server.engine)
    live_state.add_operations(server.engine)
    live_state.add_dead_letter(server.engine)
    return server


def administer(visit, running, **context):
    """Open the page as its link does."""
    page = visit(running, **context)
    page.goto(f"{running.url}/admin")
    expect(page.locator(".signs")).to_be_visible()
    return page


def test_everything_is_shown(busy, visit):
    """A part of the status that the page leaves out."""
    page = administer(visit, busy)
    signs = page.locator(".signs")
    for name, value in (("Mailboxes", "1"), ("Waiting", "1"), ("Dead letters", "1"), ("Workers alive", "2")):
        expect(signs.locator(".sign", has_text=name).locator("dd")).to_have_text(re.compile(f"^{value}"))
    card = page.get_by_role("region", name=OWNER)
    for told in ("Live", "gmail", "5 days left", "(42 in all)", "of 6,000 units", "batches of 25", "123,456 units"):
        expect(card).to_contain_text(told)
    expect(card).to_contain_text("Failing after 2 tries: Gmail answered 429 (rate limit).")
    card.get_by_text("1 gap").click()
    expect(card).to_contain_text("The message is larger than 50 MB.")
    letters = page.get_by_role("region", name="Dead letters")
    expect(letters).to_contain_text("Gmail answered 503 eight times")
    expect(letters).to_contain_text("To try now, redrive.")
    queue = page.get_by_role("table", name="Latest sync requests")
    expect(queue.locator("tbody tr")).to_have_count(4)
    expect(page.get_by_role("region", name="Schedules").first).to_contain_text("Google refused to renew 1 of 2 watches")
    expect(page.get_by_role("table", name="Worker processes")).to_contain_text("stopping: SIGTERM")
    expect(page.get_by_role("table", name="Costs by mailbox and day")).to_contain_text("0.0021")
    expect(page.get_by_role("region", name="Pushes").first).to_contain_text("RL_EMAILS_GMAIL_PUSH_AUDIENCE")
    for name in ("Last run of each schedule", "Latest runs by what they wrote", "Latest sync requests"):
        link = page.get_by_role("table", name=name).get_by_role("link").first
        assert link.get_attribute("href").startswith("http://127.0.0.1:3000/runs/")
        assert "noopener" in link.get_attribute("rel")


def test_a_dead_letter_is_redriven(busy, visit):
    """A button without effect, or one that shows its effect only after a reload."""
    page = administer(visit, busy)
    page.get_by_role("button", name=f"Redrive {OWNER}").click()
    expect(page.locator(".toast")).to_contain_text("In the queue again")
    expect(page.get_by_role("region", name="Dead letters")).to_contain_text("None: every request was done")
    with busy.engine.connect() as connection:
        ended = sync_queue.ended_requests
        state = connection.execute(select(ended.c.state).where(ended.c.request_id == DEAD_LETTER)).scalar()
    assert state != "failed"


def test_a_redrive_that_cannot_be_is_told(busy, visit):
    """A button that seems to work on a mailbox whose grant is gone."""
    page = administer(visit, busy)
    live_state.change(busy.engine, state="reconnect_needed", state_reason="Google revoked the grant.")
    page.get_by_role("button", name=f"Redrive {OWNER}").click()
    expect(page.locator(".toast.bad")).to_contain_text("is not connected")
    expect(page.get_by_role("region", name=OWNER)).to_contain_text("Google revoked the grant.", timeout=SOON)
    expect(page.get_by_role("button", name="Sync now")).to_have_count(0)
    page.watch.complaints.clear()


def test_it_refreshes_without_flicker(busy, visit):
    """What somebody opened, focused or scrolled to that is lost every five seconds; or figures that never change."""
    page = administer(visit, busy, viewport={"width": 1280, "height": 500}, clock=True)
    card = page.get_by_role("region", name=OWNER)
    card.get_by_text("1 gap").click()
    button = page.get_by_role("button", name=f"Redrive {OWNER}")
    button.focus()
    page.evaluate("window.kept = [...document.querySelectorAll('section')]; window.scrollTo(0, 400)")
    before = page.evaluate("window.scrollY")
    with busy.engine.begin() as connection:
        connection.execute(text("update mailboxes.watches set push_count = 43"))
    page.clock.fast_forward(REFRESH_MS)
    expect(card).to_contain_text("(43 in all)", timeout=SOON)
    expect(card.get_by_text("The message is larger than 50 MB.")).to_be_visible()
    expect(button).to_be_focused()
    assert page.evaluate("window.scrollY") == before
    assert page.evaluate("window.kept.every((each) => each.isConnected)")


def test_a_server_that_fails_is_told_and_what_was_shown_stays(busy, visit):
    """Old figures that look like today's."""
    page = administer(visit, busy, clock=True)
    problem = '{"detail": "The database cannot be reached."}'
    page.route(
        "**/v1/admin/status*",
        lambda route: route.fulfill(status=503, body=problem, content_type="application/problem+json"),
    )
    page.clock.fast_forward(REFRESH_MS)
    expect(page.get_by_role("alert")).to_contain_text("may be old. The database cannot be reached.", timeout=SOON)
    expect(page.get_by_role("region", name=OWNER)).to_be_visible()
    page.unroute("**/v1/admin/status*")
    page.clock.fast_forward(REFRESH_MS)
    expect(page.get_by_role("alert")).to_be_hidden(timeout=SOON)
    page.watch.complaints.clear()


def test_a_first_answer_that_fails_can_be_tried_again(busy, visit):
    """A blank page for the one who looks because something is wrong."""
    page = visit(busy)
    page.route("**/v1/admin/status*", lambda route: route.abort())
    page.goto(f"{busy.url}/admin")
    expect(page.get_by_text("This could not be loaded")).to_be_visible()
    page.unroute("**/v1/admin/status*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".signs")).to_be_visible()
    page.watch.complaints.clear()


def test_a_first_day(empty_server, visit):
    """A page of errors where nothing has happened yet."""
    page = administer(visit, empty_server)
    for told in ("No mailbox yet", "None: every request was done", "No schedule has run yet", "No worker."):
        expect(page.get_by_text(told)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_can_be_read(busy, visit, width, scheme):
    """A page wider than a phone, text that cannot be read on its ground, or a table that a keyboard cannot scroll."""
    page = administer(visit, busy, viewport={"width": width, "height": 740}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert worst_contrast(page, "body *") >= 4.5
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a, section, .scroll')].filter((node) => node.checkVisibility()
            && !(node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || node.textContent.trim()))
            .map((node) => node.outerHTML)"""
    )
    assert nameless == []
    assert page.locator(".scroll:not([tabindex='0'])").count() == 0
    assert page.locator("main").count() == 1


def test_without_the_token_it_is_closed(busy, chromium):
    """An administrator's page for anybody on this machine."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{busy.url}/admin")
    expect(page.get_by_role("heading", name="This inbox is closed")).to_be_visible()
    context.close()
