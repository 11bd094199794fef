"""A PostgreSQL that tests start for themselves; initdb refuses root, so it runs as the package's user."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from support import need

POSTGRES_USER = "postgres"


def _postgres_folder() -> Path | None:
    """Where Debian keeps the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    plain = shutil.which("initdb")
    return Path(plain).resolve().parent if plain else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a fresh server without a database name."""
    programs = _postgres_folder()
    need("postgresql", programs is not None, "PostgreSQL's server is not on this machine (apt install postgresql)")
    need("psycopg", find_spec("psycopg") is not None, "the extra `postgres` is not installed")
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="atunner-postgres-"))
    user = POSTGRES_USER if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    data, port = folder / "data", _free_port()
    subprocess.run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "atunner", "--no-sync", "-E", "UTF8"],
        user=user, check=True, capture_output=True, cwd=folder, timeout=120,
    )  # fmt: skip
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    start = [programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w"]
    subprocess.run([*start, "start"], user=user, check=True, capture_output=True, cwd=folder, timeout=120)
    try:
        yield f"postgresql://atunner@127.0.0.1:{port}"
    finally:
        subprocess.run([*start, "-m", "immediate", "stop"], user=user, capture_output=True, cwd=folder, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


_NUMBERS = itertools.count()


def fresh_database(server: str) -> str:
    """The URL of a new database on a server."""
    import psycopg

    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
