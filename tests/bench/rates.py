"""Rates of the steps, of a whole import by its command, and of the encoder against sentence-transformers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rl_emails_assets.mail.parse import parse
from rl_emails_assets.providers.files.source import FileProvider
from rl_emails_assets.providers.provider import RawItem
from rl_emails_assets.steps import embeddings_messages
from rl_emails_assets.steps.flow import STEPS, run_flow
from tests.bench.workplace import Workplace

GOALS = {"parse_and_store": 1_000, "all_but_embedding": 500, "whole_import": 80}
"""Messages a second."""


def measure(place: Workplace, path: Path, address: str) -> dict[str, Any]:
    """Messages a second: parsing alone, each step, sums of steps, and the command from start to end."""
    items = [item.rfc822 for item in FileProvider(path).items() if isinstance(item, RawItem)]
    started = time.perf_counter()
    for content in items:
        parse(content)
    parsing = time.perf_counter() - started
    settings = place.settings("bench_rates")
    # Loading the model is paid once a process, and is part of the whole import below.
    embeddings_messages.encoder_of(settings).encode(["warm"])
    seconds = {
        "/".join(key): result.seconds for key, result in run_flow(place.context(settings, path, address)).items()
    }
    count = len(items)
    stored = seconds["raw/messages"] + seconds["mail/messages"]
    but_embedding = sum(seconds.values()) - seconds["embeddings/messages"]
    return {
        "messages": count,
        "bytes_per_message": sum(map(len, items)) // count,
        "parse_per_second": round(count / parsing),
        "steps_per_second": {"/".join(key): round(count / max(seconds["/".join(key)], 1e-6)) for key in STEPS},
        "parse_and_store_per_second": round(count / stored),
        "all_but_embedding_per_second": round(count / but_embedding),
        "whole_import_per_second": round(count / _import(place, path, address), 1),
        "goals_per_second": GOALS,
    }


def _import(place: Workplace, path: Path, address: str) -> float:
    """Wall seconds of `rl-emails import` on a fresh database, its interpreter's start included."""
    settings = place.settings("bench_import")
    environment = {
        **os.environ,
        "RL_EMAILS_HOME": str(settings.home),
        "RL_EMAILS_CACHE": str(place.cache),
        "RL_EMAILS_DATABASE_URL": str(settings.database_url),
    }
    command = [sys.executable, "-c", "from rl_emails_assets.cli import main; main()"]
    started = time.perf_counter()
    subprocess.run(
        [*command, "import", str(path), "--mailbox", address, "--json"],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def measure_encoder() -> Any:
    """What tests/embedding/measure_encoder.py prints; it compares where `make parity` has made .venv-torch."""
    root = Path(__file__).parents[2]
    with_torch = root / ".venv-torch" / "bin" / "python"
    python = str(with_torch) if with_torch.exists() else sys.executable
    script = root / "tests" / "embedding" / "measure_encoder.py"
    done = subprocess.run([python, str(script)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)
