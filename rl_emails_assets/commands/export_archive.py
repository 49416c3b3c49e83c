"""`rl-emails export mailbox|person`: everything that is kept of them, as one file."""

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from rl_emails_assets.commands.output import ExitCode, console, print_json, shown
from rl_emails_assets.db import audit
from rl_emails_assets.db.mailbox_rows import Mailbox, find_mailbox
from rl_emails_assets.db.tables import identity, mailboxes
from rl_emails_assets.errors import NotFoundError, SourceError
from rl_emails_assets.privacy.export import Subject, exported


def export_archive(
    engine: Engine, kind: str, address: str, *, mailbox_name: str | None, out: Path, is_json: bool
) -> ExitCode:
    """Write the archive of a mailbox, or of a person in every mailbox (or the one named), to `out`.

    It appears whole or not at all. Raises NotFoundError when there is no such mailbox, SourceError when `out` exists or
    cannot be written.
    """
    with engine.begin() as connection:
        subject = _subject(connection, kind, address, mailbox_name)
        audit.record(
            connection,
            f"{kind}.exported",
            target=subject.mailboxes[0].mailbox_id if kind == "mailbox" else (subject.user_id or ""),
            details={"mailbox_count": len(subject.mailboxes)},
            organization_id=organizations_of(connection, [each.mailbox_id for each in subject.mailboxes])[0],
        )
    scratch = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        if out.exists():
            raise SourceError(f"{out} is there already, and an export writes over nothing. Name another file.")
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in exported(engine.connect, subject, datetime.now(UTC)):
                file.write(piece)
        scratch.replace(out)
    except OSError as error:
        raise SourceError(f"The export to {out} cannot be written: {error}.") from error
    finally:
        scratch.unlink(missing_ok=True)
    size = out.stat().st_size
    if is_json:
        print_json({"out": str(out), "size_bytes": size, "mailbox_count": len(subject.mailboxes)})
    else:
        console().print(f"{shown(str(out))}: {size:,} bytes. README.txt in it says what is where.")
    return ExitCode.OK


def _subject(connection: Connection, kind: str, address: str, mailbox_name: str | None) -> Subject:
    if kind == "mailbox":
        return Subject([find_mailbox(connection, address)])
    address = address.strip().lower()
    user_id = (
        connection.execute(select(identity.users.c.user_id).where(identity.users.c.address == address))
        .scalars()
        .first()
    )
    columns = mailboxes.connections.c
    query = select(columns.mailbox_id, columns.address).where(columns.owner_user_id == user_id)
    own = [] if user_id is None else [Mailbox(row.mailbox_id, row.address) for row in connection.execute(query)]
    return Subject(mailboxes_named(connection, mailbox_name), address, user_id, own)


def mailboxes_named(connection: Connection, name: str | None) -> list[Mailbox]:
    """The mailbox that is named, or all there are. Raises NotFoundError when there is none."""
    if name is not None:
        return [find_mailbox(connection, name)]
    columns = mailboxes.connections.c
    query = select(columns.mailbox_id, columns.address).order_by(columns.address, columns.mailbox_id)
    found = [Mailbox(row.mailbox_id, row.address) for row in connection.execute(query)]
    if not found:
        raise NotFoundError("No mailbox is connected, so there is nobody to look for.")
    return found


def organizations_of(connection: Connection, mailbox_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """The organizations that these mailboxes belong to."""
    columns = mailboxes.connections.c
    query = select(columns.organization_id).where(columns.mailbox_id.in_(mailbox_ids)).distinct()
    return list(connection.execute(query.order_by(columns.organization_id)).scalars())
