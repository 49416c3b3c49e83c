"""The worker's line to the database: its record there, what it takes, what it tells. A lost one is made anew.

Every function may find the database away. Then it says so once, changes nothing, and answers as if nothing were there;
what has to be told is told again later, by whoever called.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import psycopg

from rl_emails_assets.instance import handovers
from rl_emails_assets.instance.handovers import Offer
from rl_emails_assets.instance.process_marks import this_process

RECONNECT_SECONDS = 1.0
CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Load:
    """What the worker says of itself."""

    ready: int
    """Slots that could take a run."""
    busy: int
    run_count: int
    is_stopping: bool


class WorkerRecord:
    """One worker, as others see it."""

    def __init__(self, slot_count: int, say: Callable[[str], None]) -> None:
        self._slot_count = slot_count
        self._say = say
        self._id = uuid.uuid4()
        self._is_registered = False
        self._connection: handovers.Connection | None = None
        self._next_connect_at = 0.0

    @property
    def connection(self) -> handovers.Connection | None:
        """To wait for what it is told; None while there is none."""
        return self._connection

    def connect(self, url: str) -> bool:
        """Connect when that is due. Returns whether a connection was made just now."""
        if self._connection is not None or not url or time.monotonic() < self._next_connect_at:
            return False
        try:
            self._connection = handovers.connect(url, "worker")
            handovers.listen_for_offers(self._connection)
            if not self._is_registered:
                # Not with a later connection: one whose record was deleted meanwhile is to find that out.
                handovers.register(
                    self._connection, self._id, this_process(), slots=self._slot_count, version=_release()
                )
                self._is_registered = True
        except psycopg.Error as error:
            self._lose(error)
        return self._connection is not None

    def start_over(self) -> None:
        """Be another worker from now on."""
        self._id = uuid.uuid4()
        self._is_registered = False
        self._close()

    def beat(self, load: Load) -> bool | None:
        """Say that the worker lives. Returns False when others took it for dead, None when nobody could be told."""
        if self._connection is None:
            return None
        try:
            return handovers.beat(
                self._connection,
                self._id,
                ready=load.ready,
                busy=load.busy,
                run_count=load.run_count,
                is_stopping="It was asked to stop." if load.is_stopping else None,
            )
        except psycopg.Error as error:
            self._lose(error)
            return None

    def forget(self, run_ids: Sequence[str], load: Load) -> bool:
        """Runs have ended. Returns whether that could be told."""
        if self._connection is None:
            return False
        try:
            handovers.ended(
                self._connection,
                self._id,
                run_ids,
                ready=load.ready,
                busy=load.busy,
                run_count=load.run_count,
            )
        except psycopg.Error as error:
            self._lose(error)
            return False
        return True

    def take(self) -> Offer | None:
        """An offered run, which is this worker's from now on."""
        if self._connection is None:
            return None
        try:
            return handovers.take(self._connection, self._id)
        except psycopg.Error as error:
            self._lose(error)
            return None

    def held(self) -> list[Offer]:
        """Every run that is this worker's by the record."""
        if self._connection is None:
            return []
        try:
            return handovers.held(self._connection, self._id)
        except psycopg.Error as error:
            self._lose(error)
            return []

    def cancelled(self) -> list[str]:
        """Those of its runs that somebody wants to be cancelled."""
        if self._connection is None:
            return []
        try:
            return handovers.cancelled(self._connection, self._id)
        except psycopg.Error as error:
            self._lose(error)
            return []

    def adopt_from_dead(self) -> list[str]:
        """The runs of workers that died, which are this one's to report from now on."""
        if self._connection is None:
            return []
        try:
            return handovers.adopt_from_dead(self._connection, self._id)
        except psycopg.Error as error:
            self._lose(error)
            return []

    def note_executing(self, run_id: str, mark: str) -> None:
        """Which process executes the run; for people, so that nothing is lost when it cannot be told."""
        if self._connection is not None:
            try:
                handovers.executing(self._connection, self._id, run_id, mark)
            except psycopg.Error as error:
                self._lose(error)

    def is_asked_to_cancel(self) -> bool:
        """Read what was told. Offers are looked for anyway; a wish to cancel is worth a look of its own."""
        if self._connection is None:
            return False
        try:
            return CANCEL in [notice.payload for notice in self._connection.notifies(timeout=0)]
        except psycopg.Error as error:
            self._lose(error)
            return False

    def leave(self, unbegun: Sequence[str]) -> None:
        """Offer again what was not begun, and take the worker off the record."""
        if self._connection is None:
            return
        try:
            handovers.offer_again(self._connection, self._id, unbegun)
            handovers.unregister(self._connection, self._id)
        except psycopg.Error as error:
            self._lose(error)
        self._close()

    def _lose(self, error: psycopg.Error) -> None:
        self._say(f"the database does not answer: {str(error).strip()}")
        self._close()
        self._next_connect_at = time.monotonic() + RECONNECT_SECONDS

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _release() -> str:
    try:
        return version("rl-emails")
    except PackageNotFoundError:
        return "unknown"
