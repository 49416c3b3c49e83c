"""The sample mailbox's own notation: readable text files of people and messages.

A file is a list of entries. An entry starts with "%% key", then come "Field: value" lines, a blank line, and the text
up to the next entry. A field may occur more than once; a field that starts with "+" is a mail header to write as it is.
"""

from dataclasses import dataclass
from pathlib import Path

from rl_emails_assets.errors import SourceError


@dataclass(frozen=True, slots=True)
class Entry:
    """One person or message as written: its key, its fields in order, and its text without outer blank lines."""

    key: str
    fields: tuple[tuple[str, str], ...]
    text: str

    def get(self, name: str, default: str = "") -> str:
        """The first field of that name, or the default."""
        return next((value for field, value in self.fields if field == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Every field of that name, in order."""
        return tuple(value for field, value in self.fields if field == name)

    def mail_headers(self) -> tuple[tuple[str, str], ...]:
        """The "+Name: value" fields as mail headers."""
        return tuple((field[1:], value) for field, value in self.fields if field.startswith("+"))


def read_entries(text: str, *, source: str) -> list[Entry]:
    """The entries of one file's text; `source` names the file in errors.

    Raises SourceError for a line that is neither a field nor inside an entry.
    """
    entries: list[Entry] = []
    for block in ("\n" + text).split("\n%% ")[1:]:
        head, _, body = block.partition("\n\n")
        key, *lines = head.rstrip("\n").split("\n")
        fields = []
        for line in lines:
            name, separator, value = line.partition(": ")
            if not separator:
                raise SourceError(f"{source}, entry {key!r}: {line!r} is not a 'Field: value' line; mend the file")
            fields.append((name, value))
        entries.append(Entry(key, tuple(fields), body.strip("\n")))
    return entries


def read_folder(folder: Path) -> list[Entry]:
    """The entries of every .txt file of a folder, by file name. Raises SourceError for no file, or for a key twice."""
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise SourceError(f"no scene files in {folder.name!r}; the sample mailbox is built from a source checkout only")
    entries = [entry for file in files for entry in read_entries(file.read_text("utf-8"), source=file.name)]
    seen: set[str] = set()
    for entry in entries:
        if entry.key in seen:
            raise SourceError(f"the key {entry.key!r} occurs twice in the scene files; rename one of them")
        seen.add(entry.key)
    return entries
