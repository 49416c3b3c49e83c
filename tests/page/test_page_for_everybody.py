"""The page without a mouse, without sight, on a phone, in the dark."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from page_contrast import worst_contrast
from page_places import open_quote, row_of, rows
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(server, visit, scheme):
    """A page that is wider than a phone, or text that cannot be read on its ground (WCAG 2.2, 1.4.3)."""
    page = visit(server, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    for place in ("inbox", "tasks", "projects", "people", "status", "search?q=quote"):
        page.evaluate("place => { location.hash = `#/${place}`; }", place)
        expect(page.locator("#list-pane h1")).to_have_text(re.compile(place.partition("?")[0], re.IGNORECASE))
        expect(page.locator(".ghosts")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("#list-pane").evaluate("pane => pane.scrollWidth - pane.clientWidth") <= 0
        assert worst_contrast(page) >= 4.5


def test_reading_on_a_phone(server, visit):
    """A reader that cannot be left, or that is wider than the phone."""
    page = visit(server, viewport={"width": 360, "height": 740})
    rows(page).first.click()
    expect(page.locator("#reader-pane h2")).to_be_visible()
    expect(rows(page).first).to_be_hidden()
    page.locator("details.why > summary").click()
    expect(page.locator(".contributions")).to_be_visible()
    assert page.locator("#reader-pane").evaluate("pane => pane.scrollWidth - pane.clientWidth") <= 0
    page.get_by_role("link", name="Back to the list").click()
    expect(rows(page).first).to_be_visible()


def test_everything_has_a_name(server, visit):
    """A control that a screen reader cannot name."""
    page = visit(server)
    open_quote(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a, select, input, iframe')].filter((node) =>
            node.checkVisibility() && !(node.getAttribute('aria-label') || node.title || node.textContent.trim()
            || node.labels?.length)).map((node) => node.outerHTML)"""
    )
    assert nameless == []
    assert page.locator("main").count() == 1
    assert page.locator("nav [aria-current=page]").inner_text() == "Inbox"


PLACES = (
    "inbox?period=all",
    "tasks",
    "tasks?who=waiting",
    "projects",
    "people",
    "search",
    "status",
    "settings",
    "settings?tab=mailboxes",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server, visit, scheme):
    """Names, roles, contrast and order that WCAG 2.2 AA asks for, broken in any view."""
    axe = Axe()
    # Only colours differ in the dark.
    options = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if scheme == "dark" else {})
    page = visit(server, color_scheme=scheme, reduced_motion="reduce")
    found = {}

    def look(place):
        expect(page.locator(".ghosts")).to_have_count(0)
        violations = axe.run(page, options=options).response["violations"]
        found[place] = [(each["id"], each["nodes"][0]["html"][:200]) for each in violations]

    for place in PLACES:
        page.evaluate("place => { location.hash = `#/${place}`; }", place)
        expect(page.locator("#list-pane h1")).to_have_text(re.compile(place.partition("?")[0], re.IGNORECASE))
        look(place)
    page.evaluate("location.hash = '#/inbox?period=all'")
    open_quote(page)
    page.keyboard.press("w")
    expect(page.locator(".contributions")).to_be_visible()
    look("message")
    page.keyboard.press("x")
    look("selected")
    for key, dialog in (("?", "#help"), ("h", "#ask"), ("Control+k", "#palette")):
        page.keyboard.press(key)
        expect(page.locator(dialog)).to_be_visible()
        look(dialog)
        page.keyboard.press("Escape")
    assert {place: bad for place, bad in found.items() if bad} == {}


def test_a_screen_reader_is_told_what_happens(server, visit):
    """Something that is only seen: what was done, how many are selected, what was found, what failed."""
    page = visit(server, "#/inbox?period=all")
    expect(row_of(page, "quote")).to_be_visible()
    tree = page.locator("#list-pane").aria_snapshot()
    assert 'heading "Reply 2 1 unread" [level=2]' in tree
    assert re.search(r'link "Priority 94 Unread, Nadia Okafor .*Pier survey', tree)
    row_of(page, "quote").focus()
    page.keyboard.press("x")
    expect(page.locator(".selected-count")).to_have_text("1 selected")
    assert page.locator(".selected-count").get_attribute("role") == "status"
    page.keyboard.press("e")
    expect(page.locator("#toasts")).to_contain_text("Done.")
    assert page.locator("#toasts").get_attribute("aria-live") == "polite"


def test_motion_is_reduced_for_who_asks(server, visit):
    """Something that breathes or slides for somebody whom it makes ill."""
    page = visit(server, reduced_motion="reduce")
    expect(rows(page).first).to_be_visible()
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((node) => {
            const style = getComputedStyle(node);
            return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0; }).length"""
    )
    assert moving == 0
