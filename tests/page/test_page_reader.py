"""One message: what proves its tasks, its answer, its images."""

import ssl
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from mails import NADIA, OWNER, Mail, seed_id
from page_places import ALL, SUBJECT, open_quote, row_of
from playwright.sync_api import expect
from seed import add_mail
from stranger import Stranger, answer, png

from rl_emails_api.remote_images.fetching import Fetcher

pytestmark = pytest.mark.browser


def test_the_sentence_that_proves_a_task_is_marked(server, visit):
    """A task that cannot be found in its message; a mark that stands a letter off after an emoji."""
    text = "Dear Ada 🌊🌊, thanks.\n\nPlease bring the glove. See you."
    start = text.index("Please")
    task = {
        "description": "Bring the glove",
        "owner": "me",
        "evidence": "Please bring the glove.",
        "evidence_start": start,
        "evidence_end": start + 23,
    }
    with server.engine.begin() as connection:
        add_mail(
            connection, seed_id(OWNER), Mail("glove", NADIA, "The glove", text, 0.5, 0.97, thread="pier", tasks=(task,))
        )
    page = visit(server, ALL)
    row_of(page, "glove").click()
    expect(page.locator("#reader-pane .evidence-mark")).to_have_text("Please bring the glove.")


def test_a_reply_opens_the_mail_program_with_the_words_quoted(server, visit):
    """An answer without a subject or the words that it answers; a header smuggled in by a subject."""
    page = visit(server, ALL)
    open_quote(page)
    link = page.get_by_role("link", name="Reply", exact=True)
    address = urlsplit(link.get_attribute("href"))
    assert address.scheme == "mailto"
    assert unquote(address.path) == NADIA[1]
    fields = parse_qs(address.query)
    assert set(fields) == {"subject", "body", "in-reply-to"}
    assert fields["subject"] == [f"Re: {SUBJECT}"]
    lines = fields["body"][0].split("\r\n")
    assert lines[2].startswith("On Fri")
    assert lines[2].endswith("Nadia Okafor wrote:")
    assert lines[3:5] == ["> Hi Ada,", ">"]
    assert all(len(line) <= 76 for line in lines[3:])
    assert all(line.startswith(">") for line in lines[3:] if line)
    page.evaluate(
        """() => document.querySelector('[data-key=reply]').addEventListener('click', (event) => {
            event.preventDefault(); window.answered = true; })"""
    )
    page.keyboard.press("r")
    assert page.evaluate("window.answered")
    page.evaluate("location.hash = location.hash.replace(/m=[^&]*/, '')")
    row_of(page, "hostile").click()
    expect(page.locator("#reader-pane h2")).to_contain_text("<script>")
    query = urlsplit(page.get_by_role("link", name="Reply", exact=True).get_attribute("href")).query
    assert set(parse_qs(query)) <= {"subject", "body", "in-reply-to"}


def test_a_long_message_still_makes_an_address(server, visit):
    """An address that browsers and mail programs cut in the middle of a character."""
    with server.engine.begin() as connection:
        add_mail(connection, seed_id(OWNER), Mail("long", NADIA, "Long", "Größe ✓ " * 2000, 0.5, 0.97, thread="pier"))
    page = visit(server, ALL)
    row_of(page, "long").click()
    href = page.get_by_role("link", name="Reply", exact=True).get_attribute("href")
    assert len(href) < 2000
    assert parse_qs(urlsplit(href).query)["body"][0].rstrip().endswith("[…]")


def test_images_are_shown_only_when_asked_for(server, visit):
    """A sender who learns that a message was opened; or a choice for all mail that nobody made."""
    page = visit(server, ALL)
    row_of(page, "hostile").click()
    page.get_by_role("button", name="Formatted").click()
    frame = page.locator("iframe.frame")
    assert "images" not in frame.get_attribute("src")
    page.get_by_role("button", name="Show images").click()
    assert "images=proxy" in frame.get_attribute("src")
    page.get_by_role("button", name="Always for this sender").click()
    page.reload()
    page.get_by_role("button", name="Formatted").click()
    assert "images=proxy" in frame.get_attribute("src")
    page.get_by_role("button", name="No longer for this sender").click()
    assert "images" not in frame.get_attribute("src")
    assert page.evaluate("localStorage.getItem('rl-emails images')") == "[]"
    # tracker.example cannot be reached: the proxy says so, and the browser tells that an image is missing.
    page.watch.complaints.clear()


def test_an_image_that_was_asked_for_is_seen(server, visit):
    """A button that shows nothing: images kept out by the page's policy, the frame's, or its missing cookie; or a
    sender who is asked before the reader has asked, or is told who reads."""
    proxy = server.app.state.remote_images
    with Stranger(answer(png(), "Content-Type: image/png")) as stranger:

        async def as_loopback(_host, _port):
            return ["127.0.0.1"]

        before = proxy._fetcher
        proxy._fetcher = Fetcher(
            ssl_context=ssl.create_default_context(),
            resolve=as_loopback,
            is_allowed=lambda _: True,
            ports=frozenset({stranger.port}),
        )
        html = f"<p>Our new pier.</p><img src='http://images.example:{stranger.port}/pier.png'>"
        with server.engine.begin() as connection:
            item = Mail("image", NADIA, "The pier", "Our new pier.", 0.5, 0.97, thread="pier", html=html)
            add_mail(connection, seed_id(OWNER), item)
        page = visit(server, ALL)
        row_of(page, "image").click()
        page.get_by_role("button", name="Formatted").click()
        frame = page.frame_locator("iframe.frame")
        expect(frame.get_by_text("Our new pier.")).to_be_visible()
        assert stranger.requests == []
        page.get_by_role("button", name="Show images").click()
        image = frame.locator("img[src]")
        expect(image).to_be_visible()
        size = image.evaluate("async (img) => { await img.decode(); return [img.naturalWidth, img.naturalHeight]; }")
        proxy._fetcher = before
    assert size == [20, 10]
    assert len(stranger.requests) == 1
    assert server.url.removeprefix("http://").encode() not in stranger.requests[0]
    assert b"ookie" not in stranger.requests[0]


def test_a_message_that_cannot_be_read_is_told(server, visit):
    """A blank reader, and no way to try again."""
    page = visit(server, ALL)
    problem = '{"detail": "The database cannot be reached."}'
    page.route(
        f"**/v1/messages/{seed_id('lunch')}?*",
        lambda route: route.fulfill(status=503, body=problem, content_type="application/problem+json"),
    )
    row_of(page, "lunch").click()
    reader = page.locator("#reader-pane")
    expect(reader.get_by_role("alert")).to_contain_text("The database cannot be reached.")
    page.unroute(f"**/v1/messages/{seed_id('lunch')}?*")
    reader.get_by_role("button", name="Try again").click()
    expect(reader.locator("h2")).to_have_text("Lunch on Friday?")
    page.watch.complaints.clear()
