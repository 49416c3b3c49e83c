"""Header blocks: where they end, what fields they hold, and the parameters of structured fields."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from rl_emails_assets.mail.charsets import GuessBudget, clean, decode_text
from rl_emails_assets.mail.encoded_words import decode_words
from rl_emails_assets.mail.limits import DefectLog, Limits

KEPT_HEADERS: frozenset[str] = frozenset(
    {
        "auto-submitted",
        "authentication-results",
        "arc-authentication-results",
        "content-class",
        "content-language",
        "content-type",
        "date",
        "delivered-to",
        "disposition-notification-to",
        "errors-to",
        "feedback-id",
        "importance",
        "keywords",
        "list-archive",
        "list-help",
        "list-id",
        "list-owner",
        "list-post",
        "list-subscribe",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "mail-followup-to",
        "mailing-list",
        "newsgroups",
        "organization",
        "precedence",
        "priority",
        "received-spf",
        "reply-to",
        "resent-date",
        "resent-from",
        "resent-to",
        "return-path",
        "return-receipt-to",
        "sender",
        "sensitivity",
        "status",
        "thread-index",
        "thread-topic",
        "user-agent",
        "x-auto-response-suppress",
        "x-autoreply",
        "x-autorespond",
        "x-bcc",
        "x-beenthere",
        "x-bulk",
        "x-campaign",
        "x-campaignid",
        "x-cc",
        "x-failed-recipients",
        "x-filename",
        "x-folder",
        "x-forwarded-for",
        "x-forwarded-to",
        "x-from",
        "x-github-reason",
        "x-gm-thrid",
        "x-gmail-labels",
        "x-keywords",
        "x-list",
        "x-loop",
        "x-mailer",
        "x-mailing-list",
        "x-mozilla-status",
        "x-ms-exchange-calendar-series-instance-id",
        "x-ms-exchange-organization-autoforwarded",
        "x-ms-has-attach",
        "x-msmail-priority",
        "x-origin",
        "x-original-to",
        "x-originating-ip",
        "x-priority",
        "x-report-abuse",
        "x-spam-flag",
        "x-spam-level",
        "x-spam-status",
        "x-status",
        "x-to",
    }
)
"""The headers that later steps read; `Message.headers` holds those that are present, the topmost of each name."""

_FIELD_NAME = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_PARAMETER = re.compile(r"[ \t;]*([^\s=;:\"]{1,100})[ \t]*=[ \t]*")
_SECTION = re.compile(r"(.{1,80}?)(?:\*(\d{1,3}))?(\*)?")
_MOST_PARAMETERS = 200
_LINES_AHEAD = 40
_NEXT_PARAMETER = re.compile(r"[ \t][A-Za-z][A-Za-z0-9_\-]{1,40}(?:\*[0-9]{0,3}\*?)?=")
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_TRAILING_COMMENT = re.compile(r"\s\([^()]{0,200}\)\s{0,20}$")
_SPACES = re.compile(r"\s+")

Fields = dict[str, list[bytes]]
"""Field name in lower case -> the raw values in order, unfolded."""


@dataclass(slots=True)
class Decoder:
    """What decoding headers needs: where defects go, guesses left, and the charset that raw 8-bit headers may be in."""

    log: DefectLog
    guesses: GuessBudget
    limits: Limits
    fallback_charset: str = ""
    cache: dict[bytes, str] = field(default_factory=dict)

    def raw(self, value: bytes, where: str) -> str:
        """The value as text, encoded words untouched."""
        if value.isascii() and b"\x1b" not in value:
            return value.decode("ascii")
        self.log.add("header-8bit", where)
        return decode_text(value, self.fallback_charset, self.log, self.guesses, where)

    def text(self, value: bytes, where: str) -> str:
        """The value as a person reads it: words decoded, white space single, controls gone."""
        text = decode_words(self.raw(value, where), self.log, self.guesses, where)
        if text.isascii() and text.isprintable() and "  " not in text:
            return text.strip()
        return _SPACES.sub(" ", clean(_SPACES.sub(" ", text))).strip()

    def words(self, text: str, where: str) -> str:
        """Like `text`, for a piece of a header that is text already."""
        if "=?" in text:
            text = decode_words(text, self.log, self.guesses, where)
        if text.isascii() and text.isprintable() and "  " not in text:
            return text.strip()
        return _SPACES.sub(" ", clean(_SPACES.sub(" ", text))).strip()


def split_headers(data: bytes, start: int, end: int, limits: Limits, log: DefectLog) -> tuple[Fields, int]:
    """The fields of the header block at `start`, and where the body starts.

    A line that is no field ends the block unless more fields follow it before the blank line; then it is taken as
    a continuation that lost its indentation.
    """
    if data.startswith((b"\n", b"\r\n"), start, end):
        return {}, start + (1 if data.startswith(b"\n", start, end) else 2)
    blank = _BLANK_LINE.search(data, start, end)
    block_end = blank.start() + 1 if blank else end
    body_start = blank.end() if blank else end
    if block_end - start > limits.header_bytes:
        log.add("header-bytes", f"cut at {limits.header_bytes} bytes")
        block_end = start + limits.header_bytes
    lines = data[start:block_end].split(b"\n")
    fields: Fields = {}
    count = 0
    pieces: list[bytes] = []
    name = ""
    offset = start
    for index, line_with_return in enumerate(lines):
        line = line_with_return.rstrip(b"\r")
        if line[:1] in {b" ", b"\t"}:
            if name:
                pieces.append(line.strip())
            offset += len(line_with_return) + 1
            continue
        found = _FIELD_NAME.match(line)
        if found is None:
            if line and not _is_envelope_line(line, index):
                if not _has_more_fields(lines, index + 1):
                    log.add("header-end-missing", "the body starts without a blank line")
                    body_start = offset
                    break
                log.add("header-line", "a line that is no header field")
                if name:
                    pieces.append(line.strip())
            offset += len(line_with_return) + 1
            continue
        if name:
            _store(fields, name, pieces, limits)
        count += 1
        if count > limits.headers:
            log.add("header-count", f"cut at {limits.headers} fields")
            name = ""
            break
        name = found[1].decode("ascii").lower()
        pieces = [line[found.end() :].strip()]
        offset += len(line_with_return) + 1
    if name:
        _store(fields, name, pieces, limits)
    return fields, body_start


def _store(fields: Fields, name: str, pieces: list[bytes], limits: Limits) -> None:
    value = pieces[0] if len(pieces) == 1 else b" ".join(pieces).strip()
    fields.setdefault(name, []).append(value[: limits.header_value_chars])


def _is_envelope_line(line: bytes, index: int) -> bool:
    return line.startswith((b"From ", b">From ")) and index < 3


def _has_more_fields(lines: list[bytes], start: int) -> bool:
    for line in lines[start : start + _LINES_AHEAD]:
        found = _FIELD_NAME.match(line)
        if found is not None and (b"-" in found[1] or found[1].lower() in _COMMON_NAMES):
            return True
    return False


_COMMON_NAMES = frozenset(
    {b"from", b"to", b"cc", b"bcc", b"subject", b"date", b"received", b"sender", b"references", b"organization"}
)


def parse_parameters(value: str, decoder: Decoder, where: str) -> tuple[str, dict[str, str]]:
    """The first token of a structured field, lower case, and its parameters (RFC 2045, RFC 2231, and what is sent).

    Names are lower case; of a repeated parameter the first counts; an RFC 2231 value beats a plain one.
    """
    head, separator, rest = value.partition(";")
    glued = _NEXT_PARAMETER.search(head)
    if glued is not None:
        head, separator, rest = value[: glued.start()], ";", value[glued.start() :]
    token = head.strip().lower()
    if "(" in token:
        token = _COMMENT.sub("", token).replace(" ", "")
    if not separator:
        return token, {}
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    position = 0
    for _ in range(_MOST_PARAMETERS):
        found = _PARAMETER.match(rest, position)
        if found is None:
            semicolon = rest.find(";", position)
            if semicolon < 0:
                break
            position = semicolon + 1
            continue
        text, position = _parameter_value(rest, found.end())
        section = _SECTION.fullmatch(found[1].lower())
        if section is not None and (section[2] or section[3]):
            parts = sections.setdefault(section[1], {})
            parts.setdefault(int(section[2] or 0), (text, bool(section[3])))
        else:
            plain.setdefault(found[1].lower(), text)
    result = {name: decoder.words(text, where) for name, text in plain.items()}
    for name, parts in sections.items():
        result[name] = _joined_sections(parts, decoder, where)
    return token, result


def _parameter_value(rest: str, start: int) -> tuple[str, int]:
    """A parameter's value and where the next parameter starts."""
    if rest[start : start + 1] != '"':
        end = rest.find(";", start)
        end = len(rest) if end < 0 else end
        glued = _NEXT_PARAMETER.search(rest, start, end)
        if glued is not None:
            # The semicolon before the next parameter is missing.
            return rest[start : glued.start()], glued.start()
        return _TRAILING_COMMENT.sub("", rest[start:end]).strip(), end + 1
    out: list[str] = []
    position = start + 1
    while True:
        quote = rest.find('"', position)
        if quote < 0:
            # The closing quote is missing: the value ends where the next parameter starts.
            end = rest.find(";", position)
            end = len(rest) if end < 0 else end
            out.append(rest[position:end])
            return "".join(out).strip(), end + 1
        segment = rest[position:quote]
        out.append(segment)
        if (len(segment) - len(segment.rstrip("\\"))) % 2 == 1:
            out.append('"')
            position = quote + 1
            continue
        return _unescape("".join(out)), quote + 1


def _unescape(text: str) -> str:
    # A backslash before anything but a quote or a backslash is a Windows path, not an escape.
    return text.replace('\\"', '"').replace("\\\\", "\\") if "\\" in text else text


def _joined_sections(parts: dict[int, tuple[str, bool]], decoder: Decoder, where: str) -> str:
    charset = ""
    data: list[bytes] = []
    encoded_any = False
    for number in sorted(parts):
        text, is_encoded = parts[number]
        if is_encoded:
            encoded_any = True
            if number == 0 and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            data.append(unquote_to_bytes(text.encode("utf-8", "surrogatepass")))
        else:
            data.append(text.encode("utf-8", "surrogatepass"))
    joined = b"".join(data)
    if not encoded_any:
        return decoder.words(joined.decode("utf-8", "replace"), where)
    text = decode_text(joined, charset or "utf-8", decoder.log, decoder.guesses, where)
    # Some senders put encoded words into RFC 2231 values.
    return decoder.words(text, where)
