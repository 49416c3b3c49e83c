"""The page, as somebody uses it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from mails import NEWEST_AT, OWNER, TOMAS, VISIBLE_BY_PRIORITY, Mail, seed_id
from page_contrast import worst_contrast
from playwright.sync_api import expect
from seed import add_mail, seed_other
from sqlalchemy import select

from rl_emails_assets.db.tables import app, sync_queue

pytestmark = pytest.mark.browser

SUBJECT = "Pier survey: can you sign off the revised quote?"


def rows(page):
    """The lines of the list."""
    return page.locator("#list-pane .row[data-message]")


def open_first(page):
    """Open the first message and wait for it."""
    rows(page).first.click()
    expect(page.locator("#reader-pane h2")).to_have_text(SUBJECT)


def test_the_inbox_is_in_the_recorded_order_with_reasons(shared_server, visit):
    """An inbox in another order than the API's, or lines without the reason for their place."""
    page = visit(shared_server, "#/inbox?period=all")
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))
    found = rows(page).evaluate_all("rows => rows.map(row => row.dataset.message)")
    assert found == [str(seed_id(name)) for name in VISIBLE_BY_PRIORITY]
    first = rows(page).first
    expect(first).to_contain_text("94")
    expect(first).to_contain_text("You answered 9 of 10 of this sender's messages")
    expect(first).to_contain_text("Decide")
    expect(first).to_have_class(re.compile("unread"))
    assert "token" not in page.url


def test_the_window_is_plain_and_can_be_left(shared_server, visit):
    """Mail that seems lost because the list shows 30 days and does not say so."""
    page = visit(shared_server)
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY) - 1)
    expect(page.locator(".window")).to_contain_text("Only the 30 days up to the newest message")
    page.locator(".window").get_by_role("link", name="Show all").click()
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))
    page.get_by_role("button", name="7 days").click()
    week = [
        name
        for name in VISIBLE_BY_PRIORITY
        if name in ("quote", "lunch", "pier-earlier", "draft-report", "invite", "receipt")
    ]
    expect(rows(page)).to_have_count(len(week))
    page.go_back()
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))


def test_what_waits_is_told(shared_server, visit):
    """New mail that is nowhere to be seen until it is ranked."""
    page = visit(shared_server)
    expect(page.locator(".pending")).to_contain_text("2 messages stored, not ranked yet")
    page.get_by_role("link", name="See by date").click()
    expect(rows(page).first).to_contain_text("Just arrived")


def test_filters(shared_server, visit):
    """A filter without effect, or one that cannot be taken back."""
    page = visit(shared_server)
    page.get_by_role("button", name="Unread", exact=True).click()
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Category").select_option("newsletter")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Needs", exact=True).select_option("reply")
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY) - 1)


def test_reading_a_message(server, visit):
    """Text, quoted text, thread, attachment or task missing from the reader; a message that stays unread."""
    page = visit(server)
    open_first(page)
    reader = page.locator("#reader-pane")
    expect(reader.locator(".letter .text").first).to_contain_text("the contractor needs our answer by Tuesday")
    quoted = reader.get_by_text("Ask them for a revised quote, please.", exact=False).last
    reader.get_by_text("Quoted text").click()
    expect(quoted).to_be_visible()
    expect(reader.locator(".other")).to_have_count(2)
    reader.locator(".other summary").first.click()
    expect(reader.locator(".other .text").first).to_contain_text("here is the first quote")
    expect(reader.locator(".letter-tasks")).to_contain_text("Approve the revised quote")
    with page.expect_download() as download:
        reader.locator(".attachments a").click()
    assert download.value.suggested_filename == "revised quote.pdf"
    expect(rows(page).first).not_to_have_class(re.compile("unread"))
    with server.engine.connect() as connection:
        assert connection.execute(
            select(app.message_states.c.read_at).where(app.message_states.c.message_id == seed_id("quote"))
        ).scalar()


def test_why_here_adds_up(shared_server, visit):
    """A panel that does not explain the number, or does not say which run and model decided."""
    page = visit(shared_server)
    open_first(page)
    page.keyboard.press("e")
    panel = page.locator(".why-body")
    expect(panel.locator(".contributions tbody tr")).to_have_count(4)
    amounts = [
        float(text.replace("−", "-"))
        for text in panel.locator(".contributions .num").all_inner_texts()
        if not text.isalpha()
    ]
    assert sum(amounts[:-1]) == pytest.approx(amounts[-1], abs=0.03)
    expect(panel).to_contain_text("94.0 %")
    expect(panel.locator(".evidence")).to_contain_text("Hi Ada,")
    panel.get_by_text("Record: models, runs, hashes").click()
    link = panel.get_by_role("link", name=re.compile("run ")).first
    assert link.get_attribute("href").startswith("http://127.0.0.1:3000/runs/")
    assert "noopener" in link.get_attribute("rel")


def test_corrections_are_stored_and_shown(server, visit):
    """A correction that is lost, or that the page forgets."""
    page = visit(server)
    open_first(page)
    page.get_by_role("button", name="Not important", exact=True).click()
    expect(page.get_by_role("button", name="Not important", exact=True)).to_have_attribute("aria-pressed", "true")
    with page.expect_response(lambda answer: "/feedback" in answer.url):
        page.get_by_label("Correct the category").select_option("calendar")
    page.reload()
    expect(page.get_by_role("button", name="Not important", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Correct the category")).to_have_value("calendar")
    expect(rows(page).first).to_contain_text("You: not important")
    with server.engine.connect() as connection:
        stored = connection.execute(
            select(app.feedback.c.kind, app.feedback.c.value).order_by(app.feedback.c.created_at)
        ).all()
    assert stored == [("importance", "not_important"), ("category", "calendar")]


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


def test_search_as_you_type(shared_server, visit):
    """Search that needs Enter, loses the box's focus, or forgets the query when a message is opened."""
    page = visit(shared_server)
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


def test_projects_people_and_status(shared_server, visit):
    """A view that does not open."""
    page = visit(shared_server, "#/projects")
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


def test_the_keyboard_is_enough(shared_server, visit):
    """A mail program that needs a mouse."""
    page = visit(shared_server)
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("o")
    expect(page.locator("#reader-pane h2")).to_have_text(SUBJECT)
    expect(page.locator("#reader-pane h2")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")
    expect(rows(page).nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("u")
    expect(page.get_by_text("Choose a message")).to_be_visible()
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Choose a message")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_hostile_mail_runs_nothing_and_fetches_nothing(shared_server, visit):
    """Script from a subject, a sender, a reason, a snippet or a body that runs in the page or in the frame."""
    page = visit(shared_server)
    hostile = page.locator(f'.row[data-message="{seed_id("hostile")}"]')
    expect(hostile).to_contain_text("<script>document.title='hacked'</script>")
    expect(hostile).to_contain_text("<img src=x onerror=\"document.title='hacked'\">")
    hostile.click()
    reader = page.locator("#reader-pane")
    expect(reader.locator("h2")).to_contain_text("<script>")
    reader.get_by_role("button", name="Formatted").click()
    frame = page.frame_locator("iframe.frame")
    expect(frame.get_by_text("Your parcel is")).to_be_visible()
    expect(frame.locator("script, form, svg, input")).to_have_count(0)
    sandbox = reader.locator("iframe").get_attribute("sandbox")
    assert "allow-scripts" not in sandbox
    assert "allow-same-origin" not in sandbox
    page.keyboard.press("e")
    expect(page.locator(".contributions")).to_be_visible()
    page.goto(page.url.split("#")[0] + "#/search?q=press")
    expect(page.locator("mark").first).to_be_visible()
    assert "hacked" not in page.title()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#list-pane img, #reader-pane img").count() == 0


def test_markup_in_the_page_is_blocked_by_its_policy(shared_server, visit):
    """A mistake in the page that would run script from mail: the policy has to stop it."""
    page = visit(shared_server)
    expect(rows(page).first).to_be_visible()
    blocked = page.evaluate(
        """() => {
            try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="hacked=1">'); return 'done'; }
            catch (error) { return error.name; }
        }"""
    )
    assert blocked == "TypeError"
    page.watch.complaints.clear()


def test_two_mailboxes(server, visit):
    """One owner's mail in another's list."""
    seed_other(server.engine)
    page = visit(server)
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY) - 1)
    page.get_by_label("Mailbox").select_option(label="grace@example.net")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("Another owner's mail")
    page.reload()
    expect(rows(page)).to_have_count(1)


def test_no_mailbox_yet(serve, visit):
    """A blank page on the first day."""
    page = visit(serve())
    expect(page.get_by_text("No mailbox yet")).to_be_visible()
    expect(page.get_by_text("rl-emails import PATH --mailbox ADDRESS")).to_be_visible()


def test_a_failure_is_told_and_can_be_tried_again(shared_server, visit):
    """A page that stays empty when the server fails."""
    page = visit(shared_server)
    expect(rows(page).first).to_be_visible()
    problem = '{"detail": "The database cannot be reached."}'
    page.route(
        "**/v1/people*", lambda route: route.fulfill(status=503, body=problem, content_type="application/problem+json")
    )
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("alert")).to_contain_text("The database cannot be reached.")
    page.unroute("**/v1/people*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".person")).to_have_count(3)
    page.watch.complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(shared_server, visit, scheme):
    """A page that is wider than a phone, or text that cannot be read on its ground (WCAG 2.2, 1.4.3)."""
    page = visit(shared_server, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    for place in ("inbox", "tasks", "projects", "people", "status", "search?q=quote"):
        page.evaluate("place => { location.hash = `#/${place}`; }", place)
        expect(page.locator("#list-pane h1")).to_have_text(re.compile(place.partition("?")[0], re.IGNORECASE))
        expect(page.locator(".ghosts")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("#list-pane").evaluate("pane => pane.scrollWidth - pane.clientWidth") <= 0
        assert worst_contrast(page) >= 4.5


def test_reading_on_a_phone(shared_server, visit):
    """A reader that cannot be left, or that is wider than the phone."""
    page = visit(shared_server, viewport={"width": 360, "height": 740})
    rows(page).first.click()
    expect(page.locator("#reader-pane h2")).to_be_visible()
    expect(rows(page).first).to_be_hidden()
    page.locator("details.why > summary").click()
    expect(page.locator(".contributions")).to_be_visible()
    assert page.locator("#reader-pane").evaluate("pane => pane.scrollWidth - pane.clientWidth") <= 0
    page.get_by_role("link", name="Back to the list").click()
    expect(rows(page).first).to_be_visible()


def test_everything_has_a_name(shared_server, visit):
    """A control that a screen reader cannot name."""
    page = visit(shared_server)
    open_first(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a, select, input, iframe')].filter((node) =>
            node.checkVisibility() && !(node.getAttribute('aria-label') || node.title || node.textContent.trim()
            || node.labels?.length)).map((node) => node.outerHTML)"""
    )
    assert nameless == []
    assert page.locator("main").count() == 1
    assert page.locator("nav [aria-current=page]").inner_text() == "Inbox"


def test_the_page_is_small_and_complete():
    """A page that grows unseen, or that loads something from elsewhere."""
    web = Path(__file__).parents[2] / "rl_emails_api" / "web"
    files = {each.name: each for each in web.rglob("*") if each.is_file()}
    inbox, admin = _loaded(files, "index.html"), _loaded(files, "admin.html")
    assert inbox | admin == set(files)
    # 80,000 until it kept itself up to date: freshness, notices, and lists that change where they stand take the rest.
    # 95,000 until it showed who waits for whom and what was learned.
    assert sum(files[name].stat().st_size for name in inbox) < 105_000
    assert sum(files[name].stat().st_size for name in admin - inbox) < 25_000
    for each in files.values():
        source = each.read_text()
        assert not re.search(r"(src|href)=[\"']https?:|@import|url\(", source), each.name
        assert "innerHTML" not in source
        assert not re.search(r"<script(?![^>]*src)|\bon\w+=|style=\"", source) or each.suffix == ".svg", each.name


def _loaded(files, name):
    """The names of the files that a page loads: itself, what it links to, and what that imports."""
    loaded, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        loaded.add(one)
        named = re.findall(r"(?:/web/|from \"\./)([\w.-]+)", files[one].read_text())
        waiting += [each for each in named if each not in loaded]
    return loaded


def test_the_window_counts_from_the_newest_message(shared_server, visit):
    """A window that counts from today and is empty for an archive."""
    page = visit(shared_server)
    expect(rows(page).first).to_be_visible()
    asked = next(url for url in page.watch.requests if "/v1/inbox" in url)
    since = (NEWEST_AT - timedelta(days=30.02)).strftime("%Y-%m-%dT%H")
    assert f"since={since}" in asked.replace("%3A", ":")


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
