"""Settings, and working on one mailbox with others."""

import re

import pytest
from mails import OWNER
from page_places import ALL, open_quote, toast
from playwright.sync_api import expect
from sqlalchemy import text

pytestmark = pytest.mark.browser


def test_a_shared_mailbox_has_notes_and_somebody_who_cares(server, visit):
    """Notes in somebody's own mailbox; a note or an assignment that is lost; mail and notes that look alike."""
    page = visit(server, ALL)
    open_quote(page)
    expect(page.locator("#reader-pane .corrections")).to_be_visible()
    expect(page.get_by_role("region", name="For the team")).to_have_count(0)
    page.evaluate("location.hash = '#/settings?tab=mailboxes'")
    page.get_by_role("button", name="Share it with the organization").click()
    expect(page.get_by_role("region", name=OWNER)).to_contain_text("Shared")
    page.evaluate("place => { location.hash = place; }", ALL)
    open_quote(page)
    team = page.get_by_role("region", name="For the team")
    expect(team).to_contain_text("No notes yet")
    team.get_by_label("A note for the team").fill("I have asked <b>Tomas</b>.")
    team.get_by_role("button", name="Add the note").click()
    expect(team.get_by_label("Internal notes")).to_contain_text("I have asked <b>Tomas</b>.")
    person = team.get_by_label("Assigned to").locator("option").nth(1)
    with page.expect_response(lambda answer: "/assignment" in answer.url and answer.request.method == "PUT") as put:
        team.get_by_label("Assigned to").select_option(person.get_attribute("value"))
    assert put.value.ok
    page.reload()
    expect(team.get_by_label("Assigned to")).to_have_value(person.get_attribute("value"))
    team.get_by_role("button", name="Delete").click()
    expect(team).to_contain_text("No notes yet")


def test_a_key_is_made_shown_once_and_revoked(server, visit):
    """A key that nobody can read, that is shown again, or that cannot be taken back."""
    page = visit(server, "#/settings?tab=access")
    page.get_by_label("Name of the key").fill("Nightly report")
    page.get_by_role("button", name="Make a key").click()
    shown = page.locator(".new-key code")
    expect(shown).to_have_text(re.compile(r"^rle_"))
    secret = shown.inner_text()
    page.reload()
    keys = page.get_by_role("region", name="API keys")
    expect(keys).to_contain_text("Nightly report")
    expect(keys).to_contain_text("mail:read")
    assert secret not in page.content()
    keys.get_by_role("button", name="Revoke Nightly report").click()
    expect(keys.get_by_role("button", name="Revoke Nightly report")).to_have_count(0)


def test_members_privacy_and_the_audit_log_are_shown(server, visit):
    """A part of the settings that does not open, or that hides what happened."""
    page = visit(server, "#/settings?tab=members")
    expect(page.get_by_role("region", name="Organization")).to_contain_text("You: Owner")
    expect(page.get_by_role("region", name="Invitations")).to_contain_text("needs an identity provider")
    expect(page.get_by_role("button", name="Invite")).to_have_count(0)
    page.get_by_role("link", name="Privacy").click()
    expect(page.get_by_role("region", name="Receipts")).to_contain_text("None yet.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename.endswith(".zip")
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("region", name="Audit log")).to_contain_text("export")


def test_the_wrong_address_erases_nothing(server, visit):
    """A mailbox erased by one click too many."""
    page = visit(server, "#/settings?tab=mailboxes")
    page.get_by_text("Disconnect").first.click()
    page.get_by_label(f"Type {OWNER} to confirm").fill("ada@example.com")
    page.get_by_role("button", name="Disconnect and erase").click()
    expect(toast(page, "The address is not the mailbox's.")).to_be_visible()
    with server.engine.connect() as connection:
        assert connection.execute(text("select state from mailboxes.connections")).scalar() == "connected"


def test_an_invitation_is_made_and_accepted(server, visit):
    """A link that is never shown, or that leads nowhere. The answers are those of an installation with sign-in."""
    page = visit(server)
    now = "2026-11-23T08:00:00Z"
    me = {"user": {"user_id": "u", "address": "ada@example.org", "display_name": "Ada"}, "credential": "session"}
    organization = {
        "organization_id": "o",
        "name": "Kestrel Marine",
        "role": "owner",
        "is_personal": False,
        "managed_by": "rl-emails",
    }
    invitation = {
        "invitation_id": "i",
        "address": "grace@example.org",
        "role": "member",
        "expires_at": now,
        "is_expired": False,
    }
    link = f"{server.url}/#/invitation?token=9x"
    asked = []

    def answer(body, status=200):
        return lambda route: (asked.append(route.request), route.fulfill(status=status, json=body))

    page.route("**/v1/me", answer(me))
    page.route("**/v1/organization", answer(organization))
    page.route("**/v1/organization/members?*", answer({"items": []}))
    page.route(
        "**/v1/organization/invitations",
        lambda route: answer(
            invitation | {"link": link} if route.request.method == "POST" else {"items": [invitation]}
        )(route),
    )
    page.route("**/v1/invitations/accept", answer(organization))
    page.route("**/v1/me/organization", answer(me))
    page.evaluate("location.hash = '#/settings?tab=members'")
    page.get_by_label("Address to invite").fill("grace@example.org")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator(".secret code")).to_have_text(link)
    page.goto(link)
    with page.expect_navigation():
        page.get_by_role("button", name="Join").click()
    accepted = next(each for each in asked if each.url.endswith("/accept"))
    assert accepted.post_data_json == {"token": "9x"}
