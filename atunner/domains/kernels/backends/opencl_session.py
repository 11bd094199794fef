"""Timed calls of one OpenCL candidate: the device's marks round each call, and the judge's own clock over all."""

import os
import secrets
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import numpy as np

from atunner.domains.kernels.arena import Slot, lay_out, pattern, slot_bytes
from atunner.domains.kernels.backends.opencl import OpenclBackend, OpenclBuilt, told
from atunner.domains.kernels.backends.opencl_device import ADDRESS
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.timing import Block, TimingPlan

ARENA = 32 << 20
MOST_SLOTS = 64
LEAST_SLOTS = 4
IDLE = (16, 80)
"""Commands of the two blocks that tell what starting a command costs on this device."""


class OpenclSession:
    """Timed calls in one process; implements `timing.Session`. Each call has its own contents and its own addresses.

    What starting a command costs the device and its driver is measured before any code of the candidate runs, with
    commands that do next to nothing, and taken off the judge's clock.
    """

    threads = 0
    """No single thread does the work, so CPU time says nothing."""

    def __init__(self, backend: OpenclBackend, built: OpenclBuilt, feed: Feed, plan: TimingPlan) -> None:
        self.source = backend.here.name
        self._backend, self._built, self._feed, self._plan = backend, built, feed, plan
        self._room = slot_bytes(built.buffers, ADDRESS)
        self.slots = max(LEAST_SLOTS, min(MOST_SLOTS, ARENA // self._room))
        self._gap_us = 0.0

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
        self._gap_us = self._gap()
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
        wall_us = self._timed_us(limit)
        said = self._link.answer(limit)
        for slot, given in zip(slots, fed, strict=True):
            self._feed.hold(given, slot.views)
        samples = np.array(said["samples"], np.float64).reshape(-1, batch).mean(axis=1)
        wall_us = max(0.0, wall_us - self._gap_us * calls * len(self._built.program.launches))
        return Block(samples_us=samples, calls=calls, wall_us=wall_us)

    def _timed_us(self, limit_s: float) -> float:
        """From "go" to "done" by our clock."""
        started = time.perf_counter_ns()
        self._link.ask({"go": True}, limit_s)
        return (time.perf_counter_ns() - started) / 1e3

    def _gap(self) -> float:
        """Microseconds that a command costs beside what the device's marks say of it."""
        few, many = (min(self._idle(count) for _ in range(5)) for count in IDLE)
        return max(0.0, (many - few) / (IDLE[1] - IDLE[0]))

    def _idle(self, count: int) -> float:
        limit: Any = self._plan.timeout_s
        self._link.ask({"do": "idle", "calls": count}, limit)
        wall_us = self._timed_us(limit)
        return wall_us - float(self._link.answer(limit)["busy_us"])
