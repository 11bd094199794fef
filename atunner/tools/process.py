"""The only place that starts a program."""

import os
import select
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from atunner.core.errors import ToolError
from atunner.tools.yielding import Yielding

MAX_OUTPUT = 1 << 20
ASKED_S = 60.0
"""For a program that only says its version or tries one line: from a cold, busy disk clang took more than 10 s."""


@dataclass(frozen=True)
class Finished:
    """A program that ended by itself. output: stdout and stderr together, at most 1 MiB unless more was asked for."""

    argv: tuple[str, ...]
    code: int
    output: str


@dataclass(frozen=True)
class Clocked:
    """A program that ended, with the processor time of it and of all that it started and waited for.

    cpu_s is user and system time together: the kernel counts the sum exactly, and shares it out by timer ticks only.
    timed_out: it was killed at its limit.
    """

    code: int
    cpu_s: float
    wall_s: float
    timed_out: bool = False


class ProgramMissing(ToolError):
    """The program is not on this machine."""


class ProgramTimedOut(ToolError):
    """The program did not end in its time; its whole process group was killed."""


def run(
    *argv: str,
    cwd: Path | None = None,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    max_output: int = MAX_OUTPUT,
    yielding: Yielding | None = None,
) -> Finished:
    """Run `argv` to its end, or kill its whole process group after `timeout_s` seconds.

    Output beyond `max_output` bytes is read and dropped, so a program that prints without end costs no memory. What
    the program left running in its process group ends with it. yielding: to whose timing it gives way.

    Raises:
        ProgramMissing: no such program. ProgramTimedOut: it hung.
    """
    with ExitStack() as stack:
        given: IO[bytes] | int = subprocess.DEVNULL
        if stdin is not None:
            given = stack.enter_context(tempfile.TemporaryFile())
            given.write(stdin.encode())
            given.seek(0)
        process = _popen(argv, cwd=cwd, env=env, stdin=given, stdout=subprocess.PIPE)
        try:
            with yielding.joined(process.pid) if yielding else nullcontext():
                output = _collect(process, time.monotonic() + timeout_s, max_output)
        except TimeoutError as error:
            raise ProgramTimedOut(f"{argv[0]} did not end within {timeout_s:g} s and was stopped.") from error
        finally:
            end(process)
    return Finished(argv, process.returncode, output.decode(errors="replace"))


def start(
    *argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, descriptors: Sequence[int] = ()
) -> "subprocess.Popen[bytes]":
    """Start `argv` in a session of its own with no input and no output; the caller must `end` it.

    descriptors: open file descriptors that it inherits under the same numbers.

    Raises:
        ProgramMissing: no such program.
    """
    return _popen(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, descriptors=tuple(descriptors)
    )


def clocked(
    *argv: str,
    timeout_s: float,
    output: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    cpu: int | None = None,
    descriptors: Sequence[int] = (),
) -> Clocked:
    """Run `argv` to its end or its limit and say what processor time it took.

    output: the file that takes what it prints, None to drop it. stdin: an open file. cpu: the core to stay on.
    descriptors: open file descriptors that it inherits under the same numbers.

    Raises:
        ProgramMissing: no such program.
    """
    allowed = os.sched_getaffinity(0)
    with ExitStack() as stack:
        out: IO[bytes] | int = subprocess.DEVNULL if output is None else stack.enter_context(output.open("wb"))
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
            stack.callback(os.sched_setaffinity, 0, allowed)
        began = time.monotonic()
        process = _popen(argv, cwd=None, env=env, stdin=stdin, stdout=out, descriptors=tuple(descriptors))
        ending = stack.enter_context(os.fdopen(os.pidfd_open(process.pid)))
        late = not select.select([ending], [], [], timeout_s)[0]
        kill_group(process.pid)  # before it is reaped, so that its number cannot belong to another yet
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Clocked(process.returncode, used.ru_utime + used.ru_stime, time.monotonic() - began, late)


def end(process: "subprocess.Popen[bytes]", grace_s: float = 0.0) -> int:
    """Kill the whole process group and return the exit code; a negative one is the signal it died of.

    grace_s: how long it may take to end by itself before that.
    """
    if process.returncode is None and grace_s:
        ending = os.pidfd_open(process.pid)
        select.select([ending], [], [], grace_s)
        os.close(ending)
    if process.returncode is None:
        kill_group(process.pid)  # before it is reaped, so that its number cannot belong to another yet
    if process.stdout is not None:
        process.stdout.close()
    return process.wait()


def ended(process: "subprocess.Popen[bytes]", timeout_s: float) -> int:
    """The exit code of a program that is about to end; it is killed when it does not within `timeout_s`."""
    try:
        process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return end(process)
    return process.returncode


def kill_group(pid: int) -> None:
    """End a process group that we started; one that is gone already is fine."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def running(program: str) -> tuple[int, ...]:
    """Process ids of everything on this machine whose first argument is `program`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                first = (entry / "cmdline").read_bytes().split(b"\0")[0]
            except OSError:
                continue
            if first == program.encode():
                found.append(int(entry.name))
    return tuple(found)


def kill(pid: int) -> None:
    """End one process that we started; one that is gone already is fine."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _popen(
    argv: Sequence[str],
    *,
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: IO[bytes] | int,
    stdout: IO[bytes] | int,
    descriptors: tuple[int, ...] = (),
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            pass_fds=descriptors,
        )
    except FileNotFoundError as error:
        raise ProgramMissing(f"{argv[0]} is not on this machine; `atunner doctor` says how to get it.") from error


def _collect(process: "subprocess.Popen[bytes]", deadline: float, most: int) -> bytes:
    """Everything printed until the program itself ends, whoever else still holds its output."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    kept = bytearray()
    ended = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                ready = {key.fd for key, _ in selector.select(left)}
                if pipe in ready and not _read(pipe, kept, most):
                    selector.unregister(pipe)
                if ended in ready:
                    while len(kept) < most and _read(pipe, kept, most):
                        pass
                    return bytes(kept)
    finally:
        os.close(ended)


def _read(pipe: int, kept: bytearray, most: int) -> bool:
    """Take one chunk, keep at most `most` bytes in all; False when there is none."""
    try:
        chunk = os.read(pipe, 1 << 16)
    except BlockingIOError:
        return False
    kept += chunk[: most - len(kept)]
    return bool(chunk)
