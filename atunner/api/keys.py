"""API keys: random, shown once, kept as hashes in a file that only its owner reads."""

import hashlib
import hmac
import os
import re
import secrets
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from atunner.core.errors import UserError
from atunner.core.value import Value

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")


class Scope(StrEnum):
    """What a key may do: look, ask for work, delete."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


class Asker(Value):
    """Who asks. name: of the key, "" without keys. open_jobs: unfinished jobs that it may have, 0 for any number."""

    name: str = ""
    open_jobs: int = 0


NOBODY = Asker()


class Limits(Value):
    """Of one key. per_s: requests a second, twice as many at once; open_jobs: unfinished jobs. 0 is without limit."""

    per_s: int = Field(default=100, ge=0, le=100_000)
    open_jobs: int = Field(default=1000, ge=0, le=1_000_000)


class Key(Value):
    """One line of the file: name, SHA-256 of the key, scopes, limits."""

    name: str
    digest: str
    scopes: frozenset[Scope]
    limits: Limits = Limits()

    @property
    def asker(self) -> Asker:
        """As routes see it."""
        return Asker(name=self.name, open_jobs=self.limits.open_jobs)


def read(file: Path) -> tuple[Key, ...]:
    """The keys of a file; none when there is no file.

    Raises:
        UserError: the file cannot be read, others may read it, or a line has another form.
    """
    if not file.exists():
        return ()
    try:
        if file.stat().st_mode & 0o027:  # its group may read it: so a mounted secret reaches a user of its own
            raise UserError(f"{file} can be read by all or written by others; expected mode 600. Run: chmod 600 {file}")
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"Cannot read the API keys in {file}: {error.strerror}.") from error
    return tuple(_parsed(file, number, line) for number, line in enumerate(lines, 1) if line.strip())


def _parsed(file: Path, number: int, line: str) -> Key:
    try:
        name, digest, scopes, *given = line.split(":")
        per_s, open_jobs = given or (Limits().per_s, Limits().open_jobs)
        limits = Limits(per_s=int(per_s), open_jobs=int(open_jobs))
        return Key(name=name, digest=digest, scopes=frozenset(Scope(s) for s in scopes.split(",")), limits=limits)
    except ValueError as error:
        raise UserError(
            f"{file}, line {number}: expected NAME:SHA256:SCOPES:RATE:JOBS. Make it again with --new-key."
        ) from error


def add(file: Path, name: str, scopes: frozenset[Scope], limits: Limits = Limits()) -> str:  # noqa: B008 - frozen
    """Make a key of 256 random bits, append its hash, and return it: this is the only time that it is seen.

    Raises:
        UserError: the name is taken or has another form.
    """
    if not NAME.match(name):
        raise UserError(f"A key's name has up to 40 letters, digits, dots, dashes; got {name!r}.")
    if any(key.name == name for key in read(file)):
        raise UserError(f"There is a key named {name!r} already. Choose another name.")
    secret = f"atunner_{secrets.token_urlsafe(32)}"
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a") as opened:
        opened.write(f"{name}:{digest_of(secret)}:{','.join(sorted(scopes))}:{limits.per_s}:{limits.open_jobs}\n")
    return secret


def digest_of(secret: str) -> str:
    """SHA-256: enough for 256 random bits, which no dictionary holds."""
    return hashlib.sha256(secret.encode()).hexdigest()


def owner(keys: tuple[Key, ...], secret: str) -> Key | None:
    """The key of that secret; every key is compared, in constant time."""
    digest = digest_of(secret)
    found = None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found
