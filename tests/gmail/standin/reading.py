"""The Gmail API's methods that change nothing. Each runs under the stand-in's lock."""

import json
import re
from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.gmail.standin.history import KINDS
from tests.gmail.standin.messages import SYSTEM_LABELS, StoredMessage, base64url
from tests.gmail.standin.replies import ApiError, invalid, not_found
from tests.gmail.standin.search_query import QueryError, compile_query

if TYPE_CHECKING:
    from tests.gmail.standin.api import Asked

METADATA = "https://www.googleapis.com/auth/gmail.metadata"


def profile(asked: "Asked") -> dict[str, Any]:
    """Address, totals, and the history id to start from."""
    user = asked.user
    return {
        "emailAddress": user.address,
        "messagesTotal": len(user.messages),
        "threadsTotal": len(user.thread_sizes),
        "historyId": str(user.history.current(asked.gmail.clock.milliseconds())),
    }


def list_messages(asked: "Asked") -> dict[str, Any]:
    """Ids, newest first."""
    found, token = _page(asked)
    answer: dict[str, Any] = {"messages": [{"id": m.id, "threadId": m.thread_id} for m in found]} if found else {}
    # Gmail's estimate is known to be of no use.
    answer["resultSizeEstimate"] = 201 if token else len(found)
    if token:
        answer["nextPageToken"] = token
    return answer


def list_threads(asked: "Asked") -> dict[str, Any]:
    """Conversations, newest first; those whose newest message is on this page."""
    found, token = _page(asked)
    seen: dict[str, StoredMessage] = {}
    for message in found:
        seen.setdefault(message.thread_id, message)
    answer: dict[str, Any] = {"resultSizeEstimate": 201 if token else len(seen)}
    if seen:
        answer["threads"] = [
            {"id": key, "snippet": m.snippet, "historyId": str(m.history_id)} for key, m in seen.items()
        ]
    if token:
        answer["nextPageToken"] = token
    return answer


def _page(asked: "Asked") -> tuple[list[StoredMessage], str]:
    user, gmail = asked.user, asked.gmail
    size = _size(asked, 500)
    query = asked.one("q")
    if query and not set(asked.scopes) - {METADATA}:
        raise ApiError(403, "Metadata scope does not support 'q' parameter", "forbidden", "PERMISSION_DENIED")
    names = {name.lower(): label_id for label_id, name in user.labels.items()}
    try:
        test, anywhere = compile_query(query, names, gmail.clock.milliseconds())
    except QueryError as error:
        raise invalid(str(error)) from error
    labels = set(asked.arguments.get("labelIds", []))
    if labels - user.label_ids():
        raise invalid(f"Invalid label: {', '.join(sorted(labels - user.label_ids()))}")
    binned = anywhere or asked.one("includeSpamTrash").lower() == "true" or bool(labels & {"SPAM", "TRASH"})
    position = _position(asked)
    found: list[StoredMessage] = []
    to_skip = offset = _offset(asked)
    while position > 0:
        position -= 1
        message = user.messages[user.order[position][1]]
        if (message.in_bin and not binned) or not labels <= message.labels or not test(message):
            continue
        if to_skip:
            to_skip -= 1
            continue
        if len(found) == size:
            last = found[-1]
            token = f"0{offset + size}" if gmail.pages_shift else f"1{last.internal_date:015}{int(last.id, 16)}"
            _arrivals(asked)
            return found, token
        found.append(message)
    _arrivals(asked)
    return found, ""


def _position(asked: "Asked") -> int:
    """Where in the order the page begins, from its end."""
    token = asked.one("pageToken")
    if not token or token.startswith("0"):
        return len(asked.user.order)
    if not token.isdigit() or len(token) < 17:
        raise invalid("Invalid pageToken")
    return bisect_left(asked.user.order, (int(token[1:16]), f"{int(token[16:]):016x}"))


def _offset(asked: "Asked") -> int:
    token = asked.one("pageToken")
    return int(token) if token.startswith("0") and token.isdigit() else 0


def _arrivals(asked: "Asked") -> None:
    for _ in range(asked.effect("arrive") or 0):
        asked.user.deliver(subject="Arrived between two pages")


def get_message(asked: "Asked") -> dict[str, Any]:
    """One message in one format."""
    user = asked.user
    if asked.effect("vanish") and asked.id in user.messages:
        user.delete(asked.id)
    message = find_message(asked)
    form = asked.one("format", "full").lower()
    if form in {"raw", "full"} and not set(asked.scopes) - {METADATA}:
        raise ApiError(403, f"Metadata scope doesn't allow format {form.upper()}", "forbidden", "PERMISSION_DENIED")
    match form:
        case "raw":
            return message.raw(asked.effect("raw"))
        case "minimal":
            return message.minimal()
        case "metadata":
            return message.metadata(asked.arguments.get("metadataHeaders", []))
        case "full":
            return message.full()
    raise invalid(f"Invalid value at 'format' (type.googleapis.com/google.apps.gmail.v1.MessageFormat), {form!r}")


def find_message(asked: "Asked") -> StoredMessage:
    """The message whose id the path has."""
    if not re.fullmatch(r"[0-9a-f]{1,16}", asked.id):
        raise invalid("Invalid id value")
    message = asked.user.messages.get(asked.id)
    if message is None:
        raise not_found()
    return message


def get_attachment(asked: "Asked") -> dict[str, Any]:
    """The bytes of a part; its id is good for as long as nobody asks for the message again."""
    message = find_message(asked)
    content = message.attachments.get(asked.request.path.rsplit("/", 1)[1])
    if content is None:
        raise invalid("Invalid attachment token")
    return {"size": len(content), "data": base64url(content)}


def get_thread(asked: "Asked") -> dict[str, Any]:
    """A conversation with its messages, oldest first."""
    members = sorted(
        (m for m in asked.user.messages.values() if m.thread_id == asked.id), key=lambda m: m.internal_date
    )
    if not members:
        raise not_found()
    form = asked.one("format", "full").lower()
    shown = [
        m.minimal()
        if form == "minimal"
        else m.metadata(asked.arguments.get("metadataHeaders", []))
        if form == "metadata"
        else m.full()
        for m in members
    ]
    return {"id": asked.id, "historyId": str(max(m.history_id for m in members)), "messages": shown}


def list_history(asked: "Asked") -> dict[str, Any] | str:
    """Records after a history id, oldest first."""
    user, gmail = asked.user, asked.gmail
    given = asked.one("startHistoryId")
    if not given.isdigit():
        raise invalid("Missing/invalid parameter: startHistoryId" if not given else "Invalid startHistoryId")
    now = gmail.clock.milliseconds()
    oldest = now - int(gmail.history_days * 86_400_000)
    if asked.effect("expired") or not user.history.is_valid(int(given), oldest):
        raise not_found()
    kinds = asked.arguments.get("historyTypes", [])
    if set(kinds) - set(KINDS):
        raise invalid(f"Invalid value at 'history_types': {', '.join(sorted(set(kinds) - set(KINDS)))}")
    size = _size(asked, 500)
    token = asked.one("pageToken")
    if token and not token.isdigit():
        raise invalid("Invalid pageToken")
    position = user.history.after(int(token) if token else int(given))
    answer: dict[str, Any] = {"historyId": str(user.history.current(now))}
    if asked.effect("empty_page"):
        return {**answer, "nextPageToken": token or given}
    if asked.effect("replay") and token:
        position = max(0, position - 1)
    found: list[str] = []
    last = int(token) if token else int(given)
    for record in islice(user.history.records, position, None):
        if len(found) == size:
            answer["nextPageToken"] = str(last)
            break
        shown = record.of(kinds, asked.one("labelId"))
        last = record.id
        if shown:
            found.append(shown)
    _arrivals(asked)
    # Records are kept as JSON, because a page of 500 takes milliseconds to write anew.
    return f'{json.dumps(answer)[:-1]}, "history": [{", ".join(found)}]}}' if found else answer


def list_labels(asked: "Asked") -> dict[str, Any]:
    """System labels and the user's own."""
    return {"labels": [_label(asked, label_id) for label_id in [*SYSTEM_LABELS, *asked.user.labels]]}


def get_label(asked: "Asked") -> dict[str, Any]:
    """A label with its counts."""
    if asked.id not in asked.user.label_ids():
        raise not_found()
    having = [m for m in asked.user.messages.values() if asked.id in m.labels]
    unread = [m for m in having if "UNREAD" in m.labels]
    return {
        **_label(asked, asked.id),
        "messagesTotal": len(having),
        "messagesUnread": len(unread),
        "threadsTotal": len({m.thread_id for m in having}),
        "threadsUnread": len({m.thread_id for m in unread}),
    }


def _label(asked: "Asked", label_id: str) -> dict[str, Any]:
    if label_id in asked.user.labels:
        return {
            "id": label_id,
            "name": asked.user.labels[label_id],
            "messageListVisibility": "show",
            "labelListVisibility": "labelShow",
            "type": "user",
        }
    return {"id": label_id, "name": label_id, "type": "system"}


def _size(asked: "Asked", most: int) -> int:
    given = asked.one("maxResults")
    if given and not given.isdigit():
        raise invalid("Invalid value at 'max_results'")
    return min(int(given), most) if given and int(given) else 100
