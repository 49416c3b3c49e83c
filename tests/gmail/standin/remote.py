"""Steers a stand-in that runs in another process, through its control API."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[3]


class ControlError(Exception):
    """The stand-in refused what it was told."""


class RemoteUser:
    """An account of a stand-in elsewhere; as User, as far as it goes."""

    def __init__(self, gmail: "RemoteGmail", address: str) -> None:
        self.gmail = gmail
        self.address = address

    def deliver(self, rfc822: bytes | None = None, *, at: datetime | None = None, **fields: Any) -> str:
        """As User.deliver."""
        if rfc822 is not None:
            fields["rfc822_base64"] = base64.b64encode(rfc822).decode()
        if at is not None:
            fields["at"] = at.isoformat()
        if "labels" in fields:
            fields["labels"] = list(fields["labels"])
        return str(self.gmail.control("deliver", address=self.address, **fields))

    def fill(self, mail: Iterable[tuple[bytes, Iterable[str], datetime]]) -> list[str]:
        """As User.fill."""
        entries = [
            {"rfc822_base64": base64.b64encode(rfc822).decode(), "labels": list(labels), "at": at.isoformat()}
            for rfc822, labels, at in mail
        ]
        return list(self.gmail.control("fill", address=self.address, mail=entries))

    def delete(self, *message_ids: str) -> None:
        """As User.delete."""
        self.gmail.control("delete", address=self.address, ids=list(message_ids))

    def relabel(self, message_ids: str | Sequence[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """As User.relabel."""
        self.act("relabel", message_ids=message_ids, add=list(add), remove=list(remove))

    def trash(self, message_id: str) -> None:
        """As User.trash."""
        self.act("trash", message_id=message_id)

    def ids(self) -> set[str]:
        """As User.ids."""
        return set(self.gmail.control("ids", address=self.address))

    def labels(self) -> dict[str, set[str]]:
        """Label ids of every message."""
        return {key: set(labels) for key, labels in self.gmail.control("labels", address=self.address).items()}

    def grant(self, **arguments: Any) -> str:
        """As User.grant."""
        return str(self.act("grant", **arguments))

    def act(self, name: str, **arguments: Any) -> Any:
        """Any other act of a User, by keyword."""
        return self.gmail.control("user", address=self.address, act=name, **arguments)


class RemoteGmail:
    """A stand-in elsewhere."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=60)

    def control(self, verb: str, **arguments: Any) -> Any:
        """One verb of the control API."""
        response = self._client.post(f"/control/{verb}", json=arguments)
        answer = response.json()
        if response.status_code != 200:
            raise ControlError(f"{verb}: {answer['error']}")
        return answer["result"]

    def close(self) -> None:
        """Closes the connection; the stand-in goes on."""
        self._client.close()

    def add_user(self, address: str) -> RemoteUser:
        """As Gmail.add_user."""
        self.control("add_user", address=address)
        return RemoteUser(self, address)

    def user(self, address: str) -> RemoteUser:
        """An account that is there."""
        return RemoteUser(self, address)

    def ids(self, address: str) -> set[str]:
        """As Gmail.ids."""
        return self.user(address).ids()

    def settings_overrides(self) -> dict[str, Any]:
        """As Gmail.settings_overrides."""
        return dict(self.control("settings"))

    def environment(self) -> dict[str, str]:
        """As Gmail.environment."""
        return dict(self.control("environment"))

    def advance(self, **by: float) -> None:
        """As Gmail.advance."""
        self.control("advance", **by)

    def fault(self, method: str, **arguments: Any) -> None:
        """As Faults.next, or Faults.sometimes with `probability=`."""
        self.control("fault", method=method, **arguments)

    def clear_faults(self) -> None:
        """As Faults.clear."""
        self.control("clear_faults")

    def configure(self, **values: Any) -> None:
        """Sets attributes by dotted name: `configure(**{"pubsub.endpoint": url})`."""
        self.control("configure", **values)

    def calls(self, *, clear: bool = False) -> dict[str, Any]:
        """Counts by method, units, and every call."""
        return dict(self.control("calls", clear=clear))

    def pushes(self) -> list[dict[str, Any]]:
        """Every notification published."""
        return list(self.control("pushes"))


@contextmanager
def served_elsewhere(folder: Path, *arguments: str, timeout_seconds: float = 30) -> Iterator[RemoteGmail]:
    """A stand-in in a process of its own for the length of a block; `folder` gets its state file."""
    state = folder / "gmail.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gmail.standin.serve", "--state-file", str(state), *arguments],
        cwd=ROOT,
        env=os.environ.copy(),
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + timeout_seconds
        while not state.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The stand-in did not start (exit status {process.poll()}).")
            time.sleep(0.02)
        remote = RemoteGmail(json.loads(state.read_text())["url"])
        try:
            yield remote
        finally:
            remote.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
