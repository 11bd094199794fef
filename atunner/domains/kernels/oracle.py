"""What is right: inputs from secret seeds, the float64 reference, and the bounds of each output element."""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atunner.core.program import Buffer, Problem
from atunner.core.value import Value, content_id
from atunner.operators import Arrays, Operator

Floats = NDArray[np.floating[Any]]

READ = ("input", "inout")
WRITTEN = ("output", "inout")
MOST_BYTES = 512 << 20
PLAINLY = 0.5
"""Share of the tolerance below which float32 is good enough to say that a result is within it."""
STRIP = 1 << 15
"""Elements compared at a time, so that what lies between two steps stays in the cache."""
MOST_BASES = 4
MOST_NAMES = 256
TINY = 2.0**-100
"""Below this the weight would leave float32."""


class Draw(Value):
    """Which inputs: a number (turned into a seed with the secret), a magnitude, a kind, and a rotation.

    kind: normal; exact ({0, 1}, so that sums are exact); ties (few distinct values); negative (large negatives).
    shift: every floating tensor is rotated by this many elements, which makes all contents new at the cost of a copy.
    """

    number: int
    scale: float = 1.0
    kind: str = "normal"
    shift: int = 0


@dataclass(frozen=True)
class Mismatch:
    """The worst element of one output: where, what it should be, what it is, and how many are wrong."""

    buffer: str
    place: tuple[int, ...]
    expected: float
    got: float
    tolerance: float
    wrong: int
    elements: int

    def __str__(self) -> str:
        where = ", ".join(map(str, self.place))
        return (
            f"{self.buffer}[{where}]: expected {self.expected:.8g}, got {self.got:.8g} "
            f"(worst error {abs(self.got - self.expected):.3g}, allowed {self.tolerance:.3g}); "
            f"{self.wrong} of {self.elements} elements are wrong"
        )


@dataclass(frozen=True)
class Held:
    """Outputs held against the truth. error: the largest error as a share of what is allowed."""

    mismatch: Mismatch | None
    error: float


@dataclass(frozen=True)
class Truth:
    """Inputs with the right answer. reference: float64, by written buffer. tolerance: absolute, for each element."""

    inputs: Arrays
    reference: Arrays
    tolerance: Arrays

    @cached_property
    def bounds(self) -> dict[str, tuple[Floats, Floats]]:
        """Lowest and highest accepted value of each element, float32 where that loses nothing that matters."""
        return {name: _bounds(self.reference[name], self.tolerance[name]) for name in self.reference}

    @cached_property
    def _scaled(self) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Answers, and one over the tolerances, in float32: where they say that an output is right by far, it is."""
        return {name: _single(self.reference[name], self.tolerance[name]) for name in self.reference}

    def share(self, name: str, got: NDArray[np.generic]) -> float:
        """Largest error of one output as a share of what is allowed, in float32; not a number where it cannot say."""
        middle, weight = self._scaled[name]
        if got.dtype != np.float32 or got.shape != self.reference[name].shape:
            return float("nan")
        flat = np.ascontiguousarray(got).reshape(-1)
        gap, worst = np.empty(min(STRIP, flat.size), np.float32), np.float32(0)
        with np.errstate(all="ignore"):
            for at in range(0, flat.size, STRIP):
                part = np.subtract(flat[at : at + STRIP], middle[at : at + STRIP], out=gap[: flat.size - at])
                np.multiply(np.abs(part, out=part), weight[at : at + STRIP], out=part)
                worst = np.maximum(worst, part.max())
        return float(worst)

    @property
    def nbytes(self) -> int:
        """Memory held, bounds included."""
        return sum(a.nbytes for part in (self.inputs, self.reference, self.tolerance) for a in part.values()) * 2

    def mismatch(self, outputs: Arrays) -> Mismatch | None:
        """The worst element that is out of bounds, over all outputs; None when all is right."""
        return self.held(outputs).mismatch

    def held(self, outputs: Arrays) -> Held:
        """Whether all outputs are within bounds, and how near to them the worst element is."""
        worst = 0.0
        for name in self.reference:
            share = self.share(name, outputs[name])
            if not share <= PLAINLY:
                found = self._beyond(name, outputs[name])
                if found is not None:
                    return Held(found, float("inf"))
                share = self._share(name, outputs[name])
            worst = max(worst, share)
        return Held(None, worst)

    def _beyond(self, name: str, got: NDArray[np.generic]) -> Mismatch | None:
        """The worst element of one output by its bounds, when it is out of them."""
        low, high = self.bounds[name]
        if got.shape != low.shape:
            return Mismatch(name, (), float(low.size), float(got.size), 0.0, low.size, low.size)
        wide: Floats = got.astype(low.dtype if got.dtype == low.dtype else np.float64, copy=False)
        if bool(((wide >= low) & (wide <= high)).all()):
            return None
        return self._worst(name, got.astype(np.float64))

    def _share(self, name: str, got: NDArray[np.generic]) -> float:
        """As `share`, in float64."""
        gap = np.abs(got.astype(np.float64) - self.reference[name].astype(np.float64))
        allowed = np.maximum(self.tolerance[name].astype(np.float64), 1e-300)
        return float(np.max(gap / allowed, initial=0.0))

    def _worst(self, name: str, got: NDArray[np.float64]) -> Mismatch:
        expected = np.asarray(self.reference[name], np.float64)
        tolerance = np.broadcast_to(np.asarray(self.tolerance[name], np.float64), expected.shape)
        with np.errstate(invalid="ignore"):
            gap = np.where(got == expected, 0.0, np.abs(got - expected))
        excess = np.where(np.isnan(gap), np.inf, gap - tolerance)
        place = np.unravel_index(int(np.argmax(excess)), expected.shape)
        return Mismatch(
            name,
            tuple(int(i) for i in place),
            float(expected[place]),
            float(got[place]),
            float(tolerance[place]),
            int((excess > 0).sum()),
            expected.size,
        )


def _bounds(reference: NDArray[np.generic], tolerance: NDArray[np.generic]) -> tuple[Floats, Floats]:
    """In float32, rounded outwards, when the tolerance is far above half an ulp of float32; else in float64."""
    wide, allowed = np.asarray(reference, np.float64), np.asarray(tolerance, np.float64)
    low, high = wide - allowed, wide + allowed
    exact = bool((wide == wide.astype(np.float32)).all())
    if exact and not np.any(allowed):
        return low.astype(np.float32), high.astype(np.float32)
    if np.all(allowed > np.abs(wide) * 2.0**-24):
        return low.astype(np.float32), high.astype(np.float32)
    return low, high


def _single(
    reference: NDArray[np.generic], tolerance: NDArray[np.generic]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reference and weight in float32; the weight is not a number where rounding the reference could hide an error.

    Rounding moves the reference by at most half an ulp, 2^-24 of it; where that is a quarter of the tolerance or less,
    an error below half of the tolerance by these figures is below all of it in truth.
    """
    wide, allowed = np.asarray(reference, np.float64), np.asarray(tolerance, np.float64)
    with np.errstate(all="ignore"):
        weight = np.where(allowed > np.maximum(np.abs(wide), TINY) * 2.0**-22, 1.0 / allowed, np.nan)
        flat = np.broadcast_to(weight, wide.shape).astype(np.float32).reshape(-1)
        return wide.astype(np.float32).reshape(-1), flat


class Oracle:
    """Answers for one operator, cached: every candidate of a run is held against the same secret inputs.

    secret: never given to a candidate's process or a proposer while the run lasts; revealed in the evidence.
    """

    def __init__(self, operator: Operator, secret: int | None = None, most_bytes: int = MOST_BYTES) -> None:
        self.operator = operator
        self.secret = secrets.randbits(63) if secret is None else secret
        self._most = most_bytes
        self._held = 0
        self._known: OrderedDict[tuple[str, Draw], Truth] = OrderedDict()
        self._bases: OrderedDict[tuple[str, Draw], Arrays] = OrderedDict()
        self._names: dict[int, tuple[Problem, str]] = {}

    def truth(self, problem: Problem, draw: Draw) -> Truth:
        """Inputs and answer for one draw; the same object again while it is cached."""
        key = (self._name(problem), draw)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        truth = self._computed(problem, draw)
        self._known[key] = truth
        self._held += truth.nbytes
        while self._held > self._most and len(self._known) > 1:
            _, old = self._known.popitem(last=False)
            self._held -= old.nbytes
        return truth

    def seed(self, problem: Problem, draw: Draw) -> int:
        """The seed behind a draw: from the secret, the problem and the draw's number."""
        text = f"{self.secret}:{self._name(problem)}:{draw.number}:{draw.kind}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 2

    def base(self, problem: Problem, draw: Draw) -> Arrays:
        """Inputs only, without their answer; the last few are kept."""
        key = (self._name(problem), draw)
        if key not in self._bases:
            self._bases[key] = self.inputs(problem, draw)
            while len(self._bases) > MOST_BASES:
                self._bases.popitem(last=False)
        return self._bases[key]

    def inputs(self, problem: Problem, draw: Draw) -> Arrays:
        """Inputs only; nothing is cached."""
        made = self.operator.inputs(problem, self.seed(problem, draw), draw.scale)
        change = KINDS[draw.kind]
        rng = np.random.default_rng(self.seed(problem, draw) ^ 0x5EED)
        changed = {name: change(value, rng) if value.dtype.kind == "f" else value for name, value in made.items()}
        return {name: shifted(value, draw.shift) for name, value in changed.items()}

    def _name(self, problem: Problem) -> str:
        """The hash of a problem's content; the last ones asked for are known by their identity."""
        known = self._names.get(id(problem))
        if known is None:
            if len(self._names) >= MOST_NAMES:
                self._names.clear()
            known = self._names[id(problem)] = problem, content_id(problem.model_dump(mode="json"))
        return known[1]

    def _computed(self, problem: Problem, draw: Draw) -> Truth:
        inputs = self.inputs(problem, draw)
        reference = self.operator.reference(problem, inputs)
        tolerance = self.operator.tolerance(problem, inputs, reference)
        if draw.kind == "exact":
            tolerance = {name: np.zeros_like(np.asarray(value, np.float64)) for name, value in tolerance.items()}
        return Truth(inputs, reference, tolerance)


def shifted(value: NDArray[np.generic], shift: int) -> NDArray[np.generic]:
    """A floating tensor rotated by `shift` elements in memory order; integer tensors keep their place."""
    if not shift or value.dtype.kind != "f":
        return value
    return np.roll(value.reshape(-1), -shift).reshape(value.shape)


def read_buffers(problem: Problem) -> tuple[Buffer, ...]:
    """Buffers that a candidate reads: inputs and inouts."""
    return tuple(b for b in problem.buffers if b.role in READ)


def written_buffers(problem: Problem) -> tuple[Buffer, ...]:
    """Buffers that a candidate writes: outputs and inouts."""
    return tuple(b for b in problem.buffers if b.role in WRITTEN)


def _normal(value: NDArray[np.generic], rng: np.random.Generator) -> NDArray[np.generic]:
    return value


def _exact(value: NDArray[np.generic], rng: np.random.Generator) -> NDArray[np.generic]:
    return rng.integers(0, 2, value.shape).astype(value.dtype)


def _ties(value: NDArray[np.generic], rng: np.random.Generator) -> NDArray[np.generic]:
    """On a coarse grid of a power of two, so that sums of ties are exact and no tolerance for rounding is used up."""
    wide = value.astype(np.float64)
    unit = _unit(wide)
    return (np.round(wide / unit) * unit).astype(value.dtype)


def _negative(value: NDArray[np.generic], rng: np.random.Generator) -> NDArray[np.generic]:
    wide = value.astype(np.float64)
    unit = _unit(wide) / 8
    moved: NDArray[np.float64] = (np.round((wide - wide.mean()) / unit) - 320) * unit
    return moved.astype(value.dtype)


def _unit(wide: NDArray[np.float64]) -> float:
    """The power of two below the standard deviation."""
    return float(2.0 ** np.floor(np.log2(max(float(np.std(wide)), 2.0**-20))))


KINDS: dict[str, Callable[[NDArray[np.generic], np.random.Generator], NDArray[np.generic]]] = {
    "normal": _normal,
    "exact": _exact,
    "ties": _ties,
    "negative": _negative,
}
