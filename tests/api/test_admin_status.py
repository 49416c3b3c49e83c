"""The status: everything an administrator looks at, and what they can do about dead letters."""

import datetime as dt
import uuid

import live_state
import pytest
from live_state import DEAD_LETTER, MAILBOX, NOTICE, ago
from mails import OWNER, RUN_ID, seed_id
from seed import seed_other
from sqlalchemy import event, insert, select, text, update

from rl_emails_api.admin import figures
from rl_emails_api.admin.figures import FigureKeeper
from rl_emails_assets.db.tables import classifications, mailboxes, sync_queue


def status(client):
    """The answer."""
    return client.get("/v1/admin/status").raise_for_status().json()


def moment(text_):
    """A time as answered."""
    return dt.datetime.fromisoformat(text_)


@pytest.fixture
def busy(client, engine):
    """A client on a Gmail mailbox with all of its live state."""
    live_state.make_gmail(engine)
    live_state.add_operations(engine)
    return client


def test_a_mailbox_that_is_live(busy):
    """An administrator who cannot see whether a mailbox is current, watched, and within its quota."""
    (mailbox,) = status(busy)["mailboxes"]
    assert (mailbox["provider"], mailbox["state"], mailbox["freshness"]) == ("gmail", "connected", "live")
    assert 60 <= mailbox["current_age_seconds"] < 120
    watch = mailbox["watch"]
    assert (watch["topic"], watch["push_count"], watch["error"]) == (live_state.TOPIC, 42, None)
    assert 5.9 * 86400 < watch["seconds_left"] < 6 * 86400
    quota = mailbox["quota"]
    # 1,000 units 20 s ago, and 6,000 more a minute.
    assert 3000 <= quota["units_left"] <= 6000
    assert (quota["units_per_minute"], quota["units_today"], quota["batch_size"]) == (6000, 123456, 25)
    assert mailbox["failure"]["error"] == "Gmail answered 429 (rate limit)."
    assert (mailbox["failure"]["state"], mailbox["failure"]["attempts"]) == ("todo", 2)
    assert mailbox["cost_usd"] == 0.0021


def test_a_bucket_holds_no_more_than_a_minute_and_forgets_yesterday(busy, engine):
    """A quota that seems to have saved up a night, or yesterday's use shown as today's."""
    yesterday = ago(days=1)
    with engine.begin() as connection:
        connection.execute(update(mailboxes.quotas).values(counted_at=yesterday, day=yesterday.date()))
    quota = status(busy)["mailboxes"][0]["quota"]
    assert (quota["units_left"], quota["units_today"]) == (6000, 0)


def test_what_is_wrong_with_a_mailbox(client, engine):
    """A lapsed watch, a backlog, a notice or a dead letter that nobody sees."""
    live_state.make_gmail(engine, current_as_of=ago(hours=3))
    live_state.add_backlog(engine, 3)
    live_state.add_dead_letter(engine)
    live_state.add_notice(engine, "behind", "The inbox is behind.")
    with engine.begin() as connection:
        connection.execute(
            update(mailboxes.watches).values(expires_at=ago(minutes=5), error="Topic not found.", error_at=ago(hours=1))
        )
    (mailbox,) = status(client)["mailboxes"]
    assert mailbox["freshness"] == "behind"
    assert mailbox["backlog_count"] == 3
    assert moment(mailbox["oldest_backlog_at"]) < ago(minutes=9)
    assert mailbox["watch"]["seconds_left"] < 0
    assert mailbox["watch"]["error"] == "Topic not found."
    assert [each["text"] for each in mailbox["notices"]] == ["The inbox is behind."]
    assert mailbox["failure"]["request_id"] == str(DEAD_LETTER)
    assert mailbox["failure"]["run_url"].endswith(RUN_ID)


def test_the_queue(busy, engine):
    """Waiting hidden behind a retry's backoff, a claim whose run is dead, or requests in no order."""
    queue = status(busy)["queue"]
    assert {each["state"]: each["request_count"] for each in queue["states"]} == {"todo": 1, "doing": 1}
    assert moment(queue["oldest_waiting_at"]) < ago(minutes=8)
    assert ago(minutes=7) < moment(queue["oldest_due_at"]) < ago(minutes=5)
    assert queue["lapsed_count"] == 1
    assert [each["state"] for each in queue["requests"]] == ["doing", "todo", "succeeded"]
    with engine.begin() as connection:
        waits = sync_queue.requests.c.state == "todo"
        connection.execute(update(sync_queue.requests).where(waits).values(run_after=ago(minutes=-5)))
    assert status(busy)["queue"]["oldest_due_at"] is None


def test_workers_pushes_and_schedules(busy):
    """A dead worker that seems alive; last week's pushes counted today; a failure hidden by an earlier success."""
    body = status(busy)
    alive = {each["host"].split(".")[0]: each["is_alive"] for each in body["workers"]}
    assert alive == {"quick": True, "leaving": True, "silent": False}
    assert [each["is_stopping"] for each in body["workers"]] == [None, "SIGTERM", None]
    assert body["pushes"] == [
        {"outcome": "garbage", "today_count": 2, "week_count": 2},
        {"outcome": "queued", "today_count": 40, "week_count": 100},
    ]
    assert moment(body["last_push_at"]) < ago(minutes=2)
    upkeep = {each["name"]: each for each in body["upkeep"]}
    assert {name: each["state"] for name, each in upkeep.items()} == {
        "watch_renewal": "failed",
        "pruning": "succeeded",
        "full_sync": "running",
    }
    assert upkeep["watch_renewal"]["error"].startswith("Google refused")
    assert moment(upkeep["watch_renewal"]["succeeded_at"]) < ago(hours=25)
    assert upkeep["full_sync"]["succeeded_at"] is None
    assert upkeep["pruning"]["run_url"] == f"http://127.0.0.1:3000/runs/{upkeep['pruning']['run_id']}"
    assert upkeep["pruning"]["counts"] == {"mailbox_count": 2, "renewed_count": 1}
    assert body["takes_pushes"] is False


def test_costs_are_told_by_mailbox_and_day(busy, engine):
    """Money that is spent and shown nowhere, or under another day or mailbox."""
    with engine.begin() as connection:
        row = {"mailbox_id": MAILBOX, "day": dt.date(2026, 1, 1), "cost_usd": 0.5, "question_count": 2}
        connection.execute(insert(classifications.spending).values(**row))
    body = status(busy)
    assert [(each["day"], each["cost_usd"]) for each in body["costs"]][1:] == [("2026-01-01", 0.5)]
    assert body["costs"][0]["cost_usd"] == 0.0021
    assert {each["mailbox_id"] for each in body["costs"]} == {str(MAILBOX)}
    assert body["mailboxes"][0]["cost_usd"] == pytest.approx(0.5021)
    assert body["mailboxes"][0]["opinions"] == {"answered": 1}


def test_nothing_is_shown_under_another_mailbox(client, engine):
    """One mailbox's watch, error or notice beside another's name."""
    seed_other(engine)
    live_state.make_gmail(engine)
    live_state.add_dead_letter(engine)
    live_state.add_notice(engine, "behind", "The inbox is behind.")
    found = {each["address"]: each for each in status(client)["mailboxes"]}
    assert found[OWNER]["watch"]
    assert found[OWNER]["failure"]
    other = found["grace@example.net"]
    assert (other["watch"], other["quota"], other["failure"], other["notices"]) == (None, None, None, [])
    assert (other["provider"], other["freshness"], other["stored_count"]) == ("files", "imported", 1)


def test_a_dead_letter_is_explained_and_can_be_redriven(client, engine):
    """A request that was given up and can neither be understood nor tried again."""
    live_state.make_gmail(engine)
    live_state.add_dead_letter(engine)
    (letter,) = client.get("/v1/admin/dead-letters").raise_for_status().json()["items"]
    assert status(client)["queue"]["dead_letters"] == [letter]
    assert letter["error"].startswith("Gmail answered 503 eight times")
    assert "redrive" in letter["next_step"]
    assert letter["run_url"].endswith(RUN_ID)
    answer = client.post(f"/v1/admin/dead-letters/{DEAD_LETTER}/redrive")
    assert answer.status_code == 202
    with engine.connect() as connection:
        waiting = connection.execute(select(sync_queue.requests.c.request_id, sync_queue.requests.c.kind)).all()
    assert [(str(row.request_id), row.kind) for row in waiting] == [(answer.json()["request_id"], "partial")]
    assert client.get("/v1/admin/dead-letters").json() == {"items": []}
    again = client.post(f"/v1/admin/dead-letters/{DEAD_LETTER}/redrive")
    assert again.status_code == 404
    assert again.json()["type"] == "urn:rl-emails:problem:not-found"


def test_a_dead_letter_of_a_revoked_mailbox_waits_for_its_owner(client, engine):
    """A redrive that can only fail, answered as if it had begun; or a sync button that does nothing."""
    live_state.make_gmail(engine, state="reconnect_needed", state_reason="Google revoked the grant.")
    live_state.add_dead_letter(engine)
    for path in (f"/v1/admin/dead-letters/{DEAD_LETTER}/redrive", f"/v1/mailboxes/{MAILBOX}/sync"):
        answer = client.post(path)
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:rl-emails:problem:reconnect-needed"
    assert len(client.get("/v1/admin/dead-letters").json()["items"]) == 1
    assert status(client)["mailboxes"][0]["state_reason"] == "Google revoked the grant."


def test_a_notice_can_be_dismissed_by_its_own_mailbox_only(client, engine):
    """A banner that never goes, or another mailbox's that is taken away."""
    other = seed_other(engine)
    live_state.make_gmail(engine)
    live_state.add_notice(engine, "watch_lapsed", "The watch has lapsed.")
    assert client.post(f"/v1/mailboxes/{other}/notices/{NOTICE}/dismiss").status_code == 404
    for _ in range(2):
        answer = client.post(f"/v1/mailboxes/{MAILBOX}/notices/{NOTICE}/dismiss").raise_for_status()
        assert answer.json()["text"] == "The watch has lapsed."
    assert status(client)["mailboxes"][0]["notices"] == []


def test_the_mailboxes_answer_304_until_something_changes(client, engine):
    """A page that reads everything every few seconds, or one that misses new mail."""
    live_state.make_gmail(engine)
    first = client.get("/v1/mailboxes")
    item = first.json()["items"][0]
    assert (item["freshness"], item["provider"], item["gap_count"], item["backlog_count"]) == ("live", "gmail", 1, 0)
    tag = {"If-None-Match": first.headers["etag"]}
    unchanged = client.get("/v1/mailboxes", headers=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == first.headers["etag"]
    for change in (
        {"materialized_at": ago(seconds=1)},
        {"current_as_of": ago(seconds=1)},
        {"state": "reconnect_needed", "state_reason": "Google revoked the grant."},
    ):
        live_state.change(engine, **change)
        answer = client.get("/v1/mailboxes", headers=tag)
        assert answer.status_code == 200, change
        tag = {"If-None-Match": answer.headers["etag"]}
    live_state.add_notice(engine, "reconnect_needed", "Connect it again.")
    (item,) = client.get("/v1/mailboxes", headers=tag).json()["items"]
    assert [each["kind"] for each in item["notices"]] == ["reconnect_needed"]
    assert (item["freshness"], item["state_reason"]) == ("reconnect_needed", "Google revoked the grant.")


def test_the_settings_say_whether_gmail_can_be_connected(serve, mailbox_id):
    """A button that leads nowhere, or none where there should be one."""
    for more, can in (({}, False), ({"google_client_secret": "secret"}, False)):
        with serve(**more).client() as asked:
            assert asked.get("/v1/mailboxes").json()["can_connect_gmail"] is can
    with serve(google_client_id="id").client() as asked:
        assert asked.get("/v1/mailboxes").json()["can_connect_gmail"] is True


def test_figures_of_many_messages_are_kept_for_a_while(engine, mailbox_id, monkeypatch):
    """Every open page and every scrape that walks whole tables; or counts of a small mailbox that lag behind."""
    now = [0.0]
    keeper = FigureKeeper(clock=lambda: now[0])
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def stored():
        with engine.connect() as connection:
            return keeper.figures(connection, None).counts[0]["stored_count"]

    assert stored() == 16
    few = len(asked)
    assert stored() == 16
    assert len(asked) == 2 * few
    monkeypatch.setattr(figures, "MANY_MESSAGES", 10)
    assert stored() == 16
    with engine.begin() as connection:
        connection.execute(text("delete from raw.messages where message_id = :id"), {"id": seed_id("lunch")})
    asked.clear()
    now[0] += figures.KEPT_SECONDS - 1
    assert stored() == 16
    assert asked == []
    with engine.connect() as connection:
        assert keeper.figures(connection, uuid.uuid4()).counts[0]["stored_count"] == 15, (
            "another organization's figures"
        )
    now[0] += 1
    assert stored() == 15
