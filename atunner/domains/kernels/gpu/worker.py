"""The process on the GPU: it holds a candidate's machine code, no right answer, and its words are only raw times.

Arguments: descriptors of the commands, the replies and the shared arena, and the arena's bytes. The first line that it
reads is the order; every line after it is a request, and each is answered by one line of JSON. The arena holds the
slots as the judge filled them: guard zones, inputs and poisoned outputs travel to the device and back as they are.
"""

import ctypes
import json
import math
import mmap
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

import numpy as np

from atunner.domains.kernels.bundle_runner import driver as cuda
from atunner.domains.kernels.bundle_runner.conditions import Conditions
from atunner.domains.kernels.bundle_runner.driver import DeviceFailed, Driver, NoDevice
from atunner.domains.kernels.bundle_runner.memory import Kernel
from atunner.domains.kernels.bundle_runner.session import FLUSH

QUEUE_US = 10.0
"""What queueing one launch takes the host at most; so long must the device be busy before the calls begin."""


@dataclass(frozen=True)
class Address:
    """Where one buffer lies on the device."""

    pointer: ctypes.c_uint64


@dataclass(frozen=True)
class Slot:
    """One set of buffers: its bytes of the arena, and its buffers on the device by name."""

    low: int
    high: int
    places: dict[str, Address]


class Contender:
    """The candidate on the device: one program for each problem, and the arena mirrored twice.

    The second mirror keeps the contents as they came, for the calls that the host's clock sees.
    """

    def __init__(self, order: dict[str, Any], arena: mmap.mmap) -> None:
        self.order, self.memory = order, np.frombuffer(arena, np.uint8)
        self.driver = Driver(order["library"])
        self.driver.attach()
        self.base, self.kept = (self.driver.allocate(self.memory.size) for _ in range(2))
        self.conditions = Conditions(self.driver.place)
        self.random = np.random.default_rng()
        self.flush_octets = FLUSH * max(self.driver.attribute(cuda.L2_BYTES), 1 << 20)
        self.flush = self.driver.allocate(self.flush_octets)
        self.marks = [(self.driver.event(), self.driver.event()) for _ in range(order["calls"])]
        self.slots: dict[tuple[int, int], Slot] = {}
        self.head = self._head()

    def load(self) -> None:
        """Load the machine code of every problem."""
        self.kernels = [Kernel(self.driver, p, Path(p["cubin"]).read_bytes()) for p in self.order["programs"]]

    def _head(self) -> int:
        """How many flushes keep the device busy while all calls of a block are queued."""
        spans = []
        start, end = self.marks[0]
        for _ in range(4):
            self.driver.record(start)
            self.driver.fill(self.flush, 0, self.flush_octets)
            self.driver.record(end)
            self.driver.synchronise()
            spans.append(self.driver.between_us(start, end))
        launches = max(len(p["launches"]) for p in self.order["programs"])
        busy_us = float(self.order["calls"]) * launches * QUEUE_US
        return math.ceil(busy_us / max(float(np.median(spans)), 1.0))

    def _slots(self, asked: dict[str, Any]) -> list[Slot]:
        """The slots that a request names, each made once, since a program keeps the arguments that it made for it."""
        found = []
        for given in asked["slots"]:
            key = (asked["program"], given["low"])
            if key not in self.slots:
                places = {n: Address(ctypes.c_uint64(self.base + at)) for n, at in given["places"].items()}
                self.slots[key] = Slot(given["low"], given["high"], places)
            found.append(self.slots[key])
        return found

    def _upload(self, slot: Slot) -> None:
        self.driver.upload(self.base + slot.low, self.memory[slot.low : slot.high])

    def _download(self, slot: Slot) -> None:
        self.driver.download(self.base + slot.low, self.memory[slot.low : slot.high])

    def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One call for each slot, scratch memory poisoned before it."""
        kernel = self.kernels[asked["program"]]
        for slot in self._slots(asked):
            self._upload(slot)
            kernel.poison()
            kernel.start(slot)
            self.driver.synchronise()
            self._download(slot)
        return {"intact": kernel.intact()}

    def time(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """First every call between two marks on contents never seen; then, on "go", all of them back to back."""
        kernel, slots = self.kernels[asked["program"]], self._slots(asked)
        for slot in slots:
            self._upload(slot)
            self.driver.copy(self.kept + slot.low, self.base + slot.low, slot.high - slot.low)
        samples = self._marked(kernel, slots)
        look = self.conditions.look()
        for slot in slots:
            self._download(slot)
            self.driver.copy(self.base + slot.low, self.kept + slot.low, slot.high - slot.low)
        kernel.poison()
        self.driver.synchronise()
        yield {"samples": samples, "look": look.as_json() if look else None, "intact": kernel.intact()}
        for _ in range(self.head):
            self.driver.fill(self.flush, 0, self.flush_octets)
        for slot in slots:
            kernel.start(slot)
        self.driver.synchronise()
        yield {"done": True}

    def _marked(self, kernel: Kernel, slots: list[Slot]) -> list[float]:
        """Device microseconds of each call; while the flush before it runs, the host queues mark and launch."""
        for slot, (start, end) in zip(slots, self.marks, strict=False):
            kernel.poison()
            if self.order["cold"]:
                self.driver.fill(self.flush, int(self.random.integers(256)), self.flush_octets)
            self.driver.record(start)
            kernel.start(slot)
            self.driver.record(end)
        self.driver.synchronise()
        return [self.driver.between_us(*pair) for pair in self.marks[: len(slots)]]

    def environment(self) -> dict[str, Any]:
        """The device as it says itself."""
        return {"device": self.driver.name, "cuda": self.driver.version, **self.conditions.standing()}


def serve(order: dict[str, Any], arena: mmap.mmap, requests: Iterator[str]) -> Iterator[dict[str, Any]]:
    """One answer for each request; a failure of the device or of the candidate ends it."""
    try:
        contender = Contender(order, arena)
    except (DeviceFailed, NoDevice) as error:
        yield {"failed": "device", "text": str(error)}
        return
    try:
        contender.load()
        yield {"ready": contender.environment()}
        for line in requests:
            asked = json.loads(line)
            if asked["do"] == "run":
                yield contender.run(asked)
            else:
                timed = contender.time(asked)
                yield next(timed)
                next(requests)
                yield next(timed)
    except DeviceFailed as error:
        yield {"failed": "candidate", "text": str(error)}


def main(commands: int, replies: int, arena: int, octets: int) -> None:
    """Serve until the other side closes."""
    with os.fdopen(commands) as asked, os.fdopen(replies, "w") as told, mmap.mmap(arena, octets) as memory:
        lines = iter(asked.readline, "")
        for answer in serve(json.loads(next(lines)), memory, lines):
            told.write(json.dumps(answer) + "\n")
            told.flush()
        # The views of the arena go with the process; the driver frees the device's memory.
        os._exit(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
