"""How fresh the inbox is, what its owner is told, and new mail that appears by itself."""

import re
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import live_state
import pytest
from live_state import MAILBOX, ago
from mails import NADIA, OTHER_OWNER, OWNER, VISIBLE_BY_PRIORITY, Mail, seed_id
from page_places import ALL, rows
from playwright.sync_api import expect
from seed import add_mail, seed_other
from sqlalchemy import insert, select, text

from rl_emails_assets.db.tables import app, mailboxes

pytestmark = pytest.mark.browser

SOON = 20_000
"""Milliseconds until a check is given up."""
NEW = Mail("new", NADIA, "The crane is here early", "Can you come now?", 0.5, 0.99, labels=("INBOX", "UNREAD"))
LOW = Mail("low", NADIA, "Crane leaflet", "For your files.", 0.4, 0.0001)


@pytest.fixture
def set_up_google(server):
    """The settings name an OAuth client of Google's, and what else is given."""
    state = server.app.state
    before = state.settings

    def change(**more):
        named = {"google_client_id": "client.example", "google_client_secret": "secret", **more}
        state.settings = before.model_copy(update=named)

    yield change
    state.settings = before


def later(page, seconds=35):
    """Move the page's clock on; it looks for news every four seconds, and every 30 while the server tells it."""
    page.clock.fast_forward(seconds * 1000)


def arrive(engine, *mails):
    """A run has stored and ranked these."""
    with engine.begin() as connection:
        for each in mails:
            add_mail(connection, MAILBOX, each)
    live_state.change(engine, materialized_at=ago(seconds=0))


@pytest.mark.parametrize(
    ("values", "backlog", "is_watched", "told"),
    [
        ({}, 0, True, re.compile(r"^Live$")),
        ({}, 0, False, re.compile(r"^Up to date as of \d\d:\d\d$|^Up to date as of ")),
        ({"current_as_of": None}, 3, True, re.compile(r"^Fetching older mail: 3 to go$")),
        ({"current_as_of": ago(hours=3)}, 0, True, re.compile(r"^Behind since ")),
        ({"current_as_of": None, "created_at": ago(minutes=1)}, 0, True, re.compile(r"^First sync starting$")),
        ({"provider": "files"}, 0, False, re.compile(r"^Files read ")),
        ({"state": "disconnecting"}, 0, True, re.compile(r"^Being disconnected$")),
    ],
)
def test_how_fresh_the_inbox_is(server, visit, values, backlog, is_watched, told):
    """An inbox that looks complete while mail is missing from it."""
    live_state.make_gmail(server.engine, is_watched=is_watched, **values)
    live_state.add_backlog(server.engine, backlog)
    page = visit(server)
    expect(page.locator("#fresh")).to_have_text(told)
    page.locator("#fresh").click()
    expect(page.get_by_role("heading", name="Status")).to_be_visible()
    expect(page.locator("#list-pane .chip").first).to_have_text(told)


def test_new_mail_appears_by_itself_and_the_place_is_kept(server, visit):
    """Mail that needs a reload, or a list that jumps away under the reader's eyes."""
    live_state.make_gmail(server.engine)
    page = visit(server, ALL, viewport={"width": 1280, "height": 420}, clock=True)
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))
    reading = page.locator(f'.row[data-message="{seed_id("invite")}"]')
    reading.evaluate("row => { row.scrollIntoView({ block: 'start' }); row.focus({ preventScroll: true }); }")
    before = reading.bounding_box()["y"]
    page.evaluate("window.unchanged = document.querySelectorAll('#list-pane .row')[1]")
    arrive(server.engine, NEW)
    later(page)
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY) + 1, timeout=SOON)
    expect(rows(page).first).to_contain_text("The crane is here early")
    expect(rows(page).first).to_have_class(re.compile("unread"))
    assert reading.bounding_box()["y"] == pytest.approx(before, abs=1)
    expect(reading).to_be_focused()
    assert page.evaluate("document.querySelectorAll('#list-pane .row')[2] === window.unchanged")


def test_a_changed_message_changes_and_a_deleted_one_goes(server, visit):
    """A list that only ever grows; a message open in the reader that loses its mark."""
    live_state.make_gmail(server.engine)
    page = visit(server, ALL, clock=True)
    rows(page).nth(1).click()
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")
    with server.engine.begin() as connection:
        connection.execute(text("delete from raw.messages where message_id = :id"), {"id": seed_id("quote")})
        connection.execute(
            text("update mail.messages set subject = 'Lunch on Monday?' where message_id = :id"),
            {"id": seed_id("lunch")},
        )
    arrive(server.engine, LOW)
    later(page)
    expect(rows(page).first).to_contain_text("Lunch on Monday?", timeout=SOON)
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))
    expect(rows(page).first).to_have_attribute("aria-current", "true")
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")


def test_more_pages_stay_open(server, visit):
    """Mail that arrives and folds the list back to its first page."""
    live_state.make_gmail(server.engine)
    with server.engine.begin() as connection:
        for number in range(60):
            item = Mail(f"many {number}", NADIA, f"Number {number}", "Text.", 3 + number / 100, 0.3 + number / 1000)
            add_mail(connection, MAILBOX, item)
    page = visit(server, "#/inbox?order=priority", clock=True)
    expect(rows(page)).to_have_count(40)
    page.get_by_role("button", name="Show more").click()
    total = 60 + len(VISIBLE_BY_PRIORITY) - 1
    expect(rows(page)).to_have_count(total)
    arrive(server.engine, NEW)
    later(page)
    expect(rows(page).first).to_contain_text("The crane is here early", timeout=SOON)
    expect(rows(page)).to_have_count(total + 1)


def test_tasks_change_by_themselves(server, visit):
    """A task list that is old until it is opened again."""
    live_state.make_gmail(server.engine)
    page = visit(server, "#/tasks", clock=True)
    expect(page.locator(".task")).to_have_count(2)
    task = {"description": "Come to the pier", "owner": "me", "evidence": "Can you come now?"}
    arrive(server.engine, Mail("new task", NADIA, "Crane", "Can you come now?", 0.5, 0.99, tasks=(task,)))
    later(page)
    expect(page.locator(".task")).to_have_count(3, timeout=SOON)
    expect(page.get_by_text("Come to the pier")).to_be_visible()


def test_nothing_is_asked_while_nobody_looks(server, visit):
    """A hidden page that asks all night; or one that is still old when it is looked at again."""
    live_state.make_gmail(server.engine)
    page = visit(server, ALL, clock=True)
    expect(rows(page).first).to_be_visible()
    hide = """is => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => is });
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    arrive(server.engine, NEW)
    asked = len(page.watch.requests)
    later(page, 600)
    assert len(page.watch.requests) == asked
    page.evaluate(hide, False)
    expect(rows(page).first).to_contain_text("The crane is here early", timeout=SOON)


def test_a_revoked_grant_is_told_and_leads_to_google(server, visit, set_up_google):
    """An owner whose mail has stopped and who cannot find out why, or do something about it."""
    set_up_google(google_auth_url="http://127.0.0.1:9/consent")
    live_state.make_gmail(server.engine, state="reconnect_needed", state_reason="Google revoked the grant.")
    live_state.add_notice(
        server.engine, "reconnect_needed", "Google no longer lets us read this mailbox. Connect it again."
    )
    page = visit(server)
    expect(page.locator("#fresh")).to_have_text("Reconnect needed")
    banner = page.get_by_role("region", name="Notices")
    expect(banner).to_contain_text("Google no longer lets us read this mailbox.")
    expect(rows(page).first).to_be_visible()
    led = []
    page.route("http://127.0.0.1:9/**", lambda route: (led.append(route.request.url), route.fulfill(body="Google")))
    banner.get_by_role("button", name="Connect again").click()
    expect(page.get_by_text("Google", exact=True)).to_be_visible()
    asked = parse_qs(urlsplit(led[0]).query)
    assert asked["login_hint"] == [OWNER]
    assert asked["client_id"] == ["client.example"]
    page.watch.requests.clear()


def test_a_notice_can_be_dismissed(server, visit):
    """A banner for ever, or one that comes back by itself."""
    live_state.make_gmail(server.engine)
    live_state.add_notice(server.engine, "watch_lapsed", "Google stopped telling us of new mail.")
    page = visit(server)
    notices = page.get_by_role("region", name="Notices")
    expect(notices).to_contain_text("Google stopped telling us of new mail.")
    notices.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".notice")).to_have_count(0)
    with server.engine.connect() as connection:
        assert connection.execute(select(app.notices.c.ended_at)).scalar() is not None
    page.reload()
    expect(rows(page).first).to_be_visible()
    expect(page.locator(".notice")).to_have_count(0)


def test_a_notice_comes_and_goes_while_the_page_is_open(server, visit):
    """Trouble that is told only to who reloads, and stays after it is over."""
    live_state.make_gmail(server.engine)
    page = visit(server, clock=True)
    expect(page.locator("#fresh")).to_have_text("Live")
    live_state.add_notice(server.engine, "behind", "The inbox is behind.")
    later(page)
    expect(page.locator(".notice")).to_have_text(re.compile("The inbox is behind."), timeout=SOON)
    with server.engine.begin() as connection:
        connection.execute(text("update app.notices set ended_at = now()"))
    later(page)
    expect(page.locator(".notice")).to_have_count(0, timeout=SOON)


def test_a_server_that_goes_away_is_told_and_the_list_stays(server, visit):
    """A page that looks live for hours after the server died."""
    live_state.make_gmail(server.engine)
    page = visit(server, clock=True)
    expect(page.locator("#fresh")).to_have_text("Live")
    page.route("**/v1/mailboxes*", lambda route: route.abort())
    later(page)
    expect(page.locator("#fresh")).to_have_text("The server does not answer", timeout=SOON)
    expect(rows(page).first).to_be_visible()
    page.unroute("**/v1/mailboxes*")
    later(page)
    expect(page.locator("#fresh")).to_have_text("Live", timeout=SOON)
    page.watch.complaints.clear()


def test_the_first_mailbox_appears_by_itself(empty_server, visit, set_up_google):
    """The first page after connecting Gmail, blank until somebody reloads it."""
    set_up_google()
    page = visit(empty_server, clock=True)
    expect(page.get_by_text("No mailbox yet")).to_be_visible()
    expect(page.get_by_role("button", name="Connect Gmail")).to_be_visible()
    with empty_server.engine.begin() as connection:
        connection.execute(
            insert(mailboxes.connections).values(mailbox_id=seed_id("first"), address=OWNER, provider="gmail")
        )
    later(page)
    expect(page.locator("#fresh")).to_have_text("First sync starting", timeout=SOON)
    expect(page.locator("#mailbox")).to_contain_text(OWNER)
    expect(page.get_by_text("No mail yet")).to_be_visible()


def test_without_settings_there_is_no_button_for_gmail(empty_server, visit):
    """A button that can only fail."""
    page = visit(empty_server)
    expect(page.get_by_text("No mailbox yet")).to_be_visible()
    expect(page.get_by_role("button", name="Connect Gmail")).to_have_count(0)


def test_each_mailbox_has_its_own_freshness(server, visit):
    """One mailbox's trouble told under another's name."""
    live_state.make_gmail(server.engine, state="reconnect_needed", state_reason="Google revoked the grant.")
    seed_other(server.engine)
    page = visit(server)
    expect(page.locator("#fresh")).to_have_text("Reconnect needed")
    expect(page.locator(".notice")).to_contain_text("Google revoked the grant.")
    page.get_by_label("Mailbox").select_option(label=OTHER_OWNER)
    expect(page.locator("#fresh")).to_have_text(re.compile("Files read"))
    expect(page.locator(".notice")).to_have_count(0)
    expect(rows(page)).to_have_count(1)


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_freshness_and_notices_fit(server, visit, width):
    """A banner or a line that is wider than the screen, or that cannot be reached."""
    live_state.make_gmail(server.engine, current_as_of=ago(days=400))
    live_state.add_notice(server.engine, "behind", "The inbox is behind. " + "Look-at-the-administrator's-page-" * 6)
    page = visit(server, viewport={"width": width, "height": 740})
    expect(page.locator(".notice")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("link", name=re.compile("Behind since"))).to_be_visible()


def test_the_server_tells_of_new_mail(server, visit):
    """News that comes with the next question, seconds later; what makes the page ask is cut off here."""
    live_state.make_gmail(server.engine)
    with visit_events(server, visit) as page:
        page.route("**/v1/mailboxes*", lambda route: route.abort())
        arrive(server.engine, NEW)
        expect(rows(page).first).to_contain_text("The crane is here early", timeout=SOON)
    page.watch.complaints.clear()


@contextmanager
def visit_events(server, visit):
    """The inbox, once it listens to the server."""
    page = visit(server)
    page.goto("about:blank")
    with page.expect_request("**/v1/events"):
        page.goto(f"{server.url}/{ALL}")
    expect(rows(page).first).to_be_visible()
    yield page


def test_what_is_under_the_pointer_stays_and_new_mail_is_told(server, visit):
    """A click that opens another message than the one it was meant for."""
    live_state.make_gmail(server.engine)
    page = visit(server, ALL, viewport={"width": 1280, "height": 420}, clock=True)
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))
    page.locator("#list-pane").evaluate("pane => pane.scrollTo(0, 240)")
    rows(page).nth(4).hover()
    before = rows(page).nth(4).bounding_box()["y"]
    arrive(server.engine, NEW)
    later(page)
    pill = page.get_by_role("button", name="1 new message above")
    expect(pill).to_be_visible(timeout=SOON)
    assert rows(page).nth(5).bounding_box()["y"] == pytest.approx(before, abs=1)
    pill.click()
    expect(rows(page).first).to_be_focused()
    expect(pill).to_be_hidden()
    expect(rows(page).first).to_contain_text("The crane is here early")
