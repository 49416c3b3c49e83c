"""Measures the parser against what other parsers' fixture sets say they expect, and writes the report of it.

    python tests/mail/measure_mime_agreement.py [--data FOLDER] [--write docs/reference/mime-agreement.md]

The sets are third parties' public fixtures; nothing of a message is printed or written but the fixture's file name.
"""

import argparse
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from rl_emails_assets.mail.addresses import parse_addresses
from rl_emails_assets.mail.charsets import GuessBudget
from rl_emails_assets.mail.dates import parse_date
from rl_emails_assets.mail.headers import Decoder, parse_parameters, split_headers
from rl_emails_assets.mail.limits import DEFAULT_LIMITS, DefectLog
from rl_emails_assets.mail.message import Address, Message
from rl_emails_assets.mail.parse import parse, prepared
from rl_emails_assets.mail.parts import Part, part_tree
from rl_emails_assets.mail.tnef import parse_tnef

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "mime"
REASONS_FILE = Path(__file__).with_name("mime_disagreements.json")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One expected value and what the parser said."""

    fixtures: str
    file: str
    field: str
    expected: str
    found: str

    @property
    def agrees(self) -> bool:
        """Whether both are the same but for white space."""
        return _SPACES.sub("", self.expected) == _SPACES.sub("", self.found)


def fixture_files(data: Path = DATA) -> Iterator[tuple[str, str, bytes]]:
    """(set, file name inside it, bytes) of every file of every set."""
    for archive in sorted(data.glob("*.tar.gz")):
        name = archive.name.removesuffix(".tar.gz")
        with tarfile.open(archive) as tar:
            for member in tar:
                handle = tar.extractfile(member) if member.isfile() else None
                if handle is not None:
                    yield name, member.name.partition("/")[2], handle.read()


def mails_in(name: str, content: bytes) -> list[bytes]:
    """The messages of a file: those of an mbox, else the file itself."""
    if content.startswith(b"From ") and (name.endswith((".mbox", ".mbox.txt")) or content.count(b"\nFrom ") > 0):
        return [
            piece.partition(b"\n")[2]
            for piece in re.split(rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))(?=From )", content)
            if piece
        ]
    return [content]


def decoder_for_one_header() -> Decoder:
    """A decoder for a header outside a message."""
    return Decoder(DefectLog(), GuessBudget(4), DEFAULT_LIMITS)


def _people(people: tuple[Address, ...] | list[Address]) -> str:
    return "; ".join(f"{one.name} <{one.address}>" for one in people)


def _stalwart_people(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    value = value.get("Address", value)
    entries = value.get("List") or [one for group in value.get("Group", []) for one in group["addresses"]]
    return "; ".join(f"{one['name'] or ''} <{(one['address'] or '').lower()}>" for one in entries)


def _stalwart_date(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    value = value.get("DateTime", value)
    sign = -1 if value["tz_before_gmt"] else 1
    zone = timezone(sign * timedelta(hours=value["tz_hour"], minutes=value["tz_minute"]))
    try:
        moment = datetime(
            value["year"], value["month"], value["day"], value["hour"], value["minute"], value["second"], tzinfo=zone
        )
    except ValueError:
        return "no such date"
    return str(moment.astimezone(UTC))


def _text_of(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    if "TextList" in value:
        return " ".join(value["TextList"])
    return str(value.get("Text", ""))


def _attribute(part: dict[str, Any], header: str, name: str) -> str:
    for field in part["headers"]:
        if field["name"] == header and isinstance(field["value"], dict):
            for attribute in field["value"]["ContentType"]["attributes"] or []:
                if attribute["name"] == name:
                    return str(attribute["value"])
    return ""


def _stalwart_message(file: str, expected: dict[str, Any], message: Message) -> Iterator[Comparison]:
    headers: dict[str, Any] = {}
    for field in expected["parts"][0]["headers"]:
        if isinstance(field["name"], str):
            headers.setdefault(field["name"], field["value"])
    parts = expected["parts"]
    text_parts = [parts[number]["body"] for number in expected["text_body"]]
    html_parts = [parts[number]["body"] for number in expected["html_body"]]
    from_first = _stalwart_people(headers.get("from")).split("; ")[0]
    found: dict[str, tuple[str, str]] = {
        "subject": (_text_of(headers.get("subject")), message.subject),
        "from": (from_first, _people([message.from_] if message.from_ else [])),
        "to": (_stalwart_people(headers.get("to")), _people(message.to)),
        "cc": (_stalwart_people(headers.get("cc")), _people(message.cc)),
        "reply-to": (_stalwart_people(headers.get("reply_to")), _people(message.reply_to)),
        "date": (_stalwart_date(headers.get("date")), str(message.sent_at or "")),
        "message-id": (_text_of(headers.get("message_id")), message.rfc822_message_id),
        "attachments": (
            "; ".join(_stalwart_name(parts[number]) for number in expected["attachments"]),
            "; ".join(f"{one.filename or one.content_type}" for one in message.attachments),
        ),
    }
    if text_parts and all("Text" in body for body in text_parts):
        found["text"] = ("\n".join(body["Text"] for body in text_parts), message.text)
    if html_parts and all("Html" in body for body in html_parts):
        found["html"] = ("\n".join(body["Html"] for body in html_parts), message.html)
    for field, (wanted, got) in found.items():
        if wanted or got:
            yield Comparison("stalwart-mail-parser", file, field, wanted, got)


def _stalwart_name(part: dict[str, Any]) -> str:
    name = _attribute(part, "content_disposition", "filename") or _attribute(part, "content_type", "name")
    if name:
        return name
    for field in part["headers"]:
        if field["name"] == "content_type" and isinstance(field["value"], dict):
            kind = field["value"]["ContentType"]
            return f"{kind['c_type']}/{kind['c_subtype'] or ''}".lower()
    return "text/plain"


def _stalwart_headers(file: str, cases: list[dict[str, Any]]) -> Iterator[Comparison]:
    field = file.removeprefix("resources/").removesuffix(".json")
    for number, case in enumerate(cases):
        decoder = decoder_for_one_header()
        block = b"X: " + case["header"].encode() + b"\n"
        values = split_headers(block, 0, len(block), DEFAULT_LIMITS, decoder.log)[0].get("x", [b""])
        expected = case["expected"]
        if field == "address":
            pair = (_stalwart_people(expected), _people(parse_addresses(values[0], decoder, "x")))
        elif field == "date":
            pair = (_stalwart_date(expected), str(parse_date(decoder.text(values[0], "x")) or ""))
        elif field == "id":
            found = parse(b"References: " + values[0] + b"\n\n").references
            wanted = expected if isinstance(expected, list) else [expected] if expected else []
            pair = (" ".join(wanted), " ".join(found))
        elif field == "unstructured":
            pair = (str(expected or ""), decoder.text(values[0], "x"))
        elif field == "received":
            wanted_date = expected.get("date") if isinstance(expected, dict) else None
            got = parse_date(decoder.raw(values[0], "x").rpartition(";")[2])
            pair = (_stalwart_date(wanted_date), str(got or ""))
        elif field == "content_type":
            token, params = parse_parameters(decoder.raw(values[0], "x"), decoder, "x")
            found_type = "; ".join([token, *(f"{key}={value}" for key, value in sorted(params.items()))])
            pair = (_content_type(expected), found_type)
        else:
            return
        yield Comparison("stalwart-mail-parser", f"{file}#{number}", field, *pair)


def _content_type(expected: Any) -> str:
    if not isinstance(expected, dict):
        return ""
    token = expected["c_type"] + ("/" + expected["c_subtype"] if expected["c_subtype"] else "")
    attributes = {
        (one["name"] if isinstance(one, dict) else one[0]): (one["value"] if isinstance(one, dict) else one[1])
        for one in expected.get("attributes") or []
    }
    return "; ".join([token.lower(), *(f"{key}={value}" for key, value in sorted(attributes.items()))])


_ENVELOPE_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|\(|\)|NIL|\{\{\{\n(.*?)\n\}\}\}', re.DOTALL)


def _s_expression(text: str) -> Any:
    stack: list[list[Any]] = [[]]
    for token in _ENVELOPE_TOKEN.finditer(text):
        if token[0] == "(":
            stack.append([])
        elif token[0] == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(None if token[0] == "NIL" else token[1].replace('\\"', '"'))
    return stack[0][0]


def _envelope_people(value: Any) -> str:
    people = [one for one in value or [] if one[2] and one[3]]
    return "; ".join(f"{one[0] or ''} <{one[2]}@{one[3]}>" for one in people)


def _dovecot(files: dict[str, bytes]) -> Iterator[Comparison]:
    base = "src/tests/fetch-envelope"
    mails = mails_in(base + ".mbox", files[base + ".mbox"])
    for found in re.finditer(r"\* (\d+) FETCH \(ENVELOPE (\(.*\))\)", files[base].decode()):
        message = parse(mails[int(found[1]) - 1])
        date, subject, sender, _, _, to, cc, bcc, reply, message_id = _s_expression(found[2])
        pairs = {
            "date": (str(parse_date(date or "") or ""), str(message.sent_at or "")),
            "subject": (subject or "", message.subject),
            "from": (_envelope_people(sender), _people([message.from_] if message.from_ else [])),
            "to": (_envelope_people(to), _people(message.to)),
            "cc": (_envelope_people(cc), _people(message.cc)),
            "bcc": (_envelope_people(bcc), _people(message.bcc)),
            "in-reply-to": ((reply or "").strip("<>"), message.in_reply_to),
            "message-id": ((message_id or "").strip("<>"), message.rfc822_message_id),
        }
        for field, (wanted, got) in pairs.items():
            if wanted or got:
                yield Comparison("dovecot-imaptest", f"{base}.mbox#{found[1]}", field, wanted, got)


def tree_of(content: bytes) -> Part:
    """The MIME tree of a message."""
    decoder = decoder_for_one_header()
    return part_tree(prepared(content, DEFAULT_LIMITS, decoder.log), decoder)


def _types(part: Part) -> list[str]:
    return [one.content_type for one in part.walk()]


def _mimekit_types(node: dict[str, Any]) -> list[str]:
    out = [str(node["mimeType"]).lower()]
    for child in node.get("children", []):
        out += _mimekit_types(child)
    if "message" in node:
        out += _mimekit_types(node["message"]["body"])
    return out


def _mimekit(files: dict[str, bytes]) -> Iterator[Comparison]:
    base = "UnitTests/TestData/"
    for name in ("content-length", "issue1189", "jwz"):
        content = files.get(f"{base}mbox/{name}.mbox.txt", b"")
        offsets = json.loads(files.get(f"{base}mbox/{name}.unix-offsets.json", b"[]").decode("utf-8-sig"))
        for number, case in enumerate(offsets if content else []):
            mail = content.replace(b"\r\n", b"\n")[case["beginOffset"] : case["endOffset"]]
            wanted = " ".join(_mimekit_types(case["body"]))
            got_types = " ".join(_types(tree_of(mail)))
            yield Comparison("mimekit", f"mbox/{name}.mbox.txt#{number}", "structure", wanted, got_types)
    for name, content in sorted(files.items()):
        if name.startswith(base + "tnef/") and name.endswith(".list"):
            wanted_names = [line for line in content.decode().splitlines() if line and not line.startswith("body.")]
            tnef = parse_tnef(files[name.removesuffix(".list") + ".tnef"], DEFAULT_LIMITS, DefectLog(), "1")
            got = sorted(one.filename for one in tnef.attachments) if tnef else []
            file = name.removeprefix(base).removesuffix(".list") + ".tnef"
            yield Comparison("mimekit", file, "attachments", "; ".join(sorted(wanted_names)), "; ".join(got))
            has_body = b"body." in content
            found_body = tnef is not None and bool(tnef.text or tnef.html)
            yield Comparison("mimekit", file, "has a body", str(has_body), str(found_body))


def compare_all(data: Path = DATA) -> list[Comparison]:
    """Every comparison, in a fixed order."""
    sets: dict[str, dict[str, bytes]] = {}
    for name, file, content in fixture_files(data):
        sets.setdefault(name, {})[file] = content
    out: list[Comparison] = []
    stalwart = sets["stalwart-mail-parser"]
    for file, content in sorted(stalwart.items()):
        if file.endswith(".eml") and file.replace(".eml", ".json") in stalwart:
            expected = json.loads(stalwart[file.replace(".eml", ".json")])
            out += _stalwart_message(file, expected, parse(content))
        elif file.endswith(".json") and file.count("/") == 1:
            out += _stalwart_headers(file, json.loads(content))
    out += _dovecot(sets["dovecot-imaptest"])
    out += _mimekit(sets["mimekit"])
    return out


def reason_for(comparison: Comparison, reasons: list[list[str]]) -> str:
    """The recorded reason of a disagreement, "" when there is none."""
    for fixtures, file, field, reason in reasons:
        if fixtures == comparison.fixtures and fnmatch(comparison.file, file) and fnmatch(comparison.field, field):
            return reason
    return ""


def report(comparisons: list[Comparison], parsed_count: int, reasons: list[list[str]]) -> str:
    """The report as Markdown: figures by set and field, and each disagreement with its reason."""
    counts: dict[tuple[str, str], list[int]] = {}
    for one in comparisons:
        count = counts.setdefault((one.fixtures, one.field), [0, 0])
        count[0] += one.agrees
        count[1] += 1
    agreed = sum(one.agrees for one in comparisons)
    out = [
        "# Agreement with other MIME parsers",
        "",
        "Made by `python tests/mail/measure_mime_agreement.py --write docs/reference/mime-agreement.md`. The fixtures",
        "are third parties' public ones (MIT, BSD, Apache-2.0, PSF) and are not part of this repository; no content",
        "of a message is shown here.",
        "",
        f"{parsed_count:,} messages in thirteen sets are parsed without an exception. Three sets carry an expected",
        f"output that can be read without their own code: {agreed:,} of {len(comparisons):,} values agree",
        f"({100 * agreed / len(comparisons):.1f} %), white space aside. The expectations of the other ten are in test",
        "code that the fixtures do not include; the golden files of enmime are the output of its encoder.",
        "",
        "| set | value | agree | of |",
        "|---|---|---:|---:|",
    ]
    out += [f"| {name} | {field} | {good} | {every} |" for (name, field), (good, every) in sorted(counts.items())]
    out += ["", "## Disagreements", "", "| set | file | value | reason |", "|---|---|---|---|"]
    out += [
        f"| {one.fixtures} | {one.file} | {one.field} | {reason_for(one, reasons) or 'not explained'} |"
        for one in comparisons
        if not one.agrees
    ]
    return "\n".join(out) + "\n"


def main() -> None:
    """Print the report, or write it to a file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA, help="the folder with the sets")
    arguments.add_argument("--write", type=Path, help="the file to write the report to")
    chosen = arguments.parse_args()
    parsed_count = 0
    for _, name, content in fixture_files(chosen.data):
        for mail in mails_in(name, content):
            parse(mail)
            parsed_count += 1
    text = report(compare_all(chosen.data), parsed_count, json.loads(REASONS_FILE.read_text(encoding="utf-8")))
    if chosen.write is None:
        sys.stdout.write(text)
    else:
        chosen.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
