"""The worker: a small process that keeps slots warm, takes runs that are offered, and looks after their processes.

One thread, one loop. It waits for slots, the database's notices and signals, and never for a run, so its heartbeat goes
on whatever runs do. It imports the standard library and psycopg only: which database it is told by its slots, and what
needs Dagster (reporting a run whose process was killed) a slot does.
"""

import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rl_emails_assets.instance.handovers import Offer
from rl_emails_assets.instance.processes import RestartPolicy, how_it_ended
from rl_emails_assets.instance.slot_messages import Message
from rl_emails_assets.instance.slot_process import SlotProcess, SlotState
from rl_emails_assets.instance.worker_record import Load, WorkerRecord

BEAT_SECONDS = 2.0
ADOPT_SECONDS = 5.0
"""How often it looks for workers that died with runs."""
MOST_RUNS = 200
"""Runs after which a slot is replaced by a new one."""
MOST_GROWTH_BYTES = 256 * 1024 * 1024
"""A slot whose memory has grown by more since it was warm is replaced."""
GRACE_SECONDS = 20.0
"""How long runs may go on after SIGTERM before they are interrupted."""
INTERRUPT_SECONDS = 15.0
"""How long an interrupted run may take to end the statement it is in and to report itself."""
WARM_UP_SECONDS = 180.0
KILLED = "The process that executed the run {how}."
ORPHANED = "The worker that executed the run was killed, or gave no sign of life any more."


class Worker:
    """Keeps `slots` slots. `run` returns the exit code when it has been asked to stop and its runs have ended."""

    def __init__(
        self,
        definitions: str,
        slots: int,
        *,
        grace_seconds: float = GRACE_SECONDS,
        most_runs: int = MOST_RUNS,
        most_growth_bytes: int = MOST_GROWTH_BYTES,
    ) -> None:
        self._definitions = definitions
        self._slot_count = slots
        self._grace_seconds = grace_seconds
        self._most_runs = most_runs
        self._most_growth_bytes = most_growth_bytes
        self._record = WorkerRecord(slots, self._say)
        self._slots: list[SlotProcess] = []
        self._policy = RestartPolicy()
        self._next_start_at = 0.0
        self._waiting: deque[Offer] = deque()
        """Taken, and not begun: a slot with the new code is being warmed for them."""
        self._to_report: dict[str, str] = {}
        """Runs whose process is gone, with the reason; a slot reports them."""
        self._ended: list[str] = []
        """Runs that have ended and are still on record as ours."""
        self._seen: dict[str, float] = {}
        """When each code server was first heard of."""
        self._first_server: str | None = None
        self._run_count = 0
        self._url = ""
        self._beat_at = 0.0
        self._adopted_at = 0.0
        self._told: Load | None = None
        self._is_news = False
        self._stop_requests = 0
        self._stopping_since: float | None = None
        self._interrupted_at: float | None = None
        self._is_broken = False

    def run(self) -> int:
        """Work until SIGTERM or SIGINT. Returns 0, or 1 when the slots end before they are ready."""
        with self._listening():
            try:
                while not self._is_over():
                    self._start_slots()
                    self._wait()
                    self._end_dead_slots()
                    self._assign()
                    self._end_leaving_slots()
                    self._tell_database()
                    if self._stop_requests:
                        self._stop()
            finally:
                self._leave()
        return 1 if self._is_broken else 0

    # -- slots -------------------------------------------------------------------------------------------------------

    def _start_slots(self) -> None:
        """As many as are wanted; one that is leaving stays until another has warmed up in its place."""
        if self._stop_requests or time.monotonic() < self._next_start_at:
            return
        while sum(not slot.is_leaving for slot in self._slots) < self._slot_count:
            self._slots.append(SlotProcess(self._definitions))

    def _end_dead_slots(self) -> None:
        for slot in list(self._slots):
            code = slot.poll()
            if code is None:
                is_late = slot.state is SlotState.WARMING and time.monotonic() - slot.born_at > WARM_UP_SECONDS
                if not is_late:
                    continue
                slot.kill()
                code = -int(signal.SIGKILL)
            # What it said with its last breath counts.
            self._hear(slot)
            self._slots.remove(slot)
            self._bury(slot, how_it_ended(code))

    def _bury(self, slot: SlotProcess, how: str) -> None:
        was_warming = slot.state is SlotState.WARMING
        slot.close()
        for run_id in slot.reporting:
            self._to_report.setdefault(run_id, ORPHANED)
        if slot.run_id:
            self._say(f"slot {slot.pid} {how}; its run {slot.run_id} is reported as failed")
            self._to_report[slot.run_id] = KILLED.format(how=how)
            slot.run_id = ""
        elif was_warming:
            delay = self._policy.delay_seconds()
            self._say(f"slot {slot.pid} {how} before it was ready")
            if delay is None:
                self._say("the slots keep ending before they are ready; what they said is above")
                self._is_broken = True
            else:
                self._next_start_at = time.monotonic() + delay

    def _hear(self, slot: SlotProcess) -> None:
        for message in slot.receive():
            self._on_message(slot, message)

    def _on_message(self, slot: SlotProcess, message: Message) -> None:
        if "open" in message:
            self._url = message["open"]
            self._report_with(slot)
        elif "ready" in message:
            slot.state = SlotState.READY
            slot.warm_bytes = message["bytes"]
            seconds = time.monotonic() - slot.born_at
            self._say(f"slot {slot.pid} is warm ({seconds:.1f} s, {slot.warm_bytes / 1024**2:.0f} MiB)")
        elif "done" in message:
            self._run_count += 1
            slot.run_count += 1
            self._ended.append(message["done"])
            self._release(slot)
            self._replace_if_worn(slot, message["bytes"])
        elif "stale" in message:
            # Its code is older than what is on disk; the run waits for the next slot.
            self._waiting.appendleft(Offer(message["stale"], slot.code_server_id))
            slot.is_stale = slot.is_leaving = True
            self._release(slot)
        elif "reported" in message:
            slot.reporting.discard(message["reported"])
            self._ended.append(message["reported"])

    def _release(self, slot: SlotProcess) -> None:
        slot.run_id = ""
        slot.state = SlotState.READY

    def _replace_if_worn(self, slot: SlotProcess, resident: int) -> None:
        growth = resident - slot.warm_bytes
        if not slot.is_leaving and (slot.run_count >= self._most_runs or growth > self._most_growth_bytes):
            self._say(f"slot {slot.pid} is replaced after {slot.run_count} runs ({growth / 1024**2:+.0f} MiB)")
            slot.is_leaving = True

    def _end_leaving_slots(self) -> None:
        """End those whose code is old when they are idle, and those whose place another one has taken."""
        warm = sum(slot.state is not SlotState.WARMING and not slot.is_leaving for slot in self._slots)
        for slot in self._slots:
            is_idle = slot.state is SlotState.READY and not slot.reporting
            if slot.is_leaving and is_idle and (slot.is_stale or warm >= self._slot_count):
                slot.end()

    # -- runs --------------------------------------------------------------------------------------------------------

    def _assign(self) -> None:
        """Give what waits to slots that may execute it, and take what is offered."""
        if self._to_report:
            for slot in self._slots:
                if slot.state is SlotState.READY or (slot.state is SlotState.WARMING and self._url):
                    self._report_with(slot)
                    break
        for _ in range(len(self._waiting)):
            self._place(self._waiting.popleft())
        if self._stop_requests or self._waiting:
            return
        while self._ready_slots() and (offer := self._record.take()) is not None:
            self._place(offer)
            if self._waiting:
                return

    def _place(self, offer: Offer) -> None:
        """Give the run to a slot that has the code it was requested with, or let it wait for one."""
        server = offer.code_server_id
        if server is not None and server not in self._seen:
            if not self._seen:
                self._first_server = server
            else:
                self._say("the code was reloaded; slots with the code before it are replaced")
            self._seen[server] = time.monotonic()
        for slot in self._slots:
            if self._is_outdated(slot, server):
                slot.is_stale = slot.is_leaving = True
        for slot in self._ready_slots():
            is_unsure = server is not None and server == self._first_server and server not in slot.accepted
            if server is not None:
                is_unsure = is_unsure and slot.born_at < self._seen[server]
                slot.accepted.add(server)
            if slot.execute(offer, is_unsure=is_unsure):
                self._record.note_executing(offer.run_id, slot.mark)
                return
        self._waiting.append(offer)

    def _is_outdated(self, slot: SlotProcess, server: str | None) -> bool:
        """Whether it was imported before the code server was heard of. Of the first one that says nothing."""
        if server is None or server == self._first_server or server in slot.accepted:
            return False
        return slot.born_at < self._seen[server]

    def _ready_slots(self) -> list[SlotProcess]:
        return [
            slot for slot in self._slots if slot.state is SlotState.READY and not slot.is_stale and not slot.is_ending
        ]

    def _report_with(self, slot: SlotProcess) -> None:
        for run_id, why in self._to_report.items():
            slot.report(run_id, why)
        self._to_report.clear()

    # -- the database ------------------------------------------------------------------------------------------------

    def _tell_database(self) -> None:
        """Say what has changed; with nothing changed, that it lives."""
        now = time.monotonic()
        if self._record.connect(self._url):
            self._is_news = True
            self._find_what_was_taken()
        load = self._load()
        if self._ended and self._record.forget(self._ended, load):
            self._ended.clear()
            self._told = load
        if self._is_news or load != self._told or now - self._beat_at > BEAT_SECONDS:
            self._beat(now, load)
        if now - self._adopted_at > ADOPT_SECONDS and any(s.state is not SlotState.WARMING for s in self._slots):
            self._adopted_at = now
            for run_id in self._record.adopt_from_dead():
                self._say(f"the run {run_id} lost its worker, and is reported as failed")
                self._to_report[run_id] = ORPHANED

    def _beat(self, now: float, load: Load) -> None:
        is_known = self._record.beat(load)
        if is_known is None:
            return
        if not is_known:
            self._start_over()
            return
        self._beat_at, self._told, self._is_news = now, load, False
        cancelled = self._record.cancelled()
        for slot in self._slots:
            if slot.run_id in cancelled:
                slot.interrupt(is_stop=False)

    def _start_over(self) -> None:
        """Others took this worker for dead and reported its runs: they must not go on here."""
        self._say("this worker was silent for too long and its runs were reported as failed; it starts over")
        for slot in [slot for slot in self._slots if slot.run_id]:
            slot.run_id = ""
            slot.kill()
            self._slots.remove(slot)
        self._waiting.clear()
        self._ended.clear()
        self._record.start_over()

    def _find_what_was_taken(self) -> None:
        """What was taken when a connection broke is ours, whether or not we were told."""
        known = {*self._ended, *self._to_report, *(offer.run_id for offer in self._waiting)}
        for slot in self._slots:
            known |= {slot.run_id, *slot.reporting}
        self._waiting += [offer for offer in self._record.held() if offer.run_id not in known]

    def _load(self) -> Load:
        is_stopping = bool(self._stop_requests)
        ready = 0 if self._waiting or is_stopping else len(self._ready_slots())
        busy = sum(bool(slot.run_id) for slot in self._slots)
        return Load(ready=ready, busy=busy, run_count=self._run_count, is_stopping=is_stopping)

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        by_descriptor = {slot.messages.fileno(): slot for slot in self._slots}
        descriptors = [*by_descriptor, self._signals.fileno()]
        if self._record.connection is not None:
            descriptors.append(self._record.connection.fileno())
        found, _, _ = select.select(descriptors, [], [], self._seconds_to_wait())
        for descriptor in found:
            if descriptor in by_descriptor:
                self._hear(by_descriptor[descriptor])
        try:
            while self._signals.recv(4096):
                pass
        except BlockingIOError:
            pass
        if self._record.is_asked_to_cancel():
            self._is_news = True

    def _seconds_to_wait(self) -> float:
        if self._record.connection is None or self._stop_requests or time.monotonic() < self._next_start_at:
            return 0.1
        return BEAT_SECONDS / 2

    # -- stopping ----------------------------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        if self._is_broken:
            return True
        is_idle = not any(slot.run_id or slot.reporting for slot in self._slots)
        return bool(self._stop_requests) and is_idle and not (self._ended and self._record.connection is not None)

    def _stop(self) -> None:
        now = time.monotonic()
        if self._stopping_since is None:
            self._stopping_since = now
            busy = sum(bool(slot.run_id) for slot in self._slots)
            if busy:
                self._say(f"stopping; {busy} run(s) may go on for {self._grace_seconds:.0f} s")
        if self._interrupted_at is None:
            if now - self._stopping_since >= self._grace_seconds or self._stop_requests > 1:
                self._interrupted_at = now
                for slot in self._slots:
                    slot.interrupt(is_stop=True)
        elif now - self._interrupted_at > INTERRUPT_SECONDS:
            for slot in [slot for slot in self._slots if slot.run_id or slot.reporting]:
                self._say(f"slot {slot.pid} was killed: its run did not end")
                # The record of this worker stays, and whoever finds it reports the run.
                slot.run_id = ""
                slot.reporting.clear()
                slot.kill()
                self._slots.remove(slot)

    def _leave(self) -> None:
        for slot in self._slots:
            if slot.state is SlotState.READY:
                slot.end()
            slot.kill()
        self._record.leave([offer.run_id for offer in self._waiting])

    # -- signals -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _listening(self) -> Iterator[None]:
        reader, writer = socket.socketpair()
        with reader, writer:
            reader.setblocking(False)
            writer.setblocking(False)
            self._signals = reader
            signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._on_signal)
            # Handled, so that it wakes: a slot's end is seen at once.
            signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
            yield
            signal.set_wakeup_fd(-1)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stop_requests += 1

    @staticmethod
    def _say(line: str) -> None:
        print(f"worker: {line}", flush=True)


def main() -> None:
    """The program: `... DEFINITIONS SLOTS [GRACE_SECONDS]`."""
    definitions, slots, *rest = sys.argv[1:]
    grace_seconds = float(rest[0]) if rest else GRACE_SECONDS
    sys.exit(Worker(definitions, int(slots), grace_seconds=grace_seconds).run())


if __name__ == "__main__":
    main()
