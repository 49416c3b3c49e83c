"""SQL of what is done with many messages at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from rl_emails_api.message_actions.schemas import Action


@dataclass(frozen=True, slots=True)
class _Change:
    """What an action sets in app.message_states, and for which rows (`state`) that is so already."""

    sets: Mapping[str, str]
    is_so: str


_UNTIL = "cast(:until as timestamptz)"
_CHANGES: dict[Action, _Change] = {
    "done": _Change({"done_at": "now()", "snoozed_until": "null"}, "state.done_at is not null"),
    "not_done": _Change({"done_at": "null"}, "state.done_at is null"),
    "read": _Change({"read_at": "now()"}, "state.read_at is not null"),
    "unread": _Change({"read_at": "null"}, "state.read_at is null"),
    "snooze": _Change(
        {"snoozed_until": _UNTIL, "done_at": "null"},
        f"state.done_at is null and state.snoozed_until is not distinct from {_UNTIL}",
    ),
    "unsnooze": _Change({"snoozed_until": "null"}, "state.snoozed_until is null"),
    "star": _Change({"starred_at": "now()"}, "state.starred_at is not null"),
    "unstar": _Change({"starred_at": "null"}, "state.starred_at is null"),
}

_KNOWN = text("select message_id from mail.messages where message_id = any(:message_ids)")


def _statement(change: _Change) -> str:
    # In order of the ids, so that two such statements never wait for one another in a circle; and only the action's own
    # columns, so that another action on the same message at the same time keeps its effect.
    return f"""
        insert into app.message_states (message_id, mailbox_id, {", ".join(change.sets)})
        select message.message_id, message.mailbox_id, {", ".join(change.sets.values())}
        from mail.messages as message
        left join app.message_states as state on state.message_id = message.message_id
        where message.message_id = any(:message_ids) and not ({change.is_so})
        order by message.message_id
        on conflict (message_id) do update set {", ".join(f"{name} = excluded.{name}" for name in change.sets)}
        returning message_id
    """  # noqa: S608 - the parts are written above


_STATEMENTS = {action: text(_statement(change)) for action, change in _CHANGES.items()}


def known(connection: Connection, message_ids: Collection[UUID]) -> set[UUID]:
    """Those of the messages that are there, in whichever mailbox the transaction may see."""
    return set(connection.execute(_KNOWN, {"message_ids": list(message_ids)}).scalars())


def act(connection: Connection, action: Action, message_ids: Collection[UUID], until: datetime | None) -> set[UUID]:
    """Do it. Returns the messages for which it changed something."""
    values = {"message_ids": list(message_ids)} | ({"until": until} if action == "snooze" else {})
    return set(connection.execute(_STATEMENTS[action], values).scalars())
