"""Mail from files: an mbox, a Maildir, a folder tree, a single message, each plain or gzip.

`open_source` is the way in. Reading holds one item and one block in memory, whatever the size of the source, and
yields what it cannot read as an `UnreadableItem`.
"""

import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from rl_emails_assets.errors import SourceError
from rl_emails_assets.providers.files.folders import (
    FoundFile,
    FoundProblem,
    Place,
    folder_name,
    is_maildir,
    order_key,
    walk,
)
from rl_emails_assets.providers.files.labels import folder_labels, storable, system_label
from rl_emails_assets.providers.files.limits import Limits
from rl_emails_assets.providers.files.mail_file import Content, Reading, content_of, file_head, read_file
from rl_emails_assets.providers.provider import Estimate, Position, RawItem, UnreadableItem

_DEFAULT_LIMITS = Limits()


class Kind(StrEnum):
    """What a path holds."""

    MBOX = "mbox"
    MESSAGE = "message"
    MAILDIR = "maildir"
    FOLDER = "folder"


def detect(path: Path) -> Kind:
    """What is at `path`. Raises SourceError when it is missing, may not be read, or is not mail."""
    root = _resolved(path)
    if root.is_dir():
        return Kind.MAILDIR if is_maildir(root) else Kind.FOLDER
    if not root.is_file():
        raise SourceError(f"{path} is neither a file nor a folder. Give an mbox, a Maildir, a folder or an .eml file.")
    try:
        content = content_of(file_head(root))
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}). Give this user the right to read it.") from error
    if content is Content.OTHER:
        raise SourceError(f"{path} is not mail. Give an mbox, a Maildir, a folder of messages or an .eml file.")
    return Kind.MESSAGE if content is Content.MESSAGE else Kind.MBOX


def estimate(path: Path) -> Estimate:
    """The size of a source, for a progress bar. Raises SourceError as `detect`."""
    kind = detect(path)
    root = _resolved(path)
    if kind in {Kind.MBOX, Kind.MESSAGE}:
        return Estimate(bytes_total=root.stat().st_size, files_total=1)
    sizes = [found.size_bytes for found in walk(root) if isinstance(found, FoundFile)]
    return Estimate(bytes_total=sum(sizes), files_total=len(sizes))


def open_source(
    path: Path, *, resume: Position | None = None, limits: Limits = _DEFAULT_LIMITS
) -> Iterator[RawItem | UnreadableItem]:
    """The items of `path` after `resume`, in a fixed order. Raises SourceError, before the first item, as `detect`.

    When the file that `resume` stands in was replaced (it is shorter, or begins otherwise), reading starts over.
    """
    kind = detect(path)
    root = _resolved(path)
    return _items(root, kind, resume if resume is not None and resume.path else None, limits)


class FileProvider:
    """A path as a `Provider`."""

    def __init__(self, path: Path, limits: Limits = _DEFAULT_LIMITS) -> None:
        self._path = path
        self._limits = limits

    def estimate(self) -> Estimate:
        """See `estimate`."""
        return estimate(self._path)

    def items(self, resume: Position | None = None) -> Iterator[RawItem | UnreadableItem]:
        """See `open_source`."""
        return open_source(self._path, resume=resume, limits=self._limits)


def _resolved(path: Path) -> Path:
    try:
        return path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SourceError(f"{path} does not exist. Check the path; it has to be on this machine.") from error


def _found(root: Path, kind: Kind) -> Iterator[FoundFile | FoundProblem]:
    if kind in {Kind.MAILDIR, Kind.FOLDER}:
        return walk(root)
    name = storable(root.name)
    return iter([FoundFile(root, name, "", Place.FOLDER, root.stat().st_size)])


def _items(root: Path, kind: Kind, resume: Position | None, limits: Limits) -> Iterator[RawItem | UnreadableItem]:
    is_single = kind in {Kind.MBOX, Kind.MESSAGE}
    shown_root = storable(os.fspath(root.parent if is_single else root))
    resume_key = order_key(resume.path) if resume is not None else ()
    items_done = resume.items_done if resume is not None else 0
    bytes_before = 0
    for found in _found(root, kind):
        start: Position | None = None
        if resume is not None:
            key = order_key(found.relative)
            if key < resume_key or (key == resume_key and resume.offset < 0):
                bytes_before += found.size_bytes if isinstance(found, FoundFile) else 0
                continue
            if key == resume_key:
                start = resume
        if isinstance(found, FoundProblem):
            items_done += 1
            source = f"{shown_root}/{found.relative}"
            position = Position(found.relative, -1, "", bytes_before, items_done)
            yield UnreadableItem(source, found.reason, source, position)
            continue
        reading = Reading(
            found=found,
            source=f"{shown_root}/{found.relative}",
            labels=_place_labels(root, found, is_single=is_single),
            is_whole_source=is_single,
            bytes_before=bytes_before,
            items_done=items_done,
            limits=limits,
        )
        for item in read_file(reading, start):
            items_done = item.position.items_done
            yield item
        bytes_before += found.size_bytes


def _place_labels(root: Path, found: FoundFile, *, is_single: bool) -> frozenset[str]:
    """The labels that a file's place gives: its folder, or the name of the source where that is a known folder's."""
    if found.folder:
        return folder_labels(found.folder)
    label = system_label(folder_name(Path(root.name).stem if is_single else root.name))
    return frozenset({label}) if label else frozenset()
