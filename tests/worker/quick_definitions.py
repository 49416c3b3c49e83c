"""Small jobs for the workers' tests: one leaves a mark, one works until it is told or interrupted, one fails."""

import os
import time
from pathlib import Path

import dagster as dg

FOLDER = Path(os.environ.get("WORKER_TEST_FOLDER", "."))
RELEASE = "first"


@dg.op
def mark(context: dg.OpExecutionContext) -> None:
    """A line for each time that it was executed, with the process."""
    with (FOLDER / f"{context.run_id}.marks").open("a") as file:
        file.write(f"{os.getpid()}\n")
    context.log.info(f"release {RELEASE}")


@dg.op
def work(context: dg.OpExecutionContext) -> None:
    """Until a file says so, or an interrupt."""
    with (FOLDER / f"{context.run_id}.marks").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not (FOLDER / f"{context.run_id}.finish").exists():
        time.sleep(0.02)


@dg.op(pool="gmail")
def call(context: dg.OpExecutionContext) -> None:
    """As `work`, in a pool."""
    with (FOLDER / f"{context.run_id}.marks").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not (FOLDER / f"{context.run_id}.finish").exists():
        time.sleep(0.02)


@dg.op
def fail(context: dg.OpExecutionContext) -> None:
    """Fails, until a file says that it may not."""
    with (FOLDER / f"{context.run_id}.marks").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if not (FOLDER / "mended").exists():
        raise ValueError("on purpose")


@dg.job(executor_def=dg.in_process_executor)
def quick() -> None:
    mark()


@dg.job(executor_def=dg.in_process_executor)
def long() -> None:
    work()


@dg.job(executor_def=dg.in_process_executor)
def pooled() -> None:
    call()


@dg.job(executor_def=dg.in_process_executor)
def failing() -> None:
    fail()


defs = dg.Definitions(jobs=[quick, long, pooled, failing])
