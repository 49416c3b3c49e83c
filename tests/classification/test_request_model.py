"""The request model: what ships is what was recorded, a wrong file is refused, and its features are those learned."""

import hashlib
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.classification import request_features
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.request_features import (
    ASKING,
    CLASS_COUNT,
    MAX_ASKING_WORDS,
    PAIRS,
    PRIOR_ROWS,
    ROWS,
    Hashes,
    prior_rows,
    sentence_features,
    unmasked,
)
from rl_emails_assets.classification.requests import (
    NO_WORDS,
    REQUESTS_CARD,
    REQUESTS_FILE,
    SHAPES,
    RequestModel,
    voice_features,
)
from rl_emails_assets.errors import ModelFileError

MODEL = RequestModel.load()
FRESH = RequestModel.load()
LEXER = Lexer()


def log_odds(sentence: str) -> float:
    return MODEL.log_odds(sentence, LEXER.tokens(sentence))


def test_the_shipped_file_is_the_recorded_one_and_holds_numbers_only() -> None:
    """A weights file that changed without its card, grew beyond what a wheel should carry, or carries words of mail."""
    content = REQUESTS_FILE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == json.loads(REQUESTS_CARD.read_text("utf-8"))["sha256"]
    assert hashlib.sha256(content).hexdigest().startswith(MODEL.version)
    assert len(content) < 600_000
    with zipfile.ZipFile(REQUESTS_FILE) as archive:
        assert sorted(archive.namelist()) == sorted(f"{name}.npy" for name in SHAPES)
    with np.load(REQUESTS_FILE, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "fi" for name in SHAPES)


@pytest.mark.parametrize(
    ("asks", "tells"),
    [
        ("Can you send me the revised tide table by Friday?", "I sent her the revised tide table on Friday."),
        ("Forward the list to Ole and close the ticket.", "Ole forwarded the list and the ticket was closed."),
        ("Let's meet on Tuesday at ten.", "We met on Tuesday at ten."),
        ("I need the final slides from you tomorrow.", "The final slides were shown yesterday."),
        ("When can we talk about the lock gates?", "We talked about the lock gates."),
    ],
)
def test_what_asks_scores_above_what_tells(asks: str, tells: str) -> None:
    """Weights and features that no longer fit each other."""
    assert log_odds(asks) > 0 > log_odds(tells)


def test_a_verb_that_no_labelled_sentence_holds_is_known_from_other_mail() -> None:
    """Voices of the unlabelled mail that do not reach the score."""
    polite, question = MODEL.voices(LEXER.tokens("let me know if that works for you"))
    plain, _ = MODEL.voices(LEXER.tokens("the ferry left the harbour at nine"))
    assert polite > plain + 2
    assert MODEL.voices(LEXER.tokens("what time does it start"))[1] > question


def test_no_words_ask_nothing() -> None:
    """A division by the length of an empty sentence."""
    assert MODEL.log_odds("...", []) == NO_WORDS
    assert math.isfinite(MODEL.log_odds("?", ["?"]))
    assert math.isfinite(MODEL.log_odds("please", ["please"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["can", "you", "?", "send", "me", "harbour", "<number>", "é", "please", "by"]),
                min_size=1, max_size=90))  # fmt: skip
def test_positions_are_inside_their_tables_and_memory_changes_nothing(tokens: list[str]) -> None:
    """An index error on an odd sentence, or a score that depends on what was read before."""
    found = sentence_features(tokens, Hashes())
    assert all(0 <= row < ROWS for row in (*found.grams, *found.places, *found.turns))
    assert all(0 <= pair < PAIRS for pair in found.pairs)
    assert all(0 <= row < PRIOR_ROWS for row in prior_rows(tokens, Hashes()))
    assert found.asking_count <= MAX_ASKING_WORDS + 1
    assert found.token_count <= request_features.MAX_SENTENCE_TOKENS
    assert MODEL.log_odds("", tokens) == FRESH.log_odds("", tokens)


def test_hashes_forget_and_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail of random words filling the memory for ever."""
    monkeypatch.setattr(request_features, "_MAX_MEMORY", 3)
    hashes = Hashes()
    first = [hashes.of([letter])[0] for letter in "abcdef"]
    assert first == [Hashes().of([letter])[0] for letter in "abcdef"]
    assert len(hashes._known) <= 3


def test_words_of_asking_are_paired_in_their_order_however_far_apart() -> None:
    """ "Can you" and "you can" taken for the same."""
    apart = sentence_features(["can", "the", "old", "harbour", "master", "you"], Hashes())
    turned = sentence_features(["you", "the", "old", "harbour", "master", "can"], Hashes())
    can_you = ASKING["can"] * CLASS_COUNT + ASKING["you"]
    assert can_you in apart.pairs
    assert can_you not in turned.pairs
    assert apart.turns != turned.turns


def test_masking_hides_what_is_to_be_guessed() -> None:
    """Voices that learn to read the very word they are to predict."""
    assert unmasked(["could", "you", "please", "send", "it", "?"]) == ["send", "it"]
    assert unmasked(["you", "could"]) == ["you", "could"]


def test_voices_are_told_straight_bounded_and_one_sided() -> None:
    """A voice without bound that outshouts the labelled sentences."""
    assert voice_features((-3.0,)) == pytest.approx([-1.0, math.tanh(-1.5), 0.0])
    assert voice_features((3.0,)) == pytest.approx([1.0, math.tanh(1.5), 1.0])


def test_a_missing_file_names_itself_and_the_way_out(tmp_path: Path) -> None:
    """A stack trace of numpy where an administrator needs the next step."""
    with pytest.raises(ModelFileError, match=r"absent\.npz .*train_requests"):
        RequestModel.load(tmp_path / "absent.npz")


def test_another_file_than_the_card_names_is_refused(tmp_path: Path) -> None:
    """Verdicts recorded under a version that did not make them."""
    (tmp_path / "requests.npz").write_bytes(REQUESTS_FILE.read_bytes() + b"\0")
    with pytest.raises(ModelFileError, match="do not belong"):
        RequestModel.load(tmp_path / "requests.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """The right hash of wrong bytes."""
    (tmp_path / "requests.npz").write_bytes(content)
    (tmp_path / "requests.json").write_text(json.dumps({"sha256": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(ModelFileError, match="not a request model"):
        RequestModel.load(tmp_path / "requests.npz", tmp_path / "requests.json")


def test_weights_for_other_features_are_refused() -> None:
    """A cue added to the code without training: every weight after it would be another's."""
    weights = {name: np.zeros(shape, dtype=np.float32) for name, shape in SHAPES.items()}
    weights["cues"] = np.zeros(3, dtype=np.float32)
    with pytest.raises(ModelFileError, match="cues has shape"):
        RequestModel.from_weights(weights, version="x")
