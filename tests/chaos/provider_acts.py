"""What people and Gmail do to a mailbox in a schedule; a number chooses to which message or label."""

from collections.abc import Callable

from tests.gmail.standin.users import User

LABELS = ("STARRED", "IMPORTANT", "UNREAD", "INBOX", "CATEGORY_PROMOTIONS", "SENT")
"""Labels that engines read, and labels that none does."""


def do(act: str, user: User, choice: int) -> None:
    """One act; where there is nothing to do it to, mail arrives instead."""
    with user.gmail.lock:
        ids = sorted(user.ids())
        if not ids or act == "deliver":
            _deliver(user, choice)
        elif act in _ON_LABELS:
            if user.labels:
                _ON_LABELS[act](user, sorted(user.labels)[choice % len(user.labels)], choice)
        else:
            _ON_MESSAGES[act](user, ids, choice)


def _deliver(user: User, choice: int) -> None:
    for number in range(1 + choice % 3):
        user.deliver(subject=f"News {choice % 5}", text=f"What {choice} said, {number}.")


def _copy(user: User, ids: list[str], choice: int) -> None:
    # The same text, date and sender under another id: a folder copy.
    user.deliver(user.rfc822_of(ids[choice % len(ids)]), labels=["CATEGORY_PROMOTIONS"])


def _reply(user: User, ids: list[str], choice: int) -> None:
    parent = user.messages[ids[choice % len(ids)]]
    user.deliver(
        sender=user.address,
        to="alex@example.net",
        subject=f"Re: {parent.subject}",
        text="Yes.",
        in_reply_to=parent.rfc822_message_id or None,
        labels=["SENT"],
    )


def _relabel(user: User, ids: list[str], choice: int) -> None:
    add, remove = LABELS[choice % len(LABELS)], LABELS[(choice // 7) % len(LABELS)]
    user.relabel(ids[choice % len(ids)], add=[add], remove=[remove] if remove != add else [])


def _file(user: User, ids: list[str], choice: int) -> None:
    label = next(iter(user.labels), "") if choice % 3 == 0 else ""
    user.relabel(ids[: 1 + choice % 3], add=[label or user.make_label(f"Folder {choice % 3}")])


def _delete(user: User, ids: list[str], choice: int) -> None:
    user.delete(*ids[choice % len(ids) :][: 1 + choice % 3])


def _delete_original(user: User, ids: list[str], choice: int) -> None:
    """Of messages that say the same, the first goes; where there are none, there will be."""
    first: dict[bytes, str] = {}
    for one in ids:
        original = first.setdefault(user.messages[one].rfc822, one)
        if original != one:
            user.delete(original)
            return
    _copy(user, ids, choice)


def _mend(user: User, ids: list[str], _choice: int) -> None:
    """What could not be read can be again."""
    for one in ids:
        user.messages[one].raw_fault = None


_ON_MESSAGES: dict[str, Callable[[User, list[str], int], object]] = {
    "copy": _copy,
    "reply": _reply,
    "relabel": _relabel,
    "file": _file,
    "delete": _delete,
    "delete_original": _delete_original,
    "mend": _mend,
    "trash": lambda user, ids, choice: user.trash(ids[choice % len(ids)]),
    "add_and_delete": lambda user, _ids, _choice: user.add_and_delete(subject="Gone at once"),
    "ghost": lambda user, ids, choice: user.ghost_record(ids[choice % len(ids)]),
    "break_raw": lambda user, ids, choice: user.break_raw(
        ids[choice % len(ids)], ("missing", "invalid_base64")[choice % 2]
    ),
}

_ON_LABELS: dict[str, Callable[[User, str, int], object]] = {
    "rename_label": lambda user, label, choice: user.labels.__setitem__(label, f"Renamed {choice % 7}"),
    "drop_label": lambda user, label, _choice: user.drop_label(label),
}
