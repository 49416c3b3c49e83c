"""HTML mail as readable plain text.

A tokenizer and a bounded stack, no document tree: lexbor and html5ever take quadratic time on nested elements or
repeated attributes (200,000 nested divs: minutes), and text needs no tree. One pass, linear in the input.
"""

import re
from dataclasses import dataclass
from html import unescape

from rl_emails_assets.mail.html_tags import RAW_TEXT, TAG, VOID, after_markup, raw_text_end, tag_end

_ATTRIBUTE = re.compile(r"([a-zA-Z_:][-a-zA-Z0-9_:.]{0,60})\s{0,20}=\s{0,20}(\"[^\"]*\"|'[^']*'|[^\s>\"']{1,4096})")
_SPACES = re.compile(r"[ \t\n\r\f\xa0]+")
_LINE_END_SPACES = re.compile(r"[ \t]+\n")
_BLANK_LINES = re.compile(r"\n{3,}")
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\u034f\u061c\u180e]+")
_JOINERS = re.compile("(?:(?<=[\\s\u200c\u200d\u200e\u200f])|^)[\u200c\u200d\u200e\u200f]+")
_NO_DISPLAY = re.compile(r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|mso-hide\s{0,9}:\s{0,9}all")
_NO_HEIGHT = re.compile(r"(?:max-height|height)\s{0,9}:\s{0,9}0(?:px|pt|em|%)?\s{0,9}(?:;|!|$)")
_OVERFLOW_HIDDEN = re.compile(r"overflow\s{0,9}:\s{0,9}hidden")
_FONT_SIZE = re.compile(r"font-size\s{0,9}:\s{0,9}(\d{1,4}(?:\.\d{1,4})?|\.\d{1,4})\s{0,3}(px|pt|r?em|%)?")
_HIDDEN = re.compile(r"""(?:^|[\s"'])hidden(?:[\s=/]|$)""")
_OPACITY = re.compile(r"opacity\s{0,9}:\s{0,9}0(?:\.0{1,4})?\s{0,9}(?:;|!|$)")

_ADDRESS = re.compile(r"<[^\s<>@\"'=/]{1,64}@[^\s<>@\"'=/]{1,255}>")
_INSIDE_ADDRESS = frozenset("@._+-0123456789")

_DROPPED = frozenset({"head", "template", "svg", "math", "object", "select", "audio", "video", "canvas", "map"})
_PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "form", "hr", "fieldset"}
)
_BLOCKS = _PARAGRAPHS | {
    "address", "article", "aside", "body", "center", "dd", "details", "dir", "div", "dt", "figcaption", "figure",
    "footer", "header", "html", "li", "main", "menu", "nav", "section", "summary", "tbody", "tfoot", "thead", "tr",
    "caption", "legend", "option",
}  # fmt: skip
_CLOSES_ITSELF = {
    "li": frozenset({"li"}),
    "tr": frozenset({"tr", "td", "th"}),
    "td": frozenset({"td", "th"}),
    "th": frozenset({"td", "th"}),
    "dd": frozenset({"dd", "dt"}),
    "dt": frozenset({"dd", "dt"}),
    "option": frozenset({"option"}),
    "p": frozenset({"p"}),
}
_CELL_WALL = frozenset({"td", "th", "table"})
_TABLE_TAGS = frozenset({"td", "th", "tr", "table", "tbody", "thead", "tfoot"})
_ANY_TAG = re.compile(r"<[^<>]{0,4096}>")
_MOST_TAGS = 50_000
"""A mail with more has its rest read without structure; the longest newsletters have a tenth of it."""
_DEEPEST = 400
_DEEPEST_QUOTE = 12
_LOOK_BACK = 60
_DIVIDER_IDS = frozenset({"divrplyfwdmsg", "appendonsend", "x_divrplyfwdmsg", "x_appendonsend"})
_DIVIDER = "_" * 32
"""The line that Outlook itself writes above a quoted mail in plain text."""


@dataclass(slots=True)
class _Element:
    tag: str
    is_hidden: bool
    is_tiny: bool
    is_pre: bool
    quote_depth: int
    items: int
    """-1 outside a numbered list, else how many items it has had."""


def html_to_text(html: str, *, with_image_texts: bool = False) -> str:
    """The visible text: blocks on lines of their own, quoted blocks marked "> ", list items "- " or "1. ", the cells
    of a row separated by a tab. Hidden elements (preheaders, tracking text) are left out.

    `with_image_texts` adds the alternative texts of images; mail made of images alone has no other text.
    """
    writer = _Writer(with_image_texts=with_image_texts)
    position = 0
    search = TAG.search
    tag_count = 0
    while True:
        found = search(html, position)
        if tag_count > _MOST_TAGS:
            writer.text(_ANY_TAG.sub(" ", html[position:]))
            break
        if found is None:
            writer.text(html[position:])
            break
        start = found.start()
        if start > position:
            writer.text(html[position:start])
        name = found[2]
        if name is None:
            position = after_markup(html, found)
            continue
        address = _ADDRESS.match(html, start) if html[found.end() : found.end() + 1] in _INSIDE_ADDRESS else None
        if address is not None:
            # "<ann@x.test>" that a program did not escape is what the reader is meant to see.
            writer.text(address[0])
            position = address.end()
            continue
        tag_count += 1
        name = name.lower()
        end = tag_end(html, found.end())
        if found[1]:
            writer.close(name)
        else:
            writer.open(name, html[found.end() : end - 1])
            if name in RAW_TEXT:
                end = raw_text_end(html, name, end)
        position = end
    return writer.result()


def _hides(style: str) -> bool:
    if _NO_DISPLAY.search(style) or _OPACITY.search(style):
        return True
    return _NO_HEIGHT.search(style) is not None and _OVERFLOW_HIDDEN.search(style) is not None


class _Writer:
    """Builds the text line by line; keeps the open elements."""

    def __init__(self, *, with_image_texts: bool) -> None:
        self._with_image_texts = with_image_texts
        self._stack: list[_Element] = [_Element("", False, False, False, 0, -1)]
        self._lines: list[str] = []
        self._line: list[str] = []
        self._space = False
        self._blank = False
        self._cell = False
        self._marker = ""
        self._skipping = 0

    def result(self) -> str:
        """The text so far, tidied."""
        self._end_line()
        text = _INVISIBLE.sub("", "\n".join(self._lines))
        if not text.isascii():
            text = _JOINERS.sub("", text)
        text = _LINE_END_SPACES.sub("\n", text)
        return _BLANK_LINES.sub("\n\n", text).strip("\n").rstrip()

    def text(self, raw: str) -> None:
        """Text between tags."""
        top = self._stack[-1]
        if top.is_hidden or top.is_tiny:
            return
        text = unescape(raw) if "&" in raw else raw
        if top.is_pre:
            self._pre(text)
            return
        pieces = _SPACES.split(text)
        words = " ".join(piece for piece in pieces if piece)
        if not words:
            self._space = True
            return
        self._begin(needs_space=self._space or not pieces[0])
        self._line.append(words)
        self._space = not pieces[-1]

    def _pre(self, text: str) -> None:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for index, line in enumerate(lines):
            if index:
                self._end_line(keep_empty=True)
            if line:
                self._begin(needs_space=False)
                self._line.append(line.replace("\xa0", " "))

    def _begin(self, *, needs_space: bool) -> None:
        if not self._line:
            if self._blank and self._lines:
                depth = self._stack[-1].quote_depth
                last = self._lines[-1]
                self._lines.append(">" * min(depth, len(last) - len(last.lstrip(">"))))
            self._blank = False
            depth = self._stack[-1].quote_depth
            if depth:
                self._line.append(">" * depth + " ")
            if self._marker:
                self._line.append(self._marker)
        elif self._cell:
            self._line.append("\t")
        elif needs_space:
            self._line.append(" ")
        self._marker = ""
        self._cell = False

    def _end_line(self, *, keep_empty: bool = False) -> None:
        if self._line:
            self._lines.append("".join(self._line))
            self._line.clear()
        elif keep_empty and self._lines:
            depth = self._stack[-1].quote_depth
            self._lines.append(">" * depth)
        self._space = False
        self._cell = False

    def _end_block(self, tag: str) -> None:
        self._end_line()
        if tag in _PARAGRAPHS:
            self._blank = True

    def open(self, tag: str, attributes: str) -> None:  # noqa: PLR0912 - one branch an element
        """A start tag; `attributes` is what stands between its name and ">"."""
        if tag in _CLOSES_ITSELF:
            self._close_implied(tag)
        elif tag in _BLOCKS and self._stack[-1].tag == "p":
            self._pop()
        top = self._stack[-1]
        if tag in VOID:
            self._void(tag, attributes, top)
            return
        if tag in _BLOCKS and not top.is_hidden:
            self._end_block(tag)
        element = _Element(tag, top.is_hidden, top.is_tiny, top.is_pre, top.quote_depth, -1)
        if tag in RAW_TEXT:
            return
        if tag in _DROPPED:
            element.is_hidden = True
        if attributes and not element.is_hidden:
            self._style(element, attributes)
        if not element.is_hidden:
            if tag in {"td", "th"}:
                self._cell = bool(self._line)
            elif tag == "blockquote":
                element.quote_depth = min(element.quote_depth + 1, _DEEPEST_QUOTE)
            elif tag == "pre":
                element.is_pre = True
            elif tag == "ol":
                element.items = 0
            elif tag == "li":
                self._marker = self._item_marker()
        if len(self._stack) < _DEEPEST:
            self._stack.append(element)

    def _item_marker(self) -> str:
        for element in reversed(self._stack[-_LOOK_BACK:]):
            if element.tag == "ol":
                element.items += 1
                return f"{element.items}. "
            if element.tag in {"ul", "menu", "dir"}:
                break
        return "- "

    def _void(self, tag: str, attributes: str, top: _Element) -> None:
        if top.is_hidden:
            return
        if tag == "br":
            if not self._line:
                self._blank = self._blank or bool(self._lines)
            self._end_line()
        elif tag == "hr":
            self._end_block("hr")
        elif tag == "img" and self._with_image_texts:
            for found in _ATTRIBUTE.finditer(attributes):
                if found[1].lower() == "alt":
                    self.text(" " + unescape(found[2].strip("\"'")) + " ")

    def _style(self, element: _Element, attributes: str) -> None:
        for found in _ATTRIBUTE.finditer(attributes):
            name = found[1].lower()
            value = found[2].strip("\"'").lower()
            if name == "style":
                style = unescape(value) if "&" in value else value
                element.is_hidden = element.is_hidden or _hides(style)
                size = _FONT_SIZE.search(style)
                if size is not None:
                    # A parent of size 0 hides its own text only; layout tables use it against gaps between cells.
                    element.is_tiny = float(size[1]) <= (1 if (size[2] or "px") in {"px", "pt"} else 0)
            elif name == "id" and value in _DIVIDER_IDS:
                self._end_line()
                if not self._lines or self._lines[-1] != _DIVIDER:
                    self._lines.append(_DIVIDER)
        if _HIDDEN.search(attributes):
            element.is_hidden = True

    def close(self, tag: str) -> None:
        """An end tag; ignored when nothing it could close is open."""
        if tag == "br":
            self._void("br", "", self._stack[-1])
            return
        stack = self._stack
        for back in range(1, min(len(stack), _LOOK_BACK + 1)):
            element = stack[-back]
            if element.tag == tag:
                for _ in range(back):
                    self._pop()
                return
            if element.tag in _CELL_WALL and tag not in _TABLE_TAGS:
                return
        if tag in _BLOCKS and not stack[-1].is_hidden:
            self._end_block(tag)

    def _close_implied(self, tag: str) -> None:
        closed = _CLOSES_ITSELF[tag]
        stack = self._stack
        for back in range(1, min(len(stack), _LOOK_BACK + 1)):
            open_tag = stack[-back].tag
            if open_tag in closed:
                for _ in range(back):
                    self._pop()
                if tag != "tr" or open_tag == "tr":
                    return
                self._close_implied(tag)
                return
            if open_tag in {"table", "ul", "ol", "div", "blockquote", "body", "dl", "tbody"} or (
                tag == "p" and open_tag in _CELL_WALL
            ):
                return

    def _pop(self) -> None:
        element = self._stack.pop()
        if element.is_hidden:
            return
        if element.tag in {"td", "th"}:
            # The next cell follows on the same line unless this one held blocks.
            self._space = True
            return
        if element.tag in _BLOCKS:
            self._end_block(element.tag)
        if element.tag == "li":
            self._marker = ""
