"""`rl-emails demo`: everything, with the sample mailbox in it."""

import subprocess
import sys
from importlib import resources

from rl_emails_assets.commands.output import ExitCode, console
from rl_emails_assets.commands.up import up
from rl_emails_assets.settings import Settings

ADDRESS = "maya.lindqvist@harborlight.example"
ALIAS = "maya@lindqvist.example"
NAME = "Maya Lindqvist"


def demo(settings: Settings, *, open_browser: bool) -> ExitCode:
    """Import the sample mailbox, which costs seconds and changes nothing the second time, then start everything."""
    console(is_error=True).print(
        "[bold]Loading the sample mailbox[/] of an invented person. Nothing leaves this machine."
    )
    sample = resources.files("rl_emails_assets.sample").joinpath("mailbox.mbox")
    with resources.as_file(sample) as path:
        # In a process of its own, so that the one that watches over the stack does not keep Dagster and a model loaded.
        done = subprocess.run(  # noqa: S603 - our own command
            [
                *(sys.executable, "-c", "from rl_emails_assets.cli import main; main()"),
                *("import", str(path), "--mailbox", ADDRESS, "--alias", ALIAS, "--name", NAME),
            ],
            check=False,
        )
    if done.returncode != ExitCode.OK:
        return ExitCode(done.returncode)
    return up(settings, open_browser=open_browser)
