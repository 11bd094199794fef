"""The only place that starts a program."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atunner.core.errors import ToolError

MAX_OUTPUT = 1 << 20


@dataclass(frozen=True)
class Finished:
    """A program that ended by itself. output: stdout and stderr together, at most 1 MiB of it."""

    argv: tuple[str, ...]
    code: int
    output: str


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
) -> Finished:
    """Run `argv` to its end, or kill its whole process group after `timeout_s` seconds.

    Raises:
        ProgramMissing: no such program. ProgramTimedOut: it hung.
    """
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError as error:
        raise ProgramMissing(f"{argv[0]} is not on this machine; `atunner doctor` says how to get it.") from error
    with process:
        try:
            output, _ = process.communicate(None if stdin is None else stdin.encode(), timeout=timeout_s)
        except BaseException as error:
            kill_group(process.pid)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ProgramTimedOut(f"{argv[0]} did not end within {timeout_s:g} s and was stopped.") from error
            raise
    return Finished(argv, process.returncode, output[:MAX_OUTPUT].decode(errors="replace"))


def kill_group(pid: int) -> None:
    """End a process group that we started; one that is gone already is fine."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
