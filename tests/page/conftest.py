"""The page in a real browser, on the API of tests/api, whose `serving`, `seed` and `mails` modules are used."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Error

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

from serving import TOKEN, Server, mailbox_id, serve, server, shared_server  # noqa: F401

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


@pytest.fixture(scope="module")
def chromium():
    """Debian's chromium. While it is open an event loop runs in this thread, and a Dagster run cannot close its
    own beside it: so it ends with the tests that need it."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


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
def visit(chromium, request) -> Iterator:
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
