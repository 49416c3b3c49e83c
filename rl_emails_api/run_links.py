"""Links to runs in the Dagster UI."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request


class RunLinks:
    """Makes the address of a run from its id."""

    def __init__(self, dagster_url: str) -> None:
        self.dagster_url = dagster_url.rstrip("/")

    def url(self, run_id: str | None) -> str | None:
        """The run's page; None for no run."""
        return f"{self.dagster_url}/runs/{quote(run_id, safe='')}" if run_id else None

    def onto(self, row: dict[str, Any]) -> dict[str, Any]:
        """A recorded row with `run_url` beside its `run_id`."""
        return {**row, "run_url": self.url(row["run_id"])}


def _run_links(request: Request) -> RunLinks:
    links: RunLinks = request.app.state.run_links
    return links


Links = Annotated[RunLinks, Depends(_run_links)]
