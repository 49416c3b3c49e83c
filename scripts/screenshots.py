"""Take the pictures in docs/images of a page that runs: `python scripts/screenshots.py "http://127.0.0.1:8025/?token=..."`.

It starts nothing. The page should hold the sample mailbox (`rl-emails demo`), freshly loaded: the picture of a message
opens it, and what was opened is read from then on. The browser is Debian's chromium.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
WIDE, PHONE = (1280, 800), (360, 780)
TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its file's name, the place in the page, and how it is looked at."""

    name: str
    place: str
    ready: str
    """A selector of what must be there before the picture is taken."""
    size: tuple[int, int] = WIDE
    is_dark: bool = False
    keys: tuple[str, ...] | None = None
    """Keys that are pressed once the first message is open; None opens no message."""


SHOTS = (
    Shot("inbox-phone", "#/inbox", ".row[data-message]", size=PHONE),
    Shot("tasks", "#/tasks", "#list-pane li:visible, #list-pane summary:visible"),
    Shot("status", "#/status", "#list-pane dl"),
    Shot("admin", "admin", ".signs"),
    # Last: these mark their message as read.
    Shot("inbox", "#/inbox", ".row[data-message]", keys=()),
    Shot("inbox-dark", "#/inbox", ".row[data-message]", is_dark=True, keys=()),
    Shot("message", "#/inbox", ".row[data-message]", keys=("e",)),
)


def take(browser: Browser, url: str, shot: Shot, folder: Path) -> Path:
    """Take one picture. Raises playwright's TimeoutError when what it shows does not appear."""
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.is_dark else "light",
        locale="en-GB",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        # The link with the token answers with a cookie and leads to the page; the place is asked for after that.
        page.goto(url)
        page.goto(f"{url.partition('?')[0]}{shot.place}")
        page.reload()
        page.locator(shot.ready).first.wait_for()
        if shot.keys is not None:
            _open_first(page, shot.keys)
        page.wait_for_load_state("networkidle")
        path = folder / f"{shot.name}.png"
        page.screenshot(path=path)
    finally:
        context.close()
    return path


def _open_first(page: Page, keys: tuple[str, ...]) -> None:
    page.locator(".row[data-message]").first.click()
    page.locator("#reader-pane h2").wait_for()
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_load_state("networkidle")


def main() -> None:
    """Take every picture, or those named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the link that `rl-emails up` prints, token included")
    parser.add_argument("--only", action="append", choices=[shot.name for shot in SHOTS], help="may be repeated")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where the pictures go")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for shot in SHOTS:
            if not given.only or shot.name in given.only:
                print(take(browser, given.url, shot, given.folder))
        browser.close()


if __name__ == "__main__":
    main()
