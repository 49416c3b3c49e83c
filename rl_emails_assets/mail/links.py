"""Links that say one place and lead to another."""

import re

MAX_LINKS = 300
"""Openings of links that are looked at: the work for a page is bounded, whatever is in it."""
MAX_TAG_CHARACTERS = 2_000
MAX_WORDS_CHARACTERS = 300

_OPENING = re.compile(r"<a\s", re.IGNORECASE)
_TARGET = re.compile(r"href\s{0,5}=\s{0,5}[\"']?https?://([^/\"'\s>:?#]{1,255})", re.IGNORECASE)
# Words that look like an address themselves: a host with at least one dot, perhaps with a scheme before it.
_HOST = re.compile(r"(?:https?://)?(?:www\.)?([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5})(?:[/?#:]\S*)?", re.IGNORECASE)


def has_mismatched_link(html: str) -> bool:
    """Whether the visible words of a link name another site than the one it leads to, as lures do.

    Sites are compared by their last two labels, so that a newsletter's click counter on its own domain is no lure.
    """
    for index, opening in enumerate(_OPENING.finditer(html)):
        if index >= MAX_LINKS:
            break
        tag_end = html.find(">", opening.end(), opening.end() + MAX_TAG_CHARACTERS)
        words_end = html.find("<", tag_end, tag_end + MAX_WORDS_CHARACTERS) if tag_end >= 0 else -1
        if words_end < 0:
            continue
        target = _TARGET.search(html, opening.end(), tag_end)
        said = _HOST.fullmatch(html[tag_end + 1 : words_end].strip())
        if target is None or said is None or said[1].replace(".", "").isdigit():
            continue
        if _site(said[1]) != _site(target[1]):
            return True
    return False


def _site(host: str) -> str:
    return ".".join(host.lower().removeprefix("www.").split(".")[-2:])
