"""The same client against somebody else's Gmail: what the stand-in agrees with cannot be our own misreading."""

import base64

import google.oauth2.credentials
import pytest
from googleapiclient.discovery import build

from tests.gmail.emulator import ADDRESS, SEED_MESSAGES, Emulator


@pytest.fixture
def service(emulator: Emulator):
    """google-api-python-client on the emulator; any token is its account's."""
    credentials = google.oauth2.credentials.Credentials("any")
    with build("gmail", "v1", credentials=credentials, client_options={"api_endpoint": emulator.url}) as made:
        yield made


def test_the_client_lists_and_reads_raw_messages(service):
    """A stand-in that only its own tests can read would prove nothing."""
    messages = service.users().messages()
    listed = messages.list(userId="me", maxResults=5, includeSpamTrash=True).execute()
    ids = [entry["id"] for entry in listed["messages"]]
    while "nextPageToken" in listed:
        token = listed["nextPageToken"]
        listed = messages.list(userId="me", maxResults=5, includeSpamTrash=True, pageToken=token).execute()
        ids += [entry["id"] for entry in listed["messages"]]
    assert sorted(ids) == [entry["id"] for entry in SEED_MESSAGES]

    raw = messages.get(userId="me", id="seed03", format="raw").execute()
    assert b"Subject: Seeded message 3" in base64.urlsafe_b64decode(raw["raw"] + "==")
    assert raw["labelIds"] == ["INBOX", "UNREAD"]


def test_history_tells_of_what_came_after_the_profile_was_read(service):
    """Full sync begins with the profile's history id: changes after it must be told."""
    start = service.users().getProfile(userId="me").execute()
    assert start["emailAddress"] == ADDRESS
    content = base64.urlsafe_b64encode(b"From: new@example.net\r\nSubject: New\r\n\r\nNew.\r\n").decode()
    added = service.users().messages().insert(userId="me", body={"raw": content, "labelIds": ["INBOX"]}).execute()
    service.users().messages().modify(userId="me", id="seed01", body={"removeLabelIds": ["UNREAD"]}).execute()
    told = service.users().history().list(userId="me", startHistoryId=start["historyId"]).execute()
    arrived = [entry["message"]["id"] for record in told["history"] for entry in record.get("messagesAdded", [])]
    unlabelled = [entry["message"]["id"] for record in told["history"] for entry in record.get("labelsRemoved", [])]
    assert (arrived, unlabelled) == ([added["id"]], ["seed01"])
    assert int(told["historyId"]) > int(start["historyId"])


def test_a_batch_through_the_front_answers_each_part(service, emulator):
    """The product's sync reads in batches, which the emulator lacks: the front must not mix parts up."""
    got = {}
    batch = service.new_batch_http_request(callback=lambda key, answer, error: got.update({key: answer or error}))
    batch._batch_uri = f"{emulator.url}/batch/gmail/v1"
    for key in ("seed02", "seed07", "nothing"):
        batch.add(service.users().messages().get(userId="me", id=key, format="raw"), request_id=key)
    batch.execute()
    assert (got["seed02"]["id"], got["seed07"]["id"], got["nothing"].resp.status) == ("seed02", "seed07", 404)


def test_consent_leads_back_with_a_code(emulator):
    """Connecting a mailbox to the emulator goes through its consent page."""
    page = (
        f"{emulator.url}/o/oauth2/v2/auth?client_id=emulated.apps.googleusercontent.com&response_type=code&state=s1"
        "&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly"
    )
    location = emulator.consent(page)
    assert location.startswith("http://127.0.0.1/callback?")
    assert "code=" in location
    assert "state=s1" in location
