"""Labels in Gmail's words, from folder names, file flags and headers."""

import re
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header

_SYSTEM_FOLDERS = {
    "INBOX": "inbox|notes_inbox|posteingang|boîte de réception|bandeja de entrada|posta in arrivo|caixa de entrada",
    "SENT": "sent|sent_items|sent items|_sent_mail|sent_mail|sent mail|sent-mail|sent messages|gesendet"
    "|gesendete objekte|gesendete elemente|envoyés|éléments envoyés|enviados|elementos enviados"
    "|posta inviata|inviati|verzonden items",
    "TRASH": "deleted_items|deleted items|deleted messages|deleted|trash|bin|papierkorb"
    "|gelöschte objekte|corbeille|papelera",
    "DRAFT": "drafts|draft|entwürfe|brouillons|borradores|bozze|rascunhos",
    "SPAM": "junk|junk e-mail|junk email|junk mail|junk_mail|spam|bulk mail|bulk_mail",
    "STARRED": "starred|flagged",
    "IMPORTANT": "important",
}
_SYSTEM_LABELS = {name: label for label, names in _SYSTEM_FOLDERS.items() for name in names.split("|")}

_TAKEOUT_LABELS = {
    "inbox": "INBOX",
    "sent": "SENT",
    "drafts": "DRAFT",
    "draft": "DRAFT",
    "trash": "TRASH",
    "spam": "SPAM",
    "unread": "UNREAD",
    "starred": "STARRED",
    "important": "IMPORTANT",
    "chat": "CHAT",
}
_STATE_LABELS = frozenset({"UNREAD", "STARRED", "IMPORTANT"})
_MAX_LABELS = 200
_MAX_LABEL_CHARACTERS = 255
_QUOTED_LABEL = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:,|$)|([^,]*)(?:,|$)')
_FOLDED = re.compile(r"[\r\n]+[ \t]*")
_MODIFIED_UTF7 = re.compile(r"&([A-Za-z0-9+,]*)-")


def folder_labels(folder: str) -> frozenset[str]:
    """The labels of mail in a folder: its path, and Gmail's label when its last name is a known one. "" has none."""
    if not folder:
        return frozenset()
    system = system_label(folder.rpartition("/")[2])
    return frozenset({folder[:_MAX_LABEL_CHARACTERS], system} if system else {folder[:_MAX_LABEL_CHARACTERS]})


def system_label(name: str) -> str | None:
    """Gmail's label for a folder's name ("sent_items": SENT), or None."""
    return _SYSTEM_LABELS.get(name.casefold())


def maildir_folder(name: str) -> str:
    """The folder that a Maildir++ directory name stands for: ".Work.Entw&APw-rfe" is "Work/Entwürfe"."""
    return _from_modified_utf7(name.removeprefix(".")).replace(".", "/")


def maildir_labels(file_name: str, *, is_new: bool) -> frozenset[str]:
    """What a Maildir file's flags say: no S (or in new/) is UNREAD, F STARRED, D DRAFT, T TRASH."""
    match = re.search(r"[:;!]2,([A-Za-z]*)$", file_name)
    flags = match[1] if match else ""
    labels = {label for flag, label in (("F", "STARRED"), ("D", "DRAFT"), ("T", "TRASH")) if flag in flags}
    if is_new or "S" not in flags:
        labels.add("UNREAD")
    return frozenset(labels)


def takeout_labels(value: bytes) -> frozenset[str]:
    """The labels of an X-Gmail-Labels header: folded, RFC 2047 encoded, comma separated, quoted where they hold one."""
    text = _FOLDED.sub(" ", value.decode("utf-8", "replace")).strip()
    if "=?" in text:
        with suppress(HeaderParseError, LookupError, ValueError):
            text = str(make_header(decode_header(text)))
    labels: set[str] = set()
    for match in _QUOTED_LABEL.finditer(text[:20_000]):
        name = match[1].replace('\\"', '"') if match[1] is not None else (match[2] or "")
        name = " ".join(storable(name).split())
        if name and len(labels) < _MAX_LABELS:
            labels.add(_takeout_label(name)[:_MAX_LABEL_CHARACTERS])
    return frozenset(labels)


def status_labels(status: bytes | None, x_status: bytes | None, mozilla: bytes | None) -> frozenset[str]:
    """What mail programs note in an mbox: Status without R is UNREAD, X-Status F STARRED, D TRASH; Mozilla's bits."""
    labels: set[str] = set()
    if status is not None and b"R" not in status.upper():
        labels.add("UNREAD")
    if x_status is not None:
        flags = x_status.upper()
        labels |= {label for flag, label in ((b"F", "STARRED"), (b"D", "TRASH")) if flag in flags}
    if mozilla is not None and re.fullmatch(rb"[0-9a-fA-F]{1,8}", mozilla.strip()):
        bits = int(mozilla, 16)
        labels |= {label for bit, label in ((4, "STARRED"), (8, "TRASH")) if bits & bit}
        if not bits & 1:
            labels.add("UNREAD")
    return frozenset(labels)


def storable(text: str) -> str:
    """The text without what a UTF-8 database cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "backslashreplace").decode()


def with_default_folder(labels: frozenset[str], *, is_from_owner: bool) -> frozenset[str]:
    """The labels, with INBOX or SENT added where they name no folder: only read state, star or importance."""
    if labels - _STATE_LABELS:
        return labels
    return labels | {"SENT" if is_from_owner else "INBOX"}


def _takeout_label(name: str) -> str:
    folded = name.casefold()
    if folded.startswith("category "):
        return "CATEGORY_" + folded.removeprefix("category ").upper().replace(" ", "_")
    return _TAKEOUT_LABELS.get(folded, name)


def _from_modified_utf7(name: str) -> str:
    """IMAP's encoding of folder names (RFC 3501, 5.1.3); what is not valid stays as it is."""

    def decoded(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        try:
            return f"+{match[1].replace(',', '/')}-".encode("ascii").decode("utf-7")
        except UnicodeDecodeError:
            return match[0]

    return storable(_MODIFIED_UTF7.sub(decoded, name))
