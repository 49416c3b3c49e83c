"""What a push says: Pub/Sub's envelope around Gmail's two facts."""

import base64
import json
from dataclasses import dataclass
from typing import Any

LONGEST_ADDRESS = 320
LONGEST_PUSH_ID = 128
MOST_DIGITS = 30
"""Of a history id; Gmail's have 7 to 21."""

_STANDARD = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class Push:
    """One push of Gmail's."""

    push_id: str
    """Pub/Sub's message id; a redelivery has the same."""
    address: str
    """The mailbox that changed, lower case."""
    history_id: int
    """The mailbox's history id after the change."""


def read_push(body: bytes) -> Push | None:
    """The push in a request's body; None when it is not one."""
    try:
        message = _object(_object(json.loads(body))["message"])
        # Gmail documents base64url, Pub/Sub sends the standard alphabet.
        data = str(message["data"]).encode("ascii").translate(_STANDARD)
        fact = _object(json.loads(base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)))
        push_id = str(message.get("messageId") or message["message_id"])
        address = fact["emailAddress"]
        history_id = str(fact["historyId"])
    # A few thousand opening brackets are enough for a RecursionError.
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_plausible = (
        isinstance(address, str)
        and _is_word(address, LONGEST_ADDRESS)
        and "@" in address
        and _is_word(push_id, LONGEST_PUSH_ID)
        and history_id.isascii()
        and history_id.isdigit()
        and len(history_id) <= MOST_DIGITS
    )
    return Push(push_id, address.lower(), int(history_id)) if is_plausible else None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _is_word(value: str, most: int) -> bool:
    """Short, printable (so neither NUL nor half a surrogate pair), without spaces."""
    return 0 < len(value) <= most and value.isprintable() and " " not in value
