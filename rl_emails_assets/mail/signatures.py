"""Where a signature begins in the lines that a sender wrote.

A signature here is all that stands below the last sentence: the sign-off with the name, contact lines, what a
telephone adds, list footers, disclaimers and advertisements.
"""

from rl_emails_assets.mail.zone_patterns import (
    CONTACT,
    DISCLAIMER,
    FOOTER_RULE_NEXT,
    LONGEST_LINE,
    RULE_LINE,
    SENT_FROM,
    SIGN_OFF,
    TITLE,
)

_LONGEST_FOOTER = 40
"""Lines with text; what is longer below a rule or a "--" is more likely an article than a footer."""
_LONGEST_BLOCK = 12
"""Lines with text of a sign-off with its name and contact lines."""
_LONGEST_SHORT_LINE = 72
_FOOTER_FIRST = frozenset("-—–_=*~#+─━")


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
        return block
    return footer if footer < end else len(lines)


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
        if _is_footer_line(line, lines, index, end):
            start = index
    return start


def _is_footer_line(line: str, lines: list[str], index: int, end: int) -> bool:
    if line[0] in _FOOTER_FIRST:
        if line in {"--", "—", "–", "---"}:
            return index > 0 and index + 1 < end
        if RULE_LINE.match(line):
            below = " ".join(lines[index + 1 : index + 7])[:LONGEST_LINE]
            return FOOTER_RULE_NEXT.search(below) is not None
    if len(line) <= 80 and SENT_FROM.match(line):
        return True
    return DISCLAIMER.match(line[:LONGEST_LINE]) is not None


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
        if _is_sign_off(lines[index].strip()) and _below_is_short(lines, index + 1, end):
            return index
    return _unannounced_start(lines, texts, end, sender)


def _is_sign_off(line: str) -> bool:
    match = SIGN_OFF.match(line)
    if match is None:
        return False
    rest = line[match.end() :].strip()
    return not rest or (line[match.end() - 1] in " ,.!;:-*" and _is_name(rest))


def _is_name(text: str) -> bool:
    """Whether it is one to four capitalized words or initials, as a name is written."""
    words = text.rstrip(".,!*_ ").split()
    return 0 < len(words) <= 4 and all(word[0].isupper() and word[-1] not in "?:;" for word in words)


def _below_is_short(lines: list[str], start: int, end: int) -> bool:
    """Whether nothing below reads like a sentence."""
    return not any(_is_sentence(line.strip()) for line in lines[start:end])


def _is_sentence(line: str) -> bool:
    words = line.split()
    if len(words) < 5 or CONTACT.search(line) or TITLE.search(line):
        return False
    return line[-1] in ".?!" or sum(word[0].islower() for word in words) > len(words) // 2


def _unannounced_start(lines: list[str], texts: list[int], end: int, sender: str) -> int:
    """The first line of a name or contact block without a sign-off above it."""
    if not texts:
        return end
    start, contacts = end, 0
    for index in texts:
        line = lines[index].strip()
        if CONTACT.search(line) and not _is_sentence_with_contact(line):
            contacts += 1
        elif not (_is_name(line) or (TITLE.search(line) and not _is_sentence(line) and line[-1] not in ".?!:")):
            break
        start = index
        if index + 1 < end and not lines[index - 1].strip() and contacts:
            break
    has_body_above = any(line.strip() for line in lines[:start])
    if start < end and has_body_above and (contacts or _is_sender(lines[start].strip(), sender)):
        return start
    last = lines[texts[0]].strip()
    is_apart = texts[0] > 0 and not lines[texts[0] - 1].strip()
    if any(line.strip() for line in lines[: texts[0]]) and (
        _is_sender(last, sender) or (is_apart and _is_name(last) and len(last.split()) <= 3 and last[-1] not in "!.")
    ):
        return texts[0]
    return end


def _is_sentence_with_contact(line: str) -> bool:
    words = line.split()
    return len(words) > 4 and sum(word[0].islower() for word in words) > len(words) // 2


def _is_sender(line: str, sender: str) -> bool:
    """Whether a short line is (part of) the sender's name."""
    if not sender or len(line) > 40:
        return False
    words = [word for word in line.casefold().replace(".", " ").replace(",", " ").split() if word.isalpha()]
    known = sender.casefold()
    return 0 < len(words) <= 4 and any(len(word) > 1 and word in known for word in words) and words[0][0] in known
