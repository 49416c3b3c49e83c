"""The stand-in's mailbox, read and changed by google-api-python-client: what a sync relies on."""

import base64
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload

from tests.gmail.standin.client import FULL, batch_of, google_client
from tests.gmail.standin.users import GMAIL_MODIFY, GMAIL_READONLY

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
METADATA = "https://www.googleapis.com/auth/gmail.metadata"


@pytest.fixture
def service(gmail, owner):
    """The client, allowed everything."""
    with google_client(gmail, owner) as made:
        yield made


def reason_of(error) -> str:
    return json.loads(error.value.content)["error"]["errors"][0]["reason"]


def listed(service, **asked) -> list[str]:
    """Ids of every page."""
    request = service.users().messages().list(userId="me", **asked)
    ids = []
    while request is not None:
        answer = request.execute()
        ids += [entry["id"] for entry in answer.get("messages", [])]
        request = service.users().messages().list_next(request, answer)
    return ids


def history(service, start, **asked) -> list[dict]:
    """Records of every page."""
    request = service.users().history().list(userId="me", startHistoryId=str(start), **asked)
    records = []
    while request is not None:
        answer = request.execute()
        records += answer.get("history", [])
        request = service.users().history().list_next(request, answer)
    return records


class TestMessages:
    """Listing and getting."""

    def test_raw_is_the_bytes_and_numbers_are_digits(self, service, owner):
        """A double in between would round a history id, which here is past 2^53."""
        content = b"From: a@example.net\r\nSubject: Gr\xfc\xdfe?>\r\n\r\n\xff\xfe\r\n"
        message_id = owner.deliver(content, at=START)
        got = service.users().messages().get(userId="me", id=message_id, format="raw").execute()
        assert base64.urlsafe_b64decode(got["raw"]) == content
        assert got["internalDate"] == str(int(START.timestamp() * 1000))
        assert (got["labelIds"], got["sizeEstimate"]) == (["INBOX", "UNREAD"], len(content))
        profile = service.users().getProfile(userId="me").execute()
        assert int(profile["historyId"]) >= int(got["historyId"]) > 2**53
        assert float(profile["historyId"]) != int(profile["historyId"]) or int(profile["historyId"]) % 2 == 0

    def test_listing_is_newest_first_and_leaves_the_bin_out(self, service, owner):
        ids = [owner.deliver(at=START + timedelta(minutes=minute)) for minute in (3, 1, 2)]
        spam = owner.deliver(labels=["SPAM"], at=START)
        owner.trash(ids[0])
        assert listed(service) == [ids[2], ids[1]]
        assert listed(service, includeSpamTrash=True) == [ids[0], ids[2], ids[1], spam]
        assert listed(service, labelIds=["TRASH"]) == [ids[0]]
        assert service.users().messages().list(userId="me", q="nothing-has-this").execute() == {"resultSizeEstimate": 0}

    @pytest.mark.parametrize("shift", [False, True])
    def test_pages_while_mail_arrives(self, service, gmail, owner, shift):
        """By position a page repeats what moved down; by key it does not. A sync must bear both."""
        gmail.pages_shift = shift
        ids = [owner.deliver(at=START + timedelta(minutes=minute)) for minute in range(10)][::-1]
        gmail.faults.next("messages.list", arrive=1)
        seen = listed(service, maxResults=4)
        assert set(ids) <= set(seen)
        assert len(seen) == (11 if shift else 10)

    def test_a_deletion_between_shifting_pages_hides_a_message(self, service, gmail, owner):
        """The listing alone is no proof that a message is gone."""
        gmail.pages_shift = True
        ids = [owner.deliver(at=START + timedelta(minutes=minute)) for minute in range(6)][::-1]
        first = service.users().messages().list(userId="me", maxResults=3)
        answer = first.execute()
        owner.delete(ids[0])
        rest = service.users().messages().list_next(first, answer).execute()
        assert ids[3] not in [entry["id"] for entry in answer["messages"] + rest["messages"]]

    def test_search(self, service, gmail, owner):
        now = gmail.clock.now()
        old = owner.deliver(at=now - timedelta(days=40), subject="Invoice", message_id="one@example.net")
        new = owner.deliver(at=now - timedelta(days=2), sender="carol@example.net")
        label_id = owner.make_label("Customers/ACME")
        owner.relabel(new, add=[label_id], remove=["UNREAD"])
        binned = owner.deliver(labels=["TRASH"], at=now)
        day = (now - timedelta(days=10)).strftime("%Y/%m/%d")
        seconds = int((now - timedelta(days=10)).timestamp())
        for query, expected in [
            ("newer_than:30d", [new]),
            ("older_than:1m", [old]),
            (f"after:{day}", [new]),
            (f"before:{seconds}", [old]),
            ("rfc822msgid:<one@example.net>", [old]),
            ("rfc822msgid:one@example.net", [old]),
            ("label:Customers/ACME", [new]),
            ("is:unread", [old]),
            ("is:read -in:trash", [new]),
            ("from:carol", [new]),
            ("subject:invoice", [old]),
            ("in:anywhere", [binned, new, old]),
            ('"hello there" -from:carol', [old]),
        ]:
            assert listed(service, q=query) == expected, query
        with pytest.raises(HttpError, match="Invalid relative date"):
            listed(service, q="newer_than:soon")

    def test_formats(self, service, owner):
        content = (
            b"From: a@example.net\r\nTo: owner@example.org\r\nSubject: Two parts\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee  this\r\n'
            b"--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n1,2\r\n--b--\r\n"
        )
        message_id = owner.deliver(content)
        messages = service.users().messages()
        full = messages.get(userId="me", id=message_id).execute()
        assert full["snippet"] == "See this"
        text, table = full["payload"]["parts"]
        assert (text["partId"], text["mimeType"], table["partId"], table["filename"]) == (
            "0",
            "text/plain",
            "1",
            "a.csv",
        )
        attachment = (
            messages.attachments().get(userId="me", messageId=message_id, id=table["body"]["attachmentId"]).execute()
        )
        assert base64.urlsafe_b64decode(attachment["data"]).strip() == b"1,2"
        metadata = messages.get(userId="me", id=message_id, format="metadata", metadataHeaders=["subject"]).execute()
        assert metadata["payload"]["headers"] == [{"name": "Subject", "value": "Two parts"}]
        minimal = messages.get(userId="me", id=message_id, format="minimal", fields="id,labelIds").execute()
        assert minimal == {"id": message_id, "labelIds": ["INBOX", "UNREAD"]}

    def test_partial_responses(self, service, owner):
        owner.deliver(message_id="a@example.net")
        messages = service.users().messages()
        for mask, expected in [
            ("messages(id),nextPageToken", {"messages"}),
            ("messages/id", {"messages"}),
            ("resultSizeEstimate", {"resultSizeEstimate"}),
            ("*", {"messages", "resultSizeEstimate"}),
        ]:
            answer = messages.list(userId="me", fields=mask).execute()
            assert set(answer) == expected
            assert mask == "*" or all(set(entry) == {"id"} for entry in answer.get("messages", []))
        with pytest.raises(HttpError, match="Invalid field selection"):
            messages.list(userId="me", fields="messages(id").execute()

    def test_a_reply_joins_a_conversation_only_under_its_subject(self, service, owner):
        first = owner.deliver(subject="Lunch", message_id="lunch@example.net")
        reply = owner.deliver(subject="Re: Lunch", in_reply_to="lunch@example.net")
        other = owner.deliver(subject="Dinner", in_reply_to="lunch@example.net")
        threads = {m.id: m.thread_id for m in owner.messages.values()}
        assert threads == {first: first, reply: first, other: other}
        thread = service.users().threads().get(userId="me", id=first, format="minimal").execute()
        assert [entry["id"] for entry in thread["messages"]] == [first, reply]
        assert service.users().getProfile(userId="me").execute()["threadsTotal"] == 2
        owner.delete(other)
        assert [t["id"] for t in service.users().threads().list(userId="me").execute()["threads"]] == [first]

    def test_what_is_gone_and_what_never_was(self, service, owner):
        message_id = owner.deliver()
        owner.delete(message_id)
        with pytest.raises(HttpError) as gone:
            service.users().messages().get(userId="me", id=message_id).execute()
        assert (gone.value.resp.status, reason_of(gone)) == (404, "notFound")
        with pytest.raises(HttpError) as never:
            service.users().messages().get(userId="me", id="no-such-form").execute()
        assert never.value.resp.status == 400

    def test_broken_raws(self, service, gmail, owner):
        """Three ways in which a message cannot be stored as it is."""
        gmail.oversized_bytes = 5000
        missing, garbled, large = (owner.deliver() for _ in range(3))
        owner.break_raw(missing, "missing")
        owner.break_raw(garbled, "invalid_base64")
        owner.break_raw(large, "oversized")
        got = batch_of(service, gmail, [missing, garbled, large])
        assert "raw" not in got[missing]
        assert got[garbled]["raw"].startswith("@@")
        assert (got[large]["sizeEstimate"], len(base64.urlsafe_b64decode(got[large]["raw"]))) == (5000, 5000)


class TestHistory:
    """Changes since a history id."""

    def test_it_tells_everything_once_in_order(self, service, owner):
        kept = owner.deliver()
        start = owner.history_id
        label_id = owner.make_label("New")
        new = owner.deliver()
        owner.relabel(kept, add=[label_id, "STARRED"], remove=["UNREAD"])
        owner.trash(new)
        fleeting = owner.add_and_delete()
        owner.ghost_record(kept)
        owner.relabel(kept, add=["STARRED"])  # Nothing changes, so nothing is told.
        records = history(service, start, maxResults=2)
        numbers = [int(record["id"]) for record in records]
        assert numbers == sorted(set(numbers))
        assert numbers != list(range(numbers[0], numbers[0] + len(numbers)))
        kinds = [[key for key in record if key not in {"id", "messages"}] for record in records]
        assert kinds == [
            ["messagesAdded"],
            ["labelsAdded", "labelsRemoved"],
            ["labelsAdded", "labelsRemoved"],
            ["messagesAdded"],
            ["messagesDeleted"],
            [],
        ]
        assert records[1]["labelsAdded"][0] == {
            "message": {"id": kept, "threadId": kept, "labelIds": sorted(["INBOX", label_id, "STARRED"])},
            "labelIds": [label_id, "STARRED"],
        }
        assert records[2]["labelsAdded"][0]["labelIds"] == ["TRASH"]
        assert records[4]["messagesDeleted"][0]["message"]["id"] == fleeting

    def test_filters_and_fields(self, service, owner):
        start = owner.history_id
        message_id = owner.deliver(labels=["INBOX"])
        owner.relabel(message_id, add=["STARRED"])
        owner.deliver(labels=["SENT"])
        assert len(history(service, start, historyTypes=["messageAdded"])) == 2
        assert len(history(service, start, historyTypes=["labelAdded", "messageDeleted"])) == 1
        assert len(history(service, start, labelId="SENT")) == 1
        asked = service.users().history().list(userId="me", startHistoryId=str(start), fields="history/messagesAdded")
        assert set(asked.execute()["history"][0]) == {"messagesAdded"}

    def test_several_messages_in_one_record(self, service, owner):
        ids = [owner.deliver() for _ in range(3)]
        start = owner.history_id
        service.users().messages().batchModify(
            userId="me", body={"ids": [*ids, "ffffffffffffffff"], "removeLabelIds": ["UNREAD"]}
        ).execute()
        (record,) = history(service, start)
        assert [entry["message"]["id"] for entry in record["labelsRemoved"]] == ids

    def test_an_old_or_unknown_start_is_404(self, service, gmail, owner):
        start = owner.history_id
        owner.deliver()
        gmail.advance(days=7)
        assert len(history(service, start)) == 1
        gmail.advance(days=2)
        for unknown in (start, owner.history_id + 10**6, 1):
            with pytest.raises(HttpError) as error:
                history(service, unknown)
            assert (error.value.resp.status, reason_of(error)) == (404, "notFound")
        for nonsense in ("abc", "-1"):
            with pytest.raises(HttpError) as error:
                history(service, nonsense)
            assert error.value.resp.status == 400

    def test_what_a_quiet_mailbox_reports_is_never_too_old_already(self, service, gmail):
        """Otherwise a full sync would end with an id that sends the next partial sync to a full one, for ever."""
        gmail.advance(days=30)
        start = service.users().getProfile(userId="me").execute()["historyId"]
        assert history(service, start) == []

    def test_awkward_pages(self, service, gmail, owner):
        start = owner.history_id
        ids = [owner.deliver() for _ in range(4)]
        gmail.faults.next("history.list", after=1, empty_page=True)
        gmail.faults.next("history.list", after=1, replay=True)
        told = [record["messages"][0]["id"] for record in history(service, start, maxResults=2)]
        assert told == [ids[0], ids[1], ids[1], ids[2], ids[3]]
        gmail.faults.next("history.list", expired=True)
        with pytest.raises(HttpError, match="404"):
            history(service, start)

    def test_labels_that_do_not_exist_are_told_too(self, service, owner):
        message_id = owner.deliver()
        start = owner.history_id
        owner.relabel(message_id, add=["Label_gone"])
        assert history(service, start)[0]["labelsAdded"][0]["labelIds"] == ["Label_gone"]
        names = {entry["id"] for entry in service.users().labels().list(userId="me").execute()["labels"]}
        assert "Label_gone" not in names
        assert "CATEGORY_PROMOTIONS" in names


class TestMutations:
    """Changes through the API, as other clients of the mailbox make them."""

    def test_each_reaches_the_mailbox_and_its_history(self, service, owner):
        messages, labels = service.users().messages(), service.users().labels()
        start = owner.history_id
        content = base64.urlsafe_b64encode(b"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\nSubject: In\r\n\r\nx").decode()
        inserted = messages.insert(
            userId="me", body={"raw": content, "labelIds": ["INBOX"]}, internalDateSource="dateHeader"
        ).execute()["id"]
        imported = messages.import_(userId="me", body={"raw": content, "labelIds": ["INBOX"]}).execute()["id"]
        assert owner.messages[inserted].internal_date == owner.messages[imported].internal_date
        label_id = labels.create(userId="me", body={"name": "Later"}).execute()["id"]
        messages.modify(userId="me", id=inserted, body={"addLabelIds": [label_id]}).execute()
        assert labels.get(userId="me", id=label_id).execute()["messagesTotal"] == 1
        labels.delete(userId="me", id=label_id).execute()
        messages.trash(userId="me", id=inserted).execute()
        assert owner.labels_of(inserted) == {"TRASH"}
        messages.untrash(userId="me", id=inserted).execute()
        messages.batchDelete(userId="me", body={"ids": [inserted]}).execute()
        messages.delete(userId="me", id=imported).execute()
        assert owner.ids() == set()
        assert len(history(service, start)) == 8

    def test_refusals(self, service, owner):
        message_id = owner.deliver()
        messages = service.users().messages()
        refused = [
            messages.modify(userId="me", id=message_id, body={"addLabelIds": ["SENT"]}),
            messages.modify(userId="me", id=message_id, body={"addLabelIds": ["Label_none"]}),
            messages.modify(userId="me", id=message_id, body={}),
            messages.list(userId="me", labelIds=["Label_none"]),
            messages.list(userId="me", pageToken="x"),
            messages.batchModify(userId="me", body={"ids": ["1"] * 1001, "addLabelIds": ["STARRED"]}),
            messages.insert(userId="me", body={}),
        ]
        for request in refused:
            with pytest.raises(HttpError, match="400"):
                request.execute()

    def test_uploads(self, service, gmail, owner):
        """The bytes as media, alone and with labels beside them."""
        content = b"Subject: Uploaded\r\n\r\nx\r\n"
        media = MediaInMemoryUpload(content, mimetype="message/rfc822")

        def upload(**more) -> str:
            request = service.users().messages().insert(userId="me", media_body=media, **more)
            # The client sends uploads by https even to an endpoint that is http.
            request.uri = gmail.url + request.uri[request.uri.index("/upload/") :]
            return request.execute()["id"]

        alone, both = upload(), upload(body={"labelIds": ["INBOX"]})
        assert (owner.labels_of(alone), owner.labels_of(both)) == (set(), {"INBOX"})
        assert owner.rfc822_of(alone) == content
        assert owner.messages[both].subject == "uploaded"

    def test_sending_reaches_the_other_user(self, service, gmail, owner):
        other = gmail.add_user("other@example.org")
        content = base64.urlsafe_b64encode(b"To: other@example.org\r\nSubject: Hi\r\n\r\nHi.\r\n").decode()
        sent = service.users().messages().send(userId="me", body={"raw": content}).execute()
        assert owner.labels_of(sent["id"]) == {"SENT"}
        (arrived,) = other.ids()
        assert other.rfc822_of(arrived) == owner.rfc822_of(sent["id"])
        assert owner.messages[sent["id"]].rfc822_message_id


class TestAccess:
    """Who may call what."""

    def test_scopes(self, gmail, owner):
        message_id = owner.deliver()
        for scopes, form, status in [
            ([GMAIL_READONLY], "raw", 200),
            ([METADATA], "raw", 403),
            ([METADATA], "metadata", 200),
            (["openid"], "raw", 403),
        ]:
            with google_client(gmail, owner, scopes=scopes) as service:
                request = service.users().messages().get(userId="me", id=message_id, format=form)
                if status == 200:
                    assert request.execute()["id"] == message_id
                    continue
                with pytest.raises(HttpError) as error:
                    request.execute()
                assert error.value.resp.status == status
        with google_client(gmail, owner, scopes=[METADATA]) as service, pytest.raises(HttpError, match="'q' parameter"):
            listed(service, q="newer_than:1d")
        with google_client(gmail, owner, scopes=[GMAIL_MODIFY]) as service, pytest.raises(HttpError, match="403"):
            service.users().messages().delete(userId="me", id=message_id).execute()
        assert FULL not in {GMAIL_MODIFY, GMAIL_READONLY}

    def test_a_mailbox_is_its_owners(self, gmail, owner):
        gmail.add_user("other@example.org")
        with google_client(gmail, owner) as service:
            assert service.users().getProfile(userId=owner.address).execute()["emailAddress"] == owner.address
            with pytest.raises(HttpError, match="Delegation denied"):
                service.users().getProfile(userId="other@example.org").execute()

    def test_tokens_that_do_not_work_say_so_alike(self, gmail, owner):
        """Expired, revoked and unknown cannot be told apart."""
        expired, revoked = owner.access_token(), owner.access_token()
        gmail.advance(minutes=61)
        alive = owner.access_token()
        answers = []
        for token in (expired, revoked, "unknown", alive):
            if token == revoked:
                owner.revoke()
                alive = None
            answers.append(
                httpx.get(f"{gmail.url}/gmail/v1/users/me/profile", headers={"Authorization": f"Bearer {token}"})
            )
        assert [answer.status_code for answer in answers] == [401, 401, 401, 401]
        assert {answer.content for answer in answers} == {answers[0].content}
        assert 'error="invalid_token"' in answers[0].headers["www-authenticate"]
        assert httpx.get(f"{gmail.url}/gmail/v1/users/me/profile").status_code == 401
