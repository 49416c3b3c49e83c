"""Take the pictures in docs/images: `make screenshots`.

It starts the sample mailbox for itself, unless the link of a page that runs is given. That page should hold the sample
mailbox, freshly loaded: the picture of a message opens it, and what was opened is read from then on. The browser is
Debian's chromium.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.sample_page import sample_page

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
WIDE, PHONE = (1280, 800), (360, 780)
TIMEOUT_MS = 30_000
SETTLE_MS = 700
"""An open stream of events keeps the network from ever being idle."""


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
    opens: bool = True
    """False presses the keys in the list."""


SHOTS = (
    Shot("inbox-phone", "#/inbox", ".row[data-message]", size=PHONE),
    Shot("tasks", "#/tasks", "#list-pane li:visible, #list-pane summary:visible"),
    Shot("search", "#/search?q=invoice", ".row[data-message]"),
    Shot("status", "#/status", "#list-pane dl"),
    Shot("settings", "#/settings", ".setting"),
    Shot("admin", "admin", ".signs"),
    Shot("palette", "#/inbox", ".row[data-message]", keys=("Control+k", "p", "i", "e", "r"), opens=False),
    Shot("selection", "#/inbox", ".row[data-message]", keys=("j", "x", "j", "x", "j", "x"), opens=False),
    # Last: these mark their message as read.
    Shot("inbox", "#/inbox", ".row[data-message]", keys=()),
    Shot("inbox-dark", "#/inbox", ".row[data-message]", is_dark=True, keys=()),
    Shot("message", "#/inbox", ".row[data-message]", keys=("w",)),
    Shot("message-phone", "#/inbox", ".row[data-message]", size=PHONE, keys=()),
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
            if shot.opens:
                _open_first(page)
            for key in shot.keys:
                page.keyboard.press(key)
        page.wait_for_timeout(SETTLE_MS)
        path = folder / f"{shot.name}.png"
        page.screenshot(path=path)
    finally:
        context.close()
    return path


def _open_first(page: Page) -> None:
    page.locator(".row[data-message]").first.click()
    page.locator("#reader-pane h2").wait_for()
    page.mouse.move(0, 0)


def main() -> None:
    """Take every picture, or those named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "link", nargs="?", help="the link that `rl-emails up` prints; else the sample mailbox is started"
    )
    parser.add_argument("--only", action="append", choices=[shot.name for shot in SHOTS], help="may be repeated")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where the pictures go")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    shots = [shot for shot in SHOTS if not given.only or shot.name in given.only]
    if given.link:
        _take_all(given.link, shots, given.folder)
    else:
        with sample_page() as link:
            _take_all(link, shots, given.folder)


def _take_all(link: str, shots: list[Shot], folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for shot in shots:
            print(take(browser, link, shot, folder))
        browser.close()


if __name__ == "__main__":
    main()
