"""Reads mails written in a short notation and makes RFC 822 messages of them, as mailers of today send them."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TRAINING_MAILS = Path(__file__).with_name("training_mails.txt")

_LINK = re.compile(r"\[([^|\]]{1,200}) \| ([^\]\s]{1,500})\]")
_EVENT = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART:20250310T090000Z\nEND:VEVENT\nEND:VCALENDAR"
_DATE = "Tue, 04 Mar 2025 09:14:27 +0000"
_PAGE_DATE = "Tue, 4 Mar 2025 12:14:27 +0300"


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """One mail of the notation: its category, its form (rich, page, letter, invite or plain), and what it says."""

    category: str
    form: str
    headers: tuple[str, ...]
    subject: str
    body: str

    @property
    def sender_host(self) -> str:
        """What follows the @ of the sender's address."""
        sender = next((header for header in self.headers if header.startswith("From:")), "")
        return sender.rpartition("@")[2].rstrip(">")

    def rfc822(self, *, is_authenticated: bool = True, has_headers: bool = True) -> bytes:
        """The message; without authentication as a host that checks none has it, without headers as an archive."""
        plain = _LINK.sub(r"\1: \2", self.body)
        lines = [*self.headers, f"Subject: {self.subject}"]
        if not any(header.startswith("To:") for header in self.headers):
            lines.append("To: Nell Harrow <nell@harrow.test>")
        if has_headers:
            lines += self._usual_headers(is_authenticated=is_authenticated)
        lines.append("MIME-Version: 1.0")
        if self.form == "plain":
            return _message([*lines, "Content-Type: text/plain; charset=utf-8"], plain)
        if self.form == "invite":
            parts = (
                f"--=_b1\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n"
                f"--=_b1\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\n{_EVENT}\n--=_b1--\n"
            )
            return _message([*lines, 'Content-Type: multipart/alternative; boundary="=_b1"'], parts)
        if self.form == "page":
            return _message([*lines, "Content-Type: text/html; charset=utf-8"], self._page())
        page = self._page()
        parts = (
            f"--=_b1\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n"
            f"--=_b1\nContent-Type: text/html; charset=utf-8\n\n{page}\n--=_b1--\n"
        )
        return _message([*lines, 'Content-Type: multipart/alternative; boundary="=_b1"'], parts)

    def _usual_headers(self, *, is_authenticated: bool) -> list[str]:
        host = self.sender_host
        by = {"rich": f"0102018f.8c1d-{len(self.body)}@eu.mailer.test", "page": f"{len(self.body)}.1@localhost"}
        lines = [
            f"Date: {_PAGE_DATE if self.form == 'page' else _DATE}",
            f"Message-ID: <{by.get(self.form, f'CA+{len(self.body)}x@{host}')}>",
        ]
        if self.subject.startswith("Re:"):
            lines.append("In-Reply-To: <one@harrow.test>")
        if is_authenticated:
            result = "fail" if self.category in ("unwanted", "suspicious") else "pass"
            lines.append(f"Authentication-Results: mx.harrow.test; dkim={result} header.d={host}; dmarc={result}")
        return lines

    def _page(self) -> str:
        paragraphs = [_linked(line) for line in self.body.split("\n") if line.strip()]
        if self.form == "letter":
            return '<div dir="ltr">' + "<br>".join(paragraphs) + '<div class="gmail_quote"></div></div>'
        if self.form == "page":
            inner = "".join(f'<p><font face="arial">{paragraph}</font></p>' for paragraph in paragraphs)
            return f"<html><body><center><table><tr><td>{inner}</td></tr></table></center></body></html>"
        cells = "".join(f'<tr><td style="padding:8px">{paragraph}</td></tr>' for paragraph in paragraphs)
        host = self.sender_host
        return (
            '<!DOCTYPE html><html><head><meta charset="utf-8"><style>@media only screen and (max-width:600px)'
            '{.w{width:100%!important}}</style></head><body style="background-color:#ffffff">'
            f'<div class="preheader" style="display:none">{html.escape(self.subject)}</div>'
            '<table class="w" width="600">'
            f'<tr><td><a href="https://{host}/"><img src="https://{host}/logo.png" width="120"></a></td></tr>{cells}'
            f'<tr><td><img src="https://{host}/o.gif" width="1" height="1"></td></tr></table></body></html>'
        )


def read_mails(path: Path = TRAINING_MAILS) -> Iterator[WrittenMail]:
    """The mails of a file in the notation that its first lines explain, in order."""
    for block in path.read_text("utf-8").split("\n=== ")[1:]:
        heading, *lines = block.strip("\n").split("\n")
        category, _, form = heading.partition(" ")
        count = next(number for number, line in enumerate(lines) if not line.startswith("+"))
        headers = tuple(line[1:] for line in lines[:count])
        yield WrittenMail(category, form, headers, lines[count], "\n".join(lines[count + 1 :]))


def _linked(line: str) -> str:
    found, end = "", 0
    for link in _LINK.finditer(line):
        found += html.escape(line[end : link.start()])
        found += f'<a href="{html.escape(link[2])}" style="color:#225588">{html.escape(link[1])}</a>'
        end = link.end()
    return found + html.escape(line[end:])


def _message(headers: list[str], body: str) -> bytes:
    return ("\n".join([*headers, "", body]) + "\n").encode()
