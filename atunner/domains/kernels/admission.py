"""Task admission: a task on which a trivial kernel passes, or two equal kernels differ, measures nothing."""

import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atunner.core.errors import NotMeasured, UserError
from atunner.core.program import Problem
from atunner.core.statistics import Interval, is_equal
from atunner.core.trial import Check, Comparison
from atunner.domains.kernels.oracle import Draw, Oracle, Truth, read_buffers, written_buffers
from atunner.domains.kernels.timing import TimingPlan
from atunner.operators import Arrays

VERSION = "1"
SEEDS = 3
SPREAD = 4.0
"""Outputs must vary over seeds by more than this many tolerances."""
HELD_OUT = 2
MOST_EXTENT = 48
TRIES = 40
ALIKE_S = 1.5
SLOW_US = 20_000.0


@dataclass(frozen=True)
class Trivial:
    """A kernel that does no work: what it writes, from the inputs and the answer of another draw."""

    name: str
    outputs: Callable[[Problem, Truth, Truth], Arrays]


def admit(oracle: Oracle, problem: Problem) -> tuple[Check, ...]:
    """Look at the task itself, before any candidate; costs a few references of the problem.

    Raises:
        UserError: "not measurable here", with the reason.
    """
    truths = [oracle.truth(problem, Draw(number=100 + i)) for i in range(SEEDS)]
    _finite(problem, truths)
    _varies(problem, truths)
    for trivial in TRIVIAL:
        _fails(trivial, problem, truths)
    for buffer in read_buffers(problem):
        _matters(oracle, problem, truths[0], buffer.name)
    return (
        Check(name="reference is finite", version=VERSION, passed=True),
        Check(name="outputs vary over seeds", version=VERSION, passed=True),
        Check(name="trivial kernels fail", version=VERSION, passed=True, detail=", ".join(t.name for t in TRIVIAL)),
        Check(name="every input matters", version=VERSION, passed=True),
    )


def admit_timing(same: Callable[[], Comparison], tries: int = 5) -> Check:
    """Compare a kernel with itself: one clean answer in `tries` is enough.

    Raises:
        NotMeasured: every comparison called a difference or gave no figure.
    """
    said = ""
    for _ in range(tries):
        try:
            found = same()
        except NotMeasured as error:
            said = str(error)
            continue
        if is_equal(Interval(value=found.ratio, low=found.low, high=found.high), found.minimum_gain):
            detail = f"A/A ratio {found.ratio:.4f} [{found.low:.4f}, {found.high:.4f}]"
            return Check(name="equal kernels are equal", version=VERSION, passed=True, detail=detail)
        said = f"a kernel against itself came out as {found.ratio:.3f} [{found.low:.3f}, {found.high:.3f}]"
    raise NotMeasured(f"{said[:1].upper()}{said[1:].rstrip('.')}; use a larger problem or a quieter machine.")


def alike_plan(plan: TimingPlan, call_us: float) -> TimingPlan:
    """How long a kernel is compared with itself: it was just measured, and a slow one needs few pairs."""
    slow = call_us > SLOW_US
    return plan.model_copy(
        update={
            "warmup_s": min(plan.warmup_s, 0.2),
            "compare_s": min(plan.compare_s, ALIKE_S),
            "relative_error": 0.02,
            "least_pairs": 4 if slow else plan.least_pairs,
        }
    )


class Alike:
    """Whether equal kernels came out as equal, asked once for each task and environment and kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Check] = {}

    def check(self, key: str, same: Callable[[], Comparison]) -> Check:
        """The answer of this or an earlier process. Raises as `admit_timing`, whose refusals are not kept."""
        if key not in self._known:
            path = self._folder / f"{VERSION}-{key}.json"
            try:
                self._known[key] = Check.model_validate_json(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self._known[key] = admit_timing(same)
                self._keep(path, self._known[key])
        return self._known[key]

    def _keep(self, path: Path, check: Check) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            file.write(check.model_dump_json())
        Path(file.name).replace(path)


def held_out(
    oracle: Oracle, shape: Sequence[int], settings: dict[str, int | str], dtype: str, count: int = HELD_OUT
) -> tuple[Problem, ...]:
    """Small random problems of the same rank and settings, from the oracle's secret; never shown to a proposer."""
    rng = np.random.default_rng(oracle.secret ^ 0x0DD)
    found: list[Problem] = []
    for _ in range(TRIES):
        drawn = tuple(int(rng.integers(1, min(extent, MOST_EXTENT) + 1)) for extent in shape)
        try:
            problem = oracle.operator.problem(drawn, settings, dtype)
        except UserError:
            continue
        if problem not in found:
            found.append(problem)
        if len(found) == count:
            break
    return tuple(found)


def _finite(problem: Problem, truths: Sequence[Truth]) -> None:
    for truth in truths:
        for name, value in truth.reference.items():
            if not np.isfinite(value).all():
                raise UserError(f"Not measurable here: the reference of {problem.operator} is not finite in {name}.")


def _varies(problem: Problem, truths: Sequence[Truth]) -> None:
    for buffer in written_buffers(problem):
        stack = np.stack([t.reference[buffer.name].astype(np.float64) for t in truths])
        allowed = float(truths[0].tolerance[buffer.name].astype(np.float64).mean())
        if float(stack.std(axis=0).mean()) <= SPREAD * allowed:
            raise UserError(
                f"Not measurable here: {buffer.name} of {problem.operator} hardly depends on the inputs, so a constant "
                "would pass; use another problem."
            )


def _fails(trivial: Trivial, problem: Problem, truths: Sequence[Truth]) -> None:
    """It must fail on every draw."""
    for truth, other in zip(truths, (*truths[1:], truths[0]), strict=True):
        if truth.mismatch(trivial.outputs(problem, truth, other)) is None:
            raise UserError(
                f"Not measurable here: a kernel that writes {trivial.name} passes {problem.operator} within tolerance; "
                "use another shape or tighter tolerances."
            )


def _matters(oracle: Oracle, problem: Problem, truth: Truth, name: str) -> None:
    value = truth.inputs[name]
    rng = np.random.default_rng(secrets.randbits(64))
    changed = rng.permutation(value.reshape(-1)).reshape(value.shape)
    if value.size == 1:
        changed = (value * 2 + 1).astype(value.dtype)
    answer = oracle.operator.reference(problem, {**truth.inputs, name: changed})
    if truth.mismatch({key: got.astype(np.float64) for key, got in answer.items()}) is None:
        raise UserError(f"Not measurable here: the result of {problem.operator} does not depend on {name}.")


def _filled(value: Callable[[Truth, str], float]) -> Callable[[Problem, Truth, Truth], Arrays]:
    def outputs(problem: Problem, truth: Truth, other: Truth) -> Arrays:
        return {b.name: np.full(b.shape, value(truth, b.name), np.float64) for b in written_buffers(problem)}

    return outputs


def _copied(index: int) -> Callable[[Problem, Truth, Truth], Arrays]:
    def outputs(problem: Problem, truth: Truth, other: Truth) -> Arrays:
        read = read_buffers(problem)
        source = truth.inputs[read[index % len(read)].name].astype(np.float64)
        return {b.name: np.resize(source.reshape(-1), b.shape) for b in written_buffers(problem)}

    return outputs


def _last(problem: Problem, truth: Truth, other: Truth) -> Arrays:
    return {name: value.astype(np.float64) for name, value in other.reference.items()}


TRIVIAL = (
    Trivial("zeros", _filled(lambda truth, name: 0.0)),
    Trivial("ones", _filled(lambda truth, name: 1.0)),
    Trivial("the mean", _filled(lambda truth, name: float(truth.reference[name].astype(np.float64).mean()))),
    Trivial("a copy of its first input", _copied(0)),
    Trivial("a copy of its second input", _copied(1)),
    Trivial("a copy of its third input", _copied(2)),
    Trivial("the answer to other inputs", _last),
)
