"""Where a signature begins in the lines that a sender wrote.

A signature here is all that stands below the last sentence: the sign-off with the name, contact lines, what a
telephone adds, list footers, disclaimers and advertisements.
"""

import re

from rl_emails_assets.mail.signature_patterns import (
    CONTACT,
    DISCLAIMER,
    FOOTER_OPENINGS,
    FOOTER_RULE_NEXT,
    SENT_FROM,
    SIGN_OFF_ABROAD,
    SIGN_OFF_CORE,
    SIGN_OFF_WORDS,
    TITLE,
)
from rl_emails_assets.mail.zone_patterns import LONGEST_LINE, RULE_LINE, SHORT_RULE, lowered

_LONGEST_FOOTER = 40
"""Lines with text; what is longer below a rule or a "--" is more likely an article than a footer."""
_LONGEST_BLOCK = 12
"""Lines with text of a sign-off with its name and contact lines."""
_LONGEST_SHORT_LINE = 72
_DOMAIN = re.compile(r"@\S{1,255}")
_ADDRESS = re.compile(r"\S{1,255}@\S{1,255}")
_GOES_ON = re.compile(r", (?:is|was|it|which|but|where|because|i)\b", re.IGNORECASE)
"""How a sentence goes on that only begins like "Sent from my iPhone"."""
_DELIMITERS = frozenset({"--", "—", "–", "---"})
_FOOTER_FIRST = frozenset("-—–_=*~#+─━")
_LONGEST_CARD = 15
"""Lines with text of a visiting card below a rule."""
_LONGEST_NICK = 12
_DASHED_NAME = re.compile(r"[-–—~]{1,2}\s?(?=[^\W\d_])")
_LEADING_NAME = re.compile(r"[^\W\d_][\w.'’-]{0,30}(?: [^\W\d_][\w.'’-]{0,30}){0,3}")
_AFTER_NAME = re.compile(r"[\s,;:|/(–—-]{1,6}")


def signature_start(lines: list[str], sender: str = "") -> int:
    """The index of the first signature line, or `len(lines)`. `sender` is the sender's name or address, if known."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    if not end:
        return len(lines)
    footer = _footer_start(lines, end)
    body_end = footer
    while body_end and not lines[body_end - 1].strip():
        body_end -= 1
    block = _block_start(lines, body_end, sender)
    if block < body_end:
        return _rule_above(lines, block)
    return footer if footer < end else len(lines)


def _rule_above(lines: list[str], index: int) -> int:
    """The index of a rule directly above `index`, with text above it; else `index`."""
    above = index - 1
    is_rule = above > 0 and RULE_LINE.match(lines[above].strip()[:LONGEST_LINE]) is not None
    return above if is_rule and _has_text(lines, above) else index


def disclaimer_start(lines: list[str]) -> int:
    """The index of the first line that an office, a list or a provider put below a signature, or `len(lines)`."""
    for index, raw in enumerate(lines):
        line = raw.strip()
        if not line or not _is_footer_line(line, lines, index, len(lines)) or line in _DELIMITERS:
            continue
        if len(line) > 80 or SENT_FROM.match(lowered(line)) is None:
            return index - 1 if index and RULE_LINE.match(lines[index - 1].strip()[:LONGEST_LINE]) else index
    return len(lines)


def _footer_start(lines: list[str], end: int) -> int:
    """The first line of what a program, a list or an office put below the mail; `end` when there is none."""
    start = end
    texts = 0
    for index in range(end - 1, -1, -1):
        line = lines[index].strip()
        if not line:
            continue
        texts += 1
        if texts > _LONGEST_FOOTER:
            break
        is_rule_above = index + 1 == start < end and RULE_LINE.match(line[:LONGEST_LINE]) is not None
        if is_rule_above or _is_footer_line(line, lines, index, end):
            start = index
    return start


def _is_footer_line(line: str, lines: list[str], index: int, end: int) -> bool:
    if line[0] in _FOOTER_FIRST:
        if line in _DELIMITERS:
            return index > 0 and index + 1 < end
        is_rule = RULE_LINE.match(line[:LONGEST_LINE]) is not None
        if is_rule or SHORT_RULE.match(line[:LONGEST_LINE]):
            below = lowered(" ".join(lines[index + 1 : index + 7])[:LONGEST_LINE])
            return FOOTER_RULE_NEXT.search(below) is not None or (is_rule and _is_card(lines, index + 1, end))
    opening = line[:3].lower()
    if opening.isalpha() and opening.isascii() and opening not in FOOTER_OPENINGS:
        return False
    folded = lowered(line[:LONGEST_LINE])
    if len(line) <= 80 and SENT_FROM.match(folded):
        return _GOES_ON.search(line) is None
    return DISCLAIMER.match(folded) is not None


def _is_card(lines: list[str], start: int, end: int) -> bool:
    """Whether these are a few short lines with at least two ways to reach somebody."""
    texts = [line for line in map(str.strip, lines[start:end]) if line]
    if not 0 < len(texts) <= _LONGEST_CARD or max(map(len, texts)) > _LONGEST_SHORT_LINE:
        return False
    contacts = sum(CONTACT.search(line) is not None for line in texts)
    return contacts > 1 and (2 * contacts >= len(texts) or not any(map(_is_sentence, texts)))


def _block_start(lines: list[str], end: int, sender: str) -> int:
    """The first line of the sign-off and contact lines that end at `end`; `end` when there are none."""
    texts: list[int] = []
    for index in range(end - 1, -1, -1):
        line = lines[index].strip()
        if not line:
            continue
        if len(line) > _LONGEST_SHORT_LINE or len(texts) >= _LONGEST_BLOCK:
            break
        texts.append(index)
    for index in reversed(texts):
        if not _has_text(lines, index):
            continue
        if _is_sign_off(lines[index].strip(), is_last=index == texts[0]) and _is_short_below(lines, index + 1, end):
            return index
    if texts and _has_text(lines, texts[0]) and _is_dashed_name(lines, texts):
        return texts[0]
    start = _sender_start(lines, texts, end, sender)
    return start if start < end else _unannounced_start(lines, texts, end, sender)


def _is_dashed_name(lines: list[str], texts: list[int]) -> bool:
    """Whether the last line is a name behind a dash, "-Ann", and no item of a list."""
    line = lines[texts[0]].strip()
    dash = _DASHED_NAME.match(line)
    if dash is None or len(texts) < 2:
        return False
    above = lines[texts[1]].strip()
    name = line[dash.end() :]
    if above[0] in "-–—~*•" or above[-1] in ":,;":
        return False
    if not name.replace(" ", "").replace(".", "").isalpha():
        return False
    is_nick = name.isalpha() and len(name) <= _LONGEST_NICK and (above[-1] in ".?!" or not lines[texts[0] - 1].strip())
    return _is_name(name) or is_nick


def _sender_start(lines: list[str], texts: list[int], end: int, sender: str) -> int:
    """The line that begins with the sender's whole name, or with it and a telephone number; `end` when none does."""
    known = _sender_words(sender) if texts else set()
    if not known:
        return end
    initials = {word[0] for word in known}
    for index in reversed(texts):
        line = lines[index].strip()
        name = _LEADING_NAME.match(line)
        if name is None or not _has_text(lines, index):
            continue
        rest = line[name.end() :]
        words = [word for word in re.split(r"[\s.]+", name[0].casefold()) if word]
        is_reached = _AFTER_NAME.match(rest) is not None and CONTACT.search(rest) is not None
        is_whole = len(words) > 1 and set(words) <= known
        is_initials = name[0].isupper() and len(name[0]) == 2 and set(name[0].casefold()) <= initials
        is_called = set(words) <= known or is_initials
        if ((is_whole and not rest.strip(" .,*")) or (is_called and is_reached)) and _is_short_below(lines, index, end):
            return index
    return end


def _sender_words(sender: str) -> set[str]:
    """The words of the sender's name, folded; of an address alone none."""
    if not sender:
        return set()
    return {word for word in re.split(r"[^\w'’-]+", _ADDRESS.sub(" ", sender.casefold())) if word.isalpha()}


def _is_sign_off(line: str, *, is_last: bool) -> bool:
    """Whether a line ends a letter. Nothing but thanks in the last line is what the sender has to say."""
    folded = lowered(line)
    match = SIGN_OFF_WORDS.match(folded)
    if match is None or SIGN_OFF_CORE.search(match[0]) is None:
        match = SIGN_OFF_ABROAD.match(folded)
        if match is None:
            return False
    rest = line[match.end() :].strip()
    if not rest:
        return not is_last
    return not line[match.end() - 1].isalnum() and _is_name(rest)


def _is_name(text: str) -> bool:
    """Whether it is one to four capitalized words or initials, as a name is written."""
    words = text.rstrip(".,!*_ ").split()
    return 0 < len(words) <= 4 and all(word[0].isupper() and word[-1] not in "?:;" for word in words)


def _is_short_below(lines: list[str], start: int, end: int) -> bool:
    """Whether nothing below reads like a sentence."""
    return not any(_is_sentence(line.strip()) for line in lines[start:end])


def _is_sentence(line: str) -> bool:
    words = line.split()
    if len(words) < 5:
        return False
    lower = sum(word[0].islower() for word in words)
    if lower > len(words) // 2 or (line[-1] in ".?!" and lower):
        return True
    return line[-1] in ".?!" and CONTACT.search(line) is None and TITLE.search(lowered(line)) is None


def _unannounced_start(lines: list[str], texts: list[int], end: int, sender: str) -> int:
    """The first line of a name, or of a name with contact lines, that no sign-off announces."""
    start, details = end, 0
    for index in texts:
        line = lines[index].strip()
        if _is_sentence(line):
            break
        if CONTACT.search(line) is not None or (TITLE.search(lowered(line)) is not None and line[-1] not in ".?!:"):
            details += 1
        elif not _is_name(line) and not _is_heading(line):
            break
        start = index
        if _is_name(line) and not lines[index - 1].strip():
            break
    if start == end or not _has_text(lines, start):
        return end
    first = lines[start].strip()
    if _is_sender(first, sender) or (details and _is_name(first) and start != texts[0]):
        return start
    if details and start != texts[0] and not lines[start - 1].strip() and len(first.split()) > 1 and _is_heading(first):
        return start
    last = lines[texts[0]].strip()
    is_apart = texts[0] > 0 and not lines[texts[0] - 1].strip()
    is_first_name = is_apart and last.isalpha() and len(last) <= 12 and last[0].isupper() and last[1:].islower()
    if _is_sender(last, sender) or (is_first_name and SIGN_OFF_CORE.search(last.lower()) is None):
        return texts[0]
    return end


def _has_text(lines: list[str], end: int) -> bool:
    """Whether there is a line above; a mail that is all sign-off says what its sender wants to say."""
    return any(map(str.strip, lines[:end]))


def _is_heading(line: str) -> bool:
    """Whether it is written like the name of an office: up to seven words, the long ones capitalized."""
    words = line.split()
    return len(words) <= 7 and line[-1] not in ".?!:,;" and all(word[0].isupper() or len(word) < 4 for word in words)


def _is_sender(line: str, sender: str) -> bool:
    """Whether a short line is (part of) the sender's name."""
    if not sender or len(line) > 40:
        return False
    words = [word for word in line.casefold().replace(".", " ").replace(",", " ").split() if word.isalpha()]
    known = "".join(filter(str.isalpha, _DOMAIN.sub("", sender.casefold())))
    if not 0 < len(words) <= 4 or not _is_name(line):
        return False
    names = _sender_words(sender)
    # Two names may be written as one word, in either order.
    return any(
        word in names or (len(word) > 2 and word in known) or (len(word) > 5 and word in known + known)
        for word in words
    )
