"""SQL of the health endpoints."""

from sqlalchemy import Engine, text


def ping(engine: Engine) -> None:
    """One round trip to the database; raises OperationalError when it cannot be reached."""
    with engine.connect() as connection:
        connection.execute(text("select 1"))
