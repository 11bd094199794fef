"""Work of a C library that may never come back, in a forked child that can be ended.

A library in C neither returns to Python's signal handlers nor always counts its own steps. The child is limited in
processor time, which does not depend on how busy the machine is, and in time on the clock as well.
"""

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable

from pydantic import JsonValue

from atunner.core.errors import UserError

WALL = 8
"""Seconds on the clock for each second of processor time."""


class Endless(UserError):
    """The work was not done in its time, or its process died."""


def answer(work: Callable[[], JsonValue], limit_s: int) -> JsonValue:
    """What `work` returns, as JSON carries it; it may use `limit_s` seconds of processor time.

    Raises:
        Endless: it did not end in its time, or failed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _told(work, writer, limit_s)
    os.close(writer)
    try:
        said = _all(reader, time.monotonic() + WALL * limit_s)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        _, code = os.waitpid(child, 0)
    if not said:
        raise Endless(f"Not done within {limit_s} s of processor time (the process ended with {code}).")
    found: JsonValue = json.loads(said)
    return found


def _told(work: Callable[[], JsonValue], writer: int, limit_s: int) -> None:
    """In the child: never returns, and runs nothing of what the parent would do at its end."""
    code = 1
    try:
        used = int(time.process_time()) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s + used, limit_s + used))
        said = json.dumps(work()).encode()
        while said:
            said = said[os.write(writer, said) :]
        code = 0
    finally:
        os._exit(code)


def _all(reader: int, until: float) -> bytes:
    """Everything until the other side closes; nothing when it is late."""
    parts: list[bytes] = []
    while (left := until - time.monotonic()) > 0 and select.select([reader], [], [], left)[0]:
        part = os.read(reader, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return b""
