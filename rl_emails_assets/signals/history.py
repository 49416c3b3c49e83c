"""Features of a message's past: its sender, its sender's domain, and its conversation, as they were when it arrived.

Only strictly earlier messages count, in the order of (received_at, message_id); "had answered" counts answers that were
sent before the message arrived. Nothing that came later, and no message that shares neither contact, domain nor
conversation with it, can change a value. Cost is a sort and a handful of as-of joins, so it grows as n log n.
"""

from collections.abc import Collection

import polars as pl

from rl_emails_assets.signals.answers import HOURS_OF_US, answered, running_median
from rl_emails_assets.signals.keys import normalized, ordered, sent_by_owner

_DAYS_OF_US = HOURS_OF_US / 24

HISTORY_FEATURES: tuple[str, ...] = (
    "is_from_owner",
    "sender_received_count",
    "sender_replied_count",
    "sender_sent_count",
    "sender_days_since_received",
    "sender_days_since_sent",
    "sender_median_reply_hours",
    "domain_received_count",
    "domain_replied_count",
    "thread_earlier_count",
    "thread_owner_count",
    "is_reply_to_owner",
    "thread_hours_since_previous",
    "recipient_count",
    "is_owner_in_to",
    "is_owner_in_cc",
    "is_owner_only_recipient",
)
"""The columns that `history_features` adds to `message_id`, named as in the signals table."""


def history_features(
    history: pl.DataFrame, wanted: Collection[str] | None, owner_addresses: Collection[str]
) -> pl.DataFrame:
    """What was known of each wanted message's sender, domain and conversation when it arrived.

    Args:
        history: Rows as in `keys.HISTORY_SCHEMA`, each message once: the wanted messages and everything that
            `affected.history_of` selects for them. More (the whole mailbox, later mail) changes nothing.
        wanted: Ids of the messages to compute; None for all.
        owner_addresses: The addresses that are the owner's.

    Returns:
        `message_id` and HISTORY_FEATURES, in the order of the past. Messages of the owner, and messages without a
        sender, have no relationship features (0 and null).

    Raises:
        ValueError: A column is missing, or a message is there twice.
    """
    frame = ordered(history, owner_addresses)
    sent = sent_by_owner(frame, owner_addresses)
    result = _own(frame, normalized(owner_addresses))
    if wanted is not None:
        result = result.filter(pl.col("message_id").is_in(list(wanted)))
    result = _with_answers(result, answered(frame, owner_addresses))
    result = _with_sent(result, sent)
    result = _with_parent(result, frame, sent)
    return result.select(
        "message_id",
        *(
            pl.col(name).fill_null(0) if name.endswith("_count") else pl.col(name)  # measures stay null
            for name in HISTORY_FEATURES
        ),
    )


def _since(previous: str, unit_of_us: float) -> pl.Expr:
    return (pl.col("received_at") - pl.col(previous)).dt.total_microseconds() * unit_of_us


def _own(frame: pl.DataFrame, owners: list[str]) -> pl.DataFrame:
    """What running counts over the message's own sender, domain and conversation tell, and who it is addressed to."""
    earlier = pl.int_range(pl.len())
    is_received = pl.col("sender").is_not_null()
    owner_in = {name: pl.col(name).list.eval(pl.element().is_in(owners)).list.any() for name in ("to", "cc")}
    return frame.with_columns(
        pl.when(is_received).then(earlier.over("sender")).alias("sender_received_count"),
        pl.when(is_received).then(earlier.over("domain")).alias("domain_received_count"),
        pl.when(is_received).then(pl.col("received_at").shift(1).over("sender")).alias("sender_previous_at"),
        earlier.over("thread_id").alias("thread_earlier_count"),
        (pl.col("is_from_owner").cast(pl.Int64).cum_sum().over("thread_id") - pl.col("is_from_owner")).alias(
            "thread_owner_count"
        ),
        pl.col("received_at").shift(1).over("thread_id").alias("thread_previous_at"),
        pl.col("recipients").list.len().cast(pl.Int64).alias("recipient_count"),
        owner_in["to"].alias("is_owner_in_to"),
        owner_in["cc"].alias("is_owner_in_cc"),
    ).with_columns(
        _since("sender_previous_at", _DAYS_OF_US).alias("sender_days_since_received"),
        _since("thread_previous_at", HOURS_OF_US).alias("thread_hours_since_previous"),
        ((pl.col("recipient_count") == 1) & (pl.col("is_owner_in_to") | pl.col("is_owner_in_cc"))).alias(
            "is_owner_only_recipient"
        ),
    )


def _before(left: pl.DataFrame, right: pl.DataFrame, on: str, by: list[str]) -> pl.DataFrame:
    """Each left row with the last right row (by its column `on`) that is strictly before it."""
    return left.join_asof(
        right,
        left_on="seq",
        right_on=on,
        by=by,
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
        coalesce=False,
    )


def _with_answers(result: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    by_sender = answers.select(
        "sender",
        pl.col("answer_seq").alias("sender_answer_seq"),
        pl.int_range(1, pl.len() + 1).over("sender").alias("sender_replied_count"),
        running_median("sender").alias("sender_median_reply_hours"),
    )
    by_domain = answers.select(
        "domain",
        pl.col("answer_seq").alias("domain_answer_seq"),
        pl.int_range(1, pl.len() + 1).over("domain").alias("domain_replied_count"),
    )
    result = _before(result, by_sender, "sender_answer_seq", ["sender"])
    return _before(result, by_domain, "domain_answer_seq", ["domain"])


def _with_sent(result: pl.DataFrame, sent: pl.DataFrame) -> pl.DataFrame:
    to_sender = sent.select(
        sender="address",
        sent_seq="seq",
        sent_at="received_at",
        sender_sent_count=pl.int_range(1, pl.len() + 1).over("address"),
    )
    return _before(result, to_sender, "sent_seq", ["sender"]).with_columns(
        _since("sent_at", _DAYS_OF_US).alias("sender_days_since_sent")
    )


def _with_parent(result: pl.DataFrame, frame: pl.DataFrame, sent: pl.DataFrame) -> pl.DataFrame:
    """Whether the message answers the owner: by In-Reply-To, or without one because the owner had written to the
    sender in the conversation."""
    named = frame.filter("is_from_owner", pl.col("rfc822_message_id") != "").select(
        "thread_id", in_reply_to="rfc822_message_id", parent_seq="seq"
    )
    written = sent.select("thread_id", sender="address", written_seq="seq")
    result = _before(result, named, "parent_seq", ["thread_id", "in_reply_to"])
    result = _before(result, written, "written_seq", ["thread_id", "sender"])
    answers_owner = (
        pl.when(pl.col("in_reply_to") != "")
        .then(pl.col("parent_seq").is_not_null())
        .otherwise(pl.col("written_seq").is_not_null())
    )
    return result.with_columns((pl.col("sender").is_not_null() & answers_owner).alias("is_reply_to_owner"))
