"""Address headers: who is named in From, To and the others.

Words are decoded after the structure is read, so that an encoded comma or bracket cannot make an address. When a
header is ambiguous, what stands in angle brackets is the address and everything else is the name (compare
CVE-2023-27043, where the name was taken for the address).
"""

import re

from rl_emails_assets.mail.charsets import clean
from rl_emails_assets.mail.headers import Decoder
from rl_emails_assets.mail.message import Address

_LONGEST_ADDRESS = 320
_LONGEST_NAME = 300
_SPECIAL = re.compile(r'["(),:;<>\[\]\\]')
_PLAIN = re.compile(r"[^\s\"(),:;<>@\[\]\\=]+@[^\s\"(),:;<>@\[\]\\=]+")
_NAME_AND_ADDRESS = re.compile(r"([^\"(),:;<>\[\]\\@]*?) *<([^\s\"(),:;<>@\[\]\\]+@[^\s\"(),:;<>@\[\]\\]+)>")
_QUOTED_AND_ADDRESS = re.compile(r"\"([^\"\\]*)\" *<([^\s\"(),:;<>@\[\]\\]+@[^\s\"(),:;<>@\[\]\\]+)>")
_PIPERMAIL = re.compile(r"([^\s\"(),:;<>@]{1,64}) at ([^\s\"(),:;<>@]{1,255})(?: +\((.{0,300})\))?")
# Since 2018 the archives also replace letters at random, with "@" and "|"; what is left still tells people apart.
_PIPERMAIL_MASKED = re.compile(r"([^\s\"(),:;<>]{1,64}) @end\|ng \|rom ([^\s\"(),:;<>]{1,255})(?: +\((.{0,300})\))?")
_MASK = re.compile(r"[@|]")
_NEVER = re.compile(r"[(),;<>\"\\]")
_COMMENT = re.compile(r"\((?:[^()\\]|\\.){0,200}\)")
_SPACES_AROUND_DOT = re.compile(r"(?<=[^\s]) +\. *(?=[^\s])")
_SPACES = re.compile(r"\s+")
_QUOTES = "'\" \t"


def parse_addresses(value: bytes, decoder: Decoder, where: str) -> tuple[Address, ...]:
    """The mailboxes of one header, groups flattened; what has no address is left out and recorded as a defect."""
    raw = decoder.raw(value, where).strip()
    if not raw:
        return ()
    if _PLAIN.fullmatch(raw):
        return _kept([("", raw)], decoder, where)
    found = _NAME_AND_ADDRESS.fullmatch(raw) or _QUOTED_AND_ADDRESS.fullmatch(raw)
    if found is not None:
        return _kept([(found[1], found[2])], decoder, where)
    archived = _PIPERMAIL.fullmatch(raw)
    if archived is not None:
        return _kept([(archived[3] or "", f"{archived[1]}@{archived[2]}")], decoder, where)
    masked = _PIPERMAIL_MASKED.fullmatch(raw)
    if masked is not None:
        local, domain = (_MASK.sub(".", part) for part in (masked[1], masked[2]))
        return _kept([(masked[3] or "", f"{local}@{domain}")], decoder, where)
    if _SPECIAL.search(raw.replace(",", "")) is None:
        pairs = [_bare(item.strip(), "") for item in raw.split(",", decoder.limits.addresses + 1)]
    else:
        pairs = _Scanner(raw, decoder.limits.addresses + 1).pairs()
    return _kept(pairs, decoder, where)


def _kept(pairs: list[tuple[str, str]], decoder: Decoder, where: str) -> tuple[Address, ...]:
    if len(pairs) > decoder.limits.addresses:
        decoder.log.add("address-count", f"{where}: cut at {decoder.limits.addresses}")
        pairs = pairs[: decoder.limits.addresses]
    kept: list[Address] = []
    for raw_name, raw_address in pairs:
        address = _normal_address(raw_address)
        if not address:
            if raw_name or raw_address:
                decoder.log.add("address-unreadable", where)
            continue
        name = decoder.words(raw_name, where).strip(_QUOTES)
        kept.append(Address(name[:_LONGEST_NAME], address))
    return tuple(kept)


def _normal_address(raw: str) -> str:
    """Lower case, without white space, source route and "mailto:"; "" when nothing is left or it is too long."""
    if '"@' in raw:
        address = clean(_SPACES.sub(" ", raw)).strip().lower()
        return address if len(address) <= _LONGEST_ADDRESS and address.startswith('"') else ""
    address = raw.strip(_QUOTES)
    if "(" in address:
        address = _COMMENT.sub("", address)
    if address[:7].lower() == "mailto:":
        address = address[7:]
    if address.startswith("@") and ":" in address:
        address = address.rpartition(":")[2]
    address = clean(_SPACES.sub("", address)).lower().strip("'\"")
    if (
        len(address) > _LONGEST_ADDRESS
        or address[:1] == "@"
        or address[-1:] == "@"
        or address.count("@") > 1
        or _NEVER.search(address)
    ):
        return ""
    return address


def _bare(phrase: str, comment: str) -> tuple[str, str]:
    """(name, address) of a mailbox written without angle brackets."""
    if phrase.startswith('"') and '"@' in phrase:
        return comment, phrase
    if "@" in phrase:
        if " ." in phrase:
            phrase = _SPACES_AROUND_DOT.sub(".", phrase)
        words = phrase.split()
        at = next(index for index in range(len(words) - 1, -1, -1) if "@" in words[index])
        if words[at] == "@" and 0 < at < len(words) - 1:
            return comment, "".join(words[at - 1 : at + 2])
        rest = " ".join(words[:at] + words[at + 1 :])
        return rest or comment, words[at]
    archived = _PIPERMAIL.fullmatch(phrase)
    if archived is not None:
        return comment, f"{archived[1]}@{archived[2]}"
    if phrase and " " not in phrase:
        return comment, phrase
    return phrase or comment, ""


class _Scanner:
    """One pass over the special characters of an address header."""

    def __init__(self, raw: str, most: int) -> None:
        self._raw = raw
        self._most = most
        self._pairs: list[tuple[str, str]] = []
        self._phrase: list[str] = []
        self._comments: list[str] = []
        self._angle: str | None = None
        self._has_quoted = False
        self._last_name = ""

    def pairs(self) -> list[tuple[str, str]]:
        raw = self._raw
        position = 0
        while position < len(raw) and len(self._pairs) < self._most:
            found = _SPECIAL.search(raw, position)
            if found is None:
                self._phrase.append(raw[position:])
                break
            self._phrase.append(raw[position : found.start()])
            position = self._take(found[0], found.end())
        self._flush()
        self._release()
        return self._pairs

    def _take(self, special: str, position: int) -> int:
        """Deal with one special character that ends at `position`; where to go on."""
        if special == '"':
            return self._quoted(position)
        if special == "(":
            return self._comment(position)
        if special == "<":
            return self._bracket(position)
        if special in ",;":
            self._flush()
        elif special == ":":
            self._colon()
        elif special == "\\":
            self._phrase.append(self._raw[position : position + 1])
            return position + 1
        else:
            # A closing bracket that nothing opened makes the address unreadable instead of another one.
            self._phrase.append(special)
        return position

    def _colon(self) -> None:
        phrase = "".join(self._phrase)
        if self._angle is None and "@" not in phrase:
            # The name of a group, or "mailto:".
            self._phrase.clear()
            self._comments.clear()
        else:
            self._phrase.append(":")

    def _quoted(self, start: int) -> int:
        raw = self._raw
        position = start
        out: list[str] = []
        while True:
            quote = raw.find('"', position)
            if quote < 0:
                # No closing quote: it is an ordinary character.
                self._phrase.append(" ")
                return start
            slash = raw.find("\\", position, quote)
            if slash < 0:
                out.append(raw[position:quote])
                self._phrase.append("".join(out))
                if raw[quote + 1 : quote + 2] == "@":
                    # A quoted local part keeps its quotes, or it would read as another address.
                    self._phrase[-1] = '"' + self._phrase[-1] + '"'
                self._has_quoted = True
                return quote + 1
            out.append(raw[position:slash])
            out.append(raw[slash + 1 : slash + 2])
            position = slash + 2

    def _comment(self, start: int) -> int:
        raw = self._raw
        depth = 1
        position = start
        while depth and position < len(raw):
            opening = raw.find("(", position)
            closing = raw.find(")", position)
            slash = raw.find("\\", position, closing) if closing > 0 else -1
            if slash >= 0 and (opening < 0 or slash < opening):
                position = slash + 2
                continue
            if closing < 0:
                # No closing bracket: the rest of the header is not a comment.
                self._phrase.append(" ")
                return start
            if 0 <= opening < closing:
                depth += 1
                position = opening + 1
            else:
                depth -= 1
                position = closing + 1
        self._comments.append(raw[start : position - 1] if depth == 0 else raw[start:position])
        self._phrase.append(" ")
        return position

    def _bracket(self, start: int) -> int:
        if self._angle:
            self._flush()
        end = self._raw.find(">", start)
        if end < 0:
            comma = self._raw.find(",", start)
            end = len(self._raw) if comma < 0 else comma
            self._angle = self._raw[start:end]
            return end
        self._angle = self._raw[start:end]
        return end + 1

    def _flush(self) -> None:
        phrase = _SPACES.sub(" ", "".join(self._phrase)).strip()
        comment = " ".join(self._comments).strip()
        if self._angle:
            name = phrase or comment
            if self._last_name and name:
                # "Last, First <address>" without the quotes that the comma needs.
                name = f"{self._last_name}, {name}"
                self._last_name = ""
            self._release()
            self._pairs.append((name, self._angle))
        elif phrase or comment or self._angle is not None:
            self._release()
            if phrase and "@" not in phrase and not comment and not self._has_quoted and self._angle is None:
                self._last_name = phrase
            else:
                self._pairs.append(_bare(phrase, comment) if "@" in phrase or not self._has_quoted else (phrase, ""))
        self._phrase.clear()
        self._comments.clear()
        self._angle = None
        self._has_quoted = False

    def _release(self) -> None:
        if self._last_name:
            self._pairs.append(_bare(self._last_name, ""))
            self._last_name = ""
