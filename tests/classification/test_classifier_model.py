"""The model file: what ships is what was recorded, and a wrong one is refused with a way out."""

import hashlib
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rl_emails_assets.classification.cues import CUES, cue_positions
from rl_emails_assets.classification.document import DOCUMENT_CUES, GENRES, document_cues, document_tokens
from rl_emails_assets.classification.hashing import SIZE, pair_row, token_hash
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.model import CARD_FILE, MODEL_FILE, SHAPES, Model
from rl_emails_assets.errors import ModelFileError

MODEL = Model.load()


def test_the_shipped_file_is_the_recorded_one() -> None:
    """A model file that changed without its card, or grew beyond what a wheel should carry."""
    content = MODEL_FILE.read_bytes()
    card = json.loads(CARD_FILE.read_text("utf-8"))
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
    assert card["sha256"].startswith(MODEL.version)
    assert len(content) < 2_000_000
    assert card["genres"]["accuracy"] >= 0.8
    assert card["genres"]["calibration_error"] <= 0.05


def test_the_file_holds_numbers_only() -> None:
    """Words of somebody's mail inside the package."""
    with zipfile.ZipFile(MODEL_FILE) as archive:
        assert sorted(archive.namelist()) == sorted(f"{name}.npy" for name in SHAPES)
    with np.load(MODEL_FILE, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind == "f" for name in SHAPES)


def test_a_missing_file_names_itself_and_the_way_out(tmp_path: Path) -> None:
    """A stack trace of numpy where an administrator needs the next step."""
    with pytest.raises(ModelFileError, match=r"absent\.npz .*train"):
        Model.load(tmp_path / "absent.npz")


@pytest.mark.parametrize("card", ["not json", "{}", "[]"])
def test_a_broken_card_is_refused(tmp_path: Path, card: str) -> None:
    """A model loaded without knowing which it is."""
    (tmp_path / "card.json").write_text(card)
    with pytest.raises(ModelFileError, match=r"card\.json"):
        Model.load(MODEL_FILE, tmp_path / "card.json")


def test_another_file_than_the_card_names_is_refused(tmp_path: Path) -> None:
    """Verdicts recorded under a version that did not make them."""
    (tmp_path / "model.npz").write_bytes(MODEL_FILE.read_bytes() + b"\0")
    with pytest.raises(ModelFileError, match="do not belong"):
        Model.load(tmp_path / "model.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """The right hash of wrong bytes."""
    (tmp_path / "model.npz").write_bytes(content)
    (tmp_path / "model.json").write_text(json.dumps({"sha256": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(ModelFileError, match="not a classifier model"):
        Model.load(tmp_path / "model.npz", tmp_path / "model.json")


def test_weights_for_other_features_are_refused() -> None:
    """A cue added to the code without training: every weight after it would be another's."""
    weights = {name: np.zeros(shape, dtype=np.float32) for name, shape in SHAPES.items()}
    weights["genre_cues"] = np.zeros((len(DOCUMENT_CUES) + 1, len(GENRES)), dtype=np.float32)
    with pytest.raises(ModelFileError, match="genre_cues"):
        Model.from_weights(weights, version="x")


def test_genres_are_probabilities() -> None:
    """Genre scores that do not sum to one."""
    lexer = Lexer()
    text = "Buy now and save 50% on everything! Click here, limited time offer, free shipping, order today!"
    tokens = document_tokens(lexer, "Re: [list] HUGE SALE", lexer.tokens(text))
    likely = MODEL.genre_probabilities("HUGE SALE", tokens)
    assert math.fsum(likely.values()) == pytest.approx(1.0)
    assert max(likely, key=lambda name: likely[name]) == "promotion"
    assert "list" not in tokens
    assert document_cues("HUGE SALE NOW", tokens) != document_cues("huge sale", tokens)


def test_pair_rows_depend_on_order_and_agree_with_numpy() -> None:
    """A vectorized hash that overflows where Python's integers do not."""
    left, right = token_hash("send"), token_hash("me")
    assert pair_row(left, right) != pair_row(right, left)
    hashed = np.array([left, right], dtype=np.uint64)
    assert pair_row(hashed[:-1], hashed[1:]).tolist() == [pair_row(left, right)]
    assert 0 <= pair_row(0xFFFFFFFF, 0xFFFFFFFF) < SIZE


@pytest.mark.parametrize(
    ("sentence", "cue"),
    [
        ("Can you come?", "modal_you"),
        ("You should look at it", "you_modal"),
        ("Anna, send the list", "imperative"),
        ("Please send the list", "please"),
        ("Let me know", "let_me_know"),
        ("What is it", "wh_first"),
        ("Is it done", "auxiliary_first"),
        ("I would like tea", "i_want"),
        ("We'll do it", "i_will"),
        ("How about noon", "how_about"),
        ("Feel free to", "feel_free"),
        ("Ok", "very_short"),
        ("and " * 31, "long"),
        ("I saw it there", "first_person_subject"),
    ],
)
def test_cues(sentence: str, cue: str) -> None:
    """A hand-made feature that stopped firing."""
    assert CUES.index(cue) in cue_positions(Lexer().tokens(sentence))


def test_no_command_without_a_verb_of_command() -> None:
    """A name and a noun taken for an order."""
    assert CUES.index("imperative") not in cue_positions(["anna"])
    assert CUES.index("imperative") not in cue_positions(["the", "old", "send"])
    assert CUES.index("imperative") not in cue_positions(["please", "also", "then", "send"])
    assert cue_positions([]) == []
