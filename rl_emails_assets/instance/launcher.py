"""The launcher that hands a run to a worker, and lets Dagster's default one start it when no worker takes it.

A run is offered only while a living worker has a slot for it; what is not taken within a moment is withdrawn, and only
a run that was certainly withdrawn is launched otherwise. It also tells Dagster's run monitoring whether a run's process
still lives, without which a run whose process died stays "started" for ever and holds a place in the run queue.
"""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, LaunchRunContext, WorkerStatus
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import ConfigurableClassData, deserialize_value

from rl_emails_assets.db.engine import open_databases
from rl_emails_assets.errors import RlEmailsError
from rl_emails_assets.instance import handovers
from rl_emails_assets.instance.interrupted_runs import GRPC_TAG
from rl_emails_assets.instance.process_marks import is_gone
from rl_emails_assets.settings import Settings

PROCESS_TAG = "rl_emails/process"
"""What a command that runs a job in its own process notes on the run: which process of which machine."""
ANSWER_TIMEOUT_SECONDS = 10
MOST_IDLE = 4
"""Connections that a process keeps between launches; the daemon launches with a few threads at most."""
TAKE_SECONDS = 2.0
"""How long an offer stands. A worker with a free slot takes it within milliseconds, on a busy machine a bit later."""

logger = logging.getLogger("rl_emails.launcher")


class WorkerRunLauncher(DefaultRunLauncher):
    """Hands runs to workers, launches as the default one does without them, and answers run monitoring."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._url: str | None = None
        self._lock = threading.Lock()
        self._idle: list[handovers.Connection] = []

    # -- launching ---------------------------------------------------------------------------------------------------

    def launch_run(self, context: LaunchRunContext) -> None:
        """Have a worker take the run, or start it by way of the code server. Never both.

        Raises what the default launcher raises, and psycopg.Error when the database went away at a moment that leaves
        open who has the run: Dagster then reports it as failed, and a worker that finds it so leaves it alone.
        """
        if not self._hand_over(context):
            super().launch_run(context)

    def _hand_over(self, context: LaunchRunContext) -> bool:
        run = context.dagster_run
        with self._connected() as connection:
            if connection is None:
                return False
            try:
                handovers.listen_for_taking(connection)
            except psycopg.Error:
                return False
            try:
                if not handovers.offer(connection, run.run_id, code_server_id(context)):
                    return False
                is_taken = handovers.wait_until_taken(connection, run.run_id, TAKE_SECONDS)
                if not is_taken and handovers.withdraw(connection, run.run_id):
                    return False
            except psycopg.errors.UndefinedTable:
                return False
            except psycopg.OperationalError:
                return not self._withdraw_with_another_connection(run.run_id)
        self._instance.report_engine_event("A worker took the run.", run, cls=self.__class__)
        return True

    def _withdraw_with_another_connection(self, run_id: str) -> bool:
        """Whether the run is certainly no worker's, after the connection that offered it broke."""
        with handovers.connect(self._product_url(), "launcher") as connection:
            return handovers.withdraw(connection, run_id) or handovers.holder(connection, run_id) is None

    # -- ending ------------------------------------------------------------------------------------------------------

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run, wherever it is executed. Returns False when there was nothing to interrupt."""
        with self._connected() as connection:
            if connection is None:
                return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
            try:
                is_offered = handovers.withdraw(connection, run_id)
                is_ours = is_offered or handovers.holder(connection, run_id) is not None
            except psycopg.errors.UndefinedTable:
                is_offered = is_ours = False
            if not is_ours:
                return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
            run = self._instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                return False
            # Before the worker is told: what it interrupts must be known to be cancelled, not to have failed.
            self._instance.report_run_canceling(run)
            if is_offered:
                self._instance.report_run_canceled(run)
                return True
            return handovers.ask_to_cancel(connection, run_id)

    # -- watching ----------------------------------------------------------------------------------------------------

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING also where nothing is known; FAILED only for a process that is certainly gone."""
        mark = run.tags.get(PROCESS_TAG)
        if mark is not None:
            if is_gone(mark):
                return CheckRunHealthResult(WorkerStatus.FAILED, "The command that ran it was killed.")
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        held = self._holder(run.run_id)
        if held is not None:
            status = WorkerStatus.FAILED if held.is_dead else WorkerStatus.RUNNING
            return CheckRunHealthResult(status, held.why or None)
        if GRPC_TAG in run.tags:
            return self._of_code_server(run)
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _holder(self, run_id: str) -> handovers.Holder | None:
        with self._connected() as connection:
            try:
                return None if connection is None else handovers.holder(connection, run_id)
            except psycopg.Error:
                return None

    @staticmethod
    def _of_code_server(run: DagsterRun) -> CheckRunHealthResult:
        server = json.loads(run.tags[GRPC_TAG])
        host, port = server.get("host", ""), server.get("port")
        try:
            with socket.create_connection((host, port), timeout=ANSWER_TIMEOUT_SECONDS):
                pass
        except ConnectionRefusedError:
            return CheckRunHealthResult(WorkerStatus.FAILED, "Its code server is gone, and its process with it.")
        except OSError:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "Its code server cannot be asked.")
        client = DagsterGrpcClient(host=host, port=port, use_ssl=bool(server.get("use_ssl", False)))
        request = CanCancelExecutionRequest(run_id=run.run_id)
        answer = deserialize_value(
            client.can_cancel_execution(request, timeout=ANSWER_TIMEOUT_SECONDS), CanCancelExecutionResult
        )
        if answer.can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "Its code server knows of no process that runs it.")

    # -- the database ------------------------------------------------------------------------------------------------

    def capacity(self) -> handovers.Capacity | None:
        """What the workers could do now; None when that cannot be asked, or there never was one."""
        with self._connected() as connection:
            try:
                return None if connection is None else handovers.capacity(connection)
            except psycopg.Error:
                return None

    def _product_url(self) -> str:
        if self._url is None:
            self._url = open_databases(Settings()).product_url
        return self._url

    @contextmanager
    def _connected(self) -> Iterator[handovers.Connection | None]:
        """A connection of this process's own, kept for the next time; None where there is no database to ask."""
        connection = self._idle_connection()
        try:
            yield connection
        finally:
            self._keep(connection)

    def _idle_connection(self) -> handovers.Connection | None:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                kept.execute("select 1")
            except psycopg.Error:
                kept.close()
            else:
                return kept
        try:
            return handovers.connect(self._product_url(), "launcher")
        except (psycopg.Error, RlEmailsError) as error:
            logger.warning("No worker can be asked, as the database cannot be reached: %s", error)
            self._url = None
            return None

    def dispose(self) -> None:
        """Close the connections; Dagster calls it with the end of its instance."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
        super().dispose()

    def _keep(self, connection: handovers.Connection | None) -> None:
        if connection is None or connection.closed:
            return
        try:
            handovers.stop_listening(connection)
        except psycopg.Error:
            connection.close()
            return
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()


def code_server_id(context: LaunchRunContext) -> str | None:
    """Which start or reload of the code server the run was requested from; None where the location is no server."""
    origin = context.dagster_run.remote_job_origin
    if context.workspace is None or origin is None:
        return None
    location = context.workspace.get_code_location(origin.repository_origin.code_location_origin.location_name)
    found = getattr(location, "server_id", None)
    return str(found) if found else None
