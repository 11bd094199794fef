"""One database behind a URL: SQLite in WAL mode or PostgreSQL, opened, migrated, and its errors said in one line."""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, literal, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from atunner.core.errors import ATunnerError, ToolError, UserError
from atunner.knowledge_base.schema import HEAD, migrate, revision
from atunner.knowledge_base.tables import Table

MEMORY = "sqlite://"
SHORT_S = 10.0
"""How long a command waits for a lock, for a person to see why; a service, which has many writers, waits longer."""


class DatabaseLost(ToolError):
    """The database cannot be used now: locked, full, gone or damaged while at work."""


class Database:
    """Transactions on one database; `write` holds the write lock from its first statement.

    durable: also survive power loss (SQLite's synchronous=FULL: about 100 commits a second on a disk, where the
    default, which survives the death of any process, makes thousands). busy_s: how long to wait for a lock.
    """

    def __init__(self, url: str | Path, durable: bool = False, busy_s: float = 30.0) -> None:
        self.url = _url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        self.name = self.url.database or "memory" if self.is_sqlite else self.url.render_as_string(hide_password=True)
        self._lock = threading.RLock()
        with self._opening():
            self._engine = _engine(self.url, self.in_memory, durable, busy_s)
            if not self._current():
                with self.write() as connection:
                    migrate(connection, self.name)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at its end; one writer at a time in this process."""
        with self._lock, _said(self.name), self._engine.connect() as connection:
            marked = connection.execution_options(atunner_begin="IMMEDIATE")
            with marked.begin():
                yield marked

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        guard: AbstractContextManager[Any] = self._lock if self.in_memory else nullcontext()
        with guard, _said(self.name), self._engine.connect() as connection, connection.begin():
            yield connection

    def add(self, connection: Connection, table: type[Table], rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert the rows that are not there yet."""
        batch = [dict(row) for row in rows]
        if batch:
            connection.execute(self._insert(table), batch)

    def add_one(self, connection: Connection, table: type[Table], row: Mapping[str, Any]) -> bool:
        """Insert a row unless it is there; whether it was new."""
        return connection.execute(self._insert(table).returning(literal(1)), dict(row)).first() is not None

    def _insert(self, table: type[Table]) -> Any:
        insert: Any = sqlite.insert if self.is_sqlite else postgresql.insert
        return insert(table).on_conflict_do_nothing()

    def serialise(self, connection: Connection, name: str) -> None:
        """Let no other transaction that names the same thing pass until this one ends."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    def _current(self) -> bool:
        """Whether the tables are up to date: then nothing is written, and no writer is waited for."""
        with self.read() as connection:
            return revision(connection) == HEAD

    @contextmanager
    def _opening(self) -> Iterator[None]:
        if self.is_sqlite and not self.in_memory:
            _make_folder(Path(str(self.url.database)))
        try:
            yield
        except DatabaseLost as error:
            raise UserError(str(error)) from error


def _url(given: str | Path) -> URL:
    plain = str(given)
    if "://" not in plain:
        return URL.create("sqlite", database=str(Path(plain).expanduser().absolute()))
    try:
        url = make_url(plain)
    except (ArgumentError, ValueError) as error:
        raise UserError(
            "Not a database URL. Expected a file path, sqlite:///PATH or postgresql://HOST/NAME."
        ) from error
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise UserError(
            f"Cannot use {url.drivername!r} as database. Expected sqlite:///PATH or postgresql://HOST/NAME."
        )
    return url


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot make the folder {path.parent} for the knowledge base: {error.strerror}.") from error


def _engine(url: URL, in_memory: bool, durable: bool, busy_s: float) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _postgres(url, busy_s)
    if in_memory:
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = create_engine(url, pool_size=20, max_overflow=20, connect_args={"timeout": busy_s})

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _: object) -> None:
        # The module must not open transactions by itself: it would leave DDL outside them.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        if not in_memory:
            _use_wal(connection, busy_s)
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        mode = connection.get_execution_options().get("atunner_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _use_wal(connection: sqlite3.Connection, busy_s: float) -> None:
    # The change of mode does not wait for other openers by itself, so it is tried again until the time is over.
    until = time.monotonic() + busy_s
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _postgres(url: URL, busy_s: float) -> Engine:
    try:
        engine = create_engine(
            url, pool_size=20, max_overflow=20, pool_pre_ping=True, connect_args={"connect_timeout": 10}
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise UserError("PostgreSQL needs the extra `postgres`: pip install 'atunner[postgres]'.") from error

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(busy_s * 1000)}")
        connection.commit()

    return engine


@contextmanager
def _said(name: str) -> Iterator[None]:
    """Turn the errors of a database into one line."""
    try:
        yield
    except ATunnerError:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        raise DatabaseLost(_sentence(name, error)) from error


_SENTENCES = {
    "unable to open database file": "cannot be opened: is its folder there and writable?",
    "readonly database": "cannot be written: make the file and its folder writable, or choose another database.",
    "database is locked": "is locked by another process: end it, or try again.",
    "lock timeout": "is locked by another process: end it, or try again.",
    "is full": "cannot grow: the disk is full. Make room, then resume.",
    "disk I/O error": "cannot be read or written: the disk reports an error.",
    "not a database": "is not a database: the file is damaged or something else. Move it away, or restore a copy.",
    "malformed": "is damaged. Move it away, or restore a copy.",
    "does not exist": "does not exist on the server: create it first.",
    "password authentication failed": "refused the password.",
}


def _sentence(name: str, error: DBAPIError | sqlite3.Error) -> str:
    cause = str(error.orig if isinstance(error, DBAPIError) else error)
    for sign, sentence in _SENTENCES.items():
        if sign in cause:
            return f"The knowledge base {name} {sentence}"
    first = " ".join(cause.split())[:300]
    gone = isinstance(error, OperationalError)
    return f"The knowledge base {name} {'cannot be reached' if gone else 'failed'}: {first}"
