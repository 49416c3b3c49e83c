"""Corrected categories: the next mail of the sender is called what its owner called it, and no other mail is."""

from sqlalchemy import Engine, text

from rl_emails_assets.steps import models_serving
from rl_emails_assets.steps.context import StepContext
from tests.learning.conftest import Say, decide, learn, rows


def _categories(engine: Engine) -> dict[str, str]:
    query = (
        "select m.rfc822_message_id, c.category from classifications.messages c join mail.messages m using (message_id)"
    )
    return {row[0].partition("@")[0]: row[1] for row in rows(engine, query)}


def test_a_corrected_category_is_that_of_the_senders_mail_and_a_rollback_takes_it_back(
    mailbox: StepContext, engine: Engine, say: Say
) -> None:
    """A category that has to be corrected once a week is not learned."""
    before = _categories(engine)
    wanted = "newsletter" if before["m4"] != "newsletter" else "promotion"
    say(mailbox, "m4", wanted, kind="category")
    learn(mailbox)
    (model,) = rows(engine, "select * from models.versions")
    assert (model.kind, model.state, model.is_passed) == ("classifier", "serving", True), model.reason
    assert model.evaluation["carried_out"] == 1
    decide(mailbox)
    after = _categories(engine)
    news = {name for name in before if int(name[1:]) % 5 == 4}
    assert {name for name in before if after[name] != before[name]} == news
    assert {after[name] for name in news} == {wanted}
    shifts = rows(engine, "select * from models.shifts")
    assert {row.category_after for row in shifts if row.category_after != row.category_before} == {wanted}
    assert sum(row.category_after != row.category_before for row in shifts) == len(news)
    (applied,) = rows(engine, "select applied_at from models.versions")
    assert applied.applied_at is not None
    named = rows(engine, "select distinct model_version, version from classifications.messages")
    assert all(model.version in row.model_version and model.version in row.version for row in named)
    learn(mailbox)
    assert len(rows(engine, "select * from models.versions")) == 1
    with engine.begin() as connection:
        models_serving.roll_back(connection, mailbox.mailbox_id, "classifier")
    decide(mailbox)
    assert _categories(engine) == before


def test_signs_that_are_no_numbers_end_to_serve_and_mail_is_classified(
    mailbox: StepContext, engine: Engine, say: Say
) -> None:
    """A damaged row would fail every sync of the mailbox."""
    before = _categories(engine)
    say(mailbox, "m4", "promotion", kind="category")
    learn(mailbox)
    with engine.begin() as connection:
        connection.execute(text('update models.versions set weights = \'{"weights": {"s1": {"person": "x"}}}\''))
    decide(mailbox)
    assert _categories(engine) == before
    (model,) = rows(engine, "select state, reason from models.versions")
    assert model.state == "retired"
    assert "cannot be read" in model.reason
