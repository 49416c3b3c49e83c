"""What a worker's parent and its slots tell one another: JSON objects, one a line, over a socket."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

Message = Mapping[str, Any]


class Messages:
    """One end. Sending is for any thread; receiving for one."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._received = b""

    def fileno(self) -> int:
        """To wait for it with others."""
        return self._channel.fileno()

    def send(self, message: Message) -> bool:
        """Returns False when the other end is gone."""
        try:
            with self._lock:
                self._channel.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True

    def receive(self) -> tuple[list[Message], bool]:
        """What has arrived, after waiting for something to. The second is whether the other end is still there."""
        try:
            chunk = self._channel.recv(65536)
        except OSError:
            chunk = b""
        *lines, self._received = (self._received + chunk).split(b"\n")
        return [json.loads(line) for line in lines], bool(chunk)

    def __iter__(self) -> Iterator[Message]:
        """Every message, until the other end is gone."""
        is_open = True
        while is_open:
            messages, is_open = self.receive()
            yield from messages

    def close(self) -> None:
        """Close this end."""
        self._channel.close()
