"""The documentation as data: pages, headings, links, code spans and fenced blocks."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_NOT_IN_A_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and its lines."""

    page: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file; `name` is its path from the repository's root."""

    name: str
    content: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return ROOT / self.name

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.content)

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks."""
        return [Block(self.name, language, text) for language, text in _FENCE.findall(self.content)]

    @property
    def spans(self) -> list[str]:
        """What stands between single backticks, outside the blocks."""
        return _SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """The targets of its links and pictures."""
        # A link's text may itself be code; code that looks like a link is none.
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """Its headings as the part of an address after #, numbered where they repeat."""
        found: set[str] = set()
        for heading in _HEADING.findall(self.prose):
            slug = base = slug_of(heading)
            number = 0
            while slug in found:
                number += 1
                slug = f"{base}-{number}"
            found.add(slug)
        return found


def slug_of(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return _NOT_IN_A_SLUG.sub("", heading.strip().lower()).replace(" ", "-")


@cache
def pages() -> tuple[Page, ...]:
    """The README and its neighbours, and everything in docs/."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return tuple(Page(str(path.relative_to(ROOT)), path.read_text()) for path in sorted(paths))


@cache
def page(name: str) -> Page:
    """The page at a path from the root."""
    return next(found for found in pages() if found.name == name)
