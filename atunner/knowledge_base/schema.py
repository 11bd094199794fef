"""The version of the tables: brought up to date when a database is opened, refused when it is newer than this code."""

from importlib.metadata import version as installed

from sqlalchemy import Connection, inspect, select, text

from atunner.core.errors import UserError
from atunner.knowledge_base.tables import MetadataRow

# Oldest first. A test compares this list with the migration scripts, so that opening need not read them.
REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]
ADVISORY_LOCK = 4_719_283_001


def product_version() -> str:
    """The version of ATunner that runs."""
    return installed("atunner")


def revision(connection: Connection) -> str | None:
    """The version of the tables, None in an empty database.

    Raises:
        UserError: there are tables, but not ours.
    """
    names = inspect(connection).get_table_names()
    if "alembic_version" in names:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    foreign = sorted({"runs", "trials", "jobs"} & set(names))
    if foreign:
        raise UserError(f"This database has a table {foreign[0]!r} that is not ATunner's. Choose an empty database.")
    return None


def migrate(connection: Connection, name: str, to: str = HEAD) -> None:
    """Bring the tables to `to` inside the open transaction; concurrent openers wait for each other.

    Raises:
        UserError: the database was written by a newer ATunner.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    current = revision(connection)
    if current == to:
        return
    if current is not None and current not in REVISIONS:
        writer = connection.execute(select(MetadataRow.value).where(MetadataRow.name == "product_version")).scalar()
        raise UserError(
            f"The knowledge base {name} has tables of version {current}, written by ATunner {writer}; this is ATunner "
            f"{product_version()}, which knows up to {HEAD}. Upgrade ATunner, or choose another database."
        )
    _upgrade(connection, to)
    connection.execute(text("DELETE FROM metadata"))
    rows = [{"name": "schema_version", "value": to}, {"name": "product_version", "value": product_version()}]
    connection.execute(MetadataRow.__table__.insert(), rows)  # type: ignore[attr-defined]  # FromClause is a Table


def _upgrade(connection: Connection, to: str) -> None:
    # Imported only where tables change: this costs more than all else that opening does.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "atunner.knowledge_base:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, to)
