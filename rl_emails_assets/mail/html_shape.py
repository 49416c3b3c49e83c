"""Whether an HTML mail can be given to a real HTML parser.

html5ever and lexbor take quadratic time and space on deep nesting, on formatting tags left open over many blocks and on
thousands of attributes: 13 kB can become 3.5 MB. One linear pass estimates that before anything is built.
"""

from rl_emails_assets.mail.html_tags import RAW_TEXT, TAG, VOID, after_markup, raw_text_end, tag_end

_CLOSED_BY_NEXT = frozenset(
    {"p", "li", "dt", "dd", "option", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "html", "head", "body"}
)
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_DEEPEST = 400
_MOST_REOPENED_CHARS = 5_000_000
_MOST_ATTRIBUTES = 1_000
_MOST_TAGS = 50_000
_TAG_CHARS = 8
"""What a tag costs beside its attributes, about."""


def is_well_shaped(html: str) -> bool:
    """Whether nesting, formatting tags left open and attributes stay within what ordinary mail needs."""
    open_weights: dict[str, list[int]] = {}
    depth = formatting_chars = reopened_chars = tags = 0
    position = 0
    while True:
        found = TAG.search(html, position)
        if found is None:
            return True
        name = (found[2] or "").lower()
        if not name:
            position = after_markup(html, found)
            continue
        position = tag_end(html, found.end())
        tags += 1
        attributes = html[found.end() : position]
        if tags > _MOST_TAGS or len(attributes.split(None, _MOST_ATTRIBUTES)) > _MOST_ATTRIBUTES:
            return False
        slashes = 0 if "base64," in attributes else attributes.count("/")
        if attributes.count("=") > _MOST_ATTRIBUTES or slashes > _MOST_ATTRIBUTES:
            # Attributes need no space between them. A data: image has many slashes and is one attribute.
            return False
        if found[1]:
            weights = open_weights.get(name)
            if weights:
                depth -= 1
                formatting_chars -= weights.pop()
            continue
        if name in RAW_TEXT:
            position = raw_text_end(html, name, position)
            continue
        if name in VOID:
            continue
        # Each open formatting tag may be repeated, attributes included, inside a new block.
        reopened_chars += formatting_chars
        if name not in _CLOSED_BY_NEXT:
            weight = _TAG_CHARS + len(attributes) if name in _FORMATTING else 0
            open_weights.setdefault(name, []).append(weight)
            formatting_chars += weight
            depth += 1
        if depth > _DEEPEST or reopened_chars > _MOST_REOPENED_CHARS:
            return False
