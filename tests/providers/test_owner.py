"""The owner's other addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.mail.owner import OwnerRow, owner_aliases

SENT = frozenset({"SENT"})
INBOX = frozenset({"INBOX"})


def sent(address: str, count: int, name: str = "") -> list[OwnerRow]:
    return [OwnerRow(address, name, SENT)] * count


def test_addresses_of_sent_mail_are_the_owner() -> None:
    """Mail from the owner's second address would count as somebody else's."""
    rows = [*sent("me@x.test", 50), *sent("me@home.test", 10), OwnerRow("ann@x.test", "Ann", INBOX)]
    assert owner_aliases(rows, owner="Me@x.test") == {"me@home.test"}
    assert owner_aliases(sent("me@home.test", 1), owner="me@x.test") == {"me@home.test"}
    assert owner_aliases([], owner="me@x.test") == frozenset()


def test_a_stray_message_in_sent_makes_no_alias() -> None:
    """A message that somebody moved into the folder would make its sender the owner."""
    rows = [*sent("me@x.test", 100), *sent("ann@x.test", 3), *sent("bob@x.test", 1, "Me Myself"), *sent("", 50)]
    assert owner_aliases(rows, owner="me@x.test") == frozenset()


def test_name_or_delivery_is_evidence_for_a_rare_address() -> None:
    """An old address with little sent mail would be missed."""
    rows = [
        *sent("me@x.test", 100, "Me  Myself"),
        *sent("old@x.test", 2, "me myself"),
        *sent("alt@x.test", 2),
        OwnerRow("ann@x.test", "Ann", INBOX, frozenset({"alt@x.test"})),
    ]
    assert owner_aliases(rows, owner="me@x.test") == {"old@x.test", "alt@x.test"}


@pytest.mark.parametrize(
    "address", ["no-reply@x.test", "donotreply@x.test", "news-request@x.test", "a@lists.x.test", "mailer-daemon@x.test"]
)
def test_no_list_or_machine_is_the_owner(address: str) -> None:
    """Everything from a list would count as the owner's own."""
    assert owner_aliases(sent(address, 10), owner="me@x.test") == frozenset()


def test_drafts_do_not_count() -> None:
    """A draft from a template would make an alias."""
    assert owner_aliases([OwnerRow("t@x.test", "", frozenset({"SENT", "DRAFT"}))] * 5, owner="me@x.test") == frozenset()


@given(st.lists(st.tuples(st.sampled_from(["a@x.test", "b@x.test", "me@x.test"]), st.booleans()), max_size=20))
def test_order_does_not_matter(pairs: list[tuple[str, bool]]) -> None:
    """Two imports of one mailbox would have different owners."""
    rows = [OwnerRow(address, "N" if named else "", SENT) for address, named in pairs]
    assert owner_aliases(rows, owner="me@x.test") == owner_aliases(list(reversed(rows)), owner="me@x.test")
