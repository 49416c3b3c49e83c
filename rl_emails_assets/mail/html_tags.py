"""Where the tags, comments and raw text of an HTML text start and end; linear, and right on broken markup."""

import re

TAG = re.compile(r"<(?:!--|(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})|[!?/])")
"""The start of a tag (group 1 is "/" for an end tag, group 2 the name) or of other markup (no group 2)."""
RAW_TEXT = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_RAW_TEXT_ENDS = {name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE) for name in RAW_TEXT}
_LONGEST_TAG = 64 * 1024


def after_markup(html: str, found: re.Match[str]) -> int:
    """Where a comment, doctype or other markup without text ends."""
    if found[0] == "<!--":
        # "<!-->" and "<!--->" are whole comments.
        end = html.find("-->", found.start() + 2)
        return len(html) if end < 0 else end + 3
    end = html.find(">", found.end())
    return len(html) if end < 0 else end + 1


def tag_end(html: str, start: int) -> int:
    """The position after the ">" that ends a tag; one inside a quoted value does not."""
    position = start
    limit = min(len(html), start + _LONGEST_TAG)
    end = html.find(">", position, limit)
    if end < 0:
        return len(html) if limit == len(html) else limit
    while True:
        quoted = _open_quote(html, position, end)
        if quoted is None:
            return end + 1
        closing = html.find(quoted[0], quoted[1] + 1, limit)
        if closing < 0:
            return end + 1
        position = closing + 1
        if position > end:
            following = html.find(">", position, limit)
            if following < 0:
                return limit
            end = following


def _open_quote(html: str, start: int, end: int) -> tuple[str, int] | None:
    """The first quote after an equals sign between `start` and `end`."""
    equals = html.find("=", start, end)
    while equals >= 0:
        index = equals + 1
        while index < end and html[index] in " \t\r\n":
            index += 1
        if index < end and html[index] in "\"'":
            return html[index], index
        equals = html.find("=", max(index, equals + 1), end)
    return None


def raw_text_end(html: str, name: str, start: int) -> int:
    """Where the content of script, style and the like ends; its closing tag is dropped with it."""
    closing = _RAW_TEXT_ENDS[name].search(html, start)
    if closing is None:
        # Without an end nothing of the rest is text, as in a browser.
        return len(html)
    return tag_end(html, closing.end() - 1)
