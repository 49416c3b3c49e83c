"""Servers of strangers, on loopback: each says what it is told to, however wrong that is."""

import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable


def png(width: int = 20, height: int = 10) -> bytes:
    """A real image of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\x00" + b"\x20\x80\xc0" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    """An answer that leads elsewhere."""
    return answer(b"", f"Location: {to}", status=status)


class Stranger:
    """A server on a loopback address; `say` gets the connection and the request, and writes what it likes."""

    def __init__(
        self, say: Callable[[socket.socket, bytes], None] | bytes, *, host: str = "127.0.0.1", context=None
    ) -> None:
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []
        self._say = say if callable(say) else lambda connection, _: connection.sendall(say)
        self._context: ssl.SSLContext | None = context
        if context is not None:
            context.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        self._listening = socket.create_server((host, 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Stranger":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake a thread that waits in accept.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self._meet(connection)

    def _meet(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            if self._context is None:
                self._answer(connection)
                return
            with self._context.wrap_socket(connection, server_side=True) as wrapped:
                self._answer(wrapped)
        except OSError:
            return  # the other side has hung up, which most of these tests are about

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            got = connection.recv(65536)
            if not got:
                return
            request += got
        self.requests.append(request)
        self._say(connection, request)
