from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rl_emails_assets.db.tables.signals import FEATURES
from rl_emails_assets.signals.affected import affected, affected_keys, history_of
from rl_emails_assets.signals.answers import MEDIAN_ANSWERS
from rl_emails_assets.signals.contacts import contact_history
from rl_emails_assets.signals.history import HISTORY_FEATURES, history_features
from rl_emails_assets.signals.keys import HISTORY_SCHEMA, domain_key

OWNER = "me@home.example"
ALIAS = "me@work.example"
OWNERS = {OWNER, ALIAS}
START = datetime(2024, 3, 1, tzinfo=UTC)


def row(
    message_id: str,
    hours: float,
    sender: str,
    to: list[str],
    *,
    thread: str = "t",
    cc: list[str] | None = None,
    rfc822: str | None = None,
    parent: str = "",
) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "thread_id": thread,
        "rfc822_message_id": f"<{message_id}>" if rfc822 is None else rfc822,
        "in_reply_to": parent,
        "received_at": START + timedelta(hours=hours),
        "from_address": sender,
        "to": to,
        "cc": cc or [],
    }


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=HISTORY_SCHEMA)


def of(features: pl.DataFrame, message_id: str) -> dict[str, Any]:
    return features.row(by_predicate=pl.col("message_id") == message_id, named=True)


addresses = st.sampled_from(
    [OWNER, ALIAS, "ana@shop.example", "bo@shop.example", "cy@gmail.com", "di@gmail.com", "eve", ""]
)


@st.composite
def mailboxes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Small mailboxes in which everything that can tie messages together happens often, ties in time included."""
    count = draw(st.integers(1, 14))
    return [
        row(
            f"{draw(st.integers(0, 9))}{index:02d}",
            draw(st.integers(0, 12)),
            draw(addresses),
            draw(st.lists(addresses, max_size=3)),
            thread=draw(st.sampled_from(["t1", "t2", "t3"])),
            cc=draw(st.lists(addresses, max_size=1)),
            rfc822=draw(st.sampled_from(["", "<a>", "<b>", "<c>"])),
            parent=draw(st.sampled_from(["", "", "<a>", "<b>", "<c>"])),
        )
        for index in range(count)
    ]


def expected(rows: list[dict[str, Any]], message: dict[str, Any]) -> dict[str, Any]:
    """The definitions, word for word and message by message."""

    def place(other: dict[str, Any]) -> tuple[datetime, str]:
        return other["received_at"], other["message_id"]

    def recipients(other: dict[str, Any]) -> list[str]:
        return [*other["to"], *other["cc"]]

    def is_own(other: dict[str, Any]) -> bool:
        return other["from_address"] in OWNERS

    def hours(later: dict[str, Any], earlier: dict[str, Any]) -> float:
        return float((later["received_at"] - earlier["received_at"]) / timedelta(hours=1))

    def answer(other: dict[str, Any]) -> dict[str, Any] | None:
        def answers(own: dict[str, Any]) -> bool:
            if not is_own(own) or own["thread_id"] != other["thread_id"] or place(own) <= place(other):
                return False
            if own["in_reply_to"]:
                return bool(own["in_reply_to"] == other["rfc822_message_id"])
            return other["from_address"] in recipients(own)

        return min(filter(answers, rows), key=place, default=None)

    past = sorted((other for other in rows if place(other) < place(message)), key=place)
    sender = "" if is_own(message) else message["from_address"]
    domain = domain_key(sender) if sender else ""
    from_sender = [other for other in past if sender and other["from_address"] == sender]
    from_domain = [
        other
        for other in past
        if sender and other["from_address"] and not is_own(other) and domain_key(other["from_address"]) == domain
    ]
    to_sender = [other for other in past if sender and is_own(other) and sender in recipients(other)]
    thread = [other for other in past if other["thread_id"] == message["thread_id"]]

    def answered(others: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        pairs = [(other, answer(other)) for other in others]
        return [(other, own) for other, own in pairs if own is not None and place(own) < place(message)]

    if message["in_reply_to"]:
        is_reply = any(is_own(o) and o["rfc822_message_id"] == message["in_reply_to"] for o in thread)
    else:
        is_reply = any(is_own(o) and sender in recipients(o) for o in thread)
    named = list(dict.fromkeys(recipients(message)))
    return {
        "message_id": message["message_id"],
        "is_from_owner": is_own(message),
        "sender_received_count": len(from_sender),
        "sender_replied_count": len(answered(from_sender)),
        "sender_sent_count": len(to_sender),
        "sender_days_since_received": hours(message, from_sender[-1]) / 24 if from_sender else None,
        "sender_days_since_sent": hours(message, to_sender[-1]) / 24 if to_sender else None,
        "sender_median_reply_hours": median(hours(own, other) for other, own in answered(from_sender))
        if answered(from_sender)
        else None,
        "domain_received_count": len(from_domain),
        "domain_replied_count": len(answered(from_domain)),
        "thread_earlier_count": len(thread),
        "thread_owner_count": sum(map(is_own, thread)),
        "is_reply_to_owner": bool(sender) and is_reply,
        "thread_hours_since_previous": hours(message, thread[-1]) if thread else None,
        "recipient_count": len([address for address in named if address]),
        "is_owner_in_to": bool(OWNERS & set(message["to"])),
        "is_owner_in_cc": bool(OWNERS & set(message["cc"])),
        "is_owner_only_recipient": len([a for a in named if a]) == 1 and bool(OWNERS & set(named)),
    }


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(mailboxes())
def test_every_feature_is_what_its_definition_says(rows: list[dict[str, Any]]) -> None:
    """Prevents a join that lets the present or the future in, drops a tie, or counts somebody else's mail."""
    features = history_features(frame(*rows), None, OWNERS)
    for message in rows:
        found = of(features, message["message_id"])
        wanted = expected(rows, message)
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            if isinstance(value, float):
                assert found[name] == pytest.approx(value, abs=1e-9), name
            else:
                assert found[name] == value, name


@quick
@given(mailboxes(), st.data())
def test_the_selected_history_is_all_that_is_needed(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """Prevents a run that reads only related mail from computing other values than one that reads everything."""
    mail = frame(*rows)
    wanted = data.draw(st.sets(st.sampled_from([r["message_id"] for r in rows]), min_size=1))
    part = history_features(history_of(mail, wanted, OWNERS), wanted, OWNERS)
    assert part.equals(history_features(mail, wanted, OWNERS))
    assert set(part["message_id"]) == wanted


@quick
@given(mailboxes(), st.data())
def test_any_order_of_arrival_ends_like_one_shot(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """Prevents a late message from leaving values behind that a fresh import would not give."""
    order = data.draw(st.permutations(rows))
    known: list[dict[str, Any]] = []
    result: dict[str, dict[str, Any]] = {}
    while order:
        size = data.draw(st.integers(1, len(order)))
        batch, order = order[:size], order[size:]
        new = {r["message_id"] for r in batch}
        known += batch
        mail = frame(*known)
        threads = {r["thread_id"] for r in batch}
        keys = affected_keys(new, mail.filter(pl.col("thread_id").is_in(list(threads))), OWNERS)
        outdated = affected(keys, mail.filter(~pl.col("message_id").is_in(list(new))), OWNERS)
        wanted = new | outdated
        for values in history_features(history_of(mail, wanted, OWNERS), wanted, OWNERS).iter_rows(named=True):
            result[values["message_id"]] = values
    assert result == {v["message_id"]: v for v in history_features(frame(*rows), None, OWNERS).iter_rows(named=True)}


@quick
@given(mailboxes(), st.data())
def test_a_message_that_changes_its_conversation_ends_like_one_shot(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Prevents a merge of conversations from leaving the answers of the old one behind."""
    moved = data.draw(st.sets(st.sampled_from([r["message_id"] for r in rows]), min_size=1))
    before, after = frame(*rows), frame(*(r | {"thread_id": "t2"} if r["message_id"] in moved else r for r in rows))
    keys = pl.concat([affected_keys(moved, before, OWNERS), affected_keys(moved, after, OWNERS)])
    wanted = moved | affected(keys, after, OWNERS)
    result = {v["message_id"]: v for v in history_features(before, None, OWNERS).iter_rows(named=True)}
    result |= {v["message_id"]: v for v in history_features(after, wanted, OWNERS).iter_rows(named=True)}
    assert result == {v["message_id"]: v for v in history_features(after, None, OWNERS).iter_rows(named=True)}


@quick
@given(mailboxes(), mailboxes())
def test_mail_of_others_changes_nothing(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    """Promise 5: mail that shares neither contact, domain nor conversation changes no feature, and affects nobody."""
    names = {"ana@shop.example": "x@else.example", "bo@shop.example": "y@else.example", "cy@gmail.com": "z@gmail.com"}
    names |= {"di@gmail.com": "w@gmail.com", "eve": "adam"}
    unrelated = [
        r
        | {
            "message_id": "u" + r["message_id"],
            "thread_id": "u" + r["thread_id"],
            "from_address": names.get(r["from_address"], r["from_address"]),
            "to": [names.get(a, a) for a in r["to"]],
            "cc": [names.get(a, a) for a in r["cc"]],
        }
        for r in others
    ]
    ids = {r["message_id"] for r in rows}
    mail = frame(*rows)
    assert history_features(frame(*rows, *unrelated), ids, OWNERS).equals(history_features(mail, None, OWNERS))
    keys = affected_keys({r["message_id"] for r in unrelated}, frame(*unrelated), OWNERS)
    assert affected(keys, mail, OWNERS) == set()


@quick
@given(mailboxes(), st.integers(0, 13))
def test_what_comes_later_changes_nothing(rows: list[dict[str, Any]], cut: int) -> None:
    """Promise 5: a feature read the future."""
    rows = sorted(rows, key=lambda r: (r["received_at"], r["message_id"]))
    early = rows[: cut + 1]
    ids = {r["message_id"] for r in early}
    assert history_features(frame(*rows), ids, OWNERS).equals(history_features(frame(*early), None, OWNERS))


@quick
@given(mailboxes())
def test_contacts_agree_with_the_messages(rows: list[dict[str, Any]]) -> None:
    """Prevents the contact page from counting otherwise than the reasons do."""
    found = {c["address"]: c for c in contact_history(frame(*rows), None, OWNERS).iter_rows(named=True)}
    last = max(r["received_at"] for r in rows) + timedelta(hours=1)
    everybody = {a for r in rows for a in [r["from_address"], *r["to"], *r["cc"]]} - OWNERS - {""}
    for address in everybody:
        probe = row("zzz", 0, address, []) | {"received_at": last, "thread_id": "zzz"}
        seen = expected([*rows, probe], probe)
        contact = found.pop(address, None)
        if contact is None:
            assert seen["sender_received_count"] == seen["sender_sent_count"] == 0
            continue
        assert contact["received_count"] == seen["sender_received_count"]
        assert contact["sent_count"] == seen["sender_sent_count"]
        assert contact["replied_count"] == seen["sender_replied_count"]
        assert contact["median_reply_hours"] == (
            None
            if seen["sender_median_reply_hours"] is None
            else pytest.approx(seen["sender_median_reply_hours"], abs=1e-9)
        )
        for at, days in (("last_received_at", "days_since_received"), ("last_sent_at", "days_since_sent")):
            since = seen[f"sender_{days}"]
            assert contact[at] == (
                None if since is None else pytest.approx(last - timedelta(days=since), abs=timedelta(milliseconds=1))
            )
    assert found == {}


def test_contacts_can_be_asked_for_one_by_one() -> None:
    """Prevents a partial computation from rewriting every contact, or the owner from being one."""
    mail = frame(row("1", 0, "ana@shop.example", [OWNER]), row("2", 1, "bo@shop.example", [OWNER]))
    assert contact_history(mail, ["bo@shop.example", "nobody@x.example"], OWNERS)["address"].to_list() == [
        "bo@shop.example"
    ]


def test_the_median_follows_the_latest_answers() -> None:
    """Prevents years of old habits, or their cost, from deciding how fast the owner answers today."""
    rows = []
    for index in range(MEDIAN_ANSWERS * 2):
        slow = 10.0 if index < MEDIAN_ANSWERS else 1.0
        rows.append(row(f"{index:04d}a", index * 24, "ana@shop.example", [OWNER], thread=f"t{index}"))
        rows.append(row(f"{index:04d}b", index * 24 + slow, OWNER, ["ana@shop.example"], thread=f"t{index}"))
    rows.append(row("9999", 1e5, "ana@shop.example", [OWNER], thread="last"))
    found = of(history_features(frame(*rows), ["9999"], OWNERS), "9999")
    assert found["sender_median_reply_hours"] == 1.0
    assert found["sender_replied_count"] == 2 * MEDIAN_ANSWERS


def test_a_value_is_the_same_to_the_bit_alone_and_in_a_batch() -> None:
    """Promise 5: the last bit of a duration moved with how many messages were computed together."""
    rows = []
    for index in range(60):
        thread, sender = f"t{index % 7}", f"u{index % 5}@shop.example"
        rows.append(row(f"{index:03d}a", index * 7.31, sender, [OWNER], thread=thread))
        rows.append(row(f"{index:03d}b", index * 7.31 + 1.77 + index / 97, OWNER, [sender], thread=thread))
    mail = frame(*rows)
    together = history_features(mail, None, OWNERS)
    for message_id in mail["message_id"]:
        alone = history_features(mail, [message_id], OWNERS)
        part = history_features(history_of(mail, [message_id], OWNERS), [message_id], OWNERS)
        assert alone.equals(part)
        assert alone.equals(together.filter(pl.col("message_id") == message_id))


def test_owner_addresses_are_compared_without_case() -> None:
    """Prevents an alias typed with a capital from making the owner a stranger in their own mailbox."""
    found = history_features(frame(row("1", 0, OWNER, [])), None, {" Me@Home.Example "})
    assert found["is_from_owner"].to_list() == [True]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda mail: mail.drop("cc"), "lacks the columns"),
        (lambda mail: pl.concat([mail, mail]), "twice"),
    ],
)
def test_a_wrong_frame_is_refused(change: Callable[[pl.DataFrame], pl.DataFrame], words: str) -> None:
    """Prevents a doubled or truncated selection from being counted as if it were the mailbox."""
    with pytest.raises(ValueError, match=words):
        history_features(change(frame(row("1", 0, "a@b.example", []))), None, OWNERS)


def test_an_empty_history_gives_an_empty_result() -> None:
    """Prevents the first run of an empty mailbox from failing."""
    assert history_features(frame(), None, OWNERS).height == 0
    assert contact_history(frame(), None, OWNERS).height == 0
    assert affected(affected_keys([], frame(), OWNERS), frame(), OWNERS) == set()


def test_a_repeated_message_id_is_not_quadratic() -> None:
    """Prevents a flood of one Message-ID, each with a reply, from multiplying rows."""
    rows = [row(f"{i:05d}", i, "ana@shop.example", [OWNER], rfc822="<same>") for i in range(3000)]
    rows += [row(f"o{i:04d}", 4000 + i, OWNER, ["list@x.example"], parent="<same>") for i in range(3000)]
    found = history_features(frame(*rows, row("z", 1e4, "ana@shop.example", [OWNER])), ["z"], OWNERS)
    assert found["sender_replied_count"].to_list() == [3000]
    assert found["sender_median_reply_hours"].to_list() == pytest.approx([4000 - 2949.5])


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("ana@shop.example", "shop.example"),
        ("ana@gmail.com", "ana@gmail.com"),
        ("ana", "ana"),
        ("ana@", "ana@"),
        ("a@b@shop.example", "shop.example"),
    ],
)
def test_strangers_at_a_public_host_share_no_domain(address: str, key: str) -> None:
    """Prevents every user of a free mail host from inheriting another's reply rate."""
    assert domain_key(address) == key


def test_features_are_columns_of_the_signals_table() -> None:
    """Prevents a feature without a column."""
    assert set(HISTORY_FEATURES) <= {column.name for column in FEATURES}
