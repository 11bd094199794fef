"""Opening: migrations, and one line for each thing that can be wrong."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from records import ok, run_record

from atunner.core.errors import UserError
from atunner.knowledge_base import open_store, schema
from atunner.knowledge_base.database import Database, DatabaseLost
from atunner.knowledge_base.store import Store
from atunner.knowledge_base.tables import Table


def test_the_migrations_make_the_tables_that_the_code_declares(url: str) -> None:
    database = Database(url)

    with database.write() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)

    assert differences == []


def test_the_known_revisions_are_the_scripts() -> None:
    folder = Path(schema.__file__).parent / "migrations"
    scripts = [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()]

    assert tuple(reversed(scripts)) == schema.REVISIONS


@pytest.mark.parametrize("revision", schema.REVISIONS)
def test_a_database_of_every_released_version_opens(revision: str, tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    connection = sqlite3.connect(path)
    dump = Path(__file__).parent / "released" / f"{revision}.sql"
    connection.executescript(dump.read_text())
    connection.close()

    with open_store(path) as store:
        assert [s.run for s in store.runs()] == ["run-1"]
        assert store.trials("run-1") == [ok(1)]


def test_a_database_from_a_newer_version_is_refused_in_one_line(url: str) -> None:
    if url == "sqlite://":
        pytest.skip("a database in memory has no past")
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("UPDATE metadata SET value = '9.9.9' WHERE name = 'product_version'")
    database.close()

    with pytest.raises(UserError, match=r"version 9999, written by ATunner 9\.9\.9; .* Upgrade ATunner") as caught:
        Database(url)
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)

    with pytest.raises(UserError, match="is not a database: the file is damaged") as caught:
        open_store(path)
    assert "\n" not in str(caught.value)


def test_a_database_of_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (x)")
    connection.close()

    with pytest.raises(UserError, match=r"table 'runs' that is not ATunner's"):
        open_store(path)


def test_a_folder_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(UserError, match="Cannot make the folder"):
        open_store(tmp_path / "file" / "kb.sqlite")


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "kb.sqlite").mkdir()

    with pytest.raises(UserError, match="cannot be opened"):
        open_store(tmp_path / "kb.sqlite")


def test_a_database_that_stays_locked_says_so(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite"
    database = Database(path, busy_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseLost, match="is locked by another process"), database.write():
        pass
    other.close()


def test_a_database_that_is_up_to_date_is_opened_and_read_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite"
    with open_store(path) as store:
        store.save_run(run_record())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with Store(Database(path, busy_s=0.05)) as store:
        assert [run.run for run in store.runs()] == ["run-1"]
        with pytest.raises(DatabaseLost, match="is locked by another process"):
            store.save_run(run_record())
    other.close()


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with open_store(tmp_path / "kb.sqlite") as store:
        store.save_run(run_record())
        with store.database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1")
        big = ok(1).model_copy(update={"feedback": "x" * 1_000_000})

        with pytest.raises(DatabaseLost, match="the disk is full"):
            store.record("run-1", big)
        assert store.trials("run-1") == []


@pytest.mark.parametrize("url", ["mysql://host/x", "://"])
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="Expected"):
        open_store(url)


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    pytest.importorskip("psycopg")

    with pytest.raises(UserError, match="cannot be reached") as caught:
        open_store("postgresql://user:sesame@127.0.0.1:1/none")
    assert "sesame" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sqlite_writes_ahead_and_checks_references(tmp_path: Path) -> None:
    with open_store(tmp_path / "kb.sqlite") as store, store.database.read() as connection:
        pragmas = {n: connection.exec_driver_sql(f"PRAGMA {n}").scalar() for n in ("journal_mode", "foreign_keys")}

    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1}
    durable = Database(tmp_path / "kb.sqlite", durable=True)
    with durable.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
