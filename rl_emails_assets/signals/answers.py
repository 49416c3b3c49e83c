"""Which messages the owner answered, and when.

An answer is a message of the owner, later in the same conversation, that names the message in In-Reply-To. Where the
owner's message has no In-Reply-To (old mail programs, exported mail), it answers what its recipients had written in the
conversation before it. The first answer counts.
"""

from collections.abc import Collection

import polars as pl

from rl_emails_assets.signals.keys import sent_by_owner

HOURS_OF_US = 1 / 3.6e9
"""To multiply with: polars divides a long column and a single value in two ways that differ in the last bit, and a
value must not depend on how many others are computed with it."""

MEDIAN_ANSWERS = 100
"""A contact's median reply time is taken over this many latest answers: it stays current, and bounded in cost."""


def answered(frame: pl.DataFrame, owner_addresses: Collection[str]) -> pl.DataFrame:
    """The messages that the owner answered, in the order of the answers.

    Args:
        frame: As `keys.ordered` makes it.
        owner_addresses: The addresses that are the owner's.

    Returns:
        `seq`, `sender` and `domain` of the message, `answer_seq` of its first answer, and the `hours` between them.
    """
    received = frame.lazy().filter(pl.col("sender").is_not_null())
    named = frame.lazy().filter("is_from_owner", pl.col("in_reply_to") != "")
    unnamed = sent_by_owner(frame, owner_addresses).lazy().filter(pl.col("in_reply_to") == "")
    # As-of joins find the first answer in one pass; a plain join on a repeated Message-ID would be quadratic.
    return (
        received.join_asof(
            named.select("thread_id", rfc822_message_id="in_reply_to", named_seq="seq", named_at="received_at"),
            left_on="seq",
            right_on="named_seq",
            by=["thread_id", "rfc822_message_id"],
            strategy="forward",
            check_sortedness=False,
            coalesce=False,
        )
        .join_asof(
            unnamed.select("thread_id", sender="address", unnamed_seq="seq", unnamed_at="received_at"),
            left_on="seq",
            right_on="unnamed_seq",
            by=["thread_id", "sender"],
            strategy="forward",
            check_sortedness=False,
            coalesce=False,
        )
        .select(
            "seq",
            "sender",
            "domain",
            answer_seq=pl.min_horizontal("named_seq", "unnamed_seq"),
            hours=(pl.min_horizontal("named_at", "unnamed_at") - pl.col("received_at")).dt.total_microseconds()
            * HOURS_OF_US,
        )
        .filter(pl.col("answer_seq").is_not_null())
        .sort("answer_seq", "seq")
        .collect()
    )


def running_median(key: str) -> pl.Expr:
    """Median of `hours` over the latest answers up to each row, for each value of `key`; rows in order of answers."""
    return pl.col("hours").rolling_median(MEDIAN_ANSWERS, min_samples=1).over(key)
