"""The page in a real browser, on the API of tests/api, whose `serving`, `seed` and `mails` modules are used."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Error

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
sys.path.append(str(Path(__file__).parents[1] / "hostile"))

import seed
from kept_tables import KeptTables
from serving import TOKEN, Running, Server, cloned, start

from rl_emails_assets.db.engine import make_engine

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts" / "page"
"""A picture of each page at the end of a test that failed; of every test with RL_EMAILS_PAGE_PICTURES=all."""
CHROMIUM = Path("/usr/bin/chromium")
FAILED: pytest.StashKey[bool] = pytest.StashKey()
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@dataclass
class Watch:
    """What the browser did that the page must never do."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="package")
def chromium():
    """Debian's chromium. While it is open an event loop runs in this thread, and a Dagster run cannot close its
    own beside it: so it ends with the tests that need it, which is why this folder is a package."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def running(postgres_server, template_database, tmp_path_factory) -> Iterator[tuple[Running, KeptTables]]:
    """One API on one database for all tests of the page, and what its tables hold without a mailbox and with one."""
    with cloned(postgres_server, template_database) as url:
        tables, engine = KeptTables(url), make_engine(url, "api")
        tables.keep("empty")
        seed.seed(engine)
        tables.keep("seeded")
        running = start(engine, home=tmp_path_factory.mktemp("home"))
        yield running, tables
        running.stop()
        tables.close()


@pytest.fixture
def server(running) -> Iterator[Server]:
    """The API on the seeded mailbox, to be read and changed: afterwards the tables are as they were."""
    each, tables = running
    yield each.server
    settle(each)
    tables.put_back("seeded")


@pytest.fixture
def empty_server(server, running) -> Server:
    """The same on the first day, with no mailbox."""
    running[1].put_back("empty")
    return server


def settle(each: Running) -> None:
    """Wait for what a page had asked when it was closed, so that it writes nothing into the next test."""
    # What was sent before this is answered has been received, and is one of the tasks.
    httpx.get(f"{each.server.url}/healthz", timeout=30)
    for task in tuple(each.uvicorn.server_state.tasks):
        asyncio.run_coroutine_threadsafe(asyncio.wait({task}, timeout=30), task.get_loop()).result()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets `visit` know how the test ended."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def keep_picture(page, name):
    """A picture for whoever looks at what failed."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    with suppress(Error):
        page.screenshot(path=ARTIFACTS / f"{re.sub(r'[^a-zA-Z0-9_-]+', '-', name).strip('-')}.png")


@pytest.fixture
def visit(chromium, server, request) -> Iterator:
    """Opens a server's page as its printed link does; afterwards nothing may have left the host, run, or complained."""
    opened = []

    def go(running: Server, place: str = "", *, clock: bool = False, **context):
        made = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **context})
        made.set_default_timeout(10_000)
        if clock:
            # The page's timers can then be moved on, instead of waited for.
            made.clock.install()
        page, watch = made.new_page(), Watch()
        made.on("request", lambda request: watch.requests.append(request.url))
        page.on(
            "console", lambda said: watch.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: watch.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (watch.complaints.append("a dialog"), dialog.dismiss()))
        opened.append((made, watch, running, page))
        page.goto(f"{running.url}/?token={TOKEN}{place}")
        page.watch = watch
        return page

    yield go
    is_wanted = request.node.stash.get(FAILED, True) or os.environ.get("RL_EMAILS_PAGE_PICTURES") == "all"
    for made, watch, running, page in opened:
        if is_wanted:
            keep_picture(page, request.node.name)
        made.close()
        assert [url for url in watch.requests if not url.startswith((running.url, "data:"))] == []
        assert watch.complaints == []
