"""A gzip file as a stream that keeps everything up to the place where it is damaged."""

import zlib
from contextlib import suppress
from typing import BinaryIO

GZIP_MAGIC = b"\x1f\x8b"
_INPUT_BYTES = 256 * 1024


class DamagedStreamError(Exception):
    """The compressed data ends or breaks before its end; all that could be read was read before."""


class GzipStream:
    """Reads a gzip file, several members included, a bounded piece at a time.

    The standard library's reader drops what it has decompressed in the call that meets the damage; this one does not.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pending = b""
        self._inflate = zlib.decompressobj(wbits=31)
        self._is_started = False
        self._damage: str | None = None

    def read(self, size: int) -> bytes:
        """At least one and at most `size` bytes; empty at the end. Raises DamagedStreamError after the last."""
        while True:
            if self._damage is not None:
                raise DamagedStreamError(self._damage)
            if not self._pending:
                self._pending = self._file.read(_INPUT_BYTES)
                if not self._pending:
                    if self._is_started and not self._inflate.eof:
                        self._damage = "the compressed file is cut off"
                        continue
                    return b""
            if self._inflate.eof:
                self._pending = self._pending.lstrip(b"\0")
                if not self._pending:
                    continue
                self._inflate = zlib.decompressobj(wbits=31)
                self._is_started = False
            self._is_started = True
            data = self._decompress(size)
            if data:
                return data

    def _decompress(self, size: int) -> bytes:
        before = self._inflate.copy()
        try:
            data = self._inflate.decompress(self._pending, size)
        except zlib.error as error:
            self._damage = f"the compressed file is damaged ({error})"
            return _up_to_damage(before, self._pending)
        self._pending = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        return data

    def tell(self) -> int:
        """Bytes of the compressed file that have been taken in."""
        return self._file.tell()


def _up_to_damage(inflate: "zlib._Decompress", pending: bytes) -> bytes:
    """What can be decompressed of input that breaks somewhere; less than the call that met the damage asked for."""
    pieces: list[bytes] = []
    with suppress(zlib.error):
        pieces.extend(inflate.decompress(pending[at : at + 1]) for at in range(len(pending)))
    return b"".join(pieces)
