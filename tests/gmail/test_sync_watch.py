"""The watch: renewed before it lapses, and never in the way of a sync."""

import threading

import pytest

from rl_emails_assets.steps import mailboxes_watches
from tests.gmail.sync_mailbox import Box


def _watch(box: Box) -> dict[str, object]:
    (row,) = box.rows(
        "select topic, history_id, error, renewed_at, extract(epoch from expires_at - now()) / 86400 as days_left "
        "from mailboxes.watches"
    )
    return row


def test_a_mailbox_without_a_watch_gets_one_and_keeps_it(box: Box) -> None:
    """Without a watch there is no push; one that was renewed with every sync would cost 100 units each time."""
    assert mailboxes_watches.run(box.step()).counts == {"renewed": 1, "failed": 0}
    watch = _watch(box)
    assert watch["topic"] == box.gmail.topic
    assert watch["history_id"] == str(box.user.history_id)
    assert 6.9 < float(watch["days_left"]) <= 7  # type: ignore[arg-type]
    assert mailboxes_watches.run(box.step()).counts == {"renewed": 0, "failed": 0}
    assert box.gmail.calls.count("watch") == 1


@pytest.mark.parametrize(("days_left", "renewals"), [(1.9, 1), (2.1, 0), (-1, 1)])
def test_a_watch_is_renewed_when_less_than_two_days_are_left(box: Box, days_left: float, renewals: int) -> None:
    """Gmail lets a watch lapse without a word."""
    mailboxes_watches.run(box.step())
    box.execute("update mailboxes.watches set expires_at = now() + make_interval(secs => :s)", s=days_left * 86400)
    assert mailboxes_watches.run(box.step()).counts["renewed"] == renewals


def test_the_daily_renewal_asks_for_more_days(box: Box) -> None:
    """Gmail recommends a renewal once a day."""
    mailboxes_watches.run(box.step())
    box.execute("update mailboxes.watches set expires_at = now() + interval '5 days'")
    assert mailboxes_watches.run(box.step()).counts["renewed"] == 0
    assert mailboxes_watches.run(box.step(), days_left=6.5).counts["renewed"] == 1


def test_a_watch_of_another_topic_is_replaced(box: Box) -> None:
    """After the topic was changed, pushes would go on to the old one for a week."""
    mailboxes_watches.run(box.step())
    box.execute("update mailboxes.watches set topic = 'projects/p/topics/old'")
    assert mailboxes_watches.run(box.step()).counts["renewed"] == 1
    assert _watch(box)["topic"] == box.gmail.topic


def test_a_renewal_that_fails_is_noted_and_tried_again_after_a_pause(box: Box) -> None:
    """A topic that Gmail may not publish to must not stop the sync, and must be seen by an administrator."""
    box.gmail.faults.next("watch", status=403, reason="domainPolicy")
    assert mailboxes_watches.run(box.step()).counts == {"renewed": 0, "failed": 1}
    assert "domainPolicy" in str(_watch(box)["error"])
    assert mailboxes_watches.run(box.step()).counts == {"renewed": 0, "failed": 0}
    assert box.gmail.calls.count("watch") == 1
    assert box.column("select state from mailboxes.connections") == ["connected"]
    box.execute("update mailboxes.watches set error_at = error_at - interval '11 minutes'")
    assert mailboxes_watches.run(box.step()).counts["renewed"] == 1
    assert _watch(box)["error"] is None


def test_two_runs_at_once_renew_once(box: Box) -> None:
    """The daily renewal and a push may come together."""
    step = box.step()
    threads = [threading.Thread(target=mailboxes_watches.run, args=(step,)) for _ in range(2)]
    with step.alone(mailboxes_watches.NAME):
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert box.gmail.calls.count("watch") == 1


def test_no_watch_without_a_topic_and_none_for_a_mailbox_that_is_not_connected(box: Box) -> None:
    """Polling needs no topic, and a mailbox that is being erased must not get a new watch."""
    assert mailboxes_watches.run(box.step(gmail_topic=None)).counts == {"renewed": 0, "failed": 0}
    box.execute("update mailboxes.connections set state = 'disconnecting'")
    assert mailboxes_watches.run(box.step()).counts == {"renewed": 0, "failed": 0}
    assert box.gmail.calls.count("watch") == 0
