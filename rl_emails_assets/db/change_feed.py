"""The change feed's triggers, for migrations to call: what the API answers with is logged in app.changes when written.

A statement's trigger writes one row per object that the statement touched, with the number of its transaction; a second
statement of the same transaction adds nothing. The rows of two transactions never meet in an index entry, so that no
writer ever waits for another because of the feed. Readers read up to the oldest transaction that still runs: whatever
has a smaller number is committed or gone, so nothing can appear behind them (decision 0028).
"""

from collections.abc import Callable, Mapping
from typing import Literal

CHANNEL = "rl_emails_changes"
"""NOTIFY's channel: `<mailbox id> <transaction id>`, once per mailbox and transaction, at its commit."""

Kind = Literal["message", "thread", "task", "mailbox", "project"]

FUNCTIONS = (
    # Definer's rights, because the API's role may only read the feed.
    f"""
    create function app.log_changes() returns trigger
    language plpgsql security definer set search_path = '' as $$
    declare
        source text := 'changed';
        logged bigint := 0;
        added bigint;
    begin
        if not exists (select from changed) then
            return null;
        end if;
        if tg_op = 'UPDATE' then
            -- What a row was about before, too: a message leaves one conversation and enters another.
            source := '(select * from changed union all select * from previous) as changed';
            if tg_argv[0] <> '' then
                -- A mark that the row is to be computed again changes no answer.
                source := format(
                    '(select now.* from changed as now join previous as before using (%1$I) '
                    'where now.is_stale = before.is_stale '
                    'union all select before.* from changed as now join previous as before using (%1$I) '
                    'where now.is_stale = before.is_stale) as changed',
                    tg_argv[0]
                );
            end if;
        end if;
        for n in 1 .. tg_nargs - 2 by 2 loop
            execute format(
                'insert into app.changes (mailbox_id, kind, object_id, transaction_id) '
                'select distinct logged.mailbox_id, %L, logged.object_id, '
                'pg_catalog.pg_current_xact_id()::text::bigint '
                'from (select changed.mailbox_id, %s as object_id from %s) as logged '
                -- Its mailbox may be on its way out: then there is nobody to tell.
                'join mailboxes.connections using (mailbox_id) '
                'where logged.object_id is not null '
                'on conflict do nothing',
                tg_argv[n], tg_argv[n + 1], source
            );
            get diagnostics added = row_count;
            logged := logged + added;
        end loop;
        if logged > 0 then
            perform pg_catalog.pg_notify('{CHANNEL}', mailbox_id || ' ' || pg_catalog.pg_current_xact_id())
            from (select distinct mailbox_id from changed) as told;
        end if;
        return null;
    end
    $$
    """,  # noqa: S608 - names of ours
    f"""
    create function app.forget_changes() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
        delete from app.changes where mailbox_id in (select mailbox_id from changed);
        perform pg_catalog.pg_notify('{CHANNEL}', mailbox_id || ' ' || pg_catalog.pg_current_xact_id()) from changed;
        return null;
    end
    $$
    """,  # noqa: S608 - names of ours
)

_OF_TASK = "(select task.message_id from entities.tasks as task where task.task_id = changed.task_id)"
_IF_PARSED = "(select parsed.message_id from mail.messages as parsed where parsed.message_id = changed.message_id)"

FOLLOWED: Mapping[str, tuple[str, Mapping[Kind, str]]] = {
    "mail.messages": ("message_id", {"message": "changed.message_id", "thread": "changed.thread_id"}),
    # Before its message is parsed nobody can have been told of it.
    "raw.labels": ("", {"message": _IF_PARSED}),
    "classifications.messages": ("message_id", {"message": "changed.message_id"}),
    "priorities.messages": ("message_id", {"message": "changed.message_id"}),
    "app.message_states": ("", {"message": "changed.message_id"}),
    "app.feedback": ("", {"message": "changed.message_id"}),
    "mail.threads": ("thread_id", {"thread": "changed.thread_id"}),
    "priorities.threads": ("thread_id", {"thread": "changed.thread_id"}),
    "entities.project_threads": ("", {"thread": "changed.thread_id", "project": "changed.project_id"}),
    "entities.projects": ("project_id", {"project": "changed.project_id"}),
    "entities.tasks": ("task_id", {"task": "changed.task_id", "message": "changed.message_id"}),
    "entities.task_progress": ("task_id", {"task": "changed.task_id", "message": _OF_TASK}),
    "app.task_states": ("", {"task": "changed.task_id", "message": _OF_TASK}),
    "app.notices": ("", {"mailbox": "changed.mailbox_id"}),
    "mailboxes.aliases": ("", {"mailbox": "changed.mailbox_id"}),
    "mailboxes.watches": ("", {"mailbox": "changed.mailbox_id"}),
}
"""Of each table: the key by which rows marked stale are told from changed ones ('' where there is no such mark), and
what a row of it is about."""


def follow(execute: Callable[[str], object], table: str, key: str, kinds: Mapping[Kind, str]) -> None:
    """Log changes of `table` (`schema.name`): for each kind the id, as an expression on the row `changed`.

    `key` is the column by which an update's rows are compared when they have `is_stale`, else ''. The table needs
    `mailbox_id`. Undone by dropping the three triggers, or the table.
    """
    arguments = ", ".join(f"'{each}'" for each in (key, *(part for pair in kinds.items() for part in pair)))
    for event, rows in (
        ("insert", "new table as changed"),
        ("update", "old table as previous new table as changed"),
        ("delete", "old table as changed"),
    ):
        execute(
            f"create trigger log_changes_{event} after {event} on {table} referencing {rows} "
            f"for each statement execute function app.log_changes({arguments})"
        )


def unfollow(execute: Callable[[str], object], table: str) -> None:
    """Undo `follow`, for a migration's way down."""
    for event in ("insert", "update", "delete"):
        execute(f"drop trigger log_changes_{event} on {table}")


def install(execute: Callable[[str], object]) -> None:
    """The functions and every trigger."""
    for statement in FUNCTIONS:
        execute(statement)
    for table, (key, kinds) in FOLLOWED.items():
        follow(execute, table, key, kinds)
    for event in ("insert", "update"):
        previous = "old table as previous " if event == "update" else ""
        execute(
            f"create trigger log_changes_{event} after {event} on mailboxes.connections "
            f"referencing {previous}new table as changed for each statement "
            "execute function app.log_changes('', 'mailbox', 'changed.mailbox_id')"
        )
    execute(
        "create trigger forget_changes after delete on mailboxes.connections referencing old table as changed "
        "for each statement execute function app.forget_changes()"
    )


def uninstall(execute: Callable[[str], object]) -> None:
    """Undo `install`."""
    for table in FOLLOWED:
        unfollow(execute, table)
    for name in ("log_changes_insert", "log_changes_update", "forget_changes"):
        execute(f"drop trigger {name} on mailboxes.connections")
    execute("drop function app.log_changes()")
    execute("drop function app.forget_changes()")
