"""SQL of search. The functions of the schema `search` find (migration 0009); rows are read here, as who asks may."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from rl_emails_api.search.query_tree import And, Node, as_json, conditions_of, free_words

BODY_CHARACTERS = 20_000
"""How much of a text is looked through for a snippet."""


@dataclass(frozen=True, slots=True)
class QueryVector:
    """The query as a vector, and which stored vectors it may be compared with."""

    values: Sequence[float]
    model: str
    precision: str


@dataclass(frozen=True, slots=True)
class RankedPlace:
    """A place in a ranked list: what could be found by then, how many came before, and which was the last of them."""

    as_of: datetime
    place: int
    message_id: UUID


DatedPlace = tuple[datetime, UUID]
"""When the last message of a page was received, and which it is."""

_COLUMNS = f"""
        message.message_id,
        message.thread_id,
        message.from_name,
        message.from_address,
        message.subject,
        message.received_at,
        left(coalesce(nullif(message.new_text, ''), message.text), {BODY_CHARACTERS}) as body,
        ranked.score as priority,
        verdict.category,
        verdict.needs
    from page
    join mail.messages as message using (message_id)
    left join priorities.messages as ranked using (message_id)
    left join classifications.messages as verdict using (message_id)
    where message.mailbox_id = :mailbox_id
"""

# What was removed since the last page moves no place: the list goes on behind the last message that was seen.
_FOUND = text(
    f"""
    with found as materialized (
        select
            message_id, score, has_words, has_meaning, matched_count,
            row_number() over (order by score desc, received_at desc, message_id desc) as place
        from search.found(
            :mailbox_id, :tree, :conditions, :ranking, :words, :vector, :model, :precision, :with_unwanted,
            coalesce(:as_of, now())
        )
    ),
    start as (
        select coalesce((select found.place from found where found.message_id = :after_id), :after_place) as place
    ),
    page as (
        select found.*
        from found
        cross join start
        where found.place > start.place
        order by found.place
        limit :limit
    )
    select
        page.score, page.has_words, page.has_meaning, page.matched_count, page.place,
        coalesce(:as_of, now()) as as_of,
        {_COLUMNS}
    order by page.place
    """  # noqa: S608 - both parts are ours
)
_LISTED = text(
    f"""
    with page as (
        select message_id
        from search.listed(:mailbox_id, :tree, :with_unwanted, :before_at, :before_id, :limit)
    )
    select
        cast(null as float8) as score, false as has_words, false as has_meaning, null as matched_count,
        {_COLUMNS}
    order by message.received_at desc, message.message_id desc
    """  # noqa: S608 - both parts are ours
)


def found(
    connection: Connection,
    mailbox_id: UUID,
    tree: Node,
    *,
    vector: QueryVector | None,
    with_unwanted: bool,
    after: RankedPlace | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The best matches of a query that has free words, after a place in the list."""
    words = free_words(tree)
    conditions = conditions_of(tree)
    parameters: dict[str, Any] = {
        "mailbox_id": mailbox_id,
        "tree": json.dumps(as_json(tree)),
        "conditions": None if conditions is None else json.dumps(as_json(conditions)),
        "ranking": json.dumps(as_json(And(tuple(words)))),
        "words": [each.text for each in words],
        "vector": None if vector is None else "[" + ",".join(f"{value:.6g}" for value in vector.values) + "]",
        "model": vector.model if vector else "",
        "precision": vector.precision if vector else "",
        "with_unwanted": with_unwanted,
        "as_of": after.as_of if after else None,
        "after_id": after.message_id if after else None,
        "after_place": after.place if after else 0,
        "limit": limit,
    }
    return connection.execute(_FOUND, parameters).mappings().all()


def listed(
    connection: Connection,
    mailbox_id: UUID,
    tree: Node,
    *,
    with_unwanted: bool,
    before: DatedPlace | None,
    limit: int,
) -> Sequence[RowMapping]:
    """What fulfils a query without free words, the newest first, before a place in time."""
    parameters: dict[str, Any] = {
        "mailbox_id": mailbox_id,
        "tree": json.dumps(as_json(tree)),
        "with_unwanted": with_unwanted,
        "before_at": before[0] if before else None,
        "before_id": before[1] if before else None,
        "limit": limit,
    }
    return connection.execute(_LISTED, parameters).mappings().all()


def stems(connection: Connection, words: Sequence[str]) -> dict[str, str]:
    """The stem of each word, as the search makes it."""
    query = text("select word, stem from search.stems(:words)")
    return {row.word: row.stem for row in connection.execute(query, {"words": list(words)})}


def unfilled_count(connection: Connection, mailbox_id: UUID) -> int:
    """Messages that cannot be found yet, because they were stored before search kept words."""
    count: int = connection.execute(
        text("select search.unfilled_count(:mailbox_id)"), {"mailbox_id": mailbox_id}
    ).scalar_one()
    return count


_OWN_DATE = text(
    """
    select newest.written
    from (
        select headers->>'date' as written, from_address, received_at
        from mail.messages
        where mailbox_id = :mailbox_id
        order by received_at desc
        limit 200
    ) as newest
    where newest.from_address in (
        select address from mailboxes.aliases where mailbox_id = :mailbox_id
        union all
        select address from mailboxes.connections where mailbox_id = :mailbox_id
    )
    order by newest.received_at desc
    limit 1
    """
)


def own_date(connection: Connection, mailbox_id: UUID) -> str:
    """The Date header of the last message that the owner wrote, '' when none of the newest 200 is theirs."""
    return connection.execute(_OWN_DATE, {"mailbox_id": mailbox_id}).scalar() or ""
