"""SQL of search: full text and vectors, each bounded, fused by reciprocal rank.

Reciprocal rank fusion with k = 60: Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion Outperforms Condorcet and
Individual Rank Learning Methods", SIGIR 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from rl_emails_api.visibility import UNWANTED_LABELS
from rl_emails_assets.db.tables.mail import SEARCH_CONFIGURATION

# Delimiters of a match inside a snippet. They are taken out of the mail's own text first.
MATCH_START, MATCH_STOP = "\x02", "\x03"


@dataclass(frozen=True, slots=True)
class QueryVector:
    """The query as a vector, and which stored vectors it may be compared with."""

    values: Sequence[float]
    model: str
    precision: str


# `asked` is what was typed; `typed_on` also takes its last word as the beginning of one, for a search while typing.
# A word that is in half of all mail would cost seconds to rank, so the newest 5,000 matches are ranked. The nearest 200
# vectors are found exactly; beyond a cosine of 0.3 MiniLM's neighbours are about something else.
_SEARCH = text(
    """
    with asked as (
        select websearch_to_tsquery(cast(:configuration as regconfig), :query)
            || case
                when cast(:last_word as text) is null then cast('' as tsquery)
                else websearch_to_tsquery(cast(:configuration as regconfig), :head)
                    && to_tsquery(cast(:configuration as regconfig), cast(:last_word as text) || ':*')
            end as query
    ),
    matched as (
        select message.message_id, message.received_at, ts_rank_cd(message.search, asked.query) as weight
        from asked
        cross join lateral (
            select message_id, received_at, search
            from mail.messages
            where mailbox_id = :mailbox_id and duplicate_of is null and search @@ asked.query
            order by received_at desc
            limit 5000
        ) as message
    ),
    by_words as (
        select message_id, row_number() over (order by weight desc, received_at desc, message_id) as place
        from matched
        order by place
        limit 200
    ),
    nearest as (
        select message_id, vector <=> cast(:vector as halfvec) as distance
        from embeddings.messages
        where mailbox_id = :mailbox_id
            and model = :model
            and precision = :precision
            and cast(:vector as halfvec) is not null
        order by distance
        limit 200
    ),
    by_meaning as (
        select message_id, row_number() over (order by distance, message_id) as place
        from nearest
        where distance <= 0.7
    ),
    fused as (
        select
            message_id,
            coalesce(1.0 / (60 + by_words.place), 0) + coalesce(1.0 / (60 + by_meaning.place), 0) as score,
            by_words.place is not null as has_words,
            by_meaning.place is not null as has_meaning
        from by_words
        full join by_meaning using (message_id)
    ),
    best as (
        select fused.*
        from fused
        join mail.messages as message using (message_id)
        where message.mailbox_id = :mailbox_id
            and message.duplicate_of is null
            and not exists (
                select from raw.labels as label
                where label.message_id = fused.message_id
                    and label.mailbox_id = :mailbox_id
                    and label.label = any(:unwanted_labels)
            )
        order by fused.score desc, message.received_at desc, message_id desc
        limit :limit
    )
    select
        message_id,
        message.thread_id,
        message.from_name,
        message.from_address,
        message.subject,
        message.received_at,
        cast(best.score as float8) as score,
        best.has_words,
        best.has_meaning,
        ranked.score as priority,
        verdict.category,
        verdict.needs,
        ts_headline(
            cast(:configuration as regconfig),
            translate(left(message.new_text, 20000), :delimiters, ''),
            asked.query,
            :headline_options
        ) as snippet
    from best
    join mail.messages as message using (message_id)
    cross join asked
    left join priorities.messages as ranked using (message_id)
    left join classifications.messages as verdict using (message_id)
    where message.mailbox_id = :mailbox_id
    order by best.score desc, message.received_at desc, message_id desc
    """
)


def found(
    connection: Connection,
    mailbox_id: UUID,
    query: str,
    *,
    vector: QueryVector | None,
    limit: int,
    is_typing: bool,
) -> Sequence[RowMapping]:
    """The best matches, without folder copies, trash and spam."""
    head, _, last = query.rpartition(" ")
    last_word = last.lower() if is_typing and len(last) >= 2 and last.isalnum() and '"' not in query else None
    parameters: dict[str, Any] = {
        "configuration": SEARCH_CONFIGURATION,
        "query": query,
        "head": head,
        "last_word": last_word,
        "mailbox_id": mailbox_id,
        "vector": None if vector is None else "[" + ",".join(f"{value:.6g}" for value in vector.values) + "]",
        "model": vector.model if vector else "",
        "precision": vector.precision if vector else "",
        "unwanted_labels": list(UNWANTED_LABELS),
        "limit": limit,
        "delimiters": MATCH_START + MATCH_STOP,
        "headline_options": f"StartSel={MATCH_START}, StopSel={MATCH_STOP}, MaxWords=30, MinWords=15, MaxFragments=1",
    }
    return connection.execute(_SEARCH, parameters).mappings().all()
