"""The Gmail API's methods that change a mailbox or its watch. Each runs under the stand-in's lock."""

import email
import re
from email.utils import getaddresses, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tests.gmail.standin.messages import UNSETTABLE_LABELS, StoredMessage, from_base64url
from tests.gmail.standin.reading import find_message
from tests.gmail.standin.replies import ApiError, invalid, not_found
from tests.gmail.standin.users import Watch

if TYPE_CHECKING:
    from tests.gmail.standin.api import Asked

WATCH_MS = 7 * 86_400_000


def watch(asked: "Asked") -> dict[str, Any]:
    """Promises to publish for seven days; a test message goes to the topic at once."""
    gmail, user, body = asked.gmail, asked.user, asked.request.json()
    topic = str(body.get("topicName", ""))
    if not re.fullmatch(r"projects/[^/]+/topics/[^/]+", topic):
        raise invalid("Invalid topicName does not match projects/" + gmail.project + "/topics/*")
    if topic != gmail.topic:
        raise ApiError(
            403,
            f"Error sending test message to Cloud PubSub {topic} : User not authorized to perform this action.",
            "forbidden",
            "PERMISSION_DENIED",
        )
    now = gmail.clock.milliseconds()
    excludes = "exclude" in {
        str(body.get("labelFilterAction", "")).lower(),
        str(body.get("labelFilterBehavior", "")).lower(),
    }
    history_id = user.history.current(now)
    user.watch = Watch(topic, tuple(body.get("labelIds", [])), excludes, now + WATCH_MS)
    gmail.pubsub.watched(user, history_id)
    return {"historyId": str(history_id), "expiration": str(user.watch.expires_at)}


def stop(asked: "Asked") -> None:
    """Ends the watch, if there is one."""
    asked.user.watch = None


def create_label(asked: "Asked") -> dict[str, Any]:
    """A label of the user's own."""
    name = str(asked.request.json().get("name", "")).strip()
    if not name:
        raise invalid("Invalid label name")
    if name.lower() in {existing.lower() for existing in asked.user.labels.values()}:
        raise ApiError(409, "Label name exists or conflicts", "aborted", "ABORTED")
    return {"id": asked.user.make_label(name), "name": name, "type": "user"}


def delete_label(asked: "Asked") -> None:
    """Takes a label away from everywhere."""
    if asked.id not in asked.user.labels:
        raise not_found()
    asked.user.drop_label(asked.id)


def modify(asked: "Asked") -> dict[str, Any]:
    """Changes labels of a message."""
    message = find_message(asked)
    add, remove = _label_changes(asked)
    asked.user.relabel(message.id, add, remove)
    return _short(message)


def batch_modify(asked: "Asked") -> None:
    """Changes labels of up to 1,000 messages; ids that are gone are passed over."""
    ids = _ids(asked)
    add, remove = _label_changes(asked)
    asked.user.relabel([message_id for message_id in ids if message_id in asked.user.messages], add, remove)


def batch_delete(asked: "Asked") -> None:
    """Deletes up to 1,000 messages for good."""
    there = [message_id for message_id in _ids(asked) if message_id in asked.user.messages]
    if there:
        asked.user.delete(*there)


def delete(asked: "Asked") -> None:
    """Deletes for good."""
    asked.user.delete(find_message(asked).id)


def trash(asked: "Asked") -> dict[str, Any]:
    """Moves to the bin."""
    message = find_message(asked)
    asked.user.trash(message.id)
    return _short(message)


def untrash(asked: "Asked") -> dict[str, Any]:
    """Takes out of the bin."""
    message = find_message(asked)
    asked.user.untrash(message.id)
    return _short(message)


def insert(asked: "Asked") -> dict[str, Any]:
    """Puts a message into the mailbox without sending or checking it."""
    return _put(asked, by_date="dateHeader" in asked.one("internalDateSource"))


def import_message(asked: "Asked") -> dict[str, Any]:
    """Takes a message in as if it had come by SMTP; dated by its header unless asked otherwise."""
    return _put(asked, by_date=asked.one("internalDateSource", "dateHeader") == "dateHeader")


def send(asked: "Asked") -> dict[str, Any]:
    """Sends: a copy stays here, and users of the stand-in get theirs."""
    rfc822, body = _upload(asked)
    parsed = email.message_from_bytes(rfc822)
    recipients = {
        address.lower()
        for _, address in getaddresses(
            [*parsed.get_all("To", []), *parsed.get_all("Cc", []), *parsed.get_all("Bcc", [])]
        )
    }
    if not recipients:
        raise invalid("Recipient address required")
    if not parsed.get("Message-ID"):
        made = f"<CA{asked.gmail.rng.getrandbits(120):030x}@mail.gmail.com>"
        rfc822 = f"Message-ID: {made}\r\n".encode() + rfc822
    thread_id = body.get("threadId")
    message_id = asked.user.deliver(rfc822, labels=["SENT"], thread_id=thread_id)
    for address in sorted(recipients):
        if address in asked.gmail.users and address != asked.user.address:
            asked.gmail.users[address].deliver(rfc822)
    return _short(asked.user.messages[message_id])


def _put(asked: "Asked", *, by_date: bool) -> dict[str, Any]:
    rfc822, body = _upload(asked)
    at = None
    if by_date:
        try:
            at = parsedate_to_datetime(str(email.message_from_bytes(rfc822).get("Date", "")))
        except ValueError:
            at = None
    labels = [str(label) for label in body.get("labelIds", [])]
    _check_labels(asked, labels, settable=False)
    message_id = asked.user.deliver(rfc822, labels=labels, at=at, thread_id=body.get("threadId"))
    return _short(asked.user.messages[message_id])


def _upload(asked: "Asked") -> tuple[bytes, dict[str, Any]]:
    """The message's bytes and the rest of the resource: as JSON, as media, or as both in a multipart upload."""
    kind = asked.request.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        upload = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + asked.request.body)
        meta, media = upload.get_payload()  # type: ignore[misc]
        body = asked.request.__class__("POST", "", "", {}, meta.get_payload(decode=True)).json()  # type: ignore[union-attr]
        inner = media.get_payload()  # type: ignore[union-attr]
        return (inner[0].as_bytes() if isinstance(inner, list) else media.get_payload(decode=True)), body  # type: ignore[union-attr]
    if kind.startswith("message/"):
        return asked.request.body, {}
    body = asked.request.json()
    if not body.get("raw"):
        raise invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    try:
        return from_base64url(str(body["raw"])), body
    except ValueError as error:
        raise invalid("Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed") from error


def _ids(asked: "Asked") -> list[str]:
    ids = asked.request.json().get("ids", [])
    if not ids or len(ids) > 1000:
        raise invalid("Too many message ids" if ids else "No message ids specified")
    return [str(message_id) for message_id in ids]


def _label_changes(asked: "Asked") -> tuple[list[str], list[str]]:
    body = asked.request.json()
    add = [str(label) for label in body.get("addLabelIds", [])]
    remove = [str(label) for label in body.get("removeLabelIds", [])]
    if not add and not remove:
        raise invalid("No label add or removes specified")
    _check_labels(asked, [*add, *remove], settable=True)
    return add, remove


def _check_labels(asked: "Asked", labels: list[str], *, settable: bool) -> None:
    for label in labels:
        if label not in asked.user.label_ids() or (settable and label in UNSETTABLE_LABELS):
            raise invalid(f"Invalid label: {label}")


def _short(message: StoredMessage) -> dict[str, Any]:
    return {"id": message.id, "threadId": message.thread_id, "labelIds": sorted(message.labels)}
