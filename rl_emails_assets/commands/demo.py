"""`rl-emails demo`: everything, with the sample mailbox in it."""

from importlib import resources

from rl_emails_assets.commands.import_mail import import_mail
from rl_emails_assets.commands.opened import opened
from rl_emails_assets.commands.output import ExitCode, console
from rl_emails_assets.commands.up import up
from rl_emails_assets.settings import Settings

ADDRESS = "maya.lindqvist@harborlight.example"
ALIAS = "maya@lindqvist.example"
NAME = "Maya Lindqvist"


def demo(settings: Settings, *, open_browser: bool) -> ExitCode:
    """Import the sample mailbox, which costs seconds and changes nothing the second time, then start everything."""
    out = console()
    out.print("[bold]Loading the sample mailbox[/] (a made-up person's mail; nothing leaves this machine)")
    sample = resources.files("rl_emails_assets.sample").joinpath("mailbox.mbox")
    with resources.as_file(sample) as path, opened(settings, "demo") as engine:
        summary, _ = import_mail(engine, settings, path, ADDRESS, [ALIAS], name=NAME, is_quiet=False)
    out.print(f"{summary.imported} messages imported, {summary.duplicate} were there already")
    return up(settings, open_browser=open_browser)
