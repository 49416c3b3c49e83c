"""The sender's own zone: what "tomorrow at five" and the hour of sending mean."""

from datetime import UTC, datetime, timedelta

import pytest

from rl_emails_assets.mail.dates import as_sent, in_senders_zone

AT = datetime(2026, 5, 6, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "hours"),
    [
        ("Wed, 6 May 2026 17:30:00 -0500", -5),
        ("Wed, 6 May 2026 18:30:00 EDT", -4),
        ("Thu, 7 May 2026 04:00:00 +0530 (IST)", 5.5),
        ("Wed, 6 May 2026 22:30:00 -0000", 0),
        ("Wed, 31 Jun 2026 22:30:00 +0200", 0),
        ("yesterday", 0),
        ("", 0),
        ("Wed, 6 May 2026 22:30:00 +9999" + " " * 5000, 0),
    ],
)
def test_a_time_is_put_into_the_zone_that_the_header_names_or_utc(header: str, hours: float) -> None:
    at = in_senders_zone(header, AT)
    assert at == AT
    assert at.utcoffset() == timedelta(hours=hours)


def test_what_the_clock_showed_is_not_moved() -> None:
    sent = as_sent("Wed, 6 May 2026 17:30:00 -0500")
    assert sent is not None
    assert (sent.hour, sent.utcoffset()) == (17, timedelta(hours=-5))
    assert as_sent("no date") is None
