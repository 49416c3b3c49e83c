"""A zip file that is made while it is sent: what was written is handed on and forgotten, so it needs no memory."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

PIECE_BYTES = 256 * 1024


class _Outlet:
    """Where the zip is written to; keeps nothing that was taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.waiting_bytes = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self.waiting_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting_bytes = 0
        return taken


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive: its content piece by piece, and how many records that were, asked when it is written."""

    name: str
    pieces: Iterable[bytes]
    count: Callable[[], int] | None = None


def zipped(members: Iterable[Member]) -> Iterator[bytes]:
    """The archive, piece by piece, with `manifest.json` as its last file: size, SHA-256 and records of each other."""
    outlet = _Outlet()
    manifest = []
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:  # type: ignore[call-overload]
        for member in members:
            digest, size = hashlib.sha256(), 0
            # Large files need the larger headers, which cannot be put in afterwards.
            with archive.open(_info(member.name), "w", force_zip64=True) as file:
                for piece in member.pieces:
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    if outlet.waiting_bytes >= PIECE_BYTES:
                        yield outlet.take()
            entry: dict[str, object] = {"name": member.name, "size_bytes": size, "sha256": digest.hexdigest()}
            if member.count is not None:
                entry["record_count"] = member.count()
            manifest.append(entry)
        archive.writestr(_info("manifest.json"), json.dumps({"version": 1, "files": manifest}, indent=2) + "\n")
    yield outlet.take()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info
