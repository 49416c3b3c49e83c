"""RTF as Outlook sends it inside TNEF: decompression ([MS-OXRTFCP]) and its plain text."""

import re

from rl_emails_assets.mail.charsets import codec_name

_PRELOAD = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
"""What the dictionary starts with, fixed by [MS-OXRTFCP] section 2.1.2.1."""
_DICTIONARY_BYTES = 4_096
_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_TOKEN = re.compile(
    r"\\(?:([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|'([0-9a-fA-F]{2})|(.))|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)
_SKIPPED_GROUPS = frozenset(
    {"fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "generator", "listtable"}
)
_CHARACTERS = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "cell": "\t", "tab": "\t", "emdash": "—",
    "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ",
    "enspace": " ",
}  # fmt: skip
_DEEPEST = 200


def decompress_rtf(data: bytes, most: int) -> bytes:
    """The RTF of a PR_RTF_COMPRESSED value, at most `most` bytes; b"" when it is not one."""
    if len(data) < 16:
        return b""
    kind = data[8:12]
    if kind == _PLAIN:
        return data[16 : 16 + most]
    if kind != _COMPRESSED:
        return b""
    most = min(most, int.from_bytes(data[4:8], "little"))
    window = bytearray(_PRELOAD.ljust(_DICTIONARY_BYTES, b"\0"))
    write = len(_PRELOAD)
    out = bytearray()
    position = 16
    while position < len(data) and len(out) < most:
        flags = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data):
                break
            if not flags >> bit & 1:
                piece = data[position : position + 1]
                position += 1
            else:
                if position + 1 >= len(data):
                    return bytes(out[:most])
                reference = int.from_bytes(data[position : position + 2], "big")
                position += 2
                offset, length = reference >> 4, (reference & 15) + 2
                if offset == write % _DICTIONARY_BYTES:
                    return bytes(out[:most])
                copied = bytearray()
                for step in range(length):
                    copied.append(window[(offset + step) % _DICTIONARY_BYTES])
                    # A reference may run into what it writes itself.
                    window[(write + step) % _DICTIONARY_BYTES] = copied[-1]
                piece = bytes(copied)
            for step, byte in enumerate(piece):
                window[(write + step) % _DICTIONARY_BYTES] = byte
            write += len(piece)
            out += piece
    return bytes(out[:most])


def rtf_to_text(rtf: bytes) -> str:  # noqa: PLR0912 - one branch a kind of token
    """The visible text of an RTF document; "" when it is none."""
    if not rtf.startswith(b"{\\rtf"):
        return ""
    codec = "cp1252"
    out: list[str] = []
    pending = bytearray()
    hidden: list[bool] = [False]
    skip_characters = 0
    at_group_start = False

    def flush() -> None:
        if pending:
            out.append(pending.decode(codec, "replace"))
            pending.clear()

    for found in _TOKEN.finditer(rtf.decode("latin-1")):
        word, number, hex_byte, symbol, brace, plain = found.groups()
        if brace == "{":
            if len(hidden) < _DEEPEST:
                hidden.append(hidden[-1])
            at_group_start = True
            continue
        if brace == "}":
            if len(hidden) > 1:
                hidden.pop()
        elif (symbol == "*" and at_group_start) or (word is not None and (word in _SKIPPED_GROUPS and at_group_start)):
            hidden[-1] = True
        elif hidden[-1]:
            pass
        elif word == "ansicpg":
            codec = codec_name(f"cp{number}") or codec
        elif word == "u" and number is not None:
            flush()
            out.append(chr(int(number) & 0xFFFF))
            skip_characters = 1
        elif word in _CHARACTERS:
            flush()
            out.append(_CHARACTERS[word])
        elif hex_byte is not None:
            if skip_characters:
                skip_characters = 0
            else:
                pending.append(int(hex_byte, 16))
        elif symbol is not None:
            flush()
            out.append({"~": " ", "_": "-"}.get(symbol, symbol if symbol in "\\{}" else ""))
        elif plain is not None:
            flush()
            out.append(plain[skip_characters:].encode("latin-1").decode(codec, "replace"))
            skip_characters = 0
        at_group_start = False
    flush()
    return "".join(out).strip()
