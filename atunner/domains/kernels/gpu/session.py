"""A candidate on the GPU: its outputs for verification, and its times for the two clocks."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import numpy as np

from atunner.core.candidate import Candidate
from atunner.core.errors import NotMeasured, Wrong
from atunner.core.program import Problem
from atunner.domains.kernels.arena import Plan as SlotPlan
from atunner.domains.kernels.arena import Slot, lay_out, pattern, slot_bytes
from atunner.domains.kernels.backends import Case, Ran
from atunner.domains.kernels.blocks import Block
from atunner.domains.kernels.bundle import entry
from atunner.domains.kernels.feed import Fed, Feed
from atunner.domains.kernels.gpu.link import Link
from atunner.domains.kernels.gpu.present import Here
from atunner.domains.kernels.timing import TimingPlan
from atunner.tools.nvrtc import Compiled

ALIGN = 256
"""What cudaMalloc promises at least."""

ARENA = 256 << 20
MOST_SLOTS = 64
LEAST_SLOTS = 4
GAP_US = 1.0
"""Between two calls back to back the device needs about this long for itself, which no mark of a call sees."""

TRIES = 8
"""Blocks that are taken anew when the device throttled in them."""


@dataclass(frozen=True)
class Loaded:
    """A candidate for one problem, with its machine code for the device."""

    problem: Problem
    candidate: Candidate
    compiled: Compiled

    def program(self, path: Path) -> dict[str, Any]:
        """All that a worker is told of it; the machine code goes to `path`."""
        path.write_bytes(self.compiled.cubin)
        told = entry(self.problem, self.candidate)
        lowered = self.compiled.lowered
        launches = [{**one, "kernel": lowered.get(one["kernel"], one["kernel"])} for one in _maps(told["launches"])]
        return {"launches": launches, "workspaces": told["workspaces"], "cubin": str(path)}


def _maps(found: Any) -> list[dict[str, Any]]:
    return list(found)


@dataclass(frozen=True)
class Run:
    """Cases of one problem, in order; see `backends.Job`."""

    loaded: Loaded
    cases: Sequence[Case]
    label: str


def run_all(here: Here, runs: Sequence[Run], timeout_s: float) -> list[list[Ran]]:
    """Outputs of every case, in one process for all problems.

    Raises:
        Crashed, TimedOut: with the problem's label. ToolError: the device failed.
    """
    rng = np.random.default_rng(secrets.randbits(64))
    plans, octets = _storages(runs, rng)
    filling = pattern(rng)
    with _linked(here, [run.loaded for run in runs], octets, TimingPlan()) as link:
        found = []
        for index, run in enumerate(runs):
            slots = {storage: Slot(plan, link.memory, filling) for storage, plan in plans[index].items()}
            found.append([_ran(link, index, slots[case.storage], case, timeout_s) for case in run.cases])
        return found


def _ran(link: Link, program: int, slot: Slot, case: Case, timeout_s: float) -> Ran:
    slot.fill(case.inputs)
    said = link.ask({"do": "run", "program": program, "slots": [_told(slot.plan)]}, timeout_s)
    faults = slot.faults(case.inputs)
    return Ran(slot.outputs(), faults if said["intact"] else (*faults, "wrote outside of its workspace"))


def _storages(runs: Sequence[Run], rng: np.random.Generator) -> tuple[list[dict[int, SlotPlan]], int]:
    plans: list[dict[int, SlotPlan]] = []
    at = 0
    for run in runs:
        placed = {}
        for storage in sorted({case.storage for case in run.cases}):
            placed[storage] = lay_out(run.loaded.problem.buffers, at, rng, ALIGN)
            at = placed[storage].high
        plans.append(placed)
    return plans, at


def _told(plan: SlotPlan) -> dict[str, Any]:
    return {"low": plan.low, "high": plan.high, "places": {p.buffer.name: p.start for p in plan.places}}


@contextmanager
def _linked(here: Here, loaded: Sequence[Loaded], octets: int, plan: TimingPlan, calls: int = 1) -> Iterator[Link]:
    with TemporaryDirectory(prefix="atunner-gpu-") as folder:
        programs = [one.program(Path(folder) / f"{index}.cubin") for index, one in enumerate(loaded)]
        order = {"programs": programs, "calls": calls, "cold": plan.cold}
        with Link(here, order, octets) as link:
            yield link


class GpuSession:
    """Timed calls of one candidate in one process on the GPU; implements `timing.Session`.

    Samples are the device's marks round each call: on contents and addresses of its own, and behind a flushed L2 cache
    where the plan asks for cold ones. The host's clock sees the same calls once more, back to back, behind work that
    keeps the device busy while they are queued. looks: clocks, heat and throttling at each block.
    """

    threads = 0
    """No thread of the host does the work, so its CPU time says nothing."""

    def __init__(self, here: Here, loaded: Loaded, feed: Feed, plan: TimingPlan) -> None:
        self.source, self.looks, self.dropped = here.name, [], 0  # type: tuple[str, list[dict[str, Any]], int]
        self._here, self._loaded, self._feed, self._plan = here, loaded, feed, plan
        self._room = slot_bytes(loaded.problem.buffers, ALIGN)
        self.slots = max(LEAST_SLOTS, min(MOST_SLOTS, ARENA // self._room))

    @property
    def candidate(self) -> str:
        """Id of what is timed."""
        return self._loaded.candidate.id

    @property
    def most(self) -> int:
        """Calls in one block: each has a slot of its own."""
        return self.slots

    def __enter__(self) -> Self:
        rng = np.random.default_rng(secrets.randbits(64))
        self._open = _linked(self._here, [self._loaded], self.slots * self._room, self._plan, self.slots)
        self._link = self._open.__enter__()
        filling, buffers = pattern(rng), self._loaded.problem.buffers
        plans = (lay_out(buffers, i * self._room, rng, ALIGN) for i in range(self.slots))
        self._slots = [Slot(plan, self._link.memory, filling) for plan in plans]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.__exit__(kind, error, at)

    def block(self, calls: int, batch: int = 1) -> Block:
        """`calls` calls; a block in which the device throttled is dropped and taken anew.

        Raises:
            Wrong, Crashed, TimedOut. NotMeasured: the device throttled in every one of several blocks.
        """
        for _ in range(TRIES):
            block, throttled = self._block(calls, batch)
            if not throttled:
                return block
            self.dropped += 1
        raise NotMeasured(
            f"{self.source} held its clock down (heat or power) in {TRIES} blocks in a row; let it cool and run again."
        )

    def _block(self, calls: int, batch: int) -> tuple[Block, bool]:
        fed = [self._feed.next() for _ in range(calls)]
        slots = self._slots[:calls]
        for slot, given in zip(slots, fed, strict=True):
            slot.fill(given.inputs, given.shift)
        request = {"do": "time", "program": 0, "slots": [_told(slot.plan) for slot in slots]}
        said = self._link.ask(request, self._plan.timeout_s)
        waited, started = self._link.waited_us(), time.perf_counter_ns()
        self._link.ask({"go": True}, self._plan.timeout_s)
        wall, waited = (time.perf_counter_ns() - started) / 1e3, self._link.waited_us() - waited
        self._hold(slots, fed, said["intact"])
        samples = np.array(said["samples"], np.float64).reshape(-1, batch).mean(axis=1)
        look = said["look"]
        if look is not None:
            self.looks.append(look)
        wall = max(wall - GAP_US * calls, 0.0)
        block = Block(samples_us=samples, calls=calls, wall_us=wall, waited_us=waited)
        return block, bool(look and look["throttled"])

    def _hold(self, slots: Sequence[Slot], fed: Sequence[Fed], intact: bool) -> None:
        if not intact:
            raise Wrong("A timed call wrote outside of its workspace though verification passed.")
        for slot, given in zip(slots, fed, strict=True):
            self._feed.hold(given, slot.views)
            faults = slot.faults(given.inputs, given.shift) if given.truth is not None else ()
            if faults:
                raise Wrong(f"A timed call {faults[0]} though verification passed.")

    def conditions(self) -> str:
        """Clocks and heat while it was timed, in words; "" where nobody could look."""
        if not self.looks:
            return ""
        clock, heat = ([look[name] for look in self.looks] for name in ("sm_mhz", "celsius"))
        return (
            f"{self.source}: SM clock {min(clock)} to {max(clock)} MHz, {min(heat)} to {max(heat)} degrees Celsius, "
            f"throttled in {self.dropped} of {len(self.looks)} blocks (dropped)"
        )
