"""The page, as somebody uses it."""

import re
from datetime import timedelta

import pytest
from mails import NEWEST_AT, VISIBLE_BY_PRIORITY, seed_id
from page_places import ALL, open_quote, row_of, rows, section
from playwright.sync_api import expect
from seed import seed_other
from sqlalchemy import select

from rl_emails_assets.db.tables import app

pytestmark = pytest.mark.browser


def test_the_inbox_is_in_the_recorded_order_with_reasons(server, visit):
    """An inbox in another order than the API's, or lines without the reason for their place."""
    page = visit(server, ALL)
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))
    found = rows(page).evaluate_all("rows => rows.map(row => row.dataset.message)")
    assert found == [str(seed_id(name)) for name in VISIBLE_BY_PRIORITY]
    first = rows(page).first
    expect(first).to_contain_text("94")
    expect(first).to_contain_text("You answered 9 of 10 of this sender's messages")
    expect(first).to_contain_text("Decide")
    expect(first).to_have_class(re.compile("unread"))
    assert "token" not in page.url


def test_the_inbox_is_in_sections_by_need(server, visit):
    """A decision lost between newsletters; a section that does not say how much it holds; the rest in the way."""
    page = visit(server, "#/inbox?period=all")
    expect(rows(page)).to_have_count(len(VISIBLE_BY_PRIORITY))
    expect(page.locator("section.need:visible h2")).to_have_text(
        [
            re.compile("^Reply 2"),
            re.compile("^Decide 2"),
            re.compile("^Do 1"),
            re.compile("^Read 2"),
            re.compile("^Every"),
        ]
    )
    names = (
        "lunch",
        "pier-earlier",
        "quote",
        "invite",
        "draft-report",
        "old",
        "list",
        "receipt",
        "newsletter",
        "hostile",
    )
    found = rows(page).evaluate_all("rows => rows.map(row => row.dataset.message)")
    assert found == [str(seed_id(name)) for name in names]
    expect(section(page, "reply")).to_contain_text("1 unread")
    expect(row_of(page, "receipt")).to_be_hidden()
    head = section(page, "nothing").get_by_role("button", name=re.compile("Everything else"))
    expect(head).to_have_attribute("aria-expanded", "false")
    head.click()
    expect(row_of(page, "receipt")).to_be_visible()
    page.reload()
    expect(row_of(page, "receipt")).to_be_visible()


def test_the_window_is_plain_and_can_be_left(server, visit):
    """Mail that seems lost because the list shows 30 days and does not say so."""
    page = visit(server)
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


def test_what_waits_is_told(server, visit):
    """New mail that is nowhere to be seen until it is ranked."""
    page = visit(server)
    expect(page.locator(".pending")).to_contain_text("2 messages stored, not ranked yet")
    page.get_by_role("link", name="See by date").click()
    expect(rows(page).first).to_contain_text("Just arrived")


def test_filters(server, visit):
    """A filter without effect, or one that cannot be taken back."""
    page = visit(server)
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
    open_quote(page)
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
    expect(row_of(page, "quote")).not_to_have_class(re.compile("unread"))
    with server.engine.connect() as connection:
        assert connection.execute(
            select(app.message_states.c.read_at).where(app.message_states.c.message_id == seed_id("quote"))
        ).scalar()


def test_why_here_adds_up(server, visit):
    """A panel that does not explain the number, or does not say which run and model decided."""
    page = visit(server)
    open_quote(page)
    page.keyboard.press("w")
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
    open_quote(page)
    page.get_by_role("button", name="Not important", exact=True).click()
    expect(page.get_by_role("button", name="Not important", exact=True)).to_have_attribute("aria-pressed", "true")
    with page.expect_response(lambda answer: "/feedback" in answer.url):
        page.get_by_label("Correct the category").select_option("calendar")
    page.reload()
    expect(page.get_by_role("button", name="Not important", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Correct the category")).to_have_value("calendar")
    expect(row_of(page, "quote")).to_contain_text("You: not important")
    with server.engine.connect() as connection:
        stored = connection.execute(
            select(app.feedback.c.kind, app.feedback.c.value).order_by(app.feedback.c.created_at)
        ).all()
    assert stored == [("importance", "not_important"), ("category", "calendar")]


def test_hostile_mail_runs_nothing_and_fetches_nothing(server, visit):
    """Script from a subject, a sender, a reason, a snippet or a body that runs in the page or in the frame."""
    page = visit(server, ALL)
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
    page.keyboard.press("w")
    expect(page.locator(".contributions")).to_be_visible()
    page.goto(page.url.split("#")[0] + "#/search?q=press")
    expect(page.locator("mark").first).to_be_visible()
    assert "hacked" not in page.title()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#list-pane img, #reader-pane img").count() == 0


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


def test_a_failure_is_told_and_can_be_tried_again(server, visit):
    """A page that stays empty when the server fails."""
    page = visit(server)
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


def test_the_window_counts_from_the_newest_message(server, visit):
    """A window that counts from today and is empty for an archive."""
    page = visit(server)
    expect(rows(page).first).to_be_visible()
    asked = next(url for url in page.watch.requests if "/v1/inbox" in url)
    since = (NEWEST_AT - timedelta(days=30.02)).strftime("%Y-%m-%dT%H")
    assert f"since={since}" in asked.replace("%3A", ":")
