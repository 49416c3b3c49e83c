"""Structure, headers and body choice of `parse`."""

from datetime import UTC, datetime

import pytest

from rl_emails_assets.mail.message import Address, Message
from rl_emails_assets.mail.parse import parse


def mail(headers: str, body: str = "", *, charset: str = "utf-8") -> bytes:
    """A message from header lines and a body, CRLF line ends."""
    return f"{headers}\n\n{body}".replace("\n", "\r\n").encode(charset)


def codes(message: Message) -> set[str]:
    """The codes of the defects."""
    return {defect.code for defect in message.defects}


MIXED = """Content-Type: multipart/mixed; boundary=b"""


def multipart(*parts: str, kind: str = "mixed", boundary: str = "b", end: str = "--") -> str:
    """Header and body of a multipart."""
    body = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\n\n{body}--{boundary}{end}\n"


def parsed(text: str) -> Message:
    """Parse a text whose header and body are already joined."""
    return parse(text.replace("\n", "\r\n").encode())


def test_every_column_of_an_ordinary_reply_is_filled() -> None:
    message = parse(
        mail(
            "Received: from a by b; Tue, 1 Jul 2003 10:53:00 +0200\n"
            "Message-ID: <2@x.example>\nIn-Reply-To: <1@x.example>\nReferences: <0@x.example>\n <1@x.example>\n"
            "From: Ann <Ann@X.example>\nSender: s@x.example\nReply-To: r@x.example\nTo: b@x.example, C <c@x.example>\n"
            "Cc: d@x.example\nBcc: e@x.example\nSubject: Re: =?utf-8?q?caf=C3=A9?=\n"
            "Date: Tue, 1 Jul 2003 10:52:37 +0200\nList-Id: <l.x.example>\nX-Other: dropped",
            "Yes.\n\nOn Monday Bob wrote:\n> Shall we?\n",
        )
    )
    assert message.rfc822_message_id == "2@x.example"
    assert message.in_reply_to == "1@x.example"
    assert message.references == ("0@x.example", "1@x.example")
    assert message.from_ == Address("Ann", "ann@x.example")
    assert message.sender == Address("", "s@x.example")
    assert message.to == (Address("", "b@x.example"), Address("C", "c@x.example"))
    assert (message.cc[0].address, message.bcc[0].address) == ("d@x.example", "e@x.example")
    assert message.reply_to[0].address == "r@x.example"
    assert message.subject == "Re: café"
    assert message.sent_at == datetime(2003, 7, 1, 8, 52, 37, tzinfo=UTC)
    assert message.received_at == datetime(2003, 7, 1, 8, 53, tzinfo=UTC)
    assert message.headers["list-id"] == "<l.x.example>"
    assert message.headers["date"] == "Tue, 1 Jul 2003 10:52:37 +0200"
    assert "x-other" not in message.headers
    assert message.new_text == "Yes."
    assert "> Shall we?" in message.quoted_text
    assert message.defects == ()
    assert not message.is_html_only


def test_nothing_at_all_is_a_message_with_defects() -> None:
    message = parse(b"")
    assert (message.text, message.subject, message.from_, message.received_at) == ("", "", None, None)
    assert {"from-missing", "date-missing", "message-id-missing"} <= codes(message)


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\r\n\r\n", b"From a@b.example Mon Jan  1 00:00:00 2001\r\n"])
def test_what_stands_before_the_first_header_does_not_hide_it(start: bytes) -> None:
    assert parse(start + b"Subject: seen\r\n\r\ntext").subject == "seen"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_every_kind_of_line_end_separates_header_and_body(end: bytes) -> None:
    message = parse(end.join([b"Subject: s", b" t", b"From: a@b.example", b"", b"one", b"two"]))
    assert (message.subject, message.text) == ("s t", "one\ntwo")


def test_a_body_without_blank_line_is_not_lost() -> None:
    message = parse(b"Subject: s\nFrom: a@b.example\nHello, this is the text.\nMore of it.\n")
    assert message.text == "Hello, this is the text.\nMore of it."
    assert "header-end-missing" in codes(message)


def test_a_continuation_that_lost_its_indent_does_not_end_the_header() -> None:
    message = parse(b"junk first\nReceived: from a\nby b; 1 Jul 2003\nX-Long: 1\nSubject: s\n\nbody")
    assert (message.subject, message.text) == ("s", "body")
    assert "header-line" in codes(message)


def test_the_first_of_repeated_headers_counts_and_recipients_add_up() -> None:
    message = parse(
        b"Subject: one\nSubject: two\nTo: a@b.example\nTo: c@d.example\nMessage-ID: <1>\nMessage-ID: <2>\n\nx"
    )
    assert message.subject == "one"
    assert message.rfc822_message_id == "1"
    assert [one.address for one in message.to] == ["a@b.example", "c@d.example"]
    assert "header-repeated" in codes(message)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a b@c>", "ab@c"),
        ("a@b", "a@b"),
        ("Your message of Monday <1@x>", "1@x"),
        ("not an id", ""),
        ("", ""),
        ("<>", ""),
    ],
)
def test_message_ids_are_read_without_brackets(value: str, expected: str) -> None:
    assert parse(mail(f"Message-ID: {value}")).rfc822_message_id == expected


def test_references_are_unique_without_the_message_itself_and_bounded() -> None:
    ids = " ".join(f"<{number}@x>" for number in range(500))
    message = parse(mail(f"Message-ID: <9@x>\nReferences: <0@x> {ids} <9@x>"))
    assert len(message.references) == 100
    assert message.references[0] == "0@x"
    assert message.references[-1] == "499@x"
    assert "9@x" not in message.references
    assert "references" in codes(message)


def test_references_without_brackets_are_read() -> None:
    assert parse(mail("References: a@x b@x junk")).references == ("a@x", "b@x")


def test_a_raw_8bit_subject_is_read_in_the_charset_of_the_text() -> None:
    raw = "Subject: Привет\nContent-Type: text/plain; charset=koi8-r\n\nтекст".encode("koi8-r")
    message = parse(raw)
    assert (message.subject, message.text) == ("Привет", "текст")
    assert "header-8bit" in codes(message)


def test_a_raw_8bit_file_name_is_read_in_the_charset_of_the_text() -> None:
    raw = (
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=gb2312\n\n中文\n"
        "--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=中文.pdf\n\nx\n--b--\n"
    ).encode("gb2312")
    assert parse(raw).attachments[0].filename == "中文.pdf"


def test_alternative_takes_plain_text_and_keeps_the_html() -> None:
    message = parsed(
        multipart("Content-Type: text/plain\n\nplain", "Content-Type: text/html\n\n<p>html</p>", kind="alternative")
    )
    assert (message.text, message.html.strip(), message.is_html_only) == ("plain", "<p>html</p>", False)
    assert message.attachments == ()


def test_html_only_mail_yields_text() -> None:
    message = parse(b"Content-Type: text/html\n\n<h1>Title</h1><p>One &amp; two</p>")
    assert (message.text, message.is_html_only) == ("Title\n\nOne & two", True)


def test_mail_of_images_alone_yields_their_texts() -> None:
    message = parse(b"Content-Type: text/html\n\n<img src=x alt='Big sale'>")
    assert message.text == "Big sale"


def test_a_plain_part_that_only_points_to_the_html_is_not_the_text() -> None:
    text = "<p>" + "The real words of this message. " * 20 + "</p>"
    message = parsed(
        multipart(
            "Content-Type: text/plain\n\nYour client cannot show HTML.",
            f"Content-Type: text/html\n\n{text}",
            kind="alternative",
        )
    )
    assert message.text.startswith("The real words")
    assert message.is_html_only
    assert "plain-placeholder" in codes(message)


def test_a_short_plain_part_about_html_stays_when_the_html_says_no_more() -> None:
    message = parsed(
        multipart(
            "Content-Type: text/plain\n\nhtml ok", "Content-Type: text/html\n\n<p>html ok</p>", kind="alternative"
        )
    )
    assert (message.text, message.is_html_only) == ("html ok", False)


def test_texts_of_a_mixed_multipart_follow_each_other_and_are_all_shown_in_html() -> None:
    message = parsed(multipart("Content-Type: text/html\n\n<b>one</b>", "Content-Type: text/plain\n\nlist <footer>"))
    assert message.text == "one\n\nlist <footer>"
    assert "<pre>list &lt;footer&gt;</pre>" in message.html


def test_alternative_with_a_mixed_branch_keeps_its_order() -> None:
    inner = multipart("Content-Type: text/html\n\n<b>one</b>", "Content-Type: text/plain\n\ntwo", boundary="c")
    message = parsed(multipart(inner, "Content-Type: text/plain\n\n ", kind="alternative"))
    assert message.html.index("one") < message.html.index("two")


def test_related_parts_are_inline_attachments_and_the_start_parameter_names_the_root() -> None:
    body = multipart(
        "Content-Type: image/png; name=a.png\nContent-ID: <img>\nContent-Transfer-Encoding: base64\n\nQUJD",
        "Content-Type: text/html\nContent-ID: <root>\n\n<p>text</p>",
        kind='related; start="<root>"',
    )
    message = parsed(body)
    assert message.text == "text"
    only = message.attachments[0]
    assert (only.filename, only.is_inline, only.content_id, only.size_bytes, only.part_path) == (
        "a.png",
        True,
        "img",
        3,
        "1",
    )


def test_related_meaning_alternative_is_read_as_such() -> None:
    message = parsed(
        multipart("Content-Type: text/plain\n\nplain", "Content-Type: text/html\n\n<p>h</p>", kind="related")
    )
    assert (message.text, message.html.strip()) == ("plain", "<p>h</p>")
    blank = parsed(multipart("Content-Type: text/plain\n\nplain", "Content-Type: text/html\n\n", kind="related"))
    assert (blank.text, blank.html) == ("plain", "")


def test_a_multipart_beside_the_root_of_related_is_read() -> None:
    inner = multipart("Content-Type: image/gif; name=i.gif\n\nx", boundary="c")
    message = parsed(multipart("Content-Type: text/plain\n\nplain", inner, kind="related"))
    assert [one.filename for one in message.attachments] == ["i.gif"]


def test_an_attached_message_is_an_attachment_and_its_text_is_not_the_body() -> None:
    message = parsed(
        multipart(
            "Content-Type: text/plain\n\nsee below",
            "Content-Type: message/rfc822\n\nSubject: inner\nContent-Type: text/plain\n\nsecret",
        )
    )
    assert message.text == "see below"
    assert [one.content_type for one in message.attachments] == ["message/rfc822"]


def test_a_forwarded_message_alone_gives_its_text() -> None:
    inner = "Content-Type: message/rfc822\n\nSubject: deep\n\nthe words"
    message = parsed(f"Subject: outer\nContent-Type: message/rfc822\n\n\n{inner}")
    assert (message.subject, message.text) == ("outer", "the words")
    assert [one.part_path for one in message.attachments] == ["1", "1.1"]


def test_an_encoded_attached_message_is_opened() -> None:
    message = parse(
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaQoKaGVsbG8gd29ybGQ="
    )
    assert message.text == "hello world"


def test_an_empty_attached_message_is_harmless() -> None:
    assert parse(b"Content-Type: message/rfc822\n\n\n").text == ""


def test_the_messages_of_a_digest_are_messages() -> None:
    message = parsed(multipart("\nSubject: a\n\none", "\nSubject: b\n\ntwo", kind="digest"))
    assert message.text == "one\n\ntwo"
    assert [one.content_type for one in message.attachments] == ["message/rfc822"] * 2


def test_a_bounce_without_words_shows_the_status_and_not_the_returned_mail() -> None:
    message = parsed(
        multipart(
            "Content-Type: message/delivery-status\n\nAction: failed",
            "Content-Type: message/rfc822\n\nSubject: s\n\nreturned",
            kind="report",
        )
    )
    assert message.text == "Action: failed"


def test_a_text_part_with_a_name_after_the_first_is_an_attachment() -> None:
    message = parsed(
        multipart(
            "Content-Type: text/plain; name=body.txt\n\nwords",
            "Content-Type: text/plain; name=notes.txt\n\nfile",
            "Content-Type: text/plain\nContent-Disposition: attachment\n\nfile",
            "Content-Type: text/x-diff; name=a.diff\nContent-Disposition: inline\n\n+x",
        )
    )
    assert message.text == "words"
    assert [one.filename for one in message.attachments] == ["notes.txt", "", "a.diff"]
    assert [one.is_inline for one in message.attachments] == [False, False, True]


def test_enriched_text_is_read_without_its_tags() -> None:
    assert parse(b"Content-Type: text/enriched\n\n<bold>Now</bold> a<<b").text == "Now a<b"


def test_flowed_text_is_joined_by_the_body_reader() -> None:
    assert parse(b"Content-Type: text/plain; format=flowed\n\none \ntwo\n").text == "one two"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("text", "text/plain"), ("application", "application/octet-stream"), ("nonsense", "text/plain")],
)
def test_half_a_media_type_is_the_nearest_whole_one(content_type: str, expected: str) -> None:
    message = parsed(f"Content-Type: {content_type}\nContent-Disposition: attachment\n\nx")
    assert message.attachments[0].content_type == expected
    assert "content-type-unreadable" in codes(message)


def test_a_repeated_content_type_is_recorded_and_the_first_counts() -> None:
    message = parsed("Content-Type: text/html\nContent-Type: text/plain\n\n<p>x</p>")
    assert message.text == "x"
    assert "header-repeated" in codes(message)


def test_a_multipart_without_boundary_is_divided_by_what_looks_like_one() -> None:
    message = parse(b"Content-Type: multipart/mixed\n\n--abc\n\none\n--abc\n\ntwo\n--abc--\n")
    assert message.text == "one\n\ntwo"
    assert "boundary-wrong" in codes(message)


def test_a_multipart_without_parts_is_text() -> None:
    message = parse(b"Content-Type: multipart/mixed; boundary=x\n\njust text")
    assert message.text == "just text"
    assert "boundary-missing" in codes(message)


def test_a_similar_boundary_is_not_taken_for_the_right_one() -> None:
    inner = multipart("\none", "\ntwo", boundary="bb")
    message = parsed(multipart(inner, "\nthree"))
    assert message.text == "one\n\ntwo\n\nthree"


def test_an_unclosed_multipart_keeps_its_last_part() -> None:
    message = parse(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo")
    assert message.text == "one\n\ntwo"
    assert "boundary-unclosed" in codes(message)
    assert parse(b"Content-Type: multipart/mixed; boundary=b\n\n--b").text == ""


def test_an_encoded_multipart_is_decoded_first() -> None:
    message = parse(
        b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\nLS1iCgpvbmUKLS1iLS0K"
    )
    assert message.text == "one"
    assert "multipart-encoded" in codes(message)
    plain = parse(
        b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\none\n--b--\n"
    )
    assert plain.text == "one"


def test_the_charset_of_html_may_stand_in_a_meta_tag() -> None:
    message = parse(b"Content-Type: text/html\n\n<meta charset=koi8-r><p>" + "Привет".encode("koi8-r"))
    assert message.text == "Привет"


def test_uuencoded_files_are_cut_from_the_text() -> None:
    message = parse(b"Subject: s\n\nbefore\nbegin 644 cat.txt\n#0V%T\n`\nend\nafter\n")
    assert message.text == "before\nafter"
    only = message.attachments[0]
    assert (only.filename, only.size_bytes, only.part_path) == ("cat.txt", 3, "1.1")


def test_a_calendar_alternative_is_an_event_and_no_file() -> None:
    ics = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Lunch\nDTSTART:20240102T030405Z\nEND:VEVENT"
    message = parsed(
        multipart("Content-Type: text/plain\n\nInvitation", f"Content-Type: text/calendar\n\n{ics}", kind="alternative")
    )
    assert message.calendar is not None
    assert (message.calendar.method, message.calendar.summary) == ("REQUEST", "Lunch")
    assert message.attachments == ()
    twice = parsed(
        multipart(
            f"Content-Type: application/octet-stream; name=a.ics\n\n{ics}",
            f"Content-Type: text/calendar; name=b.ics\n\n{ics.replace('Lunch', 'Other')}",
        )
    )
    assert twice.calendar is not None
    assert twice.calendar.summary == "Lunch"
    assert [one.filename for one in twice.attachments] == ["a.ics", "b.ics"]


def test_parameters_survive_comments_missing_semicolons_and_paths() -> None:
    message = parsed(
        "Content-Type: (c) application/pdf (d) name*0*=utf-8'en'caf%C3%A9%20 name*1=\"x.pdf\"\n"
        "Content-Disposition: attachment; ; x; size=1 (one)\n\nx"
    )
    assert message.attachments[0].filename == "café x.pdf"
    path = parsed('Content-Type: a/b\nContent-Disposition: attachment; filename="C:\\dir\\a \\"q\\".txt"; x=y\n\nx')
    assert path.attachments[0].filename == 'C:\\dir\\a "q".txt'
    unclosed = parsed('Content-Type: a/b; name="open; charset=x\n\nx')
    assert unclosed.attachments[0].filename == "open"
    open_end = parsed('Content-Type: a/b; name="open\n\nx')
    assert open_end.attachments[0].filename == "open"


def test_rfc2231_names_are_joined_in_order_and_encoded_words_in_them_are_read() -> None:
    swapped = parsed("Content-Type: a/b; name*1=b.txt; name*0=a\n\nx")
    assert swapped.attachments[0].filename == "ab.txt"
    word = parsed('Content-Type: a/b; name="=?utf-8?b?w6kudHh0?="\n\nx')
    assert word.attachments[0].filename == "é.txt"
    star = parsed("Content-Type: a/b; name*=iso-8859-1''%E9.txt; name=e.txt\n\nx")
    assert star.attachments[0].filename == "é.txt"


def test_a_header_of_parameters_only_is_bounded() -> None:
    message = parsed("Content-Type: text/plain" + "".join(f"; p{number}=x" for number in range(1_000)) + "\n\nbody")
    assert message.text == "body"
