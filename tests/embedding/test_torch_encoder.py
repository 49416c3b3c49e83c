import sys
from types import ModuleType

import numpy as np
import pytest

from rl_emails_assets.embedding import torch_encoder
from rl_emails_assets.embedding.load import load_encoder
from rl_emails_assets.embedding.minilm import MiniLmEncoder
from rl_emails_assets.embedding.torch_encoder import SentenceTransformersEncoder
from rl_emails_assets.errors import ModelFileError, SettingsError


class FakeTensor:
    dtype = "torch.bfloat16"

    def __init__(self, values):
        self.values = np.array(values, np.float32)

    def detach(self):
        return self

    cpu = float = detach

    def numpy(self):
        return self.values


class FakeModel:
    """Stands for sentence_transformers.SentenceTransformer, so that these tests run without torch."""

    dimensions = 384
    bias = 2.0

    def __init__(self, folder, **options):
        if folder.startswith("missing"):
            raise OSError("no such model")
        self.folder, self.options, self.calls = folder, options, []
        self.max_seq_length = 512

    def get_embedding_dimension(self):
        return self.dimensions

    def parameters(self):
        return iter([FakeTensor([1])])

    def state_dict(self):
        return {"weight": FakeTensor([1.0]), "bias": FakeTensor([self.bias])}

    def encode(self, texts, **options):
        self.calls.append((list(texts), options))
        return np.array([[len(text)] * 384 for text in texts], np.float64)


@pytest.fixture
def fake_torch(monkeypatch):
    torch, library = ModuleType("torch"), ModuleType("sentence_transformers")
    torch.cuda = ModuleType("torch.cuda")
    torch.cuda.is_available = lambda: False
    library.SentenceTransformer = type("SentenceTransformer", (FakeModel,), {})
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    return torch, library


def test_without_torch_the_error_names_the_extra(monkeypatch):
    """The user would see ModuleNotFoundError and install the 5 GB variant by hand."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SettingsError, match=r"pip install 'rl-emails\[torch\]'"):
        load_encoder("sentence-transformers", None)


def test_the_default_model_is_the_installed_one(fake_torch, tmp_path):
    """The default would download weights, or be taken for another model than the default encoder's."""
    encoder = load_encoder("sentence-transformers", tmp_path)
    assert encoder.model == "all-MiniLM-L6-v2@53aa51172d14"
    assert encoder.precision == "bf16"
    assert encoder._model.options == {"device": "cpu", "local_files_only": True}
    assert encoder._model.max_seq_length == 256


def test_on_the_cpu_each_text_is_a_batch(fake_torch):
    """The rounding of a batch depends on its shape, and so a vector would depend on its batch-mates."""
    encoder = SentenceTransformersEncoder()
    vectors = encoder.encode(["a", "bb", "a"])
    assert vectors[:, 0].tolist() == [1, 2, 1]
    assert vectors.dtype == np.float32
    [(texts, options)] = encoder._model.calls
    assert texts == ["a", "bb"]
    assert options["batch_size"] == 1


def test_on_a_gpu_every_batch_has_one_shape(fake_torch):
    """As on the CPU; and a GPU that is there would stand idle."""
    torch, _ = fake_torch
    torch.cuda.is_available = lambda: True
    encoder = SentenceTransformersEncoder()
    assert encoder._model.options["device"] == "cuda"
    assert encoder.encode(["a", "bb", "ccc"])[:, 0].tolist() == [1, 2, 3]
    [(texts, options)] = encoder._model.calls
    assert len(texts) == options["batch_size"] == torch_encoder.GPU_BATCH_SIZE
    assert options["processing_kwargs"] == {"text": {"padding": "max_length", "max_length": 256}}


def test_a_given_device_is_used(fake_torch):
    """Who shares a GPU with others could not keep off it."""
    torch, _ = fake_torch
    torch.cuda.is_available = lambda: True
    assert SentenceTransformersEncoder(device="cpu")._model.options["device"] == "cpu"


def test_another_model_is_named_with_a_hash_of_its_weights(fake_torch, tmp_path):
    """Two models in the same folder at different times would be compared with each other."""
    _, library = fake_torch
    first = load_encoder("sentence-transformers:some/model:v2", tmp_path)
    library.SentenceTransformer.bias = 3.0
    second = load_encoder("sentence-transformers:some/model:v2", tmp_path)
    assert first.model.startswith("some/model:v2@")
    assert first.model != second.model
    assert first._model.options == {"device": "cpu"}


def test_a_model_of_another_dimension_is_refused(fake_torch):
    """Its vectors would be cut, or fail at the database in the middle of a run."""
    _, library = fake_torch
    library.SentenceTransformer.dimensions = 768
    with pytest.raises(SettingsError, match="768 dimensions, the database holds 384"):
        SentenceTransformersEncoder("large")


def test_a_model_that_is_not_there_is_named(fake_torch):
    """The error would be a traceback out of three libraries."""
    with pytest.raises(ModelFileError, match="has the name missing/model"):
        SentenceTransformersEncoder("missing/model")


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    """A misspelt setting would silently be the default."""
    with pytest.raises(SettingsError, match='no encoder called "minilm-l12": set "minilm"'):
        load_encoder("minilm-l12", tmp_path)


def test_the_default_name_loads_the_default_encoder(model_cache, minilm):
    """`minilm` would need torch."""
    assert isinstance(load_encoder("minilm", model_cache), MiniLmEncoder)


def test_the_real_library_gives_the_vectors_of_its_own_batches():
    """The fake above would hide a changed interface of sentence-transformers."""
    pytest.importorskip("sentence_transformers", reason="pip install 'rl-emails[torch]'")
    texts = ["The invoice is attached", "🎉", "", "long " * 400]
    one_by_one = SentenceTransformersEncoder(device="cpu")
    assert one_by_one.precision == "fp32"
    vectors = one_by_one.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(one_by_one.encode(texts[2:]), vectors[2:])
    batched = one_by_one._model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(vectors, batched, atol=1e-5)
    one_by_one._fixed_shape = True
    padded = one_by_one.encode(texts)
    np.testing.assert_allclose(vectors, padded, atol=1e-5)
    assert np.array_equal(one_by_one.encode(texts[2:]), padded[2:])
