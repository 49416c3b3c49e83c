"""A search from what was typed to what is answered, for whoever asks: the API, and `rl-emails search`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import Connection, RowMapping

from rl_emails_api.pagination import decode_cursor, encode_cursor
from rl_emails_api.search import queries, snippets
from rl_emails_api.search.query_encoder import QueryEncoder
from rl_emails_api.search.query_language import Reading, parse
from rl_emails_api.search.query_tree import InField, Node, asked_for, free_words, wants_unwanted
from rl_emails_api.search.schemas import Found, SearchResult, Snippet
from rl_emails_api.search.zones import named_zone, zone_of_date

_RANKED: TypeAdapter[tuple[AwareDatetime, int, UUID]] = TypeAdapter(tuple[AwareDatetime, int, UUID])
_DATED: TypeAdapter[tuple[AwareDatetime, UUID]] = TypeAdapter(tuple[AwareDatetime, UUID])
_HAS_DATES = re.compile(r"(?:before|after|on|older|newer):", re.IGNORECASE)


def answer(
    connection: Connection,
    mailbox_id: UUID,
    q: str,
    encoder: QueryEncoder,
    *,
    limit: int,
    cursor: str | None = None,
    is_typing: bool = False,
    zone: str | None = None,
) -> SearchResult:
    """One page of what `q` finds in a mailbox. Raises a 422 problem for a cursor that no page gave."""
    notes: list[str] = []
    reading = Reading(datetime.now(UTC), _zone(connection, mailbox_id, q, zone, notes), is_typing=is_typing)
    query = parse(q, reading)
    notes.extend(query.notes)
    vector: queries.QueryVector | None = None
    rows: Sequence[RowMapping] = []
    next_cursor: str | None = None
    matched_count: int | None = None
    words = free_words(query.tree)
    if query.tree is None:
        notes.append("There is nothing to search for: no word and no condition.")
    elif words:
        vector = encoder.vector(" ".join(word.text for word in words))
        rows, next_cursor = _ranked(connection, mailbox_id, query.tree, vector, cursor, limit)
        matched_count = rows[0]["matched_count"] if rows else 0
    else:
        rows, next_cursor = _dated(connection, mailbox_id, query.tree, cursor, limit)
    if unfilled := queries.unfilled_count(connection, mailbox_id):
        notes.append(f"{unfilled} messages cannot be found yet; the next sync makes them ready.")
    is_by_meaning = bool(words) and vector is not None
    return SearchResult(
        query=q,
        items=_items(connection, rows, query.tree),
        next_cursor=next_cursor,
        matched_count=matched_count,
        notes=notes,
        is_by_meaning=is_by_meaning,
        why_not=encoder.why_not if words and not is_by_meaning else "",
    )


def _zone(connection: Connection, mailbox_id: UUID, q: str, name: str | None, notes: list[str]) -> tzinfo:
    if name is not None:
        zone = named_zone(name)
        if zone is None:
            notes.append("The zone is not known here; dates are days in UTC.")
        return zone or UTC
    return zone_of_date(queries.own_date(connection, mailbox_id)) if _HAS_DATES.search(q) else UTC


def _ranked(
    connection: Connection,
    mailbox_id: UUID,
    tree: Node,
    vector: queries.QueryVector | None,
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[RowMapping], str | None]:
    key = decode_cursor(cursor, "search", _RANKED)
    rows = queries.found(
        connection,
        mailbox_id,
        tree,
        vector=vector,
        with_unwanted=wants_unwanted(tree),
        after=queries.RankedPlace(*key) if key else None,
        limit=limit + 1,
    )
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], encode_cursor("search", (last["as_of"], last["place"], last["message_id"]))


def _dated(
    connection: Connection, mailbox_id: UUID, tree: Node, cursor: str | None, limit: int
) -> tuple[Sequence[RowMapping], str | None]:
    rows = queries.listed(
        connection,
        mailbox_id,
        tree,
        with_unwanted=wants_unwanted(tree),
        before=decode_cursor(cursor, "search-date", _DATED),
        limit=limit + 1,
    )
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], encode_cursor("search-date", (last["received_at"], last["message_id"]))


def _items(connection: Connection, rows: Sequence[RowMapping], tree: Node | None) -> list[Found]:
    """The matches with their snippets; the words of all are stemmed in one question."""
    words = [(word.text, word.is_unfinished) for word in free_words(tree)]
    words += [
        (leaf.text, leaf.is_unfinished)
        for leaf in asked_for(tree)
        if isinstance(leaf, InField) and leaf.field == "subject"
    ]
    sought = snippets.Sought.of(words)
    hits = [snippets.candidates(row["body"], sought) for row in rows]
    seen = {word for each in hits for _, _, word in each}
    stems = queries.stems(connection, sorted(seen | sought.words | sought.beginnings)) if seen else {}
    is_hit = snippets.is_hit(sought, stems)
    items = []
    for row, candidates in zip(rows, hits, strict=True):
        made = snippets.snippet(row["body"], [hit for hit in candidates if is_hit(hit[2])], stems)
        items.append(Found.from_row(row, Snippet(text=made.text, matches=list(made.matches))))
    return items
