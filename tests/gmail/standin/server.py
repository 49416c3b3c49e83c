"""A small HTTP server that can also break a connection in the ways that real ones break."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

from tests.gmail.standin.control import Control
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.replies import ApiError, BrokenConnectionError, Request, Response, json_response

_RESET = struct.pack("ii", 1, 0)


class Server:
    """Listens on loopback; one thread a connection, kept alive. With `tls` it speaks HTTPS."""

    def __init__(
        self,
        answer: Callable[[Request], Response],
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._answer = answer
        self._tls = tls
        self._listening = socket.create_server((host, port), backlog=128)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.url = f"{'https' if tls else 'http'}://{host}:{self._listening.getsockname()[1]}"
        """Where it listens."""
        self._thread = threading.Thread(target=self._accept, daemon=True, name="gmail stand-in")
        self._thread.start()

    def close(self) -> None:
        """Stops listening and ends every connection."""
        with self._lock:
            self._closed = True
            connections = list(self._connections)
        # A shutdown wakes the thread that accepts; closing alone would leave it waiting.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._thread.join(timeout=10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls is not None:
                with self._lock:
                    self._connections.discard(connection)
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._connections.add(connection)
            with connection, connection.makefile("rb") as reader:
                while self._serve_one(connection, reader):
                    pass
        except OSError:
            return  # The client went away; whatever it asked for was done or was not.
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _serve_one(self, connection: socket.socket, reader: BinaryIO) -> bool:
        request = _read(connection, reader)
        if request is None:
            return False
        try:
            response = self._answer(request)
        except BrokenConnectionError:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return False
        except ApiError as error:
            response = error.response()
        except Exception as error:
            # A bug of the stand-in must not look like a fault of Gmail's.
            connection.sendall(_bytes(json_response({"stand-in failed": repr(error)}, 501)))
            raise
        sent = _bytes(response)
        if response.reset_mid_body:
            connection.sendall(sent[: len(sent) - len(response.body) // 2 - 1])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return False
        connection.sendall(sent)
        return request.headers.get("connection", "").lower() != "close"


def _read(connection: socket.socket, reader: BinaryIO) -> Request | None:
    line = reader.readline(65_537)
    if not line.strip():
        return None
    verb, _, rest = line.decode("latin-1").partition(" ")
    target = rest.partition(" ")[0]
    headers: dict[str, str] = {}
    while (entry := reader.readline(65_537)) not in {b"\r\n", b"\n", b""}:
        name, _, value = entry.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(_chunks(reader))
    else:
        body = reader.read(int(headers.get("content-length", "0")))
    split = urlsplit(target)
    return Request(verb, split.path, split.query, headers, body)


def _chunks(reader: BinaryIO) -> Iterator[bytes]:
    while size := int(reader.readline().split(b";")[0], 16):
        yield reader.read(size)
        reader.readline()
    reader.readline()


def _bytes(response: Response) -> bytes:
    headers = {"Server": "ESF", "Content-Length": str(len(response.body)), **response.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n{lines}\r\n"
    return head.encode("latin-1") + response.body


def listen(gmail: Gmail, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Server:
    """Serves a stand-in and its control API, and tells it where."""
    control = Control(gmail)

    def answer(request: Request) -> Response:
        return control.answer(request) if request.path.startswith("/control/") else gmail.answer(request)

    server = Server(answer, port=port, tls=tls)
    gmail.url = server.url
    return server


@contextmanager
def serving(gmail: Gmail, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Gmail]:
    """Listens for the length of a block."""
    server = listen(gmail, port=port, tls=tls)
    try:
        yield gmail
    finally:
        gmail.close()
        server.close()
