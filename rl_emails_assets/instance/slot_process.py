"""A slot as its parent sees it: the process, what it is doing, and whether it may go on."""

import os
import socket
import subprocess
import sys
import time
from enum import StrEnum

from rl_emails_assets.instance.handovers import Offer
from rl_emails_assets.instance.process_marks import process_mark, resident_bytes
from rl_emails_assets.instance.slot_messages import Message, Messages


class SlotState(StrEnum):
    """Where a slot is in its life."""

    WARMING = "warming"
    READY = "ready"
    BUSY = "busy"
    ENDED = "ended"


class SlotProcess:
    """One slot. Started by the thread that makes it: the kernel ends it with that thread."""

    def __init__(self, definitions: str) -> None:
        ours, theirs = socket.socketpair()
        self.messages = Messages(ours)
        self.state = SlotState.WARMING
        self.born_at = time.monotonic()
        self.run_count = 0
        self.run_id = ""
        """The run it executes; empty while it executes none."""
        self.code_server_id: str | None = None
        """Where that run was requested from."""
        self.warm_bytes = 0
        """Its memory when it had warmed up."""
        self.is_leaving = False
        """Another one is being warmed up to take its place."""
        self.is_stale = False
        """What it has imported is not the code any more: it may execute nothing."""
        self.is_ending = False
        """It was asked to end."""
        self.accepted: set[str] = set()
        """Code servers whose code it is known to have."""
        self.reporting: set[str] = set()
        """Runs that it is reporting as failed."""
        arguments = [str(os.getpid()), "rl_emails_assets.instance.slot:main", str(theirs.fileno()), definitions]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "rl_emails_assets.instance.child", *arguments],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            # A terminal's Ctrl-C is for the parent, which gives runs time; a supervisor keeps all in one group.
            process_group=None if os.getsid(0) == os.getpid() else 0,
        )
        theirs.close()
        self.mark = process_mark(self._process.pid) or ""

    @property
    def pid(self) -> int:
        """Of the process, also when it has ended."""
        return self._process.pid

    def poll(self) -> int | None:
        """How the process ended; None while it lives."""
        return self._process.poll()

    def resident_bytes(self) -> int:
        """The memory it holds now."""
        return resident_bytes(self.pid)

    def execute(self, offer: Offer, *, is_unsure: bool) -> bool:
        """Give it a run. `is_unsure`: it is to look first whether its code is still what is on disk."""
        self.state = SlotState.BUSY
        self.run_id = offer.run_id
        self.code_server_id = offer.code_server_id
        return self.messages.send({"run": offer.run_id, "unsure": is_unsure})

    def interrupt(self, *, is_stop: bool) -> None:
        """Interrupt the run that it executes. `is_stop`: because the worker stops; else somebody cancelled it."""
        if self.run_id:
            self.messages.send({"interrupt": self.run_id, "stop": is_stop})

    def report(self, run_id: str, why: str) -> None:
        """Have it report a run that nobody executes any more as failed."""
        self.reporting.add(run_id)
        self.messages.send({"report": run_id, "why": why})

    def end(self) -> None:
        """Ask it to end; to be called while it executes nothing."""
        if self.is_ending:
            return
        self.is_ending = True
        self.messages.send({"end": True})

    def receive(self) -> list[Message]:
        """What it says; nothing when it is gone."""
        return self.messages.receive()[0]

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Forget the process, which has ended or is about to."""
        self.state = SlotState.ENDED
        self._process.wait()
        self.messages.close()
