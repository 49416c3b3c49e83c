"""What history a message needs, and which computed messages a late one changes.

Both rules follow from what `history_features` counts, and are kept honest by a test: whatever the order in which mail
arrives, computing each batch and what it affects gives the same as computing everything at once.
"""

from collections.abc import Collection

import polars as pl

from rl_emails_assets.signals.keys import ordered, sent_by_owner

KEY_SCHEMA: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "key": pl.String(),
    "after_at": pl.Datetime("us", "UTC"),
    "after_id": pl.String(),
}
"""One row says: every message of that contact, domain or thread later than (after_at, after_id) is affected."""


def history_of(mail: pl.DataFrame, wanted: Collection[str], owner_addresses: Collection[str]) -> pl.DataFrame:
    """The rows of `mail` that the features of the wanted messages depend on.

    They are: the wanted messages; every message from their senders and their senders' domains (a public mail host's
    users: from the address alone); the owner's messages to those senders; and the conversations of all of these
    messages from others, because the owner's answers to them are found there. A caller that selects them in SQL may
    select more, never less.
    """
    frame = ordered(mail, owner_addresses)
    rows = frame.filter(pl.col("message_id").is_in(list(wanted)))
    domains = rows["domain"].drop_nulls().unique().to_list()
    senders = rows["sender"].drop_nulls().unique().to_list()
    related = frame.filter(pl.col("domain").is_in(domains))  # a sender's messages are all of one domain key
    threads = pl.concat([rows["thread_id"], related["thread_id"]]).unique().to_list()
    sent = sent_by_owner(frame, owner_addresses).filter(pl.col("address").is_in(senders))
    needed = frame.filter(pl.col("thread_id").is_in(threads) | pl.col("seq").is_in(sent["seq"].unique().to_list()))
    return mail.filter(pl.col("message_id").is_in(needed["message_id"].to_list()))


def affected_keys(
    changed: Collection[str], conversations: pl.DataFrame, owner_addresses: Collection[str]
) -> pl.DataFrame:
    """After which place each contact, domain and thread has to be computed again.

    Args:
        changed: Ids of messages that are new, removed, or moved to another conversation. For a move, call once with
            the rows as they were and once as they are.
        conversations: The changed messages and all others of their conversations, as in `keys.HISTORY_SCHEMA`.
        owner_addresses: The addresses that are the owner's.

    Returns:
        KEY_SCHEMA rows, the earliest place of each key. A contact's key is its address and stands for the messages
        *from* it; a domain's key stands for the messages from that host, and is never a public mail host.
    """
    frame = ordered(conversations, owner_addresses).with_columns(
        pl.col("message_id").is_in(list(changed)).alias("is_changed")
    )
    rows = frame.filter("is_changed")
    places = frame.select("seq", after_at="received_at", after_id="message_id")
    sent = sent_by_owner(rows, owner_addresses).select("seq", sender="address")
    # An owner's message may answer whatever others had written in its conversation, and so count for their senders.
    answers = (
        rows.filter("is_from_owner")
        .group_by("thread_id")
        .agg(pl.col("seq").min().alias("answer_seq"))
        .join(frame.filter(pl.col("sender").is_not_null()).drop("seq"), on="thread_id")
        .select("sender", "domain", seq="answer_seq")
    )
    contacts = pl.concat(
        [rows.select("seq", key="sender"), sent.select("seq", key="sender"), answers.select("seq", key="sender")]
    )
    domains = pl.concat([rows.select("seq", "sender", key="domain"), answers.select("seq", "sender", key="domain")])
    keys = pl.concat(
        [
            contacts.select("seq", "key", kind=pl.lit("contact")),
            domains.filter(pl.col("key") != pl.col("sender")).select("seq", "key", kind=pl.lit("domain")),
            rows.select("seq", key="thread_id", kind=pl.lit("thread")),
        ]
    )
    return (
        keys.filter(pl.col("key").is_not_null())
        .group_by("kind", "key")
        .agg(pl.col("seq").min())
        .join(places, on="seq")
        .sort("kind", "key")
        .select(pl.col(name).cast(dtype) for name, dtype in KEY_SCHEMA.items())
    )


def affected(keys: pl.DataFrame, computed: pl.DataFrame, owner_addresses: Collection[str]) -> set[str]:
    """Ids of the computed messages that `keys` (from `affected_keys`) make outdated.

    This is the rule that a caller applies in SQL: a message is affected when its sender, its sender's domain or its
    thread is a key, and it is later than the key's place in the order of (received_at, message_id).
    """
    rows = ordered(computed, owner_addresses).select("message_id", "received_at", "sender", "domain", "thread_id")
    columns = {"contact": "sender", "domain": "domain", "thread": "thread_id"}
    found: set[str] = set()
    for kind, column in columns.items():
        later = (
            rows.join(keys.filter(pl.col("kind") == kind), left_on=column, right_on="key")
            .filter(
                (pl.col("received_at") > pl.col("after_at"))
                | ((pl.col("received_at") == pl.col("after_at")) & (pl.col("message_id") > pl.col("after_id")))
            )
            .get_column("message_id")
        )
        found.update(later.to_list())
    return found
