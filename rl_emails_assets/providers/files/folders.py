"""The files of a folder tree that may hold mail, in a fixed order, with the folder each one stands for.

The order is that of the names, numbers in them by value (`2.` before `10.`), so that a reader can continue after any
file. Nothing outside the tree is read: links are not followed unless they lead to a file inside it.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from rl_emails_assets.providers.files.labels import maildir_folder, storable

_DIGITS = re.compile(r"(\d{1,300})")
_HOUSEKEEPING = frozenset({"thumbs.db", "desktop.ini", "maildirfolder", "subscriptions", "index", "cyrus.header"})
_HOUSEKEEPING_SUFFIXES = (".msf", ".dat", ".toc", ".emlx.plist", ".lock", ".summary", ".ibex.index", ".cmeta")


class Place(Enum):
    """Where a file lies, which decides how its flags are read."""

    FOLDER = auto()
    MAILDIR_CUR = auto()
    MAILDIR_NEW = auto()


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file. `relative` is its path below the root with "/" (for a single file, its name), as storable text."""

    path: Path
    relative: str
    folder: str
    place: Place
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FoundProblem:
    """Something in the tree that cannot be read."""

    relative: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Directory:
    path: Path
    relative: str
    folder: str
    is_maildir: bool
    place: Place


def order_key(relative: str) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """Sorts relative paths as `walk` yields them."""
    return tuple(_natural(part) for part in relative.split("/"))


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    parts = _DIGITS.split(name)
    key = tuple((0, int(part), "") if index % 2 else (1, 0, part) for index, part in enumerate(parts) if part)
    return (*key, (2, 0, name))


def is_maildir(path: Path) -> bool:
    """Whether a directory is a Maildir: it has cur/ and new/."""
    return (path / "cur").is_dir() and (path / "new").is_dir()


def walk(root: Path) -> Iterator[FoundFile | FoundProblem]:
    """Every file below `root` that may be mail, and every one that cannot be read. `root` is resolved, a directory.

    Housekeeping files of mail programs and hidden files are left out: they are no items.
    """
    is_mail_root = is_maildir(root)
    first = _Directory(root, "", "INBOX" if is_mail_root else "", is_mail_root, Place.FOLDER)
    stack = [_list(first)]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
        elif isinstance(found, tuple):
            directory, entry = found
            stack.append(_list(_subdirectory(directory, entry)))
        elif isinstance(found, FoundFile) and found.path.is_symlink():
            yield _linked(root, found)
        else:
            yield found


def _list(directory: _Directory) -> Iterator[FoundFile | FoundProblem | tuple[_Directory, str]]:
    """The entries of one directory in order; a pair names a subdirectory to go into."""
    try:
        with os.scandir(directory.path) as scan:
            entries = sorted(scan, key=lambda entry: _natural(storable(os.fsdecode(entry.name))))
    except OSError as error:
        relative = directory.relative or "."
        yield FoundProblem(
            relative, f"the folder cannot be read ({error.strerror}); give this user the right to read it"
        )
        return
    for entry in entries:
        name = storable(entry.name)
        relative = f"{directory.relative}/{name}" if directory.relative else name
        if entry.is_symlink() and entry.is_dir():
            yield FoundProblem(relative, "a link to a folder is not followed; import that folder by itself")
        elif entry.is_dir(follow_symlinks=False):
            yield directory, entry.name
        elif not _is_housekeeping(name, directory):
            yield _file(directory, entry, relative)


def _file(directory: _Directory, entry: os.DirEntry[str], relative: str) -> FoundFile | FoundProblem:
    try:
        status = entry.stat()
    except OSError as error:
        if entry.is_symlink():
            return FoundProblem(relative, "a link that leads nowhere; remove it, or restore what it pointed to")
        return FoundProblem(relative, f"the file cannot be read ({error.strerror})")
    if not stat.S_ISREG(status.st_mode):
        return FoundProblem(relative, "neither a file nor a folder; it is not opened")
    if directory.relative.rpartition("/")[2] == "tmp" and directory.is_maildir:
        return FoundProblem(relative, "a delivery that was not finished (in tmp); it may be complete elsewhere")
    return FoundFile(directory.path / entry.name, relative, directory.folder, directory.place, status.st_size)


def _linked(root: Path, found: FoundFile) -> FoundFile | FoundProblem:
    target = Path(os.path.realpath(found.path))
    if target.is_relative_to(root):
        return found
    return FoundProblem(found.relative, "a link out of the folder is not followed; import its target by itself")


def _subdirectory(parent: _Directory, name: str) -> _Directory:
    path = parent.path / name
    shown = storable(name)
    relative = f"{parent.relative}/{shown}" if parent.relative else shown
    if parent.is_maildir and name in {"cur", "new", "tmp"}:
        place = {"cur": Place.MAILDIR_CUR, "new": Place.MAILDIR_NEW}.get(name, Place.FOLDER)
        return _Directory(path, relative, parent.folder, True, place)
    if parent.is_maildir and name.startswith("."):
        folder = maildir_folder(shown)
    else:
        above = "" if parent.is_maildir and not parent.relative else parent.folder
        own = folder_name(shown)
        folder = f"{above}/{own}" if above else own
    return _Directory(path, relative, folder, is_maildir(path), Place.FOLDER)


def folder_name(name: str) -> str:
    """The folder that a file or directory name of a mail program stands for: "Inbox.sbd", "Inbox.mbox": "Inbox"."""
    for suffix in (".mbox", ".sbd", ".mbx", ".gz"):
        name = name.removesuffix(suffix)
    return name


def _is_housekeeping(name: str, directory: _Directory) -> bool:
    if directory.place is Place.FOLDER and directory.is_maildir and not directory.relative.endswith("tmp"):
        return True
    lower = name.lower()
    return (
        lower.startswith((".", "dovecot", "courier"))
        or lower in _HOUSEKEEPING
        or lower.endswith(_HOUSEKEEPING_SUFFIXES)
    )
