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
from typing import Any

from support import need

POSTGRES_USER = "postgres"
WAIT_S, TRIES = 280, 5


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
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "atunner", "--no-sync", "-E", "UTF8"],
        user=user, check=True, capture_output=True, cwd=folder, timeout=WAIT_S,
    )  # fmt: skip
    control = [programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-t", str(WAIT_S)]
    port = _started(control, folder, user)
    try:
        yield f"postgresql://atunner@127.0.0.1:{port}"
    finally:
        subprocess.run(
            [*control, "-m", "immediate", "stop"], user=user, capture_output=True, cwd=folder, timeout=WAIT_S
        )
        shutil.rmtree(folder, ignore_errors=True)


def _started(control: list[Any], folder: Path, user: str | None) -> int:
    """The port that it listens on; one that was free a moment ago may have been taken since."""
    for _ in range(TRIES):
        port = _free_port()
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        argv = [*control, "-o", options, "start"]
        done = subprocess.run(argv, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        if done.returncode == 0:
            return port
    raise AssertionError((folder / "log").read_text()[-2000:])


_NUMBERS = itertools.count()


def fresh_database(server: str) -> str:
    """The URL of a new database on a server."""
    import psycopg

    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
