"""Verification: one order of cases for every operator and every backend."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from atunner.core.candidate import Candidate
from atunner.core.errors import Wrong
from atunner.core.program import PROGRAM_FILE, Problem, Program
from atunner.core.trial import Check
from atunner.domains.kernels.backends import Backend, Case, Job, Ran
from atunner.domains.kernels.oracle import Draw, Oracle, written_buffers
from atunner.operators import Arrays

Built = TypeVar("Built")

VERSION = "1"
SCALES = (1.0, 1e-3, 64.0)
SMALL = 1 << 19
"""Work (elements of all tensors) below which a problem gets every kind of input."""


class Plan:
    """The problems that a candidate must get right: the user's, derived ones, and hidden ones that are never named."""

    def __init__(self, oracle: Oracle, problem: Problem, hidden: Sequence[Problem] = ()) -> None:
        self.oracle = oracle
        self.problem = problem
        self.shapes = tuple(
            [Shape(problem, label(problem), main=True)]
            + [Shape(p, label(p)) for p in oracle.operator.derived(problem) if p != problem]
            + [Shape(p, "a held-out shape") for p in hidden if p != problem]
        )

    @cached_property
    def steps(self) -> tuple[tuple["Step", ...], ...]:
        """The cases of each shape; the same for every candidate."""
        return tuple(tuple(steps_for(self.oracle, shape)) for shape in self.shapes)


@dataclass(frozen=True)
class Shape:
    """One problem of a plan. label: how messages call it."""

    problem: Problem
    label: str
    main: bool = False


@dataclass(frozen=True)
class Step:
    """One case: which draw on which storage, and what its failure means. same_as: an earlier step with equal inputs."""

    draw: Draw
    storage: int
    meaning: str
    same_as: int | None = None


@dataclass
class _Seen:
    """Figures for the checks: the cases run, and of each shape the largest error as a share of the tolerance."""

    cases: int = 0
    errors: dict[str, float] = field(default_factory=dict)

    @property
    def error(self) -> float:
        return max(self.errors.values(), default=0.0)


def verify(backend: Backend[Built], plan: Plan, candidate: Candidate, built: Built) -> tuple[Check, ...]:
    """Run every case of the plan and hold it against the oracle. `built` is the candidate built for the main problem.

    Raises:
        Wrong: with the worst element. NotBuilt: it does not compile for a derived shape. Crashed, TimedOut,
        NotVerified: as the backend says.
    """
    deterministic = declared_deterministic(candidate)
    jobs = [
        Job(
            built if shape.main else backend.build(shape.problem, candidate),
            [Case(plan.oracle.truth(shape.problem, s.draw).inputs, s.storage) for s in chosen],
            shape.label,
        )
        for shape, chosen in zip(plan.shapes, plan.steps, strict=True)
    ]
    answers = backend.run_cases(jobs)
    seen = _Seen()
    for shape, chosen, ran in zip(plan.shapes, plan.steps, answers, strict=True):
        _hold_all(plan.oracle, shape, chosen, ran, deterministic, seen)
    return _checks(plan, seen, deterministic)


def declared_deterministic(candidate: Candidate) -> bool:
    """What the candidate's program.json says of itself; without one, it must be deterministic."""
    text = candidate.files.get(PROGRAM_FILE)
    return Program.model_validate_json(text).deterministic if text else True


def steps_for(oracle: Oracle, shape: Shape) -> list[Step]:
    """The cases of one shape, in order.

    First use; then new contents in the same storage (a replayed answer is wrong there); then the first contents in new
    storage; then new contents there (an answer kept by address is wrong); then the first contents again (determinism);
    then exact sums, ties and large negatives.
    """
    steps = [
        Step(Draw(number=0), 0, "first call"),
        Step(Draw(number=1, scale=SCALES[1]), 0, "same storage, new contents"),
        Step(Draw(number=0), 1, "same contents, new storage", same_as=0),
        Step(Draw(number=2, scale=SCALES[2]), 1, "new contents in a storage seen before"),
        Step(Draw(number=0), 0, "same contents again", same_as=0),
    ]
    extra = [Draw(number=3, kind=kind) for kind in ("exact", "ties", "negative")]
    if not shape.main or sum(b.elements for b in shape.problem.buffers) <= SMALL:
        steps += [
            Step(draw, index % 2, f"{draw.kind} values")
            for index, draw in enumerate(extra)
            if usable(oracle, shape.problem, draw)
        ]
    return steps


def usable(oracle: Oracle, problem: Problem, draw: Draw) -> bool:
    """Whether the draw has a finite answer and, for exact sums, whether equality may be demanded."""
    with np.errstate(all="ignore"):
        truth = oracle.truth(problem, draw)
    if not all(np.isfinite(value).all() for value in truth.reference.values()):
        return False
    return draw.kind != "exact" or linear(oracle, problem)


def linear(oracle: Oracle, problem: Problem) -> bool:
    """Whether {0, 1} inputs give sums that float32 holds exactly, in any order of adding.

    So when every answer is an integer below 2^24 and doubling any one floating input doubles it: then the operator is
    linear in each input, and every partial sum is an integer too.
    """
    truth = oracle.truth(problem, Draw(number=3, kind="exact"))
    limit = 2.0**11 if problem.dtype == "float16" else 2.0**24
    for value in truth.reference.values():
        wide = value.astype(np.float64)
        if not (wide == np.round(wide)).all() or np.abs(wide).max(initial=0.0) >= limit:
            return False
    return all(_doubles(oracle, problem, truth.inputs, truth.reference, name) for name in _floating(truth.inputs))


def _floating(inputs: Arrays) -> list[str]:
    return [name for name, value in inputs.items() if value.dtype.kind == "f"]


def _doubles(oracle: Oracle, problem: Problem, inputs: Arrays, reference: Arrays, name: str) -> bool:
    twice = {**inputs, name: (inputs[name].astype(np.float64) * 2).astype(inputs[name].dtype)}
    answer = oracle.operator.reference(problem, twice)
    return all(
        np.array_equal(answer[key].astype(np.float64), 2 * reference[key].astype(np.float64)) for key in reference
    )


def _hold_all(
    oracle: Oracle, shape: Shape, steps: Sequence[Step], ran: Sequence[Ran], deterministic: bool, seen: _Seen
) -> None:
    for step, one in zip(steps, ran, strict=True):
        where = f"{shape.label}, {step.meaning}, scale {step.draw.scale:g}"
        if one.faults:
            raise Wrong(f"The candidate {one.faults[0]} ({where}).")
        truth = oracle.truth(shape.problem, step.draw)
        held = truth.held(one.outputs)
        if held.mismatch is not None:
            hint = _hint(one.outputs, shape.problem)
            raise Wrong(f"Wrong result: {held.mismatch} ({where}).{hint}")
        if step.same_as is not None and deterministic:
            _same_bits(ran[step.same_as].outputs, one.outputs, where)
        if step.same_as is None:
            seen.errors[shape.label] = max(seen.errors.get(shape.label, 0.0), held.error)
    seen.cases += len(steps)


def _same_bits(first: Arrays, again: Arrays, where: str) -> None:
    for name, value in first.items():
        if not np.array_equal(_bytes(value), _bytes(again[name])):
            raise Wrong(
                f"Two calls with equal inputs gave different bits in {name} ({where}): a race or uninitialised memory; "
                "a program that adds in no fixed order must declare deterministic=false."
            )


def _bytes(value: NDArray[np.generic]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8)


def _hint(outputs: Arrays, problem: Problem) -> str:
    for buffer in written_buffers(problem):
        if buffer.role != "output":
            continue
        flat = np.ascontiguousarray(outputs[buffer.name]).view(np.uint8).reshape(-1, outputs[buffer.name].itemsize)
        unwritten = int((flat == 0xFF).all(axis=1).sum())
        if unwritten:
            return f" {unwritten} of {len(flat)} elements of {buffer.name} were never written."
    return ""


def _checks(plan: Plan, seen: _Seen, deterministic: bool) -> tuple[Check, ...]:
    share = f"largest error {seen.error:.3g} of the tolerance"
    same = "bitwise equal" if deterministic else "declared not deterministic: equal within tolerance"
    return (
        Check(
            name="correctness",
            version=VERSION,
            passed=True,
            detail=f"{seen.cases} cases on {len(plan.shapes)} shapes; {share}",
            figures={"cases": seen.cases, "error": seen.error, "errors": dict(seen.errors)},
        ),
        Check(
            name="memory", version=VERSION, passed=True, detail="guard zones whole, inputs unchanged, outputs written"
        ),
        Check(
            name="determinism", version=VERSION, passed=True, detail=f"equal inputs, three calls, two storages: {same}"
        ),
    )


def label(problem: Problem) -> str:
    """How messages call a problem: the operator and its extents."""
    dims = ", ".join(f"{name}={value}" for name, value in problem.dims.items())
    return f"{problem.operator} {dims}"
