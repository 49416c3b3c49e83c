"""The owner's history with each address, as of the newest message."""

from collections.abc import Collection

import polars as pl

from rl_emails_assets.signals.answers import answered, running_median
from rl_emails_assets.signals.keys import ordered, sent_by_owner


def contact_history(
    history: pl.DataFrame, wanted: Collection[str] | None, owner_addresses: Collection[str]
) -> pl.DataFrame:
    """One row for each address that wrote to the owner or was written to by the owner.

    Args:
        history: Rows as in `keys.HISTORY_SCHEMA`: at least every message from and to the wanted addresses, with the
            whole of their conversations.
        wanted: The addresses to compute; None for all.
        owner_addresses: The addresses that are the owner's; they are no contacts.

    Returns:
        `address`, `received_count`, `sent_count`, `replied_count`, `median_reply_hours`, `last_received_at` and
        `last_sent_at`, as in the table signals.contacts, by address.

    Raises:
        ValueError: A column is missing, or a message is there twice.
    """
    frame = ordered(history, owner_addresses)
    received = (
        frame.filter(pl.col("sender").is_not_null())
        .group_by(address="sender")
        .agg(received_count=pl.len().cast(pl.Int64), last_received_at=pl.col("received_at").last())
    )
    sent = (
        sent_by_owner(frame, owner_addresses)
        .group_by("address")
        .agg(sent_count=pl.len().cast(pl.Int64), last_sent_at=pl.col("received_at").last())
    )
    answers = (
        answered(frame, owner_addresses)
        .with_columns(running_median("sender").alias("median"))
        .group_by(address="sender")
        .agg(replied_count=pl.len().cast(pl.Int64), median_reply_hours=pl.col("median").last())
    )
    result = received.join(sent, on="address", how="full", coalesce=True).join(answers, on="address", how="left")
    if wanted is not None:
        result = result.filter(pl.col("address").is_in(list(wanted)))
    return result.sort("address").select(
        "address",
        pl.col("received_count", "sent_count", "replied_count").fill_null(0),
        "median_reply_hours",
        "last_received_at",
        "last_sent_at",
    )
