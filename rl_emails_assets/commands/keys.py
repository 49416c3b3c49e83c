"""`rl-emails keys`: which keys encrypt tokens at rest, and a new one for them."""

from rich.table import Table
from sqlalchemy import Engine

from rl_emails_assets.commands.output import ExitCode, console, print_json
from rl_emails_assets.connections import key_ring, key_rotation
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.settings import Settings

ACTIONS = ("list", "rotate")


def list_keys(engine: Engine, settings: Settings, *, is_json: bool) -> ExitCode:
    """Every key by its id, the one that encrypts first, with the number of mailboxes whose tokens it encrypted."""
    here = Sealer.of(settings).key_ids
    counts = key_rotation.counts(engine, settings)
    with engine.connect() as connection:
        outdated = key_rotation.outdated_count(connection)
    kept_in = key_ring.VARIABLE if settings.secret_keys is not None else str(key_ring.key_file(settings.home))
    missing = [key_id for key_id in counts if key_id not in here]
    if is_json:
        items = [
            {
                "key_id": key_id,
                "mailbox_count": counts[key_id],
                "is_here": key_id in here,
                "encrypts": key_id == here[0],
            }
            for key_id in counts
        ]
        print_json({"kept_in": kept_in, "keys": items, "outdated_count": outdated})
    else:
        out = console()
        table = Table(box=None, pad_edge=False)
        for name in ("key", "mailboxes", ""):
            table.add_column(name)
        for key_id, count in counts.items():
            mark = "encrypts" if key_id == here[0] else "is missing" if key_id in missing else "decrypts"
            table.add_row(key_id, str(count), mark)
        out.print(table)
        out.print(f"Kept in {kept_in}.", markup=False)
        if outdated:
            out.print(
                f"{outdated} of {sum(counts.values())} are not bound to their organization yet: an older release "
                "encrypted them. While `rl-emails up` runs they are encrypted again by themselves, within an hour."
            )
        if missing:
            out.print("Tokens of a missing key cannot be read: put the key back, or connect those mailboxes again.")
    return ExitCode.INCOMPLETE if missing else ExitCode.OK


def rotate_keys(engine: Engine, settings: Settings, *, is_json: bool) -> ExitCode:
    """Put a new key first and encrypt every mailbox's tokens with it, while everything runs.

    Keys in the environment are changed there; this then encrypts with the one that comes first. INCOMPLETE when some
    tokens could not be encrypted again.
    """
    if settings.secret_keys is None:
        key_ring.add_key(settings)
    done = key_rotation.rewrap(engine, settings)
    is_whole = not done.busy and not done.unreadable
    if is_json:
        print_json(
            {
                "key_id": done.key_id,
                "rewrapped_count": done.rewrapped_count,
                "busy": done.busy,
                "unreadable": {str(mailbox_id): why for mailbox_id, why in done.unreadable.items()},
            }
        )
        return ExitCode.OK if is_whole else ExitCode.INCOMPLETE
    out = console()
    out.print(f"{done.rewrapped_count} mailboxes were encrypted again; key {done.key_id} encrypts now.")
    if settings.secret_keys is not None:
        out.print(
            f"The keys are named in {key_ring.VARIABLE}. For a new one put it before the others there, separated by a "
            "comma (`openssl rand -base64 32` makes one), restart every process, and run this again.",
            markup=False,
        )
    for mailbox_id in done.busy:
        out.print(f"{mailbox_id} was in use all the time; run this again.")
    for why in done.unreadable.values():
        out.print(why, markup=False)
    out.print("Keep the older keys as long as you keep backups of the database from before.")
    return ExitCode.OK if is_whole else ExitCode.INCOMPLETE
