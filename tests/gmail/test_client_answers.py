"""What the client makes of answers that no good server sends: cut, shuffled, mistyped."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.errors import ProviderUnavailableError, RateLimitedError, ReconnectNeededError, SettingsError
from rl_emails_assets.providers.gmail import answers
from rl_emails_assets.providers.gmail.batches import ANSWER_BYTES, BatchSize, compose, parts_of
from rl_emails_assets.providers.gmail.faults import Kind, error_of, fault_of

M = {"id": "m", "threadId": "t"}
KIND = 'multipart/mixed; boundary="b"'


def part(index: int, status: int = 200, content: bytes = b"{}", *, prefix: str = "response-") -> bytes:
    """A part of a batch's answer as Gmail sends it."""
    head = f"Content-Type: application/http\r\nContent-ID: <{prefix}00aa + {index}>\r\n\r\n"
    return head.encode() + f"HTTP/1.1 {status} Whatever\r\nVary: Origin\r\nX-Y:  z \r\n\r\n".encode() + content


def multipart(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    """The parts as one body."""
    return b"".join(b"--b\r\n" + each + b"\r\n" for each in parts) + end


class TestParts:
    def test_parts_with_their_headers(self) -> None:
        """A status or a Retry-After of another part would be acted upon."""
        first, second = parts_of(KIND, multipart(part(1, 429, b"no"), part(0, 200, b'{"a": 1}\r\n\r\n')))
        assert (first.index, first.status, first.content) == (1, 429, b"no")
        assert (second.index, second.status, second.content) == (0, 200, b'{"a": 1}\r\n\r\n')
        assert first.headers == {"vary": "Origin", "x-y": "z"}

    def test_line_ends_without_a_carriage_return(self) -> None:
        """A proxy that rewrites line ends would cost all mail."""
        [only] = parts_of(KIND, multipart(part(3, 404, b"gone")).replace(b"\r\n", b"\n"))
        assert (only.index, only.status, only.content) == (3, 404, b"gone")

    def test_a_part_without_headers(self) -> None:
        """Its content would be taken for headers."""
        bare = b"Content-ID: <response-0 + 2>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
        [only] = parts_of(KIND, multipart(bare))
        assert (only.index, only.status, only.headers, only.content) == (2, 204, {}, b"")

    @given(cut=st.integers(min_value=0, max_value=400))
    def test_a_cut_anywhere_gives_whole_parts_only(self, cut: int) -> None:
        """A message cut in half would be stored as if it were whole."""
        contents = [b'{"n": 0}', b'{"n": 1}', b'{"n": 2}']
        whole = multipart(*(part(index, 200, content) for index, content in enumerate(contents)))
        try:
            found = list(parts_of(KIND, whole[: min(cut, len(whole))]))
        except ProviderUnavailableError:
            found = []
        assert [each.content for each in found] == contents[: len(found)]

    @given(content=st.binary(max_size=60))
    def test_whatever_a_part_contains(self, content: bytes) -> None:
        """Mail that holds what looks like a boundary or a blank line would break its batch."""
        text = json.dumps({"raw": base64.urlsafe_b64encode(content).decode(), "snippet": content.decode("latin-1")})
        found = list(parts_of(KIND, multipart(part(0, 200, text.encode()), part(1))))
        assert [each.content for each in found] == [text.encode(), b"{}"]

    @pytest.mark.parametrize(
        "broken",
        [
            b"",
            b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}",
            b"Content-ID: <response-0 + 0>\r\n\r\nnot HTTP\r\n\r\n{}",
            b"Content-ID: <response-0>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}",
            b"Content-ID: <response-0 + 0>\r\n\r\nHTTP/1.1 200 OK\r\nVary: x",
        ],
    )
    def test_a_malformed_part_does_not_harm_the_others(self, broken: bytes) -> None:
        """One odd part would cost the whole batch."""
        assert [each.index for each in parts_of(KIND, multipart(part(4), broken, part(5)))] == [4, 5]

    @pytest.mark.parametrize(
        ("kind", "body"),
        [("text/html", b"--b\r\n"), ("multipart/mixed", multipart(part(0))), ("", b""), (KIND, b"<html>"), (KIND, b"")],
    )
    def test_what_is_no_batch_is_an_error(self, kind: str, body: bytes) -> None:
        """A login page of a proxy's would be taken for a batch without parts."""
        with pytest.raises(ProviderUnavailableError, match="batch"):
            list(parts_of(kind, body))

    def test_what_is_sent(self) -> None:
        """A batch that names another host, or carries the token in every part, is refused or leaks."""
        body, kind = compose(["/gmail/v1/users/me/messages/1?format=raw", "/b"], "gmail.test")
        boundary = kind.partition('boundary="')[2].rstrip('"')
        sent = body.decode().split(f"--{boundary}")
        assert (sent[0], sent[-1]) == ("", "--\r\n")
        assert "\r\n\r\nGET /gmail/v1/users/me/messages/1?format=raw HTTP/1.1\r\nHost: gmail.test\r\n" in sent[1]
        assert " + 1>\r\n" in sent[2]
        assert "uthorization" not in body.decode()


class TestBatchSize:
    def test_it_never_leaves_its_bounds(self) -> None:
        """Zero would ask for nothing for ever; more than fifty is advised against."""
        size = BatchSize(3)
        for _ in range(5):
            size.refused()
        assert size.size == 1
        for _ in range(60):
            size.clean(size.size, 1_000)
        assert size.size == 50

    def test_large_messages_make_small_batches(self) -> None:
        """Fifty messages of fifty megabytes would fill the memory."""
        size = BatchSize(20)
        size.clean(20, 4 * ANSWER_BYTES)
        assert size.size == 5
        size.clean(5, 40 * ANSWER_BYTES)
        assert size.size == 1


def message(**changes: Any) -> dict[str, Any]:
    """A messages.get answer."""
    made = {
        "id": "m",
        "threadId": "t",
        "labelIds": ["INBOX"],
        "raw": base64.urlsafe_b64encode(b"Subject: x\r\n\r\n\xff\xfe?>").decode(),
        "internalDate": "1767225600123",
        "historyId": "12345678901234567890123",
        "sizeEstimate": 20,
    }
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


class TestMessages:
    @pytest.mark.parametrize("strip", [True, False])
    def test_the_bytes_as_they_are(self, strip: bool) -> None:
        """A byte changed on the way breaks every signature of the mail."""
        raw = message()["raw"]
        found = answers.message("m", message(raw=raw.rstrip("=") if strip else raw), 100)
        assert isinstance(found, answers.Fetched)
        assert found.rfc822 == b"Subject: x\r\n\r\n\xff\xfe?>"
        assert found.received_at == datetime(2026, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)
        assert found.history_id == 12345678901234567890123

    @pytest.mark.parametrize("date", [None, "", "soon", "9" * 30, "-9" * 1])
    def test_a_time_that_is_none(self, date: str | None) -> None:
        """A message without a usable date would stop the mailbox."""
        found = answers.message("m", message(internalDate=date), 100)
        assert isinstance(found, answers.Fetched)
        assert found.received_at is None or date == "-9"

    def test_no_labels(self) -> None:
        """Gmail leaves the list out for an archived, read message."""
        found = answers.message("m", message(labelIds=None), 100)
        assert isinstance(found, answers.Fetched)
        assert found.labels == frozenset()

    @pytest.mark.parametrize("raw", [None, "", 7, "not base64!", "AAA*", "A"])
    def test_bytes_that_are_none(self, raw: object) -> None:
        """An empty message would stand for one that could not be read."""
        assert isinstance(answers.message("m", message(raw=raw), 100), answers.Refused)

    def test_too_large_by_either_measure(self) -> None:
        """A message larger than the limit would fill the memory of every step after."""
        assert isinstance(answers.message("m", message(sizeEstimate=101), 100), answers.Refused)
        assert isinstance(answers.message("m", message(sizeEstimate=None), 3), answers.Refused)
        assert isinstance(answers.message("m", message(sizeEstimate=20), 20), answers.Fetched)

    @pytest.mark.parametrize(
        "answer", [message(id="other"), message(id=None), message(threadId=None), message(historyId="x"), [], "", None]
    )
    def test_a_malformed_answer_is_asked_for_again(self, answer: Any) -> None:
        """A message would be stored under the id of another."""
        with pytest.raises(ProviderUnavailableError, match=r"messages\.get is malformed"):
            answers.message("m", answer, 100)


class TestMalformed:
    @pytest.mark.parametrize(
        ("read", "answer"),
        [
            (answers.profile, {}),
            (answers.profile, {"emailAddress": "a@b", "historyId": ""}),
            (answers.listed_page, {"messages": None}),
            (answers.listed_page, {"messages": [{"threadId": "t"}]}),
            (answers.listed_page, {"messages": [{"id": ""}]}),
            (answers.listed_page, {"messages": {"id": "m"}}),
            (answers.listed_page, "<html>"),
            (answers.listed_page, []),
            (answers.history_page, {"history": []}),
            (answers.history_page, {"history": [{}], "historyId": "5"}),
            (answers.history_page, {"history": [{"id": "4", "messagesAdded": [{}]}], "historyId": "5"}),
            (answers.history_page, {"history": [{"id": "4", "labelsAdded": [{"message": M, "labelIds": [5]}]}],
                                    "historyId": "5"}),
            (answers.labels, {"labels": [{"id": "x"}]}),
            (answers.watch_grant, {"historyId": "5"}),
            (answers.watch_grant, {"historyId": "5", "expiration": "9" * 40}),
        ],
    )  # fmt: skip
    def test_it_is_an_error_and_not_an_empty_result(self, read: Callable[[Any], object], answer: Any) -> None:
        """A listing that could not be read would delete the mailbox."""
        with pytest.raises(ProviderUnavailableError, match="malformed"):
            read(answer)

    def test_numbers_beyond_a_machine_word(self) -> None:
        """An id rounded to a double makes the cursor jump."""
        page = answers.history_page({"history": [{"id": str(2**70)}], "historyId": str(2**70 + 1)})
        assert (page.records[0].history_id, page.history_id) == (2**70, 2**70 + 1)
        assert answers.profile({"emailAddress": "A@B", "historyId": str(2**70)}).address == "a@b"


def refusal(status: int, error: object, headers: Mapping[str, str] | None = None) -> Any:
    """The fault of an answer with this error."""
    return fault_of(status, headers or {}, json.dumps({"error": error}).encode())


class TestFaults:
    def test_the_newer_form_of_errors(self) -> None:
        """Google moves to `details`; a rate limit would become a lost grant."""
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}]
        assert refusal(403, {"status": "PERMISSION_DENIED", "details": details}).kind is Kind.RATE
        details[0]["reason"] = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        assert refusal(403, {"details": details}).kind is Kind.GRANT
        details[0]["reason"] = "SERVICE_DISABLED"
        assert isinstance(error_of(refusal(403, {"details": details}), "watch"), SettingsError)

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"[[]]", b"7", b'{"error": "x"}', b"[" * 100_000])
    def test_a_body_that_is_no_error(self, content: bytes) -> None:
        """The error about the error would hide the status."""
        assert fault_of(503, {}, content).kind is Kind.BROKEN
        assert fault_of(429, {}, content).kind is Kind.RATE
        assert isinstance(error_of(fault_of(403, {}, content), "x"), ReconnectNeededError)

    def test_a_list_of_errors(self) -> None:
        """Some of Google's front ends wrap the error in a list."""
        body = json.dumps([{"error": {"errors": [{"reason": "userRateLimitExceeded"}]}}]).encode()
        assert fault_of(403, {}, body).kind is Kind.RATE

    def test_free_text_is_not_repeated(self) -> None:
        """Google's messages name addresses, and ours go to logs."""
        fault = refusal(403, {"message": "Delegation denied for ann@example.org", "errors": [{"reason": "a b@c"}]})
        assert "ann" not in str(error_of(fault, "watch"))
        assert fault.reason == "no reason given"

    @pytest.mark.parametrize(
        ("headers", "text", "least", "most"),
        [
            ({}, "", 0, 0),
            ({"retry-after": "7"}, "", 7, 7),
            ({"retry-after": "7"}, "Retry after 2100-01-01T00:00:00.000Z", 7, 7),
            ({"retry-after": "-7"}, "", 0, 0),
            ({"retry-after": "soon"}, "", 0, 0),
            ({"retry-after": "٣"}, "", 0, 0),
            ({"retry-after": "99999999999"}, "", 86_400, 86_400),
            ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", 0, 0),
            ({"retry-after": (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")}, "",
             3_000, 3_600),
            ({}, "User-rate limit exceeded.  Retry after 2100-01-01T00:00:00.000Z", 86_400, 86_400),
        ],
    )  # fmt: skip
    def test_when_to_come_back(self, headers: dict[str, str], text: str, least: float, most: float) -> None:
        """Gmail says it in three ways, or not at all."""
        fault = refusal(429, {"message": text}, headers)
        assert least <= fault.retry_after_seconds <= most
        error = error_of(fault, "history.list")
        assert isinstance(error, RateLimitedError)
        assert error.retry_after_seconds == fault.retry_after_seconds
