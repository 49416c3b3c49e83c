"""Measures the default encoder against sentence-transformers, on the same texts in the same run; prints JSON.

    python tests/embedding/measure_encoder.py [--count 1000] [--rounds 5] [--cache FOLDER]

The two take turns, so that other load on the machine meets both. Without sentence-transformers only the default
encoder's own rate is measured, and what compares is null.
"""

import argparse
import email
import json
import os
import platform
import random
import re
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_emails_assets.embedding.encoder import Encoder
from rl_emails_assets.embedding.load import load_encoder
from rl_emails_assets.embedding.text import text_to_encode
from rl_emails_assets.embedding.weights import find_files

MAILBOXES = Path(__file__).parents[2].parent / "shared" / "data" / "mailboxes"
NEIGHBOURS = 10
QUOTED = re.compile(r"-----Original Message|----- Forwarded by|^>", re.MULTILINE)
WORDS = """
    agenda amount approve attach bank board book bridge budget call cancel candidate change client close code
    company confirm contract cost court customer data date deadline deal delay deliver design doctor draft engine
    estimate exam failure family fee file flight forecast garden gas hire hotel idea insurance interview invoice
    issue journey kitchen lawyer lease ledger library license list machine manager market match medicine meeting
    merger model money music network notice offer office order paint party password patch patient payment photo
    pipeline plan policy power price printer problem product profit project proposal purchase question quote receipt
    recipe refund release rent repair report request resume review risk river road sale sample schedule school
    server share ship shop sign site software speech staff station stock storm student summer supplier table tax
    teacher team test ticket tour trade train travel treaty trip update vendor visit voice wage warehouse water
    weather website wedding week winter
"""
LINKS = "the a to of and for with before after about we you they please is was will can not on in"


def mails(count: int, seed: int = 7) -> tuple[str, list[str]]:
    """Where the texts are from ("enron" or "generated"), and `count` distinct ones, the same for the same seed."""
    if MAILBOXES.is_dir():
        return "enron", _enron(count, seed)
    return "generated", generated(count, seed)


def generated(count: int, seed: int) -> list[str]:
    """Texts of 4 to 300 words, each about a handful of subjects: real mail has such clusters."""
    dice = random.Random(seed)  # noqa: S311 - repeatable texts, no secret
    words_of_topics, links = WORDS.split(), LINKS.split()
    texts = []
    for number in range(count):
        topic = dice.sample(words_of_topics, dice.randint(3, 12))
        words = [dice.choice(topic if place % 2 else links) for place in range(int(4 * 75 ** dice.random()))]
        texts.append(text_to_encode(f"{' '.join(topic[:3])} {number}", " ".join(words)))
    return texts


def _enron(count: int, seed: int) -> list[str]:
    texts: dict[str, None] = {}
    dice = random.Random(seed)  # noqa: S311 - repeatable order, no secret
    archives = sorted(MAILBOXES.glob("enron-*.tar.gz"))
    for place, archive in enumerate(archives):
        wanted = count * (place + 1) // len(archives)
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if member.isfile()]
            dice.shuffle(members)
            for member in members:
                if len(texts) >= wanted:
                    break
                file = tar.extractfile(member)
                message = email.message_from_bytes(file.read() if file else b"")
                new, *_ = QUOTED.split(str(message.get_payload()), maxsplit=1)
                text = text_to_encode(str(message["subject"] or ""), new)
                if len(text) >= 20:
                    texts[text] = None
    chosen = list(texts)
    dice.shuffle(chosen)
    return chosen


def neighbour_overlap(ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> float:
    """The mean share of a text's `NEIGHBOURS` nearest that both encoders name."""
    nearest = []
    for vectors in (ours, theirs):
        similarity = vectors @ vectors.T
        np.fill_diagonal(similarity, -np.inf)
        nearest.append(np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS])
    shared = [len(set(a) & set(b)) for a, b in zip(nearest[0].tolist(), nearest[1].tolist(), strict=True)]
    return float(np.mean(shared)) / NEIGHBOURS


def reference() -> Callable[[Sequence[str]], npt.NDArray[np.float32]] | None:
    """sentence-transformers as its users call it: fp32 on the CPU, batches of 32 sorted by length, all cores."""
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - absent by default
    except ImportError:
        return None
    model: Any = SentenceTransformer(str(find_files().folder), device="cpu", local_files_only=True)

    def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = model.encode(list(texts), batch_size=32, show_progress_bar=False, normalize_embeddings=True)
        return np.asarray(vectors, np.float32)

    return encode


def measure(encoder: Encoder, count: int, rounds: int) -> dict[str, Any]:
    source, texts = mails(count)
    compare = reference()
    encoders = {"minilm": encoder.encode} | ({"reference": compare} if compare else {})
    seconds = dict.fromkeys(encoders, 0.0)
    cpu_seconds = dict.fromkeys(encoders, 0.0)
    ratios = []
    vectors: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in encoders}
    for encode in encoders.values():
        encode(texts[:32])
    for number in range(rounds):
        block = texts[number * len(texts) // rounds : (number + 1) * len(texts) // rounds]
        spent = {}
        for name, encode in encoders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            vectors[name].append(encode(block))
            spent[name] = time.perf_counter() - wall
            seconds[name] += spent[name]
            cpu_seconds[name] += time.process_time() - cpu
        if compare:
            ratios.append(round(spent["reference"] / spent["minilm"], 2))
    result = {
        "texts": len(texts),
        "source": source,
        "model": encoder.model,
        "precision": encoder.precision,
        "rate_per_s": round(len(texts) / seconds["minilm"], 1),
        "cpu_ms_per_text": round(1e3 * cpu_seconds["minilm"] / len(texts), 2),
        "reference_rate_per_s": None,
        "reference_cpu_ms_per_text": None,
        "ratio": None,
        "ratio_by_round": ratios,
        "cosine_mean": None,
        "cosine_p1": None,
        "neighbour_overlap": None,
        "machine": machine(),
    }
    if compare:
        ours, theirs = (np.concatenate(vectors[name]) for name in ("minilm", "reference"))
        cosines = np.sum(ours * theirs, axis=1)
        result |= {
            "reference_rate_per_s": round(len(texts) / seconds["reference"], 1),
            "reference_cpu_ms_per_text": round(1e3 * cpu_seconds["reference"] / len(texts), 2),
            "ratio": round(seconds["reference"] / seconds["minilm"], 2),
            "cosine_mean": round(float(cosines.mean()), 5),
            "cosine_p1": round(float(np.percentile(cosines, 1)), 5),
            "neighbour_overlap": round(neighbour_overlap(ours, theirs), 4),
        }
    return result


def machine() -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"model name\s*: (.*)", cpuinfo)
    flags = re.search(r"flags\s*: (.*)", cpuinfo)
    return {
        "cpu": name[1] if name else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "int8_and_bf16": sorted(set(flags[1].split()) & {"avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8"})
        if flags
        else [],
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("onnxruntime", "tokenizers", "sentence-transformers", "torch")},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="texts to encode")
    parser.add_argument("--rounds", type=int, default=5, help="turns that the two encoders take")
    parser.add_argument("--cache", type=Path, help="folder of converted models; a temporary one by default")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        encoder = load_encoder("minilm", options.cache or Path(temporary))
        json.dump(measure(encoder, options.count, options.rounds), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
