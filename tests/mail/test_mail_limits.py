"""Hostile structure: every parse ends, keeps what is inside the limits, and says what it cut."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rl_emails_assets.mail.headers import KEPT_HEADERS
from rl_emails_assets.mail.limits import DefectLog, Limits
from rl_emails_assets.mail.message import Message
from rl_emails_assets.mail.parse import parse

MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def codes(message: Message) -> set[str]:
    """The codes of the defects."""
    return {defect.code for defect in message.defects}


def test_ten_thousand_nested_multiparts_stop_at_the_depth_limit() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(10_000)
    )
    assert "depth" in codes(parse(nested))


def test_messages_in_messages_stop_at_the_depth_limit() -> None:
    message = parse(b"Content-Type: message/rfc822\r\n\r\n" * 10_000 + b"x")
    assert "depth" in codes(message)
    assert len(message.attachments) <= 31


def test_a_hundred_thousand_parts_stop_at_the_part_limit() -> None:
    message = parse(MULTIPART + b"--b\r\n\r\nx\r\n" * 100_000 + b"--b--")
    assert "part-count" in codes(message)
    assert message.text.count("x") == 999


def test_messages_beyond_the_part_limit_are_not_opened() -> None:
    message = parse(
        MULTIPART + b"--b\r\nContent-Type: message/rfc822\r\n\r\nS: x\r\n\r\nx\r\n" * 8, limits=Limits(parts=5)
    )
    assert "part-count" in codes(message)


def test_attachments_are_bounded() -> None:
    part = b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n"
    message = parse(MULTIPART + part * 9, limits=Limits(attachments=3))
    assert len(message.attachments) == 3
    assert "attachment-count" in codes(message)


def test_a_huge_header_is_cut_and_the_body_kept() -> None:
    message = parse(b"Subject: " + b"x" * 10_000_000 + b"\r\n\r\nbody")
    assert (len(message.subject), message.text) == (2_000, "body")
    assert "header-bytes" in codes(message)


def test_a_million_folded_lines_are_cut_and_the_body_kept() -> None:
    message = parse(b"Subject: x\r\n" + b" y\r\n" * 1_000_000 + b"\r\nbody")
    assert message.subject.startswith("x y y")
    assert message.text == "body"


def test_header_fields_are_counted_and_the_body_kept() -> None:
    message = parse(b"".join(b"X%d: y\r\n" % number for number in range(2_000)) + b"Subject: late\r\n\r\nbody")
    assert (message.subject, message.text) == ("", "body")
    assert "header-count" in codes(message)


def test_a_message_is_cut_at_its_byte_limit() -> None:
    message = parse(b"Subject: s\r\n\r\n" + b"x" * 1_000, limits=Limits(message_bytes=100))
    assert message.text == "x" * 86
    assert message.size_bytes == 1_014
    assert "message-bytes" in codes(message)


def test_text_and_html_are_cut_at_their_limits() -> None:
    limits = Limits(text_chars=50, html_chars=60)
    assert len(parse(b"S: s\r\n\r\n" + b"x" * 1_000, limits=limits).text) == 50
    message = parse(b"Content-Type: text/html\r\n\r\n<p>" + b"x" * 1_000, limits=limits)
    assert (len(message.text), len(message.html)) == (50, 60)
    assert {"text-length", "html-length"} <= codes(message)


@pytest.mark.parametrize(
    "body",
    [
        b"--b" * 50_000,
        b"\n--bx" * 20_000,
        (b"\n--b" + b" " * 99 + b"x") * 5_000,
        b"begin 644 a\r\n" * 20_000,
        b"=ybegin " * 20_000 + b"begin",
        b"> > " * 50_000,
    ],
)
def test_boundary_and_quote_bombs_end(body: bytes) -> None:
    assert parse(MULTIPART + body).size_bytes == len(MULTIPART) + len(body)
    assert parse(b"Content-Type: text/plain; format=flowed\r\n\r\n" + body).text != ""


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("quoted-printable", b"=\r\n" * 500_000), ("quoted-printable", b"=" * 1_000_000), ("base64", b"QQ==!" * 200_000)],
)
def test_transfer_bombs_end(encoding: str, body: bytes) -> None:
    head = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n"
    assert len(parse(head + body).text) <= len(body)


def test_charset_guesses_are_bounded_in_one_message() -> None:
    part = b"--b\r\n\r\n\xcf\xf0\xe8\xe2\xe5\xf2 \xec\xe8\xf0\r\n"
    assert parse(MULTIPART + part * 500).text.count("\n") > 500


HEADERS = ["To", "Subject", "Date", "Received", "Message-ID", "References", "Content-Type", "Content-Disposition"]


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("character", list("\\\"(),:;<>[]@ =?%-'&*"))
def test_long_runs_of_one_character_in_a_header_end(name: str, character: str) -> None:
    message = parse(f"{name}: a{character * 100_000}\r\n\r\nbody".encode())
    assert message.text == "body"


def test_kept_headers_are_short_decoded_and_the_first_of_their_name() -> None:
    block = "".join(f"{name}: =?utf-8?q?=C3=A9?= {'x' * 1_100}\r\n{name}: second\r\n" for name in sorted(KEPT_HEADERS))
    kept = parse(f"{block}Unknown: x\r\n\r\n".encode()).headers
    assert set(kept) == KEPT_HEADERS
    assert all(len(value) == 1_000 and value.startswith("é x") for value in kept.values())


def test_defects_are_bounded_and_each_is_listed_once() -> None:
    log = DefectLog()
    for number in range(200):
        log.add("a", str(number // 2))
    assert len(log.found) == len(set(log.found)) == 50


def strings(value: object) -> list[str]:
    """Every string inside a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for text in pair]
    if isinstance(value, tuple):
        return [text for item in value for text in strings(item)]
    fields = getattr(value, "__dataclass_fields__", {})
    return [text for name in fields for text in strings(getattr(value, name))]


def check(raw: bytes) -> None:
    """The promises that hold for any bytes."""
    message = parse(raw)
    assert message == parse(raw)
    assert message.size_bytes == len(raw)
    for text in strings(message):
        assert "\0" not in text
        text.encode()
    assert all(one.address for one in message.to)
    for moment in (message.sent_at, message.received_at):
        assert moment is None or moment.utcoffset() is not None


@given(st.binary(max_size=600))
def test_any_bytes_are_a_message(raw: bytes) -> None:
    check(raw)


PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b"\n\n",
        b" ",
        b"\0",
        b"\xff\xfe",
        b"\x1b$B",
        b"--b",
        b"--b--",
        b"\n--b\n",
        b"x",
        b"=?utf-8?b?",
        b"?=",
        b"<",
        b">",
        b'"',
        b";",
        b"boundary=b",
        b"charset=",
        b"utf-7",
        b"utf-16",
        b"idna",
        b"hz",
        b"koi8-r",
        b"+2AA-",
        b"Content-Type: ",
        b"multipart/mixed; ",
        b"multipart/alternative; ",
        b"multipart/related; ",
        b"message/rfc822",
        b"text/html",
        b"text/plain; ",
        b"text/calendar",
        b"application/ms-tnef",
        b"Content-Transfer-Encoding: ",
        b"base64",
        b"quoted-printable",
        b"Content-Disposition: attachment; filename*0*=utf-8''%",
        b"Subject: ",
        b"From: ",
        b"Date: ",
        b"1 Jan 2001 00:00:00 +",
        b"Received: ;",
        b"Message-ID: <",
        b"References: <a> <b",
        b"begin 644 a\n",
        b"#0V%T\n",
        b"&#0;",
        b"&#xd800;",
        b"<p style='",
        b"BEGIN:VEVENT\nDTSTART;TZID=",
        b"\x78\x9f\x3e\x22\x01\x00\x01\x03\x90",
    ]
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_any_mixture_of_mail_syntax_is_a_message(pieces: list[bytes]) -> None:
    check(b"".join(pieces))
