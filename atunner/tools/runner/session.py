"""The parent's side of one run worker: shared memory, rounds of calls, and the parent's own clock."""

import os
import secrets
import select
import signal
import struct
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import Crashed, TimedOut, ToolError
from atunner.tools.process import end, ended, start
from atunner.tools.runner.memory import Arenas
from atunner.tools.sandbox import Chain, Layer, Limits

FRAME = struct.Struct("=QIIQQ")
FRAMES = np.dtype([("key", "u8"), ("kind", "u4"), ("index", "u4"), ("value", "u8"), ("extra", "u8")])
COMMAND = struct.Struct("=QIIIIII")
GRACE_S = 0.2
MOST_SAMPLES = 1 << 16
LOADING = {30: "could not be loaded", 31: "has no entry point"}


class Flag(IntFlag):
    """How a round treats its slots. FLUSH: out of every cache. TOUCH: every line into the cache.

    SEAL: the last slot is read-only the moment its call returns, so that work done later kills the worker.
    TIMED: the worker gets ready first and waits for "go", so that the parent's clock sees the calls alone.
    """

    NONE = 0
    FLUSH = 1
    TOUCH = 2
    SEAL = 4
    TIMED = 8


class _Kind(IntEnum):
    READY = 1
    ARMED = 2
    SAMPLE = 3
    DONE = 4
    FAILED = 5
    PROCESS = 6


@dataclass(frozen=True)
class Call:
    """One call: the slot that it may touch (page-aligned byte offsets) and where each argument lies in the arena."""

    low: int
    high: int
    pointers: tuple[int, ...]


@dataclass(frozen=True)
class Order:
    """Calls of one library, in order; one sample for every `per_sample` of them."""

    calls: Sequence[Call]
    library: int = 0
    per_sample: int = 1
    flags: Flag = Flag.NONE

    def packed(self, key: int) -> bytes:
        """As the worker reads it."""
        pointers = len(self.calls[0].pointers)
        table = np.array([(c.low, c.high, *c.pointers) for c in self.calls], np.uint64)
        header = COMMAND.pack(key, 1, self.library, len(self.calls), self.per_sample, pointers, self.flags)
        return header + table.tobytes()


@dataclass(frozen=True)
class Round:
    """What came back. samples_ns: the worker's clock, not to be trusted alone. wall_ns, cpu_ns, waited_ns: ours.

    wall_ns: from "go" to "done". cpu_ns: CPU time of all its threads. waited_ns: time it was ready but not running.
    """

    samples_ns: NDArray[np.float64]
    wall_ns: int
    cpu_ns: int
    waited_ns: int


@dataclass(frozen=True)
class Setup:
    """How workers are started. program: the compiled worker. cpus: the cores it is pinned to, all for threads.

    arenas: where shared memory is taken from and given back to.
    """

    program: Path
    chain: Chain
    limits: Limits = field(default_factory=Limits)
    cpus: tuple[int, ...] = (0,)
    arenas: Arenas = field(default_factory=Arenas)

    @property
    def leaves_nothing(self) -> bool:
        """Whether a layer rules out that a process of the candidate outlives the worker."""
        return bool({Layer.SECCOMP, Layer.NAMESPACES} & set(self.chain.layers))


class Worker:
    """One throw-away process that holds one candidate (one library for each problem) and nothing that is true.

    memory: the arena as bytes, shared with the worker; its size is sealed. Use as a context manager. The process gets
    ready by itself; the first thing that is asked of it waits for that.
    """

    def __init__(self, setup: Setup, libraries: Sequence[Path], arena_bytes: int, timeout_s: float = 10.0) -> None:
        self._deadline = time.monotonic() + timeout_s
        self._pending = b""
        self._ready = False
        self._setup = setup
        self._folder = tempfile.TemporaryDirectory(prefix="atunner-run-")
        self._arena = setup.arenas.take(arena_bytes)
        self.memory: NDArray[np.uint8] = self._arena.memory
        self._start(setup, libraries, arena_bytes)

    def _start(self, setup: Setup, libraries: Sequence[Path], arena_bytes: int) -> None:
        commands, self._control = os.pipe()
        self._reply, replies = os.pipe()
        loaded = [_in_memory(path) for path in libraries]
        try:
            numbers = (commands, replies, self._arena.descriptor, arena_bytes, setup.chain.bits)
            limits = (setup.limits.memory_bytes + arena_bytes, setup.limits.cpu_s)
            argv = (str(setup.program), *map(str, numbers), *map(str, limits), ",".join(map(str, setup.cpus)))
            self._process = start(
                *argv,
                *map(str, loaded),
                cwd=Path(self._folder.name),
                env=_environment(len(setup.cpus)),
                descriptors=(commands, replies, self._arena.descriptor, *loaded),
            )
        finally:
            for descriptor in (commands, replies, *loaded):
                os.close(descriptor)
        self.pid = self._process.pid
        self._poll = select.poll()
        self._poll.register(self._reply, select.POLLIN)
        self._waited = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the worker and everything that it started, and remove what it left."""
        os.close(self._control)
        code = end(self._process, GRACE_S)  # told by the closed pipe, so that its first process can reap the second
        os.close(self._reply)
        if self._waited >= 0:
            os.close(self._waited)
        self._setup.arenas.give(self._arena, alone=code == 0 and self._setup.leaves_nothing)
        self._folder.cleanup()

    def ready(self) -> None:
        """Wait until it can be called. Raises as `round`."""
        if not self._ready:
            self._expect(0, _Kind.READY)
            self._ready = True

    def post(self, orders: Sequence[Order]) -> list[int]:
        """Ask for several rounds at once, none of them timed; the keys of their answers. Raises as `round`."""
        self.ready()
        keys = [_key() for _ in orders]
        self._write(b"".join(order.packed(key) for order, key in zip(orders, keys, strict=True)))
        return keys

    def answered(self, key: int, timeout_s: float = 10.0) -> None:
        """Wait for the next answer that was posted for. Raises as `round`."""
        self._deadline = time.monotonic() + timeout_s
        self._samples(key, self._expect(key, _Kind.DONE))

    def round(self, order: Order, timeout_s: float = 10.0) -> Round:
        """Make the calls in order, by both clocks: the worker gets ready first and starts at our "go".

        Raises:
            Crashed: the process died. TimedOut: it did not answer in time and was killed. ToolError: the worker's own
                failure.
        """
        self.ready()
        key = _key()
        self._deadline = time.monotonic() + timeout_s
        self._write(order.packed(key))
        if order.flags & Flag.TIMED:
            self._expect(key, _Kind.ARMED)
        cpu, waited = self.cpu_ns(), self._waited_ns()
        started = time.perf_counter_ns()
        if order.flags & Flag.TIMED:
            self._write(struct.pack("=Q", key))
        count = self._expect(key, _Kind.DONE)
        wall = time.perf_counter_ns() - started
        cpu, waited = self.cpu_ns() - cpu, self._waited_ns() - waited
        return Round(self._samples(key, count), wall, cpu, waited)

    def cpu_ns(self) -> int:
        """CPU time that the worker has used, all threads, by the kernel's account."""
        try:
            return time.clock_gettime_ns((~self.pid << 3) | 2)
        except OSError:
            return 0

    def _waited_ns(self) -> int:
        try:
            if self._waited < 0:
                self._waited = os.open(f"/proc/{self.pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            return int(os.pread(self._waited, 96, 0).split()[1])
        except (OSError, IndexError):
            return 0

    def _samples(self, key: int, count: int) -> NDArray[np.float64]:
        if not 0 < count <= MOST_SAMPLES:
            raise Crashed("The worker's answer was overwritten by the candidate.")
        frames = np.frombuffer(self._take(count * FRAME.size), FRAMES)
        if not ((frames["key"] == key) & (frames["kind"] == _Kind.SAMPLE)).all():
            raise Crashed("The worker's answer was overwritten by the candidate.")
        return frames["value"].astype(np.float64)

    def _write(self, content: bytes) -> None:
        try:
            while content:
                content = content[os.write(self._control, content) :]
        except BrokenPipeError:
            self._died()

    def _expect(self, key: int, kind: _Kind) -> int:
        """The value of the next frame, which must be of this kind and carry this round's key.

        READY's index and value are 0; for DONE the index is the number of samples.
        """
        while True:
            got_key, got_kind, index, value, _ = FRAME.unpack(self._take(FRAME.size))
            if got_kind == _Kind.PROCESS:
                self.pid = index
                continue
            if got_kind == _Kind.FAILED:
                self._failed(index, value)
            if got_key != key or got_kind != kind:
                raise Crashed("The worker's answer was overwritten by the candidate.")
            return int(index if kind is _Kind.DONE else value)

    def _failed(self, step: int, number: int) -> NoReturn:
        if step in LOADING:
            raise Crashed(f"The built candidate {LOADING[step]}.")
        raise ToolError(f"The run worker failed at step {step}: {os.strerror(number)}. `atunner doctor` checks it.")

    def _take(self, size: int) -> bytes:
        while len(self._pending) < size:
            left = self._deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                end(self._process)
                raise TimedOut("The candidate did not return in its time and was stopped.")
            chunk = os.read(self._reply, 1 << 16)
            if not chunk:
                self._died()
            self._pending += chunk
        taken, self._pending = self._pending[:size], self._pending[size:]
        return taken

    def _died(self) -> NoReturn:
        raise Crashed(f"The candidate's process {_fate(ended(self._process, 1.0))}.")


def _fate(code: int) -> str:
    if code >= 0:
        return f"ended by itself with code {code} before its work was done"
    number = -code
    if number == signal.SIGSYS:
        return "was stopped: it made a system call that the sandbox forbids (SIGSYS)"
    if number == signal.SIGSEGV:
        return "died: it used a bad address, or wrote to its buffers after the call had returned (SIGSEGV)"
    if number == signal.SIGXCPU:
        return "was stopped: it used more CPU time than allowed (SIGXCPU)"
    return f"died of signal {signal.Signals(number).name}"


def _environment(threads: int) -> dict[str, str]:
    """All that a candidate can read of its surroundings; waiting threads must sleep, so that idle means idle.

    The KMP names are for clang's OpenMP runtime: it may not choose cores, which is forbidden and done already.
    """
    gnu = {"OMP_NUM_THREADS": str(threads), "OMP_THREAD_LIMIT": str(threads), "OMP_WAIT_POLICY": "passive"}
    return gnu | {"KMP_AFFINITY": "disabled", "KMP_BLOCKTIME": "0", "KMP_WARNINGS": "0"}


def _key() -> int:
    """Of one round: an answer without it was not given by the worker."""
    return secrets.randbits(63) | 1


def _in_memory(path: Path) -> int:
    """The file's bytes as an anonymous one, so that no path has to be readable for the worker."""
    descriptor = os.memfd_create(path.name, os.MFD_CLOEXEC)
    content = path.read_bytes()
    while content:
        content = content[os.write(descriptor, content) :]
    return descriptor
