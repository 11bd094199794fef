"""Databases to run the contracts on: SQLite in a file, SQLite in memory, and a PostgreSQL that the tests start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import fresh_database, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server without a database name."""
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "memory", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "memory":
        return "sqlite://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'atunner.sqlite'}"
    return fresh_database(request.getfixturevalue("postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database that several processes can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'atunner.sqlite'}"
    return fresh_database(request.getfixturevalue("postgres"))
