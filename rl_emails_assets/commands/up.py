"""`rl-emails up`: start everything, say where it is, and stop it all on Ctrl-C."""

import os
import sys
import webbrowser
from collections.abc import Callable

from rich.markup import escape

from rl_emails_assets.commands.output import ExitCode, console
from rl_emails_assets.instance import stack
from rl_emails_assets.instance.supervisor import Supervisor, Tone
from rl_emails_assets.instance.up_file import Links
from rl_emails_assets.settings import Settings

_MARKS = {Tone.DONE: "[green]✓[/]", Tone.NOTE: "[dim]·[/]", Tone.TROUBLE: "[bold yellow]![/]"}


def up(
    settings: Settings,
    *,
    open_browser: bool,
    on_ready: Callable[[Links], None] | None = None,
    definitions: str = stack.DEFINITIONS,
) -> ExitCode:
    """Run everything in the foreground until SIGINT or SIGTERM.

    What it does is told on stderr; when all is ready the links are printed, or given to `on_ready`. Returns OK, or
    INCOMPLETE when a part had to be given up. Raises SettingsError and DatabaseUnavailableError when it cannot start.
    """
    people = console(is_error=True)

    def say(line: str, tone: Tone) -> None:
        people.print(f"{_MARKS[tone]} {escape(line)}", soft_wrap=True)

    def ready(links: Links) -> None:
        (on_ready or print_links)(links)
        if open_browser and has_screen():
            webbrowser.open(links.page)

    is_whole = Supervisor(settings, say, ready, definitions=definitions).run()
    return ExitCode.OK if is_whole else ExitCode.INCOMPLETE


def has_screen() -> bool:
    """Whether a browser would open a window; without one `webbrowser` takes the terminal for a text browser."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def print_links(links: Links) -> None:
    """Where to go, on stdout."""
    out = console()
    out.print(f"Inbox    {links.page}", markup=False, soft_wrap=True)
    out.print(f"Dagster  {links.dagster}", markup=False, soft_wrap=True)
