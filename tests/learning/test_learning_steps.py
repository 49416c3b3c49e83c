"""From a correction to another score: the steps of a `learn` run, on real tables."""

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.ranking.personal_part import Known, PersonalPart
from rl_emails_assets.steps import models_behaviour, models_gate, models_ranker, models_serving
from rl_emails_assets.steps import models_versions as versions
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.models_verdict import verdict_on
from rl_emails_assets.sync_queue import queue
from tests.learning.conftest import Say, decide, learn, rows, scores


def test_a_correction_moves_the_senders_mail_and_no_other(mailbox: StepContext, engine: Engine, say: Say) -> None:
    """An instruction that waits for statistics is one that is ignored; one that moves strangers' mail is a surprise."""
    before = scores(engine)
    say(mailbox, "m4", "important")  # the newsletter
    learn(mailbox)
    with engine.connect() as connection:
        assert [item.asked_by for item in queue.live(connection)] == ["learning"]
    decide(mailbox)
    after = scores(engine)
    news = {name for name in before if int(name[1:]) % 5 == 4}
    assert all(after[name] > before[name] + 0.005 for name in news)
    assert {name: after[name] for name in before if name not in news} == {
        name: before[name] for name in before if name not in news
    }
    (model,) = rows(engine, "select * from models.versions")
    assert (model.state, model.kind, model.is_passed) == ("serving", "ranker", True)
    assert model.moved_count == len(news)
    assert model.applied_at is not None
    assert "moves no other mail" in model.reason
    moved = rows(engine, "select * from models.shifts order by score_after desc")
    assert len(moved) == len(news)
    assert all(row.score_after > row.score_before and row.place_after <= row.place_before for row in moved)
    recorded = rows(engine, "select model_version, version, reasons_against from priorities.messages")
    assert {row.model_version.partition("+")[2] for row in recorded} == {model.version}
    assert all(model.version in row.version for row in recorded)
    assert any(row.reasons_against for row in recorded)


def test_what_was_said_last_counts_and_saying_it_again_says_more(
    mailbox: StepContext, engine: Engine, say: Say
) -> None:
    """An owner who takes a word back must not have to say it twice."""
    before = scores(engine)["m4"]
    say(mailbox, "m4", "important")
    learn(mailbox)
    decide(mailbox)
    once = scores(engine)["m4"]
    say(mailbox, "m9", "important")
    learn(mailbox)
    decide(mailbox)
    twice = scores(engine)["m4"]
    say(mailbox, "m4", "not_important")
    say(mailbox, "m9", "not_important")
    learn(mailbox)
    decide(mailbox)
    assert before < once < twice
    assert scores(engine)["m4"] < before


def test_a_second_run_on_the_same_makes_nothing(mailbox: StepContext, engine: Engine, say: Say) -> None:
    """A schedule that made a new model every night of nothing would rank every mailbox anew every night."""
    say(mailbox, "m4", "important")
    learn(mailbox)
    decide(mailbox)
    before = rows(engine, "select model_id, state, applied_at from models.versions")
    learn(mailbox)
    assert rows(engine, "select model_id, state, applied_at from models.versions") == before
    with engine.connect() as connection:
        assert not [item for item in queue.live(connection) if item.attempts]


def test_killed_between_training_and_promotion_the_next_run_promotes(
    mailbox: StepContext, engine: Engine, say: Say
) -> None:
    """The correction would be remembered as learned, and never take effect."""
    say(mailbox, "m4", "important")
    learn(mailbox, promote=False)
    assert [row.state for row in rows(engine, "select state from models.versions")] == ["candidate"]
    learn(mailbox)
    assert [row.state for row in rows(engine, "select state from models.versions")] == ["serving"]


def test_a_rollback_takes_every_score_back_and_holds(mailbox: StepContext, engine: Engine, say: Say) -> None:
    """A model that came back by itself after its owner took it away would make the button a lie."""
    first = scores(engine)
    say(mailbox, "m4", "important")
    learn(mailbox)
    decide(mailbox)
    second = scores(engine)
    say(mailbox, "m3", "not_important")
    learn(mailbox)
    decide(mailbox)
    for expected in (second, first):
        with engine.begin() as connection:
            change = models_serving.roll_back(connection, mailbox.mailbox_id, "ranker")
        assert change.before is not None
        decide(mailbox)
        assert scores(engine) == expected
    with engine.begin() as connection, pytest.raises(NotFoundError, match="nothing to roll back"):
        models_serving.roll_back(connection, mailbox.mailbox_id, "ranker")
    with engine.begin() as connection:
        connection.execute(text("update models.trainings set evidence_hash = '', feedback_count = 0"))
    learn(mailbox)
    decide(mailbox)
    assert scores(engine) == first
    say(mailbox, "m4", "not_important")
    learn(mailbox)
    decide(mailbox)
    assert scores(engine)["m4"] < first["m4"]


def test_a_rollback_while_scores_are_being_made_is_made_up_for(
    mailbox: StepContext, engine: Engine, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run under way ends with the old model's scores; nobody would ever mend them."""
    first = scores(engine)
    say(mailbox, "m4", "important")
    learn(mailbox)
    rank = models_gate.Ranker.rank
    calls = iter(range(10_000))

    def rolling_back(self: models_gate.Ranker, message: object) -> object:
        if next(calls) == 10:
            with engine.begin() as connection:
                models_serving.roll_back(connection, mailbox.mailbox_id, "ranker")
        return rank(self, message)  # type: ignore[arg-type]

    monkeypatch.setattr(models_gate.Ranker, "rank", rolling_back)
    decide(mailbox)
    monkeypatch.undo()
    assert scores(engine) != first
    with engine.connect() as connection:
        assert [item.asked_by for item in queue.live(connection)] == ["learning"]
    assert rows(engine, "select applied_at from models.versions")[0].applied_at is None
    decide(mailbox)
    assert scores(engine) == first


@pytest.mark.parametrize("broken", ["weight", "threshold"])
def test_a_candidate_that_is_no_number_is_refused_with_the_reason(
    mailbox: StepContext, engine: Engine, say: Say, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """One NaN would put every message of the mailbox in no order at all."""
    before = scores(engine)
    nan = float("nan")

    def unsound(*_: object) -> PersonalPart:
        if broken == "threshold":
            return PersonalPart(base_log_odds=0.0, threshold=nan)
        return PersonalPart(base_log_odds=0.0, threshold=0.3, known={"sender": {"ada@one.example": Known(nan, 1, 1)}})

    monkeypatch.setattr(models_gate, "instructed", unsound)
    say(mailbox, "m4", "important")
    learn(mailbox)
    (model,) = rows(engine, "select * from models.versions")
    assert (model.state, model.is_passed, model.weights) == ("rejected", False, {})
    assert "not a number" in model.reason
    with engine.connect() as connection:
        found = verdict_on(connection, mailbox.mailbox_id, "ranker", mailbox.run_id)
        assert (found.is_passed, found.reason) == (False, model.reason)
        assert models_serving.serving_person(connection, mailbox.mailbox_id) is None
    decide(mailbox)
    assert scores(engine) == before


def test_a_model_that_cannot_be_read_ends_to_serve_with_the_reason_and_mail_is_ranked(
    mailbox: StepContext, engine: Engine, say: Say
) -> None:
    """After an upgrade that reads another format, every sync of the mailbox would fail."""
    before = scores(engine)
    say(mailbox, "m4", "important")
    learn(mailbox)
    with engine.begin() as connection:
        connection.execute(text("update models.versions set weights = '{\"format\": 99}'"))
    decide(mailbox)
    assert scores(engine) == before
    (model,) = rows(engine, "select state, reason from models.versions")
    assert model.state == "retired"
    assert "format 99" in model.reason


def test_removed_mail_takes_what_it_taught_with_it(mailbox: StepContext, engine: Engine, say: Say) -> None:
    """A sender whose mail is gone would stay in a model, with a correction that nobody can see any more."""
    first = scores(engine)
    say(mailbox, "m4", "important")
    learn(mailbox)
    with engine.begin() as connection:
        connection.execute(text("delete from app.feedback"))
    learn(mailbox)
    decide(mailbox)
    assert scores(engine) == first
    states = rows(engine, "select state, weights from models.versions order by created_at")
    assert [row.state for row in states] == ["retired", "serving"]
    assert states[1].weights == {}


def test_one_model_serves_at_most(mailbox: StepContext, engine: Engine, say: Say) -> None:
    """Two that served at once would each be named in some of the scores."""
    for name, value in (("m4", "important"), ("m3", "not_important")):
        say(mailbox, name, value)
        learn(mailbox)
    states = rows(engine, "select state, took_over_from from models.versions order by created_at")
    assert [row.state for row in states] == ["retired", "serving"]
    with engine.begin() as connection, pytest.raises(Exception, match="uq_models_versions_serving"):
        connection.execute(text("update models.versions set state = 'serving'"))


def test_two_runs_at_once_make_one_model(mailbox: StepContext, engine: Engine, say: Say) -> None:
    """Two sensors' ticks, or a person and a sensor, start two runs of one mailbox."""
    from threading import Thread  # noqa: PLC0415

    say(mailbox, "m4", "important")
    errors: list[BaseException] = []

    def run() -> None:
        try:
            learn(mailbox)
        except BaseException as error:  # noqa: BLE001 - reported by the assertion
            errors.append(error)

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [row.state for row in rows(engine, "select state from models.versions")] == ["serving"]
    with engine.connect() as connection:
        assert versions.serving(connection, mailbox.mailbox_id, "ranker") is not None


def test_a_correction_on_mail_without_a_sender_changes_nothing_and_breaks_nothing(
    mailbox: StepContext, engine: Engine, say: Say
) -> None:
    """There is nobody whose mail could be moved."""
    with engine.begin() as connection:
        connection.execute(text("update mail.messages set from_address = '' where rfc822_message_id like 'm4@%'"))
    say(mailbox, "m4", "important")
    learn(mailbox)
    assert rows(engine, "select * from models.versions") == []
    (note,) = rows(engine, "select note, feedback_count from models.trainings")
    assert note.feedback_count == 1
    assert "too little" in note.note
    models_behaviour.run(mailbox)
    models_ranker.run(mailbox)
