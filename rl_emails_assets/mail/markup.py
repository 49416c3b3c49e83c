"""What an HTML body looks like, as counts: who made it (a person's mail program, a sender of bulk, a trickster).

The HTML itself is not kept beside the parsed message; these few numbers are, for the classifier.
"""

import re

MAX_CHARACTERS = 100_000
"""Of the HTML that are looked at: what a mail looks like, its beginning shows."""

_COUNTED: dict[str, tuple[str, ...]] = {
    "images": ("<img",),
    "links": ("<a ", "<a\n"),
    "tables": ("<table",),
    "cells": ("<td",),
    "fonts": ("<font",),
    "forms": ("<form", "<input"),
    "breaks": ("<br",),
    "blocks": ("<p", "<div"),
    "comments": ("<!--",),
    "scripts": ("<script",),
    "colours": ("bgcolor", "background-color"),
    "mail_links": ("mailto:",),
    "media_queries": ("@media",),
    "person_marks": ("gmail_quote", "gmail_default", "msonormal", "applemail", "apple-mail", "yahoo_quoted",
                     "moz-cite", "protonmail_", "class=wordsection", "class=\"wordsection"),
    "preheaders": ("preheader", "mso-hide:all", "view in browser", "view this email", "/ld+json"),
}  # fmt: skip
_HIDDEN = re.compile(r"display:\s{0,3}none|visibility:\s{0,3}hidden|font-size:\s{0,3}[01](?:px|pt|;)")
_WHITE = re.compile(r"color[=:]\s{0,3}[\"']?#?(?:f{6}|white)\b")
_HOST = re.compile(r"href\s{0,3}=\s{0,3}[\"']?https?://([^/\"'\s>]{1,255})")
_BARE_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?")
_TINY = re.compile(r"(?:width|height)\s{0,3}[=:]\s{0,3}[\"']?1(?:px)?[\"'\s;>]")


def markup(html: str) -> dict[str, int]:
    """Counts of what stands in the HTML, those that are not 0; {} for mail without HTML.

    Beside the tags: `characters`; `hosts`, distinct hosts that links lead to, `bare_hosts` of them numbers,
    `masked_hosts` with a name before an @; `hidden` and `white` styles; `tiny` images; `person_marks`, what people's
    mail programs leave in their HTML; `preheaders`, what senders of many leave.
    """
    if not html:
        return {}
    low = html[:MAX_CHARACTERS].lower()
    found = {name: sum(low.count(part) for part in parts) for name, parts in _COUNTED.items()}
    hosts = set(_HOST.findall(low))
    found |= {
        "characters": len(low),
        "hosts": len(hosts),
        "bare_hosts": sum(1 for host in hosts if _BARE_ADDRESS.fullmatch(host.rpartition("@")[2])),
        "masked_hosts": sum(1 for host in hosts if "@" in host),
        "hidden": len(_HIDDEN.findall(low)),
        "white": len(_WHITE.findall(low)),
        "tiny": len(_TINY.findall(low)),
    }
    return {name: count for name, count in found.items() if count}
