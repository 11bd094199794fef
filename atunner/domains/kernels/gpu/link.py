"""The judge's side of one process on the GPU: shared memory, requests, and a limit of time on every answer."""

import json
import mmap
import os
import select
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import Crashed, TimedOut, ToolError
from atunner.domains.kernels.gpu import worker
from atunner.domains.kernels.gpu.present import Here
from atunner.tools.process import end, ended, start

START_S = 60.0
"""Entering a device may take seconds, more on a machine with many."""


class Link:
    """One worker process. memory: the arena as bytes, shared with it. Use as a context manager.

    Raises:
        Crashed: the machine code cannot be loaded. ToolError: the device cannot be entered.
    """

    def __init__(self, here: Here, order: dict[str, Any], octets: int) -> None:
        self.here, self._pending = here, b""
        self._arena = os.memfd_create("arena", os.MFD_CLOEXEC)
        os.ftruncate(self._arena, octets)
        self._map = mmap.mmap(self._arena, octets)
        self.memory: NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        self._start(octets)
        with ExitStack() as unless_ready:
            unless_ready.callback(self.close)
            self.environment: dict[str, Any] = self.ask({**order, "library": here.library}, START_S)["ready"]
            unless_ready.pop_all()

    def _start(self, octets: int) -> None:
        commands, self._control = os.pipe()
        self._reply, replies = os.pipe()
        given = (commands, replies, self._arena)
        argv = self.here.command(sys.executable, "-I", str(Path(worker.__file__)), *map(str, given), str(octets))
        try:
            self._process = start(*argv, descriptors=given)
        finally:
            os.close(commands)
            os.close(replies)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the driver frees what it had on the device."""
        end(self._process)
        for descriptor in (self._control, self._reply, self._arena):
            os.close(descriptor)

    def waited_us(self) -> float:
        """Time that the process was ready to run and another had the core, by the kernel's account."""
        try:
            return int(Path(f"/proc/{self._process.pid}/schedstat").read_bytes().split()[1]) / 1e3
        except (OSError, IndexError):
            return 0.0

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """One request and its answer.

        Raises:
            Crashed: the device refused a call or the process died. TimedOut: no answer in time; the process was
            killed. ToolError: the device itself failed.
        """
        self.say(request)
        return self.answer(timeout_s)

    def say(self, request: dict[str, Any]) -> None:
        """Send one request."""
        content = json.dumps(request).encode() + b"\n"
        try:
            while content:
                content = content[os.write(self._control, content) :]
        except BrokenPipeError:
            self._died()

    def answer(self, timeout_s: float) -> dict[str, Any]:
        """The next answer; raises as `ask`."""
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._reply], [], [], left)[0]:
                end(self._process)
                raise TimedOut(f"A kernel did not end within {timeout_s:g} s on {self.here.name} and was stopped.")
            chunk = os.read(self._reply, 1 << 16)
            if not chunk:
                self._died()
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        if "failed" in said:
            self._failed(said)
        return said

    def _failed(self, said: dict[str, Any]) -> None:
        if said["failed"] == "device":
            raise ToolError(f"{self.here.name} cannot be used: {said['text']}. `atunner doctor` shows the GPUs here.")
        raise Crashed(f"{self.here.name} refused the candidate: {said['text']}.")

    def _died(self) -> None:
        raise Crashed(f"The candidate's process on {self.here.name} ended with code {ended(self._process, 1.0)}.")
