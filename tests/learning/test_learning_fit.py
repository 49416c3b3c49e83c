"""The nightly fit on a real mailbox: what it learns of its owner, when it is refused, and when it is not made."""

import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.steps import models_gate, models_ranker, models_watch
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.models_verdict import verdict_on
from rl_emails_assets.steps.upkeep import learning as due
from tests.learning.conftest import Say, decide, learn, rows, scores
from tests.small_mailbox import OWNER, mail

SENDERS = ("ada", "bo", "cy")
COUNT = 240


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Bars that a mailbox of a test can reach."""
    monkeypatch.setattr(models_gate, "ENOUGH_TO_TRAIN", 60)
    monkeypatch.setattr(models_gate, "ENOUGH_TO_TEST", 30)
    return


def _mailbox(count: int = COUNT) -> list[bytes]:
    """Every second message of one sender is answered, and it is the one that names a lighthouse."""
    choose = random.Random(4)  # noqa: S311 - a test's choices
    messages = []
    for index in range(count):
        sender = choose.choice(SENDERS)
        matters = choose.random() < 0.5
        subject = f"{'Lighthouse refit' if matters else 'Canteen menu'} {index}"
        messages.append(mail(1000 + index, f"{sender}@{sender}.example", subject=subject, hours=10.0 * index + 1))
        if matters:
            messages.append(
                mail(5000 + index, OWNER, to=f"{sender}@{sender}.example", subject=f"Re: {subject}",
                     hours=10.0 * index + 4, in_reply_to=1000 + index)
            )  # fmt: skip
    return messages


@pytest.fixture
def busy(steps_on: Callable[..., StepContext], write_folder: Callable[..., Path]) -> StepContext:
    """A mailbox with enough behaviour for a fit."""
    step = steps_on(write_folder(_mailbox()))
    decide(step)
    return step


def test_the_fit_learns_what_the_owner_acts_on_passes_its_gate_and_then_rests(
    busy: StepContext, engine: Engine, say: Say
) -> None:
    """Behaviour teaches without a word; the same behaviour teaches once."""
    before = scores(engine)
    learn(busy)
    decide(busy)
    after = scores(engine)
    (model,) = rows(engine, "select * from models.versions")
    assert (model.state, model.trained_from["rule"]) == ("serving", "behaviour")
    found = model.evaluation["comparison"]
    assert found["auc"] > max(found["auc_reply_rate"], found["auc_recency"], found["auc_shared"])
    assert found["gain_low"] > 0
    assert "It predicts what you did" in model.reason
    wanted = {
        row[0].partition("@")[0]: row[1].startswith("Light")
        for row in rows(
            engine, "select rfc822_message_id, subject from mail.messages where from_address <> :o", o=OWNER
        )
    }
    gap = [sum(s[n] for n in wanted if wanted[n]) - sum(s[n] for n in wanted if not wanted[n]) for s in (before, after)]
    assert gap[1] > gap[0] + 20
    assert model.moved_count > 100
    learn(busy)
    assert len(rows(engine, "select * from models.versions")) == 1

    # A word now is carried out on top of the fit, and moves its sender's mail alone.
    name = max(wanted, key=lambda each: after[each])
    say(busy, name, "not_important")
    learn(busy)
    decide(busy)
    last = scores(engine)
    query = "select from_address from mail.messages where rfc822_message_id = :name"
    sender = rows(engine, query, name=f"{name}@example.org")[0][0]
    theirs = {
        row[0].partition("@")[0]
        for row in rows(
            engine, "select rfc822_message_id from mail.messages where from_address = :sender", sender=sender
        )
    }
    assert {each for each in after if last[each] != after[each]} == theirs
    rule = rows(engine, "select trained_from->>'rule' as rule from models.versions where state = 'serving'")
    assert rule[0].rule == "instruction"

    # The next fit waits for more, and is then made of what was said as well; what it would undo stays said.
    with engine.begin() as connection:
        connection.execute(text("update models.trainings set outcome_count = 20, evidence_hash = ''"))
    learn(busy)
    states = rows(engine, "select state, trained_from->>'rule' as rule from models.versions order by created_at")
    assert [row.rule for row in states][:2] == ["behaviour", "instruction"]
    decide(busy)
    assert scores(engine)[name] < after[name]


def test_a_fit_that_is_worse_is_refused_kept_with_its_reason_and_not_served(
    busy: StepContext, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate that nothing has ever failed may be no gate."""
    choose = random.Random(1)  # noqa: S311 - a test's choices
    gather = models_ranker.gather

    def permuted(*arguments: object) -> models_ranker.Evidence:
        evidence = gather(*arguments)  # type: ignore[arg-type]
        acted = [each.outcome.acted for each in evidence.settled]
        choose.shuffle(acted)
        evidence.settled = [
            models_gate.Settled(type(each.outcome)(message=each.outcome.message, acted=value, weight=1.0,
                                                   received_at=each.outcome.received_at), each.settled_at)
            for each, value in zip(evidence.settled, acted, strict=True)
        ]  # fmt: skip
        return evidence

    monkeypatch.setattr(models_ranker, "gather", permuted)
    monkeypatch.setattr(
        models_gate, "why_refused", lambda found: "" if found.auc > 0.7 else f"Its AUC is {found.auc:.2f}."
    )
    learn(busy)
    (model,) = rows(engine, "select * from models.versions")
    assert (model.state, model.is_passed) == ("rejected", False)
    with engine.connect() as connection:
        found = verdict_on(connection, busy.mailbox_id, "ranker", busy.run_id)
        assert (found.is_passed, found.reason) == (False, model.reason)
        assert not verdict_on(connection, busy.mailbox_id, "ranker", busy.run_id).is_passed
        assert verdict_on(connection, busy.mailbox_id, "ranker", "another run").is_passed


def test_the_night_looks_again_only_where_something_settled(busy: StepContext, engine: Engine) -> None:
    """Ten thousand runs a night that find nothing are a load without a use."""

    def asked() -> list[uuid.UUID]:
        with engine.connect() as connection:
            return due.mailboxes_with_outcomes(connection, most=10)

    assert asked() == [busy.mailbox_id]
    learn(busy)
    assert asked() == []
    with engine.begin() as connection:
        connection.execute(text("update models.trainings set looked_at = now() - interval '2 days'"))
    assert asked() == [], "all of it had settled before"
    with engine.begin() as connection:
        connection.execute(
            text(
                "update mail.messages set received_at = now() - interval '15 days' "
                "where rfc822_message_id like 'm1000@%'"
            )
        )
    assert asked() == [busy.mailbox_id]
    learn(busy)
    assert asked() == [], "it was looked at, and was too little for a fit"


def test_what_serves_is_watched_on_mail_that_came_after_it(
    busy: StepContext, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that drifts away from its mailbox, or promises what does not happen, must show without anybody asking."""
    monkeypatch.setattr(models_watch, "DRIFT_FROM_COUNT", 50)
    monkeypatch.setattr(models_watch, "CALIBRATION_FROM_COUNT", 50)
    learn(busy)
    decide(busy)
    mailbox = str(busy.mailbox_id)
    with engine.connect() as connection:
        assert models_watch.stability_indexes(connection) == {}, "no mail has come since"
        assert models_watch.calibrations(connection) == []
    with engine.begin() as connection:
        connection.execute(text("update models.versions set created_at = '2026-03-05'"))
    with engine.connect() as connection:
        assert models_watch.stability_indexes(connection)[mailbox] < 0.1
        (found,) = models_watch.calibrations(connection)
    assert found.mailbox_id == mailbox
    assert found.low <= found.error <= found.high
    assert found.error < 0.1
    with engine.begin() as connection:
        connection.execute(text("update priorities.messages set score = 0.5 + score / 2"))
    with engine.connect() as connection:
        assert models_watch.stability_indexes(connection)[mailbox] > models_watch.DRIFT_LIMIT
        (found,) = models_watch.calibrations(connection)
    assert found.low > models_watch.CALIBRATION_LIMIT
