"""What a person is shown: nothing of a mail may run, phone home or leave its frame."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.mail.cli_view import to_json, to_text, view
from rl_emails_assets.mail.display import SafeHtml, attachment_bytes, safe_filename, safe_html
from rl_emails_assets.mail.html_shape import is_well_shaped
from rl_emails_assets.mail.parse import parse

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20


def shown(html: str) -> SafeHtml:
    """The safe form of an HTML mail."""
    raw = b"Content-Type: text/html; charset=utf-8\n\n" + html.encode()
    return safe_html(parse(raw), raw)


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x",
        "<a href=javascript:alert(1)>x</a>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<a href=vbscript:x>x</a>",
        "<svg onload=alert(1)><a xlink:href='javascript:1'>",
        "<math><mtext><style><img src=x onerror=alert(1)>",
        "<iframe src=https://x></iframe><object data=x></object><embed src=x>",
        "<form action=https://x><input name=a><button>x",
        "<meta http-equiv=refresh content='0;url=https://x'><base href=https://x><link rel=stylesheet href=https://x>",
        "<style>@import 'https://x'</style><p style='background:url(https://x)'>",
        '<p style="color:expression(alert(1));position:fixed;top:0">x',
        "<p style='color:\\75rl(https://x)'>x",
        "<img src=https://x/p.png srcset='https://x/2.png 2x'>",
        "<img src='data:image/svg+xml;base64,AAAA'><img src='data:text/html;base64,AAAA'>",
        "<table background=https://x><td background=https://x>",
        "<p id=a class=b name=c>x",
        "<video src=https://x poster=https://x></video><audio src=https://x>",
    ],
)
def test_nothing_dangerous_or_remote_survives(html: str) -> None:
    safe = shown(html + "<p>rest").html.lower()
    for word in (
        "script",
        "onclick",
        "onerror",
        "onload",
        "https://x",
        "url(",
        "expression",
        "position",
        "<form",
        "<input",
    ):
        assert word not in safe
    for word in (
        "<style",
        "<svg",
        "<math",
        "<iframe",
        "<object",
        "<embed",
        "<meta",
        "<base",
        "<link",
        "id=",
        "class=",
        "data:",
    ):
        assert word not in safe


def test_links_open_elsewhere_and_keep_only_safe_schemes() -> None:
    safe = shown("<a href='https://x.example/?a=1&b=2'>x</a><a href=mailto:a@b.example>m</a><a href=/rel>r</a>")
    assert 'href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"' in safe.html
    assert 'href="mailto:a@b.example"' in safe.html
    assert "/rel" not in safe.html


def test_remote_images_are_left_out_and_counted() -> None:
    safe = shown(
        "<img src=http://x/a.png alt=logo><img src=//x/b.png><img src=c.png><p style='background:url( \"https://x/\")'>"
    )
    assert (safe.blocked_count, safe.inlined_count) == (3, 0)
    assert 'alt="logo"' in safe.html


def test_harmless_styles_stay() -> None:
    safe = shown('<p style="color:rgb(1, 2, 3);margin:1px 2px;z-index:9;color:var(--x);nonsense">x</p>')
    assert "color:rgb(1, 2, 3)" in safe.html or "color:rgb(1,2,3)" in safe.html
    assert "margin" in safe.html
    assert "z-index" not in safe.html
    assert "var" not in safe.html


def related(content: bytes, html: str = '<img src="cid:a@b"><img src=" CID:a@b "><img src=cid:none>') -> bytes:
    """A mail with an image of its own."""
    return (
        b"Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        + html.encode()
        + b"\n--b\nContent-Type: image/png\nContent-ID: <a@b>\nContent-Transfer-Encoding: base64\n\n"
        + base64.b64encode(content)
        + b"\n--b--\n"
    )


def test_images_of_the_mail_itself_are_shown() -> None:
    raw = related(PNG)
    safe = safe_html(parse(raw), raw)
    assert safe.inlined_count == 2
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in safe.html


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", PNG + b"x" * 600_000, PNG + b"x" * 2_000_000])
def test_images_that_are_none_or_too_large_are_not_shown(content: bytes) -> None:
    raw = related(content)
    assert "data:" not in safe_html(parse(raw), raw).html


def test_images_are_bounded_in_sum() -> None:
    raw = related(PNG + b"x" * 500_000, "<img src=cid:a@b>" * 20)
    safe = safe_html(parse(raw), raw)
    assert safe.inlined_count == 4
    assert len(safe.html) < 4_000_000


def test_data_images_are_shown_when_small() -> None:
    assert shown("<img src='data:image/png;base64,AAAA'>").inlined_count == 1
    assert shown(f"<img src='data:image/png;base64,{'A' * 1_200_000}'>").inlined_count == 0


def test_mail_without_html_shows_its_text_escaped() -> None:
    raw = b"Subject: s\n\n<b>not bold</b>"
    safe = safe_html(parse(raw), raw)
    assert safe.is_plain_text
    assert "&lt;b&gt;not bold" in safe.html


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 5_000,
        "".join(f"<b title={'x' * 1_000}>" for _ in range(100)) + "<p>x" * 10_000,
        "<p " + " ".join(f"a{number}" for number in range(5_000)) + ">",
        "<p" + "".join(f"/a{number}" for number in range(5_000)) + ">",
        "<p " + "=" * 5_000 + ">",
        "<p>x" * 50_100,
    ],
)
def test_html_that_would_blow_up_a_parser_is_shown_as_text(html: str) -> None:
    assert not is_well_shaped(html)
    assert shown(html).is_plain_text


def test_ordinary_html_is_well_shaped() -> None:
    page = "<!doctype html><html><!-- c --><style>a{}</style><table>" + "<tr><td><b>x</b><br></td></tr>" * 2_000
    assert is_well_shaped(page + "</table></i>" + f"<img src='data:image/png;base64,{'A/' * 4_000}'>")


@given(st.text(alphabet="<>/!-=\"' abscripthref:;&#\n", max_size=200))
def test_any_markup_is_shown_the_same_each_time(html: str) -> None:
    assert shown(html) == shown(html)
    assert "<script" not in shown(html).html.lower()


FILES = (
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nx\nbegin 644 u.txt\n#0V%T\nend\n"
    b"--b\nContent-Type: application/pdf; name=../../etc/a.pdf\nContent-Transfer-Encoding: base64\n\naGk=\n"
    b"--b\nContent-Type: message/rfc822\n\nSubject: i\n\ninner\n"
    b"--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    + base64.b64encode(
        b"\x78\x9f\x3e\x22\x01\x00\x02\x02\x90\x00\x00\x00\x00\x00\x00\x00\x00\x02\x10\x80\x00\x00\x02\x00\x00\x00t\x00\x00\x00"
    )
    + b"\n--b--\n"
)


@pytest.mark.parametrize(
    ("path", "name", "content_type", "content"),
    [
        ("1.1", "u.txt", "application/octet-stream", b"Cat"),
        ("2", "a.pdf", "application/pdf", b"hi"),
        ("3", "attachment-3.eml", "message/rfc822", b"Subject: i\n\ninner"),
        ("4.1", "t", "application/octet-stream", b""),
    ],
)
def test_attachments_are_found_by_their_path(path: str, name: str, content_type: str, content: bytes) -> None:
    assert attachment_bytes(FILES, path) == (name, content_type, content)
    assert path in {one.part_path for one in parse(FILES).attachments}


@pytest.mark.parametrize("path", ["", "9", "1.2", "1.x", "2.1", "4.9", "1.1.1", "../x"])
def test_a_part_that_is_not_there_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError, match="no part"):
        attachment_bytes(FILES, path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a.txt", "a.txt"),
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        ("  .hidden. ", "hidden"),
        ("a\nb<c>.txt", "abc.txt"),
        ("CON.txt", "_CON.txt"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("x" * 300, "x" * 120),
        ("", "attachment-1.2.png"),
        ("...", "attachment-1.2.png"),
    ],
)
def test_file_names_are_safe(name: str, expected: str) -> None:
    assert safe_filename(name, "image/png", "1.2") == expected


def test_what_parse_sees_can_be_printed() -> None:
    raw = (
        b"From: Ann <a@b.example>\nTo: c@d.example\nSubject: s\nMessage-ID: <1@x>\nReferences: <0@x>\n"
        b"Date: Mon, 14 May 2001 16:39:00 -0700\nList-Id: <l>\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/html\n\n<p>words</p>\n--b\nContent-Type: text/calendar\n\n"
        b"BEGIN:VEVENT\nSUMMARY:Lunch\nDTSTART:20240102T030405Z\nEND:VEVENT\n--b\nContent-Type: a/b\n\nx\n"
    )
    message = parse(raw)
    values = view(message)
    assert values["from"] == {"name": "Ann", "address": "a@b.example"}
    assert (values["html_as_text"], values["sent_at"]) == ("words", "2001-05-14T23:39:00+00:00")
    assert values["calendar"]["starts_at"] == "2024-01-02T03:04:05+00:00"
    assert '"boundary-unclosed"' in to_json(message)
    text = to_text(message)
    for line in (
        "from: Ann <a@b.example>",
        "to: c@d.example",
        "reference: 0@x",
        "header list-id: <l>",
        "calendar:  Lunch",
    ):
        assert line in text.splitlines()
    assert "attachment 3: (no name) a/b 2 B" in text
    assert "--- new_text ---\nwords" in text
    assert view(parse(b""))["from"] is None
    assert to_text(parse(b"")).startswith("defect")
