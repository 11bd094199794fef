"""One process at a time: a lock that the kernel gives back when its holder ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atunner.tools.scratch import shared


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold `path` locked (flock(2)) for as long as the block runs; False when another process holds it.

    The file stays behind: removing it would let two processes lock two files of one name. Programs that are started
    meanwhile do not inherit the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def awaited(path: Path) -> Iterator[None]:
    """Hold `path` locked as `held` does, after waiting for as long as another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def alone(device: str, folder: Path | None = None) -> Iterator[None]:
    """Hold a device of this machine, whoever of its users and whatever run of theirs waits for it too.

    The lock is a file of the device's name in the system's folder for temporary files. Whoever holds it may not ask
    for it again.
    """
    path = (folder or shared()) / f"atunner-{device}.lock"
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """The file for reading, made when it is not there; never through a link that somebody left in its place."""
    plain = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, plain)
    except FileNotFoundError:
        return os.open(path, plain | os.O_CREAT, 0o644)
