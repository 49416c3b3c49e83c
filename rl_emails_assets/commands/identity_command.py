"""`rl-emails identity`: people, organizations and memberships, compared with the identity provider's."""

from sqlalchemy import Engine

from rl_emails_assets.commands.output import ExitCode, console, print_json
from rl_emails_assets.identity_sync.reconcile import reconcile
from rl_emails_assets.settings import Settings

ACTIONS = ("sync",)


def sync(engine: Engine, settings: Settings, *, is_json: bool) -> ExitCode:
    """Compare with Clerk and take over what differs. INCOMPLETE when Clerk told something that cannot be read."""
    counts = reconcile(engine, settings)
    if is_json:
        print_json(counts)
    else:
        console().print(
            f"compared {counts['users']} people, {counts['organizations']} organizations, "
            f"{counts['memberships']} memberships; {counts['ended']} ended"
        )
    return ExitCode.INCOMPLETE if counts["unreadable"] else ExitCode.OK
