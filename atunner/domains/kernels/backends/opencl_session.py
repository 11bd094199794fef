"""Timed calls of one OpenCL candidate: the device's marks round each call, and the judge's own clock over all."""

import os
import secrets
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from atunner.domains.kernels.arena import Slot, lay_out, pattern, slot_bytes
from atunner.domains.kernels.backends.opencl_built import OpenclBuilt, told
from atunner.domains.kernels.backends.opencl_device import ADDRESS, OpenclDevice, OpenclLink
from atunner.domains.kernels.blocks import Block
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.timing import TimingPlan

ARENA = 32 << 20
MOST_SLOTS = 64
LEAST_SLOTS = 4
IDLE = (16, 80)
"""Commands of the two blocks that tell what starting a command costs on this device."""


@dataclass(frozen=True)
class Spent:
    """Microseconds: by our clock, of the worker's CPU, and that its threads were ready and others had the core."""

    wall_us: float
    cpu_us: float
    waited_us: float


class OpenclHost(Protocol):
    """Where a session runs. cpus: the cores of a processor; none for a device of its own."""

    here: OpenclDevice
    cpus: tuple[int, ...]

    def device(self) -> AbstractContextManager[None]:
        """The device, locked for timing."""
        ...

    def linked(self, built: OpenclBuilt, octets: int) -> AbstractContextManager[OpenclLink]:
        """A process of its own for the candidate, with an arena of this many bytes."""
        ...


class OpenclSession:
    """Timed calls in one process; implements `timing.Session`. Each call has its own contents and its own addresses.

    What starting a command costs the device and its driver is measured before any code of the candidate runs, with
    commands that do next to nothing, and taken off the judge's clock.
    """

    def __init__(self, backend: OpenclHost, built: OpenclBuilt, feed: Feed, plan: TimingPlan) -> None:
        self.source = backend.here.name
        self._backend, self._built, self._feed, self._plan = backend, built, feed, plan
        self._room = slot_bytes(built.buffers, ADDRESS)
        self.slots = max(LEAST_SLOTS, min(MOST_SLOTS, ARENA // self._room))
        self._gap = Spent(0.0, 0.0, 0.0)
        self.threads = len(backend.cpus)
        """Of a processor; 0 for a device whose work no thread of the host does, so that CPU time says nothing."""

    @property
    def most(self) -> int:
        """Calls in one block: each has a slot of its own."""
        return self.slots

    def __enter__(self) -> Self:
        rng = np.random.default_rng(secrets.randbits(64))
        self._ours = os.sched_getaffinity(0)
        if left := self._ours - {*self._backend.cpus}:
            os.sched_setaffinity(0, left)
        with ExitStack() as stack:
            stack.callback(os.sched_setaffinity, 0, self._ours)
            stack.enter_context(self._backend.device())
            self._link = stack.enter_context(self._backend.linked(self._built, self.slots * self._room))
            self._open = stack.pop_all()
        filling, buffers = pattern(rng), self._built.buffers
        plans = (lay_out(buffers, i * self._room, rng, ADDRESS) for i in range(self.slots))
        self._slots = [Slot(plan, self._link.memory, filling) for plan in plans]
        self._gap = self._idling()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.__exit__(kind, error, at)

    def block(self, calls: int, batch: int = 1) -> Block:
        """`calls` timed calls, one sample for each `batch` of them. Raises Wrong, Crashed, TimedOut."""
        fed = [self._feed.next() for _ in range(calls)]
        slots = self._slots[:calls]
        for slot, given in zip(slots, fed, strict=True):
            slot.fill(given.inputs, given.shift)
        limit = self._plan.timeout_s
        self._link.ask({"do": "time", "program": 0, "slots": [told(slot.plan) for slot in slots]}, limit)
        spent = self._timed(limit)
        said = self._link.answer(limit)
        for slot, given in zip(slots, fed, strict=True):
            self._feed.hold(given, slot.views)
        samples = np.array(said["samples"], np.float64).reshape(-1, batch).mean(axis=1)
        starts = calls * len(self._built.program.launches)
        return Block(
            samples_us=samples,
            calls=calls,
            wall_us=max(0.0, spent.wall_us - self._gap.wall_us * starts),
            cpu_us=max(0.0, spent.cpu_us - self._gap.cpu_us * starts) if self.threads == 1 else 0.0,
            waited_us=spent.waited_us,
        )

    def _timed(self, limit_s: float) -> Spent:
        """From "go" to "done" by our clock and by the kernel's account."""
        cpu, waited, started = self._link.cpu_us(), self._link.waited_us(), time.perf_counter_ns()
        self._link.ask({"go": True}, limit_s)
        wall = (time.perf_counter_ns() - started) / 1e3
        return Spent(wall, self._link.cpu_us() - cpu, self._link.waited_us() - waited)

    def _idling(self) -> Spent:
        """What a command costs beside what the device's marks say of it."""
        few, many = ([self._idle(count) for _ in range(5)] for count in IDLE)
        span = IDLE[1] - IDLE[0]
        wall = (min(s.wall_us for s in many) - min(s.wall_us for s in few)) / span
        cpu = (min(s.cpu_us for s in many) - min(s.cpu_us for s in few)) / span
        return Spent(max(0.0, wall), max(0.0, cpu), 0.0)

    def _idle(self, count: int) -> Spent:
        limit_s = self._plan.timeout_s
        self._link.ask({"do": "idle", "calls": count}, limit_s)
        spent = self._timed(limit_s)
        busy = float(self._link.answer(limit_s)["busy_us"])
        return Spent(spent.wall_us - busy, spent.cpu_us - busy, spent.waited_us)
