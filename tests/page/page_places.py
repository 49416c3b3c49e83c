"""Where things are on the page, for every test of it."""

from mails import seed_id
from playwright.sync_api import expect

SUBJECT = "Pier survey: can you sign off the revised quote?"
ALL = "#/inbox?period=all&order=priority"
"""Every message in one list, by priority."""


def rows(page):
    """The lines of the list, folded ones too."""
    return page.locator("#list-pane .row[data-message]")


def row_of(page, name):
    """The line of a seeded message."""
    return page.locator(f'#list-pane .row[data-message="{seed_id(name)}"]')


def section(page, needs):
    """A section of the inbox: reply, decision, task, read or nothing."""
    return page.locator(f'section.need[data-needs="{needs}"]')


def open_quote(page):
    """Open the message that needs a decision, and wait for it."""
    row_of(page, "quote").click()
    expect(page.locator("#reader-pane h2")).to_have_text(SUBJECT)


def toast(page, text):
    """A word at the foot of the page."""
    return page.locator(".toast", has_text=text)
