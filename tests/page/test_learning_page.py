"""What the page tells somebody of their corrections, with a mouse and without."""

import uuid

import pytest
from mails import NADIA, OWNER, seed_id
from page_places import ALL, SUBJECT, open_quote
from playwright.sync_api import expect
from sqlalchemy import text

pytestmark = pytest.mark.browser

POLL = 35_000
"""Milliseconds until the page has asked again; while the server tells it of changes it asks every 30 seconds only."""


@pytest.fixture
def learn(server):
    """What a training and the run after it leave behind: a serving model that moved one message of NADIA's."""

    def write(*, moved=True):
        model_id = uuid.uuid4()
        with server.engine.begin() as connection:
            parameters = {"mailbox_id": seed_id(OWNER), "model_id": model_id, "message_id": seed_id("quote")}
            connection.execute(
                text(
                    "insert into models.trainings (mailbox_id, kind, feedback_count, feedback_at, evidence_hash, note, "
                    "run_id) select :mailbox_id, 'ranker', count(*), max(created_at), '', 'It says the same already.', "
                    "'r' from app.feedback"
                ),
                parameters,
            )
            if moved:
                connection.execute(
                    text(
                        "insert into models.versions (model_id, mailbox_id, kind, version, weights, trained_from, "
                        "evaluation, state, is_passed, reason, run_id, created_at, served_at, applied_at) values "
                        "(:model_id, :mailbox_id, 'ranker', 'abc', '{\"format\": 1}', '{}', '{}', 'serving', true, "
                        "'It carries it out.', 'r', clock_timestamp(), now(), clock_timestamp())"
                    ),
                    parameters,
                )
                connection.execute(
                    text(
                        "insert into models.shifts values "
                        "(:model_id, :message_id, :mailbox_id, 0.94, 0.71, 1, 2, 'person', 'person')"
                    ),
                    parameters,
                )

    return write


def test_a_correction_is_noted_and_told_of_once_it_is_done(server, visit, learn):
    """Somebody who corrects and hears nothing corrects once and never again."""
    page = visit(server, ALL, clock=True)
    open_quote(page)
    page.keyboard.press("n")
    line = page.locator(".learned")
    expect(line).to_contain_text("Noted. Mail like it is ranked anew within a minute.")
    learn()
    page.clock.run_for(POLL)
    expect(line).to_contain_text("Learned: 1 message from this sender moved.")
    expect(page.locator(".toast", has_text="Learned: 1 message")).to_be_visible()
    assert line.get_attribute("role") == "status"
    summary = line.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    moved = line.get_by_role("link", name=SUBJECT)
    expect(moved).to_be_focused()
    expect(line).to_contain_text("94 → 71")
    assert NADIA[1] not in page.url


def test_what_changed_nothing_is_told_with_the_reason(server, visit, learn):
    """No answer would look like a lost correction."""
    page = visit(server, ALL, clock=True)
    open_quote(page)
    page.get_by_role("button", name="Not important").click()
    expect(page.locator(".learned")).to_contain_text("Noted.")
    learn(moved=False)
    page.clock.run_for(POLL)
    expect(page.locator(".learned")).to_contain_text("nothing has changed. It says the same already.")


def test_a_corrected_message_says_so_when_it_is_opened_again(server, visit, learn):
    """What a correction changed is asked for days later as well."""
    page = visit(server, ALL)
    open_quote(page)
    page.keyboard.press("n")
    expect(page.locator(".learned")).to_contain_text("Noted.")
    learn()
    page.reload()
    expect(page.locator(".learned")).to_contain_text("Learned: 1 message")


def test_the_why_panel_names_what_speaks_against(server, visit):
    """Only what speaks for a message is half of why it stands where it stands."""
    with server.engine.begin() as connection:
        connection.execute(
            text(
                "update priorities.messages set reasons_against = '{Sent in bulk,Has 9 links}' where message_id = :id"
            ),
            {"id": seed_id("quote")},
        )
    page = visit(server, ALL)
    open_quote(page)
    page.keyboard.press("w")
    panel = page.locator(".why-score")
    expect(panel.get_by_role("heading", name="Why not higher")).to_be_visible()
    expect(panel.locator(".against li")).to_have_text(["Sent in bulk", "Has 9 links"])
