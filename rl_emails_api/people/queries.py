"""SQL about people."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, tuple_

from rl_emails_assets.db.tables import entities

PersonKey = tuple[float, UUID]


def listed(
    connection: Connection, mailbox_id: UUID, after: PersonKey | None, limit: int, *, with_roles: bool
) -> Sequence[RowMapping]:
    """People, the strongest relationship first."""
    person = entities.people
    statement = (
        select(person)
        .where(person.c.mailbox_id == mailbox_id)
        .order_by(person.c.strength.desc(), person.c.person_id.desc())
        .limit(limit)
    )
    if not with_roles:
        statement = statement.where(person.c.is_role.is_(False))
    if after is not None:
        statement = statement.where(tuple_(person.c.strength, person.c.person_id) < tuple_(*after))
    return connection.execute(statement).mappings().all()
