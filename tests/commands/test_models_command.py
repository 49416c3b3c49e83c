"""`rl-emails models`: what an owner sees of what they taught, tries before it serves, and takes back."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from rl_emails_assets import ranking
from rl_emails_assets.cli import app
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.sync_queue import queue
from tests.learning.conftest import Say, decide, learn, rows, scores
from tests.learning.conftest import mailbox as mailbox
from tests.learning.conftest import say as say

NEWS = "news@three.example"


@pytest.fixture
def here(settings: Settings, mailbox: StepContext, monkeypatch: pytest.MonkeyPatch) -> StepContext:
    """The mailbox, where commands find it."""
    monkeypatch.setenv("RL_EMAILS_HOME", str(settings.home))
    monkeypatch.setenv("RL_EMAILS_CACHE", str(settings.cache_dir))
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", str(settings.database_url))
    return mailbox


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *arguments])
    return result.exit_code, result.output


def test_a_model_is_listed_shown_and_rolled_back_with_a_receipt(here: StepContext, engine: Engine, say: Say) -> None:
    """What nobody can see or take back, nobody trusts."""
    assert "what all share serves alone" in _run()[1]
    before = scores(engine)
    say(here, "m4", "important")
    learn(here)
    decide(here)
    code, text = _run("list")
    assert code == 0
    assert "serving" in text
    assert "last training of its ranker" in text
    (model,) = json.loads(_run("list", "--json")[1])["models"]
    assert (model["state"], model["moved_count"]) == ("serving", 6)
    code, text = _run("show", model["version"][:6])
    assert code == 0
    assert "new corrections: 1" in text
    assert "nothing to measure on yet" in text
    assert "6 of 24 messages" in text
    assert "Weekly news" in text
    shown = json.loads(_run("show", model["model_id"], "--json")[1])
    assert shown["moved"]["moved_count"] == len(shown["moved"]["top"]) == 6
    assert shown["weights"]["known"]["sender"][NEWS]
    code, text = _run("rollback")
    assert code == 0
    assert f"served: {model['version']}" in text
    assert "serves: what all share, alone" in text
    assert "6 messages change their score" in text
    decide(here)
    assert scores(engine) == before
    code, text = _run("rollback")
    assert code == 3
    assert "nothing to roll back" in text
    code, text = _run("promote", model["version"], "--json")
    assert (code, json.loads(text)["after"]) == (0, model["version"])
    assert (code, json.loads(_run("rollback", "--json")[1])["before"]) == (0, model["version"])


def test_a_rule_is_laid_over_the_mailbox_and_changes_nothing_until_it_is_promoted(
    here: StepContext, engine: Engine
) -> None:
    """Who tries something out must not find their inbox changed."""
    before = scores(engine)
    code, text = _run("what-if", "--important", NEWS)
    assert code == 0
    assert "6 of 24 messages would move" in text
    assert "Nothing has changed." in text
    with engine.connect() as connection:
        assert queue.live(connection) == []
    learn(here)
    decide(here)
    assert scores(engine) == before, "no run promotes what its owner only tried"
    code, text = _run("what-if", "--not-important", "ada@one.example", "--json")
    report = json.loads(text)
    assert report["moved_count"] > 0
    assert all(each["score_after"] < each["score_before"] for each in report["top"])
    assert all(each["place_after"] >= each["place_before"] for each in report["top"])
    assert sum(section["down"] for section in report["sections"]) == report["moved_count"]
    assert sum(section["up"] for section in report["sections"]) == 0
    code, _ = _run("promote", report["model"]["version"])
    assert code == 0
    decide(here)
    after = scores(engine)
    assert {name for name in before if after[name] < before[name]} == {
        f"m{index}" for week in range(6) for index in (5 * week, 5 * week + 2)
    }


def test_other_shared_weights_are_laid_over_and_stored_nowhere(
    here: StepContext, engine: Engine, tmp_path: Path
) -> None:
    """A release's weights are no mailbox's model; a file that is none says so."""
    shipped = json.loads((Path(ranking.__file__).parent / "model.json").read_text())
    path = tmp_path / "weights.json"
    path.write_text(json.dumps({**shipped, "base_log_odds": shipped["base_log_odds"] + 1.0}))
    report = json.loads(_run("what-if", "--weights", str(path), "--json")[1])
    assert (report["moved_count"], report["model"]) == (24, None)
    assert rows(engine, "select * from models.versions") == []
    path.write_text("{}")
    code, text = _run("what-if", "--weights", str(path))
    assert code == 1
    assert "error:" in text


def test_a_refused_model_is_promoted_only_by_force(here: StepContext, engine: Engine, say: Say) -> None:
    """The gate is there for a reason; the owner's word is above it."""
    say(here, "m4", "important")
    learn(here, promote=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("update models.versions set state = 'rejected', reason = 'It is worse.'")
    (model,) = json.loads(_run("list", "--json")[1])["models"]
    code, text = _run("promote", model["version"])
    assert code == 1
    assert "It is worse." in text
    assert _run("promote", model["version"], "--force")[0] == 0
    assert rows(engine, "select state, reason from models.versions") == [("serving", "Promoted by its owner.")]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("dance",), 2, "none of list, show"),
        (("show",), 2, "takes a MODEL"),
        (("rollback", "--kind", "x"), 2, "none of ranker"),
        (("what-if", "abc", "--important", NEWS), 2, "takes one of"),
        (("what-if",), 3, "none yet; a correction makes one"),
        (("show", "abc"), 3, "No model is called 'abc'"),
        (("what-if", "--important", "nobody@x.example"), 3, "no mail from 'nobody@x.example'"),
        (("list", "--mailbox", "nobody@x.example"), 3, "No mailbox is called"),
    ],
)
def test_what_makes_no_sense_or_is_not_there_says_so(
    here: StepContext, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """A traceback, or an exit code that a script cannot tell from success."""
    found, text = _run(*arguments)
    assert found == code
    assert said in " ".join(text.split())
