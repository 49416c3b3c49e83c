"""How fresh an inbox is said to be."""

import datetime as dt

import pytest

from rl_emails_api.mailboxes.freshness import Freshness, Standing, freshness

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def ago(**duration):
    """So long before NOW."""
    return NOW - dt.timedelta(**duration)


def told(**values):
    """The freshness of a Gmail mailbox, current a minute ago and watched unless told."""
    standing = {
        "provider": "gmail",
        "state": "connected",
        "created_at": ago(days=10),
        "current_as_of": ago(minutes=1),
        "backlog_count": 0,
        "watch_expires_at": ago(days=-6),
    }
    return freshness(Standing(**{**standing, **values}), now=NOW, behind_seconds=900)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Freshness.LIVE),
        ({"watch_expires_at": None}, Freshness.CURRENT),
        ({"watch_expires_at": NOW}, Freshness.CURRENT),
        ({"current_as_of": ago(seconds=900)}, Freshness.LIVE),
        ({"current_as_of": ago(seconds=901)}, Freshness.BEHIND),
        ({"current_as_of": ago(hours=2), "backlog_count": 9}, Freshness.BEHIND),
        ({"backlog_count": 1}, Freshness.FETCHING),
        ({"current_as_of": None, "backlog_count": 1}, Freshness.FETCHING),
        ({"current_as_of": None, "created_at": ago(seconds=900)}, Freshness.STARTING),
        ({"current_as_of": None, "created_at": ago(seconds=901)}, Freshness.BEHIND),
        ({"provider": "files", "current_as_of": None}, Freshness.IMPORTED),
        ({"provider": "files", "current_as_of": ago(days=9)}, Freshness.IMPORTED),
        ({"state": "reconnect_needed", "current_as_of": ago(hours=2)}, Freshness.RECONNECT_NEEDED),
        ({"state": "disconnecting"}, Freshness.DISCONNECTING),
    ],
)
def test_the_word_for_a_mailbox(values, expected):
    """An inbox that is said to be live while nothing arrives, or behind while all is well."""
    assert told(**values) is expected
