"""A slot of a worker: an interpreter of its own that has everything imported and executes one run after the other.

Its parent (worker.py) tells it over a socket what to do, and ends it when it has done enough. The main thread executes;
a second one listens, so that a run can be interrupted. Messages are one JSON object a line.
"""

import gc
import os
import queue as queues
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import DagsterRunStatus

from rl_emails_assets.instance import dagster_internals, sources
from rl_emails_assets.instance.child import ORPHAN_SECONDS, end_when_orphaned
from rl_emails_assets.instance.process_marks import resident_bytes, this_process
from rl_emails_assets.instance.slot_claims import Claims
from rl_emails_assets.instance.slot_messages import Messages
from rl_emails_assets.instance.warm_up import open_instance, warm_up

STOPPED = "The worker was stopped; the sync goes on with the next run."
VANISHED = "The run ended without saying how; its events may be incomplete. Look into the worker's log."
"""What a run is failed with whose end could not be written, for instance because the database was away."""


class Slot:
    """What the process does between its start and its end."""

    def __init__(self, channel: socket.socket, definitions: str) -> None:
        self._messages = Messages(channel)
        self._definitions = definitions
        self._todo: queues.SimpleQueue[Mapping[str, Any]] = queues.SimpleQueue()
        self._lock = threading.Lock()
        self._running = ""
        self._is_stopped = False
        self._instance: dg.DagsterInstance
        self._claims: Claims

    def serve(self) -> None:
        """Warm up, then do what is asked until told to end."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        opened = open_instance()
        self._instance = opened.instance
        self._claims = Claims(opened.databases)
        # The one before may have been killed with a run; that is told before this one is ready.
        self._messages.send({"open": opened.databases.product_url})
        while not self._todo.empty():
            self._do(self._todo.get())
        self._sources = sources.fingerprint(self._definitions)
        warm_up(self._definitions, opened.settings)
        gc.collect()
        gc.freeze()
        self._messages.send({"ready": this_process(), "bytes": resident_bytes(os.getpid())})
        while True:
            self._do(self._todo.get())

    def _do(self, message: Mapping[str, Any]) -> None:
        if "run" in message:
            self._run(message["run"], is_unsure=message["unsure"])
        elif "report" in message:
            self._report(message["report"], message["why"])
            self._messages.send({"reported": message["report"]})
        elif "end" in message:
            self._instance.dispose()
            sys.stdout.flush()
            os._exit(0)

    # -- runs --------------------------------------------------------------------------------------------------------

    def _run(self, run_id: str, *, is_unsure: bool) -> None:
        if is_unsure and sources.fingerprint(self._definitions) != self._sources:
            self._messages.send({"stale": run_id})
            return
        with self._lock:
            self._running = run_id
            self._is_stopped = False
        try:
            if not self._is_cancelled(run_id):
                dagster_internals.execute_run(self._instance, run_id)
        finally:
            with self._lock:
                self._running = ""
            dagster_internals.pop_captured_interrupt()
        self._settle(run_id)
        gc.collect()
        self._messages.send({"done": run_id, "bytes": resident_bytes(os.getpid())})

    def _is_cancelled(self, run_id: str) -> bool:
        """Somebody cancelled it on its way here: it is not begun."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.status is DagsterRunStatus.CANCELING:
            if run is not None:
                self._instance.report_run_canceled(run)
            return True
        return False

    def _settle(self, run_id: str) -> None:
        """See to it that the run has ended, in Dagster's records and in the sync queue."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.status is DagsterRunStatus.SUCCESS:
            return
        if run.status is DagsterRunStatus.CANCELED:
            self._claims.cancel(run_id)
        elif self._is_stopped:
            self._claims.hand_back(run_id)
        elif run.is_finished:
            self._claims.fail(run_id, "The run failed.")
        else:
            self._report(run_id, VANISHED)

    def _report(self, run_id: str, why: str) -> None:
        """Report a run that nobody executes any more as failed, and return its claim."""
        run = self._instance.get_run_by_id(run_id)
        if run is None:
            return
        if not run.is_finished:
            if run.status is DagsterRunStatus.CANCELING:
                self._instance.report_run_canceled(run, why)
            else:
                self._instance.report_run_failed(run, why)
        self._claims.fail(run_id, why)

    # -- the second thread -------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        for message in self._messages:
            if "interrupt" in message:
                self._interrupt(message["interrupt"], is_stop=message["stop"])
            else:
                self._todo.put(message)
        # The parent is gone. Where the kernel does not end its children (not Linux), this does.
        os.kill(os.getpid(), signal.SIGINT)
        end_when_orphaned(-1, 0.0, ORPHAN_SECONDS if self._running else 0.0)

    def _interrupt(self, run_id: str, *, is_stop: bool) -> None:
        with self._lock:
            if self._running == run_id:
                self._is_stopped = is_stop
                os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    """The program: `... FILE_DESCRIPTOR DEFINITIONS`."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    dagster_internals.keep_output_in_files()
    dagster_internals.wait_for_pools_asleep()
    # A signal that comes between two runs interrupts neither; the parent ends a slot by a message.
    with dagster_internals.capture_interrupts():
        try:
            Slot(channel, sys.argv[2]).serve()
        except Exception:  # noqa: BLE001 - recorded, and the parent starts another
            traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
