"""What ties two messages together: the contact, the sender's domain, and the conversation.

Every history feature of a message is counted over earlier messages that share one of these keys with it, so the keys
also say which history has to be read (`history`) and which results a late message changes (`affected`).
"""

from collections.abc import Collection

import polars as pl

HISTORY_SCHEMA: dict[str, pl.DataType] = {
    "message_id": pl.String(),
    "thread_id": pl.String(),
    "rfc822_message_id": pl.String(),
    "in_reply_to": pl.String(),
    "received_at": pl.Datetime("us", "UTC"),
    "from_address": pl.String(),
    "to": pl.List(pl.String()),
    "cc": pl.List(pl.String()),
}
"""A compact row of one message, as `history_features` reads it. Addresses are lower case; absent text is ""."""

# Hosts where strangers share the domain, so that the domain says nothing about who is writing.
PUBLIC_MAIL_HOSTS: frozenset[str] = frozenset(
    {
        "aim.com", "aol.com", "att.net", "bellsouth.net", "bigpond.com", "bluewin.ch", "bt.com", "btinternet.com",
        "charter.net", "comcast.net", "cox.net", "duck.com", "earthlink.net", "fastmail.com", "fastmail.fm", "free.fr",
        "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com",
        "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr", "hotmail.it", "hushmail.com", "icloud.com",
        "juno.com", "laposte.net", "libero.it", "live.co.uk", "live.com", "live.fr", "live.nl", "mac.com", "mail.com",
        "mail.ru", "mailbox.org", "me.com", "msn.com", "naver.com", "netzero.net", "o2.pl", "optonline.net",
        "orange.fr",
        "outlook.com", "outlook.de", "outlook.fr", "pacbell.net", "pm.me", "posteo.de", "proton.me", "protonmail.ch",
        "protonmail.com", "qq.com", "rediffmail.com", "rocketmail.com", "rogers.com", "sbcglobal.net", "seznam.cz",
        "sfr.fr", "shaw.ca", "sympatico.ca", "t-online.de", "telus.net", "tiscali.it", "tuta.com", "tutanota.com",
        "verizon.net", "virgilio.it", "wanadoo.fr", "web.de", "wp.pl", "ya.ru", "yahoo.ca", "yahoo.co.in",
        "yahoo.co.jp",
        "yahoo.co.uk", "yahoo.com", "yahoo.com.au", "yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it",
        "yandex.com", "yandex.ru", "ymail.com", "zoho.com", "126.com", "163.com",
    }
)  # fmt: skip


def domain_key(address: str) -> str:
    """What stands for the sender's organization: the host of the address, or the whole address where the host is a
    public one or missing."""
    host = address.rpartition("@")[2]
    return address if not host or host == address or host in PUBLIC_MAIL_HOSTS else host


def domain_key_expr(address: pl.Expr) -> pl.Expr:
    """`domain_key` over a column; null stays null."""
    host = address.str.split("@").list.last()
    own = (host == "") | (host == address) | host.is_in(list(PUBLIC_MAIL_HOSTS))
    return pl.when(own).then(address).otherwise(host)


def normalized(addresses: Collection[str]) -> list[str]:
    """The owner's addresses in lower case, sorted, without empty ones."""
    return sorted({address.strip().lower() for address in addresses} - {""})


def ordered(history: pl.DataFrame, owner_addresses: Collection[str]) -> pl.DataFrame:
    """The rows in the one order of the past, with what the features are counted by.

    Adds `seq` (place in the order of `received_at`, then `message_id`), `is_from_owner`, `sender` (null where the owner
    wrote it or nobody is named), `domain` and `recipients` (To and Cc, each address once).

    Raises:
        ValueError: A column is missing, or a message is there twice.
    """
    missing = HISTORY_SCHEMA.keys() - set(history.columns)
    if missing:
        raise ValueError(f"The history lacks the columns {sorted(missing)}; select them as in HISTORY_SCHEMA.")
    frame = history.select(pl.col(name).cast(dtype) for name, dtype in HISTORY_SCHEMA.items())
    if frame["message_id"].n_unique() != frame.height:
        raise ValueError("The history holds a message twice; select each message_id once.")
    is_from_owner = pl.col("from_address").is_in(normalized(owner_addresses))
    return (
        frame.with_columns(
            pl.col("rfc822_message_id", "in_reply_to", "from_address").fill_null(""),
            pl.col("to", "cc").fill_null([]),
        )
        .sort("received_at", "message_id")
        .with_row_index("seq")
        .with_columns(
            pl.col("seq").cast(pl.Int64),
            is_from_owner.alias("is_from_owner"),
            pl.when(~is_from_owner & (pl.col("from_address") != "")).then("from_address").alias("sender"),
            pl.concat_list("to", "cc")
            .list.unique(maintain_order=True)
            .list.eval(pl.element().filter(pl.element() != ""))
            .alias("recipients"),
        )
        .with_columns(domain_key_expr(pl.col("sender")).alias("domain"))
    )


def sent_by_owner(frame: pl.DataFrame, owner_addresses: Collection[str]) -> pl.DataFrame:
    """One row for each message of the owner and each other address it was sent to, in order."""
    return (
        frame.lazy()
        .filter("is_from_owner")
        .select("seq", "thread_id", "in_reply_to", "received_at", address="recipients")
        .explode("address")
        .filter(~pl.col("address").is_in(normalized(owner_addresses)))
        .collect()
    )
