"""`rl-emails up` with the definitions named on the command line, in a process of its own."""

import sys

from rl_emails_assets.commands.output import reported
from rl_emails_assets.commands.up import up
from rl_emails_assets.settings import Settings

if __name__ == "__main__":
    with reported():
        sys.exit(up(Settings(), open_browser=False, definitions=sys.argv[1]))
