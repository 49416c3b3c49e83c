"""RFC 2047 encoded words, read as leniently as mail needs."""

import binascii
import re

from rl_emails_assets.mail.charsets import GuessBudget, codec_name, decode_text
from rl_emails_assets.mail.limits import DefectLog

_LONGEST_WORD = 8_192
"""RFC 2047 allows 75; whole subjects in one word are common."""
_SPACES = re.compile(r"[ \t\r\n]*")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def decode_words(text: str, log: DefectLog, guesses: GuessBudget, where: str) -> str:
    """`text` with its encoded words decoded.

    Words that follow one another in one charset are joined before decoding, since senders split them in the middle of
    a character. Words inside quotes or glued to other text are decoded too.
    """
    position = text.find("=?")
    if position < 0:
        return text
    out: list[str] = []
    run: list[bytes] = []
    run_charset = ""
    done = 0
    while position >= 0:
        word = _word_at(text, position)
        if word is None:
            position = text.find("=?", position + 2)
            continue
        charset, data, end = word
        between = text[done:position]
        if run and not between.strip(" \t\r\n"):
            if charset.lower() != run_charset.lower():
                out.append(_flush(run, run_charset, log, guesses, where))
        else:
            out.append(_flush(run, run_charset, log, guesses, where))
            out.append(between)
        run_charset = charset
        run.append(data)
        done = end
        position = text.find("=?", end)
    out.append(_flush(run, run_charset, log, guesses, where))
    out.append(text[done:])
    return "".join(out)


def _flush(run: list[bytes], charset: str, log: DefectLog, guesses: GuessBudget, where: str) -> str:
    if not run:
        return ""
    whole = b"".join(run)
    words = list(run)
    run.clear()
    if len(words) > 1 and codec_name(charset).startswith("iso2022"):
        # Each word starts in ASCII, also when the one before forgot to switch back.
        return "".join(decode_text(data, charset, log, guesses, where) for data in words)
    return decode_text(whole, charset, log, guesses, where)


def _word_at(text: str, start: int) -> tuple[str, bytes, int] | None:
    """(charset, bytes, end) of the encoded word that starts at `start`, or None when none does."""
    charset_end = text.find("?", start + 2, start + 64)
    if charset_end < 0 or text[charset_end + 2 : charset_end + 3] != "?":
        return None
    encoding = text[charset_end + 1].lower()
    body_start = charset_end + 3
    body_end = text.find("?=", body_start, body_start + _LONGEST_WORD)
    charset = text[start + 2 : charset_end]
    if body_end < 0 or encoding not in "bq" or not charset or " " in charset:
        return None
    body = text[body_start:body_end]
    end = body_end + 2
    if encoding == "b":
        digits = _NOT_BASE64.sub("", body)
        if len(digits) % 4 == 1:
            digits = digits[:-1]
        return charset, binascii.a2b_base64(digits + "=" * (-len(digits) % 4)), end
    return charset, binascii.a2b_qp(body.encode("utf-8", "replace"), header=True), end
