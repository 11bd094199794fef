"""One contender beside the baseline, in a process of its own: outputs for the judge, then interleaved times.

The process holds no right answer. It writes outputs and raw times; the parent decides.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from atunner.domains.kernels.bundle_runner import driver as cuda
from atunner.domains.kernels.bundle_runner.conditions import Condition, Conditions
from atunner.domains.kernels.bundle_runner.driver import Driver
from atunner.domains.kernels.bundle_runner.memory import Buffers, Kernel, fingerprint
from atunner.domains.kernels.bundle_runner.statistics import enough
from atunner.domains.kernels.bundle_runner.truth import Draw

SETS = 3
CALLS = 4
"""Calls in one block of one side."""

FLUSH = 8
"""Times the L2 cache. Twice would empty it; this also takes 100 us, in which the host queues marks and launches."""

DISTURBED = 0.1
"""Share of a call's time on the host that others may have had the core; above it the host's clock tells nothing."""

CHECKED = 0.1
"""Share of timed calls whose output is looked at."""


def waited_us() -> float:
    """Time that this thread was ready and another had the core, by the kernel's account; 0 where it keeps none."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_bytes().split()[1]) / 1e3
    except (OSError, IndexError):
        return 0.0


class Contender(Protocol):
    """Something that can be timed."""

    def start(self, buffers: Buffers) -> None:
        """Queue the work on the default stream."""
        ...

    def poison(self) -> None:
        """Make scratch memory unusable."""
        ...

    def intact(self) -> bool:
        """Whether scratch memory's surroundings are."""
        ...


@dataclass
class Times:
    """What was timed so far; index 0 is the baseline. A block in which the device throttled is only counted."""

    pairs: list[tuple[float, float]] = field(default_factory=list)
    samples: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    walls: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    looks: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0
    spent_s: float = 0.0

    def add(self, block: tuple[list[float], list[float]], look: Condition | None) -> None:
        """Take the two halves of a block A B B A as two pairs."""
        self.spent_s += sum(map(sum, block)) / 1e6
        if look is not None:
            self.looks.append(look.as_json())
            if look.throttled:
                self.dropped += 1
                return
        half = len(block[0]) // 2
        for part in (slice(0, half), slice(half, None)):
            self.pairs.append((float(np.median(block[0][part])), float(np.median(block[1][part]))))
        for side in (0, 1):
            self.samples[side].extend(block[side])

    def as_json(self) -> dict[str, Any]:
        """For the parent."""
        return {
            "pairs": self.pairs,
            "samples": {"baseline": self.samples[0], "candidate": self.samples[1]},
            "wall": {"baseline": self.walls[0], "candidate": self.walls[1]},
            "conditions": self.looks,
            "throttled_blocks": self.dropped,
        }


class Session:
    """Both sides on one device. order: what the parent asks for, see `judge.order`."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order, self.folder = order, Path(order["folder"])
        self.problem, self.random = order["problem"], np.random.default_rng(order["seed"])
        self.driver = Driver(order["driver"])
        self.driver.attach()
        self.sides: tuple[Contender, Contender] = (self._loaded("baseline"), self._loaded("candidate"))
        self.conditions = Conditions(self.driver.place)
        self.events = self.driver.event(), self.driver.event()
        self.flush_octets = FLUSH * max(self.driver.attribute(cuda.L2_BYTES), 1 << 20)
        self.flush = self.driver.allocate(self.flush_octets)
        self.saved: list[dict[str, Any]] = []
        self.seen: dict[tuple[int, int, str], str] = {}

    def _loaded(self, side: str) -> Contender:
        asked = self.order[side]
        if asked["id"] == "torch":
            from atunner.domains.kernels.bundle_runner.torch_peer import TorchPeer

            return TorchPeer(self.problem)
        return Kernel(self.driver, asked, Path(asked["cubin"]).read_bytes())

    def run(self) -> dict[str, Any]:
        """Everything the parent needs; outputs are files beside."""
        damage = self.verify()
        if damage:
            return {"damage": damage, "outputs": self.saved}
        return {"damage": "", **self.time(), "outputs": self.saved, "environment": self.environment()}

    def verify(self) -> str:
        """The candidate's outputs for each check, twice; what it damaged in words."""
        candidate = self.sides[1]
        for number, asked in enumerate(self.order["checks"]):
            buffers = Buffers(self.driver, self.problem, self.random)
            buffers.draw(Draw(**asked))
            for _ in range(2):
                buffers.poison()
                candidate.poison()
                candidate.start(buffers)
                self.driver.synchronise()
                self._save(("check", number), 1, buffers, asked)
            damage = buffers.damage() or ("" if candidate.intact() else "wrote outside of its workspace")
            if damage:
                return damage
        return ""

    def _save(self, what: tuple[str, int], side: int, buffers: Buffers, asked: dict[str, Any]) -> None:
        """Keep an output for the parent, once for each content."""
        outputs = buffers.outputs()
        found = fingerprint(outputs)
        key = (side, asked["seed"], found)
        if key in self.seen:
            return
        self.seen[key] = found
        files = {}
        for name, array in outputs.items():
            path = self.folder / f"output-{len(self.saved)}-{name}.npy"
            np.save(path, array)
            files[name] = str(path)
        self.saved.append({"what": what[0], "side": side, "draw": asked, "files": files})

    def time(self) -> dict[str, Any]:
        """Interleaved blocks A B B A, fresh contents and addresses, cold cache, until enough is known."""
        sets = [Buffers(self.driver, self.problem, self.random) for _ in range(SETS)]
        times = Times()
        for generation in self.order["generations"]:
            for buffers, asked in zip(sets, generation, strict=True):
                buffers.draw(Draw(**asked))
            self._warm(sets)
            self._generation(sets, generation, times)
        damage = next((d for d in (buffers.damage() for buffers in sets) if d), "")
        return {"damage": damage, **times.as_json(), "empty_us": self._empty()}

    def _generation(self, sets: list[Buffers], generation: list[dict[str, Any]], times: Times) -> None:
        """One block at least, so that the new contents are met by a timed call."""
        begun, bound = time.perf_counter(), self.order["seconds"] / len(self.order["generations"])
        while True:
            block = self._block(sets, generation, times.walls)
            times.add(block, self.conditions.look())
            known = enough(times.pairs, times.spent_s, self.order["seconds"])
            if known or time.perf_counter() - begun > bound:
                return

    def _warm(self, sets: list[Buffers]) -> None:
        begun = time.perf_counter()
        count = 0
        while count < 10 or time.perf_counter() - begun < self.order["warm_s"]:
            for side in self.sides:
                side.start(sets[count % len(sets)])
            self.driver.synchronise()
            count += 1

    def _block(
        self, sets: list[Buffers], generation: list[dict[str, Any]], walls: tuple[list[float], list[float]]
    ) -> tuple[list[float], list[float]]:
        times: tuple[list[float], list[float]] = ([], [])
        first = int(self.random.integers(2))
        for side in (first, 1 - first, 1 - first, first):
            for _ in range(CALLS):
                place = int(self.random.integers(len(sets)))
                times[side].append(self._call(side, sets[place]))
                if self.random.random() < CHECKED:
                    self._save(("timed", place), side, sets[place], generation[place])
            wall = self._wall(side, sets[int(self.random.integers(len(sets)))])
            if wall is not None:
                walls[side].append(wall)
        return times

    def _prepare(self, side: int, buffers: Buffers) -> None:
        buffers.poison()
        self.sides[side].poison()
        self.driver.fill(self.flush, int(self.random.integers(256)), self.flush_octets)

    def _call(self, side: int, buffers: Buffers) -> float:
        """Device microseconds of one call; the flush is still running when it is queued, so no launch gap counts."""
        self._prepare(side, buffers)
        start, end = self.events
        self.driver.record(start)
        self.sides[side].start(buffers)
        self.driver.record(end)
        self.driver.synchronise()
        return self.driver.between_us(start, end)

    def _wall(self, side: int, buffers: Buffers) -> float | None:
        """Host microseconds of one call from an idle device to an idle one; None when others had the core meanwhile."""
        self._prepare(side, buffers)
        self.driver.synchronise()
        waited, begun = waited_us(), time.perf_counter()
        self.sides[side].start(buffers)
        self.driver.synchronise()
        wall = (time.perf_counter() - begun) * 1e6
        return wall if waited_us() - waited <= DISTURBED * wall else None

    def _empty(self) -> float:
        """Device microseconds between two marks with nothing between them; reported, never subtracted."""
        found = []
        for _ in range(21):
            start, end = self.events
            self.driver.record(start)
            self.driver.record(end)
            self.driver.synchronise()
            found.append(self.driver.between_us(start, end))
        return float(np.median(found))

    def environment(self) -> dict[str, Any]:
        """The device as it says itself."""
        return {
            "device": self.driver.name,
            "arch": self.driver.arch,
            "cuda": self.driver.version,
            "library": self.driver.path,
            "multiprocessors": self.driver.attribute(cuda.MULTIPROCESSORS),
            "clock_mhz": self.driver.attribute(cuda.CLOCK_KHZ) // 1000,
            "memory_clock_mhz": self.driver.attribute(cuda.MEMORY_CLOCK_KHZ) // 1000,
            "l2_bytes": self.driver.attribute(cuda.L2_BYTES),
            **self.conditions.standing(),
        }
