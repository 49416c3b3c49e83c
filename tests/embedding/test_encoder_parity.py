import importlib.util
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def measure_encoder():
    path = Path(__file__).with_name("measure_encoder.py")
    spec = importlib.util.spec_from_file_location("measure_encoder", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_default_encoder_agrees_with_sentence_transformers(measure_encoder, minilm):
    """A precision chosen for speed alone would change who the neighbours of a mail are."""
    encode = measure_encoder.reference()
    if encode is None:
        pytest.skip("sentence-transformers is not installed: pip install 'rl-emails[torch]'")
    _, texts = measure_encoder.mails(1000)
    ours, theirs = minilm.encode(texts), encode(texts)
    assert np.sum(ours * theirs, axis=1).mean() >= 0.99
    assert measure_encoder.neighbour_overlap(ours, theirs) >= 0.9


def test_overlap_counts_shared_neighbours(measure_encoder):
    """An overlap that is 1 for anything would let any precision pass."""
    vectors = np.random.default_rng(3).normal(size=(200, 384)).astype(np.float32)
    assert measure_encoder.neighbour_overlap(vectors, vectors) == 1
    assert measure_encoder.neighbour_overlap(vectors, np.roll(vectors, 1, axis=0)) < 0.2


def test_generated_texts_are_repeatable_and_distinct(measure_encoder):
    """Two measurements would be of other texts, or duplicates would make the encoder look faster."""
    texts = measure_encoder.generated(300, 5)
    assert texts == measure_encoder.generated(300, 5)
    assert len(set(texts)) == 300


def test_a_measurement_names_its_rate_and_precision(measure_encoder, minilm, monkeypatch):
    """The benchmark would print a result that nobody can compare with the next one."""
    monkeypatch.setattr(measure_encoder, "mails", lambda count: ("generated", measure_encoder.generated(count, 1)))
    monkeypatch.setattr(measure_encoder, "reference", lambda: minilm.encode)
    result = measure_encoder.measure(minilm, 40, 2)
    assert result["rate_per_s"] > 0
    assert len(result["ratio_by_round"]) == 2
    assert result["cosine_mean"] == pytest.approx(1, abs=1e-5)
    assert result["neighbour_overlap"] == 1
    assert (result["texts"], result["source"], result["precision"]) == (40, "generated", "int8.1")
