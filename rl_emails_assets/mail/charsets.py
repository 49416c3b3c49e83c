"""Bytes to text when the declared charset is missing, unknown or wrong."""

import codecs
import re
from functools import lru_cache

from charset_normalizer import from_bytes

from rl_emails_assets.mail.limits import DefectLog

_NAME = re.compile(r"[a-z0-9][a-z0-9_.:+\-]{0,39}")
_WIDENED = {
    # Mail software says the small charset and means the larger one; browsers read it the same way
    # (https://encoding.spec.whatwg.org/#names-and-labels).
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "hz",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
}
_ALIASES = {
    "ansi_x3.4-1968": "cp1252",
    "ansi": "cp1252",
    "cp65001": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "x-utf-8": "utf-8",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "dos-862": "cp862",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp",
    "x-euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "windows-874": "cp874",
    "koi8": "koi8-r",
}
_SILENT = frozenset({"", "us-ascii", "ascii"})
_NOT_TEXT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_STATEFUL = frozenset({"utf-7", "hz", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})
_SINGLE_BYTE_PREFIXES = ("cp125", "cp437", "cp85", "cp86", "cp87", "iso8859", "mac-", "koi8")
_ESCAPES = (b"\x1b$", b"\x1b(")
_SAMPLE_BYTES = 4_096
_CANDIDATES = [
    "cp1251",
    "koi8-r",
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp1250",
]
_NO_LEADS = bytes(range(0xC0))
_SURE_LEADS = 5
_WESTERN_SHARE = 0.2
"""Latin-script text of any language has fewer bytes above 127 than this among its letters."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_BYTES = bytes(byte for byte in range(128) if _CONTROLS.match(chr(byte)))


@lru_cache(maxsize=512)
def codec_name(charset: str) -> str:
    """Python's name of the codec for a charset as written in mail, widened as browsers do; "" when unknown."""
    name = charset.strip().strip("\"';").lower()
    if "*" in name:
        name = name.partition("*")[0]
    if name in _ALIASES:
        return _ALIASES[name]
    if not _NAME.fullmatch(name):
        return ""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if found.name.replace("-", "_") in _NOT_TEXT or not getattr(found, "_is_text_encoding", True):
        return ""
    return _WIDENED.get(found.name, found.name)


def is_single_byte(codec: str) -> bool:
    """Whether every byte string is text in this codec, so that success proves nothing."""
    return codec.startswith(_SINGLE_BYTE_PREFIXES)


def clean(text: str) -> str:
    """The text without NUL, other control characters but tab and line ends, and lone surrogates."""
    if text.isascii():
        return text.encode("ascii").translate(None, _CONTROL_BYTES).decode("ascii")
    text = _CONTROLS.sub("", text)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A pair of surrogates becomes the character it stands for, a lone one U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def decode_text(data: bytes, charset: str, log: DefectLog, guesses: "GuessBudget", where: str) -> str:  # noqa: PLR0912 - one branch a way to be wrong
    """Text of `data`, by the declared charset if it fits, else by what the bytes are.

    `where` names the header or part in a defect. Never fails; what cannot be read becomes U+FFFD.
    """
    if not data:
        return ""
    codec = codec_name(charset)
    if data.isascii() and codec not in _STATEFUL:
        if b"\x1b" in data and any(escape in data for escape in _ESCAPES):
            return _decode_leniently(data, codec if codec.startswith("iso2022") else "iso2022_jp_ext")
        return data.decode("ascii")
    declared = charset.strip().lower()
    if codec == "" and declared not in _SILENT:
        log.add("charset-unknown", f"{where}: {_printable(declared)}")
    if codec == "utf-8":
        return _declared_utf8(data, log, guesses, where)
    if codec == "" or is_single_byte(codec):
        # A text of another charset is valid UTF-8 by chance about never.
        text = _strict(data, "utf-8-sig")
        if text is not None:
            if declared not in _SILENT:
                log.add("charset-wrong", f"{where}: {_printable(declared)} is UTF-8")
            return text
    if codec == "" or (codec == "cp1252" and declared in _SILENT):
        log.add("charset-missing", where)
        return _guess(data, guesses)
    if codec not in _STATEFUL and len(data.translate(None, _NO_LEADS)) >= _SURE_LEADS:
        # Two or three characters of a double-byte charset can be valid UTF-8 by chance, more cannot.
        text = _strict(data, "utf-8")
        if text is not None:
            log.add("charset-wrong", f"{where}: {_printable(declared)} is UTF-8")
            return text
    text = _strict(data, codec)
    if text is not None:
        return text
    if is_single_byte(codec):
        return _decode_leniently(data, codec)
    log.add("charset-damaged", f"{where}: {_printable(declared)}")
    return _decode_leniently(data, codec)


class GuessBudget:
    """How many statistical charset guesses one message may still cost."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


def _declared_utf8(data: bytes, log: DefectLog, guesses: GuessBudget, where: str) -> str:
    text = _strict(data, "utf-8-sig")
    if text is not None:
        return text
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    valid = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]{1,4096}", text)))
    if valid > broken:
        log.add("charset-damaged", f"{where}: utf-8")
        return text
    log.add("charset-wrong", f"{where}: utf-8 is not UTF-8")
    return _guess(data, guesses)


def _guess(data: bytes, guesses: GuessBudget) -> str:
    """Western text by its few high bytes; anything else by statistics over a bounded sample."""
    high = data.translate(None, bytes(range(128)))
    letters = data.translate(None, bytes(range(65)) + bytes(range(91, 97)) + bytes(range(123, 128)))
    if len(high) < _WESTERN_SHARE * len(letters) or guesses.left <= 0:
        return _decode_leniently(data, "cp1252")
    guesses.left -= 1
    start = max(0, data.find(high[:1]) - 256)
    best = from_bytes(data[start : start + _SAMPLE_BYTES], cp_isolation=[*_CANDIDATES, "cp1252"]).best()
    return _decode_leniently(data, best.encoding if best is not None else "cp1252")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _decode_leniently(data: bytes, codec: str) -> str:
    if codec == "cp1252":
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            # Five bytes have no character in windows-1252; browsers show them as the control they are in latin-1.
            return data.decode("latin-1").translate(_CP1252_REST)
    return data.decode(codec, "replace")


_CP1252_REST = {byte: bytes([byte]).decode("cp1252", "ignore") or None for byte in range(0x80, 0xA0)}


def _printable(name: str) -> str:
    return re.sub(r"[^a-z0-9_.:+\-]", "?", name[:40])
