import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.embedding.encoder import DIMENSIONS
from rl_emails_assets.embedding.minilm import MiniLmEncoder
from rl_emails_assets.embedding.text import MAX_CHARACTERS

SENTENCES = (
    "Please sign the lease before Friday",
    "The contract has to be signed by the end of the week",
    "Your parcel was delivered this morning",
    "The courier left a package at your door",
    "Dinner on Saturday? Bring the children",
    "Bitte unterschreiben Sie den Mietvertrag bis Freitag",
    "Server db-3 is out of disk space",
    "发票已附上，请在周五前付款",
    "🎉🎉 Happy birthday!!!",
    "",
    "renew the domain name now " * 90,
)
REFERENCE_COSINES = (
    # sentence-transformers 6.2.0, torch 2.13.0, fp32: each row is one sentence above against those after it.
    (0.5870, 0.2758, 0.1232, 0.2454, 0.0226, 0.0108, -0.0051, 0.0928, 0.1054, 0.1705),
    (0.2542, 0.0891, 0.1812, -0.0206, -0.0107, 0.0379, 0.0246, 0.0910, 0.0758),
    (0.5729, 0.1280, 0.0383, 0.0153, 0.0784, 0.2291, 0.1754, -0.0074),
    (0.1622, 0.0642, 0.0244, 0.0851, 0.0692, 0.1118, -0.0847),
    (0.0154, 0.0345, 0.0608, 0.1365, 0.0540, -0.0749),
    (0.0270, 0.1230, 0.0427, 0.0737, 0.0642),
    (-0.0005, -0.0212, 0.0430, -0.0055),
    (0.2499, 0.1008, 0.1967),
    (0.1352, 0.0082),
    (0.1042,),
)
ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "\x00\x01 nul",
    "🎉" * 500,
    "漢字" * 4000,
    "a" * 200_000,
    "(" * 100_000,
    "\ud800 lone",
    "ﷺ" * 9,
)


def test_cosines_are_those_of_sentence_transformers(minilm):
    """A wrong graph, tokenizer, pooling or cut at 256 tokens gives other neighbours than the published model."""
    vectors = minilm.encode(SENTENCES)
    cosines = (vectors @ vectors.T)[np.triu_indices(len(SENTENCES), 1)]
    np.testing.assert_allclose(cosines, np.concatenate(REFERENCE_COSINES), atol=0.02)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(SENTENCES[:10]) | st.text(max_size=80), min_size=1, max_size=6), st.randoms())
def test_a_vector_does_not_depend_on_its_batch(minilm, texts, dice):
    """Padding, or a range of activations shared by a batch, would make a message's score depend on its batch-mates."""
    alone = {text: minilm.encode([text])[0] for text in texts}
    shuffled = dice.sample(texts, len(texts))
    for order in (texts, shuffled, [*shuffled, *SENTENCES[-3:]]):
        vectors = minilm.encode(order)
        for text, vector in zip(order, vectors, strict=True):
            assert text not in alone or np.array_equal(vector, alone[text])


def test_a_vector_does_not_depend_on_the_workers(minilm, model_cache):
    """A machine with other cores would compute other vectors."""
    assert np.array_equal(MiniLmEncoder(model_cache, workers=1).encode(SENTENCES), minilm.encode(SENTENCES))


def test_odd_texts_have_finite_vectors_of_length_one(minilm):
    """One hostile mail (NUL, a lone surrogate, 200 kB of one letter) would stop its whole batch, or store NaN."""
    vectors = minilm.encode(ODD_TEXTS)
    assert vectors.shape == (len(ODD_TEXTS), DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_only_the_first_characters_count(minilm):
    """A body of many megabytes would be tokenized to its end."""
    start = "budget " * (MAX_CHARACTERS // 7 + 1)
    assert np.array_equal(*minilm.encode([start[:MAX_CHARACTERS], start + "tail " * 100]))


def test_no_texts_give_no_vectors(minilm):
    """An empty batch would raise, and fail a run that has nothing left to do."""
    assert minilm.encode([]).shape == (0, DIMENSIONS)


def test_duplicates_are_encoded_once(minilm, monkeypatch):
    """A newsletter sent 500 times would cost 500 encodings."""
    asked = []
    encode = minilm._encode
    monkeypatch.setattr(minilm, "_encode", lambda texts: asked.extend(texts) or encode(texts))
    vectors = minilm.encode(["same", "other", "same", "same"])
    assert asked == ["same", "other"]
    assert np.array_equal(vectors[[0, 0]], vectors[[2, 3]])


def test_the_names_stored_with_a_vector(minilm):
    """Vectors of other weights or arithmetic would be compared with these."""
    assert minilm.model == "all-MiniLM-L6-v2@53aa51172d14"
    assert minilm.precision == "int8.1"


def test_workers_default_to_the_cores_of_the_process(model_cache, monkeypatch):
    """A container that is given one core would be loaded with a thread for each core of its host."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert MiniLmEncoder(model_cache)._workers == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_can_encode(minilm):
    """A worker that forks after its parent has encoded would hang on threads that its child does not have."""
    expected = minilm.encode(SENTENCES[:4])
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child
        same = np.array_equal(minilm.encode(SENTENCES[:4]), expected)
        os.write(writing, b"same" if same else b"other")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"same"
    os.waitpid(child, 0)
