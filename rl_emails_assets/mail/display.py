"""What a person may be shown of a message: sanitized HTML without remote content, and attachments as files."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qsl

import nh3

from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.mail.charsets import GuessBudget, clean
from rl_emails_assets.mail.headers import Decoder
from rl_emails_assets.mail.html_shape import is_well_shaped
from rl_emails_assets.mail.limits import DEFAULT_LIMITS, DefectLog, Limits
from rl_emails_assets.mail.message import Message
from rl_emails_assets.mail.parse import prepared
from rl_emails_assets.mail.parts import Part, part_tree
from rl_emails_assets.mail.tnef import parse_tnef
from rl_emails_assets.mail.transfer import inline_files

_TAGS = {
    "a", "abbr", "address", "article", "aside", "b", "big", "blockquote", "br", "caption", "center", "code", "col",
    "colgroup", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main", "ol", "p", "pre", "q", "s", "samp", "section",
    "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u",
    "ul",
}  # fmt: skip
_DROPPED_WITH_CONTENT = {
    "script", "style", "title", "svg", "math", "template", "iframe", "object", "embed", "applet", "noscript", "noembed",
    "noframes", "textarea", "select", "audio", "video", "canvas", "frameset", "xmp", "plaintext",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "color", "dir", "height", "lang", "style", "title", "valign", "width"},
    "a": {"href"},
    "img": {"alt", "src"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "nowrap", "rowspan"},
    "th": {"colspan", "nowrap", "rowspan"},
    "col": {"span"},
    "font": {"face", "size"},
    "ol": {"start", "type"},
    "ul": {"type"},
}
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-radius",
    "border-right", "border-spacing", "border-style", "border-top", "border-width", "clear", "color", "direction",
    "display", "float", "font", "font-family", "font-size", "font-style", "font-variant", "font-weight", "height",
    "letter-spacing", "line-height", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right",
    "margin-top", "max-height", "max-width", "min-height", "min-width", "overflow", "padding", "padding-bottom",
    "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "text-indent", "text-transform",
    "vertical-align", "visibility", "white-space", "width", "word-break", "word-spacing", "word-wrap",
}  # fmt: skip
_STYLE_VALUE = re.compile(r"[\w\s#%.,()'\"+!\-]{1,200}")
_STYLE_FUNCTION = re.compile(r"([\w\-]{1,40})\(")
_STYLE_FUNCTIONS = frozenset({"rgb", "rgba", "hsl", "hsla"})
_REMOTE_STYLE = re.compile(r"url\s{0,9}\(\s{0,9}[\"']?(?:https?:)?//", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|mailto:)[^\x00-\x20]", re.IGNORECASE)
_MAILTO_FIELDS = frozenset({"bcc", "body", "cc", "in-reply-to", "subject", "to"})
"""RFC 6068's, less what has made mail programs attach files of the reader's."""
_REMOTE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_IMAGE_STARTS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
_PLACE = "/image-"
_IMAGE_TAG = re.compile(r'<img(?: [a-z-]+="[^"]*")*>')
_PLACED = re.compile(r' src="/image-(\d+)"')
_DIMENSION = re.compile(r'[ ";](?:width|height)(?:="|: ?)([^";]{1,20})')
_TINY = re.compile(r"\s*0*[0-2](?:\.\d+)?\s*(?:px)?\s*")
_NOTHING = re.compile(r"\s*0+(?:\.0+)?\s*(?:px|%)?\s*")
_UNSEEN = re.compile(r'[";](?:display: ?none|visibility: ?hidden)(?=[";])')
_MOST_REMOTE = 200
_IMAGE_BYTES = 512 * 1024
_IMAGES_BYTES = 3 * 1024 * 1024
_UNSAFE_IN_NAME = re.compile('[\x00-\x1f\x7f<>:"/\\\\|?*\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]')
_RESERVED_NAMES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_NAME_CHARS = 120
_EXTENSIONS = {
    "application/pdf": ".pdf", "application/zip": ".zip", "image/gif": ".gif", "image/jpeg": ".jpg",
    "image/png": ".png", "image/webp": ".webp", "message/rfc822": ".eml", "text/calendar": ".ics",
    "text/csv": ".csv", "text/html": ".html", "text/plain": ".txt", "text/vcard": ".vcf", "text/x-vcard": ".vcf",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """HTML for a sandboxed frame. `blocked_count` is how many remote images and styles were left out."""

    html: str
    blocked_count: int
    inlined_count: int
    """Images of the mail itself that are shown."""
    proxied_count: int
    """Remote images whose addresses were rewritten."""
    tracker_count: int
    """Remote images that only tell that the mail was opened; among the blocked, always."""
    is_plain_text: bool
    """The mail has no HTML, or HTML too tangled to be parsed; `html` shows the text."""


def safe_html(
    message: Message,
    rfc822: bytes,
    *,
    limits: Limits = DEFAULT_LIMITS,
    rewrite: Callable[[str], str | None] | None = None,
) -> SafeHtml:
    """The body of `message`, which was parsed from `rfc822`, safe to show: no scripts, forms, remote content, or
    styles that could cover the page. Links open elsewhere and tell nothing of where they were.

    `rewrite` gives the address under which a remote image may be loaded instead, or None; without it none may. Images
    that only tell of the opening are left out even so.
    """
    if not message.html or not is_well_shaped(message.html):
        text = f'<div style="white-space:pre-wrap">{escape(message.text)}</div>'
        return SafeHtml(text, 0, 0, 0, 0, is_plain_text=True)
    images = _Images(rfc822, limits) if "cid:" in message.html.lower() else _Images(b"", limits)
    html = nh3.clean(
        message.html,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=images.filtered,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "cid", "data"},
        url_relative=images.relative,
        filter_style_properties=_STYLES,
    )
    # ammonia writes added attributes in the order of a hash map; one order keeps the output the same each time.
    html = html.replace('rel="noopener noreferrer" target="_blank"', 'target="_blank" rel="noopener noreferrer"')
    remote = _Remote(images.addresses, rewrite)
    html = _IMAGE_TAG.sub(remote.replaced, html) if images.addresses else html
    return SafeHtml(
        html,
        images.blocked_count + len(images.addresses) - remote.proxied_count,
        images.inlined_count,
        remote.proxied_count,
        remote.tracker_count,
        is_plain_text=False,
    )


@dataclass(slots=True)
class _Remote:
    """Gives each remote image its new address, or none, when all of its tag is known.

    The tags were written by the sanitizer: attributes in double quotes, which are entities in values.
    """

    addresses: list[str]
    rewrite: Callable[[str], str | None] | None
    proxied_count: int = 0
    tracker_count: int = 0

    def replaced(self, found: re.Match[str]) -> str:
        """The tag with the address under which it may be loaded, or without one."""
        tag = found[0]
        placed = _PLACED.search(tag)
        if placed is None:
            return tag
        address = None
        if _is_tracker(tag):
            self.tracker_count += 1
        elif self.rewrite is not None and self.proxied_count < _MOST_REMOTE:
            address = self.rewrite(self.addresses[int(placed[1])])
        if address is None:
            return tag[: placed.start()] + tag[placed.end() :]
        self.proxied_count += 1
        return f'{tag[: placed.start()]} src="{escape(address)}"{tag[placed.end() :]}'


def _is_tracker(tag: str) -> bool:
    """Whether the image cannot be seen, by what its tag says; a line as wide as the page is no tracker."""
    sizes = _DIMENSION.findall(tag)
    is_tiny = bool(sizes) and all(_TINY.fullmatch(size) for size in sizes)
    return is_tiny or any(_NOTHING.fullmatch(size) for size in sizes) or _UNSEEN.search(tag) is not None


@dataclass(slots=True)
class _Images:
    """Decides about each attribute value, and knows the images of the mail itself."""

    rfc822: bytes
    limits: Limits
    blocked_count: int = 0
    inlined_count: int = 0
    addresses: list[str] = field(default_factory=list)
    """Of remote images, each named by its place in this list until the whole of its tag is known."""
    _bytes_left: int = _IMAGES_BYTES
    _by_id: dict[str, Part] | None = None
    _uris: dict[str, str] = field(default_factory=dict)

    def filtered(self, tag: str, attribute: str, value: str) -> str | None:
        """The value to keep, None to drop the attribute."""
        if attribute == "style":
            self.blocked_count += len(_REMOTE_STYLE.findall(value))
            return _safe_style(value)
        if attribute == "href":
            return value if _is_link(value.strip()) else None
        if tag == "img" and attribute == "src":
            return self._source(value.strip())
        return value

    def relative(self, url: str) -> str | None:
        """Addresses without a scheme are dropped, but for the places that `_source` has given."""
        return url if url.startswith(_PLACE) else None

    def _source(self, value: str) -> str | None:
        if value[:4].lower() == "cid:":
            return self._inlined(value[4:].strip())
        if value[:5].lower() == "data:":
            if len(value) > self._bytes_left or len(value) > 2 * _IMAGE_BYTES or not _DATA_IMAGE.fullmatch(value):
                return None
            self._bytes_left -= len(value)
            self.inlined_count += 1
            return value
        if _REMOTE.match(value) is None:
            return None
        if value.startswith("//"):
            value = f"https:{value}"
        self.addresses.append(value)
        return f"{_PLACE}{len(self.addresses) - 1}"

    def _inlined(self, content_id: str) -> str | None:
        if self._by_id is None:
            self._by_id = _images_by_id(self.rfc822, self.limits)
        if content_id not in self._uris:
            self._uris[content_id] = self._data_uri(self._by_id.get(content_id))
        uri = self._uris[content_id]
        if not uri or len(uri) > self._bytes_left:
            return None
        self._bytes_left -= len(uri)
        self.inlined_count += 1
        return uri

    def _data_uri(self, part: Part | None) -> str:
        if part is None or part.end - part.start > 2 * _IMAGE_BYTES:
            return ""
        content = part.content(DefectLog())
        for kind, starts in _IMAGE_STARTS.items():
            # The bytes decide, whatever the part says it is.
            if len(content) <= _IMAGE_BYTES and content.startswith(starts):
                return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
        return ""


def _is_link(address: str) -> bool:
    if _LINK.match(address) is None:
        return False
    query = address.partition("?")[2] if address[:7].lower() == "mailto:" else ""
    return all(name.strip().lower() in _MAILTO_FIELDS for name, _ in parse_qsl(query, keep_blank_values=True))


def _safe_style(style: str) -> str | None:
    kept: list[str] = []
    for declaration in style[:4_000].split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or name not in _STYLES or not _STYLE_VALUE.fullmatch(value):
            continue
        if any(function.lower() not in _STYLE_FUNCTIONS for function in _STYLE_FUNCTION.findall(value)):
            continue
        kept.append(f"{name}:{value}")
    return ";".join(kept) or None


def _tree(rfc822: bytes, limits: Limits) -> Part:
    log = DefectLog()
    return part_tree(prepared(rfc822, limits, log), Decoder(log, GuessBudget(limits.charset_guesses), limits))


def _images_by_id(rfc822: bytes, limits: Limits) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for part in _tree(rfc822, limits).walk():
        values = part.fields.get("content-id")
        if values and not part.is_multipart:
            found.setdefault(values[0].decode("latin-1").strip().strip("<>"), part)
    return found


def attachment_bytes(rfc822: bytes, part_path: str, *, limits: Limits = DEFAULT_LIMITS) -> tuple[str, str, bytes]:
    """(safe file name, declared content type, decoded bytes) of the attachment at `part_path`.

    Raises NotFoundError when the message has no such part.
    """
    log = DefectLog()
    parent, _, number = part_path.rpartition(".")
    for part in _tree(rfc822, limits).walk():
        if part.is_multipart:
            continue
        if part.path == part_path:
            content = rfc822_slice(part) if part.is_message else part.content(log)
            return safe_filename(part.declared_name, part.content_type, part_path), part.content_type, content
        if part.path == parent and not part.children and number.isdecimal():
            inside = _inside(part, int(number), limits, log)
            if inside is not None:
                name, content_type, content = inside
                return safe_filename(name, content_type, part_path), content_type, content
    raise NotFoundError(f"The message has no part {part_path!r}; its attachments' part_path values name those it has.")


def rfc822_slice(part: Part) -> bytes:
    """The bytes of an attached message."""
    return part.source[part.start : part.end]


def _inside(part: Part, number: int, limits: Limits, log: DefectLog) -> tuple[str, str, bytes] | None:
    """A file packed into a leaf: in TNEF, or written into a text."""
    content = part.content(log)
    if part.content_type.startswith("text/"):
        files = inline_files(content)
        if 1 <= number <= len(files):
            name = files[number - 1].filename.decode("utf-8", "replace")
            return name, "application/octet-stream", files[number - 1].content
        return None
    tnef = parse_tnef(content, limits, log, part.path)
    if tnef is not None and 1 <= number <= len(tnef.attachments):
        file = tnef.attachments[number - 1]
        return file.filename, file.content_type, file.content
    return None


def safe_filename(name: str, content_type: str, part_path: str) -> str:
    """A name that is safe on every file system and cannot hide its extension; made from the path when there is none."""
    base = re.split(r"[/\\]", clean(name))[-1]
    base = " ".join(_UNSAFE_IN_NAME.sub("", base).split()).strip(". ")
    if len(base) > _NAME_CHARS:
        stem, dot, extension = base.rpartition(".")
        if dot and len(extension) <= 10:
            base = f"{stem[: _NAME_CHARS - len(extension) - 1].rstrip('. ')}.{extension}"
        else:
            base = base[:_NAME_CHARS].rstrip(". ")
    if not base:
        return f"attachment-{part_path}{_EXTENSIONS.get(content_type, '.bin')}"
    return f"_{base}" if _RESERVED_NAMES.match(base) else base
