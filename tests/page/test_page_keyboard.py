"""A session without a mouse."""

import re

import pytest
from page_places import ALL, SUBJECT, row_of, rows, section, toast
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def press(page, *keys):
    """Press them one after the other."""
    for key in keys:
        page.keyboard.press(key)


def test_the_keyboard_is_enough(server, visit):
    """A mail program that needs a mouse."""
    page = visit(server, ALL)
    expect(rows(page).first).to_be_visible()
    press(page, "j", "j")
    expect(rows(page).nth(1)).to_be_focused()
    press(page, "ArrowUp")
    expect(rows(page).nth(0)).to_be_focused()
    press(page, "o")
    expect(page.locator("#reader-pane h2")).to_have_text(SUBJECT)
    expect(page.locator("#reader-pane h2")).to_be_focused()
    press(page, "j")
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")
    expect(rows(page).nth(1)).to_have_attribute("aria-current", "true")
    press(page, "u")
    expect(page.get_by_text("Choose a message")).to_be_visible()
    expect(rows(page).nth(1)).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#reader-pane h2")).to_have_text("Lunch on Friday?")
    press(page, "Escape")
    expect(page.get_by_text("Choose a message")).to_be_visible()
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Snooze until later")
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    for keys, heading in (
        (("g", "t"), "Tasks"),
        (("g", "w"), "Tasks"),
        (("g", ","), "Settings"),
        (("g", "i"), "Inbox"),
    ):
        press(page, *keys)
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def test_one_line_is_in_the_order_of_tab(server, visit):
    """Forty presses of Tab from the list to the message."""
    page = visit(server, ALL)
    expect(rows(page).first).to_be_visible()
    assert page.locator('#list-pane .row[tabindex="0"]').count() == 1
    press(page, "j", "j", "j")
    assert page.locator('#list-pane .row[tabindex="0"]').count() == 1
    expect(rows(page).nth(2)).to_have_attribute("tabindex", "0")
    assert page.locator("#list-pane :is(.pick, .quick button):not([tabindex='-1'])").count() == 0


def test_brackets_go_from_section_to_section(server, visit):
    """Twenty presses of j to the next kind of mail."""
    page = visit(server, "#/inbox?period=all")
    expect(row_of(page, "lunch")).to_be_visible()
    press(page, "j", "]")
    expect(row_of(page, "quote")).to_be_focused()
    press(page, "]")
    expect(row_of(page, "draft-report")).to_be_focused()
    press(page, "[", "[")
    expect(row_of(page, "lunch")).to_be_focused()


def test_keys_are_letters_while_somebody_types(server, visit):
    """A search for "done" that marks mail as done."""
    page = visit(server, "#/search")
    box = page.get_by_label("Search mail")
    expect(box).to_be_focused()
    page.keyboard.type("exhz")
    expect(box).to_have_value("exhz")
    expect(page.locator(".toast")).to_have_count(0)


def test_the_palette_finds_commands_people_and_projects(server, visit):
    """A palette that knows only its own words, or that a screen reader cannot follow."""
    page = visit(server)
    expect(rows(page).first).to_be_visible()
    press(page, "Control+k")
    box = page.get_by_role("combobox", name="Command, mailbox, person or project")
    expect(box).to_be_focused()
    page.keyboard.type("pir srvy")
    first = page.locator("#palette-list [role=option]").first
    expect(first).to_contain_text("Search mail for")
    box.fill("pier")
    project = page.get_by_role("option", name=re.compile("Project.*Pier survey"))
    expect(project).to_be_visible()
    box.fill("nadia")
    expect(page.get_by_role("option", name=re.compile("Person.*Nadia Okafor"))).to_be_visible()
    box.fill("wait")
    expect(first).to_contain_text("Waiting for")
    expect(first).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == first.get_attribute("id")
    press(page, "ArrowDown", "ArrowUp", "Enter")
    expect(page.get_by_role("button", name="Waiting", exact=True)).to_have_attribute("aria-pressed", "true")
    press(page, "Control+k")
    box.fill("qqqz")
    expect(page.locator("#palette-list [role=option]")).to_have_count(1)
    press(page, "Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_an_importance_is_corrected_by_one_key(server, visit):
    """A wrong score that takes three clicks to contradict."""
    page = visit(server, ALL)
    row_of(page, "quote").click()
    important, not_important = (
        page.get_by_role("button", name=name, exact=True) for name in ("Important", "Not important")
    )
    expect(important).to_be_visible()
    press(page, "!")
    expect(not_important).to_have_attribute("aria-pressed", "true")
    press(page, "!")
    expect(important).to_have_attribute("aria-pressed", "true")
    press(page, "c")
    expect(page.get_by_label("Correct the category")).to_be_focused()


def test_colours_change_and_stay(server, visit):
    """A choice that is forgotten, or a flash of light before the dark."""
    page = visit(server, color_scheme="light")
    expect(rows(page).first).to_be_visible()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    press(page, "D")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    expect(rows(page).first).to_be_visible()
    assert page.evaluate(ground) == dark
    press(page, "g", ",")
    page.get_by_role("group", name="Colours").get_by_role("button", name="As the system").click()
    assert page.evaluate(ground) == light


def test_undo_without_anything_to_undo_says_so(server, visit):
    """A key that does nothing and says nothing."""
    page = visit(server)
    expect(section(page, "reply")).to_be_visible()
    press(page, "z")
    expect(toast(page, "Nothing to undo.")).to_be_visible()
