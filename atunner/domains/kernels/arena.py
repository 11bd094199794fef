"""Buffers in memory that a candidate shares with us: guarded, poisoned, and looked at afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atunner.core.program import Buffer
from atunner.operators import Arrays
from atunner.tools.runner.bulk import Bulk

PAGE = 4096
ALIGN = 64
GUARD = 4096
LARGE = np.array([*range(0x45, 0x7F), *range(0xC5, 0xFF)], np.uint8)
"""Leading bytes of large floating numbers of either sign, float16 to float64."""


@dataclass(frozen=True)
class Place:
    """Where one buffer lies: byte offsets into the arena."""

    buffer: Buffer
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """Where one slot lies: its pages, its buffers, and the guard zones that fill the rest."""

    low: int
    high: int
    places: tuple[Place, ...]

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """Guard zones: before, between and after the buffers, each at least 4 KiB long."""
        starts = [self.low, *(p.stop for p in self.places)]
        stops = [*(p.start for p in self.places), self.high]
        return tuple(zip(starts, stops, strict=True))


def slot_bytes(buffers: Sequence[Buffer], align: int = ALIGN) -> int:
    """Room for one slot, wherever the offsets fall."""
    data = sum(_size(b) + align for b in buffers)
    return _up(data + (len(buffers) + 1) * (GUARD + PAGE), PAGE)


def lay_out(buffers: Sequence[Buffer], low: int, rng: np.random.Generator, align: int = ALIGN) -> Plan:
    """Lay the buffers out from `low`, each at a random multiple of `align` bytes behind a guard zone."""
    at, places = low, []
    for buffer in buffers:
        start = at + GUARD + align * int(rng.integers(0, PAGE // align))
        places.append(Place(buffer, start, start + _size(buffer)))
        at = _up(places[-1].stop, align)
    return Plan(low, low + slot_bytes(buffers, align), tuple(places))


class Slot:
    """One set of buffers. memory: the whole arena as bytes. pattern: what guard zones hold, from a secret seed."""

    def __init__(
        self, layout: Plan, memory: NDArray[np.uint8], pattern: NDArray[np.uint8], bulk: Bulk | None = None
    ) -> None:
        self.plan = layout
        self._bulk = bulk or Bulk()
        self._memory = memory
        self._pattern = pattern
        self.views: Arrays = {
            p.buffer.name: memory[p.start : p.stop].view(p.buffer.dtype).reshape(p.buffer.shape) for p in layout.places
        }
        self._draw_guards()

    def fill(self, inputs: Arrays, shift: int = 0) -> None:
        """Write inputs (floating ones rotated by `shift` elements) and poison everything that is to be written."""
        for place in self.plan.places:
            if place.buffer.role in ("input", "inout"):
                _write(self._bulk, self.views[place.buffer.name], inputs[place.buffer.name], shift)
            else:
                self._bulk.fill(self._memory[place.start : place.stop], 0xFF)

    def outputs(self) -> Arrays:
        """Copies of what was written, so that nothing can change it any more."""
        return {
            p.buffer.name: self.views[p.buffer.name].copy()
            for p in self.plan.places
            if p.buffer.role in ("output", "inout")
        }

    def faults(self, inputs: Arrays, shift: int = 0) -> tuple[str, ...]:
        """Guard zones that were overwritten (then restored) and inputs that were changed."""
        found = [
            f"the input {p.buffer.name} was changed"
            for p in self.plan.places
            if p.buffer.role == "input" and not _same(self.views[p.buffer.name], inputs[p.buffer.name], shift)
        ]
        for index, (start, stop) in enumerate(self.plan.gaps):
            wrong = np.flatnonzero(self._memory[start:stop] != self._guard(start, stop))
            if wrong.size:
                found.append(self._overrun(index, start, int(wrong[0]), int(wrong[-1])))
        if found:
            self._draw_guards()
        return tuple(found)

    def _overrun(self, index: int, start: int, first: int, last: int) -> str:
        places = self.plan.places
        if index and start + first - places[index - 1].stop < GUARD // 2:
            behind = places[index - 1]
            return f"wrote behind the end of {behind.buffer.name}, at byte +{start + first - behind.stop}"
        if index < len(places):
            ahead = places[index]
            return f"wrote before the start of {ahead.buffer.name}, at byte -{ahead.start - start - last}"
        return f"wrote behind the end of {places[-1].buffer.name}"

    def _draw_guards(self) -> None:
        for start, stop in self.plan.gaps:
            self._memory[start:stop] = self._guard(start, stop)

    def _guard(self, start: int, stop: int) -> NDArray[np.uint8]:
        at = start % PAGE
        return self._pattern[at : at + stop - start]


def pattern(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Bytes for guard zones; long enough for any gap at any offset.

    Whichever bytes are read as a floating number of whatever width, it is a large one or none at all, so that whoever
    reads a guard zone and reckons with it is far off, and not sometimes by a rounding.
    """
    return LARGE[rng.integers(0, LARGE.size, 64 * PAGE)]


def _size(buffer: Buffer) -> int:
    return buffer.elements * np.dtype(buffer.dtype).itemsize


def _up(number: int, unit: int) -> int:
    return -(-number // unit) * unit


def _write(bulk: Bulk, view: NDArray[np.generic], value: NDArray[np.generic], shift: int) -> None:
    if not shift or value.dtype.kind != "f":
        bulk.copy(view, value)
        return
    flat, source = view.reshape(-1), value.reshape(-1)
    at = shift % source.size
    bulk.copy(flat[: source.size - at], source[at:])
    bulk.copy(flat[source.size - at :], source[:at])


def _same(view: NDArray[np.generic], value: NDArray[np.generic], shift: int) -> bool:
    """Bitwise equality with what `_write` wrote."""
    flat, source = view.reshape(-1), value.reshape(-1)
    at = shift % source.size if value.dtype.kind == "f" else 0
    head = flat[: source.size - at].view(np.uint8), source[at:].view(np.uint8)
    tail = flat[source.size - at :].view(np.uint8), source[:at].view(np.uint8)
    return np.array_equal(*head) and np.array_equal(*tail)
