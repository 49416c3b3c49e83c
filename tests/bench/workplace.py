"""Where a benchmark works: a database server of its own, fresh databases, and generated mailboxes on disk."""

import hashlib
import platform
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import create_database, make_engine
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.embedding.encoder import DIMENSIONS
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext
from tests.bench.generate_mailbox import OWNER_ADDRESS, write_mbox

SEED = 1


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder with a server in it."""

    folder: Path
    cache: Path
    server: EmbeddedPostgres

    def mailbox(self, count: int) -> Path:
        """A generated mbox of `count` messages."""
        path = self.folder / f"generated-{count}.mbox"
        if not path.exists():
            write_mbox(path, count, SEED)
        return path

    def settings(self, name: str) -> Settings:
        """Settings on a fresh, migrated database called `name`, with a home folder of its own."""
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        create_database(self.server.url(), name)
        home = self.folder / name
        home.mkdir(exist_ok=True)
        home.chmod(0o755)
        settings = Settings(home=home, cache=self.cache, database_url=self.server.url(name))
        engine = make_engine(self.server.url(name), "bench")
        migrate(engine)
        engine.dispose()
        return settings

    def context(self, settings: Settings, path: Path, address: str = OWNER_ADDRESS) -> StepContext:
        """What the steps get to work on the mail in `path`."""
        engine = make_engine(str(settings.database_url), "bench")
        with engine.begin() as connection:
            mailbox = connect_files(connection, address, {"path": str(path), "kind": "mbox"}, aliases=())
        return StepContext(engine, mailbox.mailbox_id, "bench", settings)


@contextmanager
def workplace() -> Iterator[Workplace]:
    """A temporary workplace; its server is stopped and its folder removed."""
    folder = Path(tempfile.mkdtemp(prefix="rl-emails-bench-"))
    folder.chmod(0o755)
    cache = Path(tempfile.gettempdir()) / "rl-emails-test-cache"
    cache.mkdir(exist_ok=True)
    cache.chmod(0o755)
    server = EmbeddedPostgres(folder, cache)
    server.attach()
    try:
        yield Workplace(folder, cache, server)
    finally:
        server.detach()
        shutil.rmtree(folder, ignore_errors=True)


class StandInEncoder:
    """Vectors without a model, for measuring everything else at sizes that would take an hour to encode.

    A text's vector is near those of texts with the same first words, so that search and projects have work to do.
    """

    model = "stand-in"
    precision = "none"

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, the same for the same text."""
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for index, text in enumerate(texts):
            subject = np.random.default_rng(_seed(" ".join(text.split()[:3]))).standard_normal(DIMENSIONS)
            own = np.random.default_rng(_seed(text)).standard_normal(DIMENSIONS)
            vector = subject + 0.7 * own
            vectors[index] = vector / np.linalg.norm(vector)
        return vectors


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = Path("/proc/meminfo").read_text().split("\n", 1)[0].split()[1]
    return {
        "cpu": cpu,
        "cores": len(Path("/proc/cpuinfo").read_text().split("processor\t")) - 1,
        "memory_gib": round(int(memory) / 2**20, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
