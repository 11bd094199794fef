"""An operator made from a user's kernel: its problem, inputs, and tolerance; the answer comes from outside."""

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import UserError
from atunner.core.expression import evaluate
from atunner.core.facts import OperatorFacts, Setting
from atunner.core.program import PROGRAM_FILE, Buffer, Problem, Program
from atunner.core.space import Space
from atunner.operators import Arrays, KernelSet
from atunner.operators.shapes import bytes_of, checked_sizes
from atunner.operators.user.kernel import READS, WRITES, Argument, UserKernel

Answering = Callable[[Problem, Arrays], Arrays]
RELATIVE = {"float64": 1e-10, "float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""Relative tolerance by type where the user gives none: room for another order of adding, not for fewer digits."""
PASSED = {
    **dict.fromkeys(("bool", "int8", "uint8", "int16", "uint16", "int32"), "int32"),
    **dict.fromkeys(("uint32", "int64", "uint64"), "int64"),
    **{"float32": "float32", "float64": "float64"},
}
NO_ANSWER = (
    "no reference was given: the untuned kernel at its baseline configuration is the reference, so an error that all "
    "configurations share is not seen"
)


@dataclass(frozen=True)
class UserFamily:
    """The user's source with its own parameters; the same surface as a family that ships."""

    kernel: UserKernel
    name: str
    summary: str = "the given source"
    techniques: tuple[str, ...] = ()

    @property
    def program(self) -> Program:
        """How the source is launched."""
        k = self.kernel
        kind = _exact if k.language == "opencl" else _passed
        args = tuple(f"{kind(a)}:{a.value}" if a.role == "scalar" else a.name for a in k.arguments)
        launch = k.launch.model_copy(update={"args": args})
        return Program(
            language=k.language, source=k.file, launches=(launch,), flags=k.flags, deterministic=k.deterministic
        )

    def text(self) -> str:
        """The source as given."""
        return self.kernel.source

    def space(self, problem: Problem) -> Space:
        """The user's space, whatever the problem."""
        return self.kernel.space

    def realise(self, params: Params, origin: str = "search") -> Candidate:
        """The candidate at one point."""
        files = {self.kernel.file: self.kernel.source, PROGRAM_FILE: self.program.model_dump_json(indent=1)}
        return Candidate(files=files, params=params, family=self.name, origin=origin)


class UserOperator:
    """The operator behind one user's kernel. answer: gives the right outputs for inputs."""

    shape_help = "sizes come with the kernel"

    def __init__(self, kernel: UserKernel, answer: Answering) -> None:
        self.kernel, self.answer = kernel, answer
        self.name, self.summary = kernel.name, f"the kernel {kernel.name} of {kernel.file}"
        self.default_shape = tuple(kernel.sizes.values())
        family: Any = UserFamily(kernel, kernel.name)
        self.kernels: Mapping[str, KernelSet] = {kernel.language: KernelSet(family, (family,))}
        """One family, which is its own baseline; it has the surface of a family that ships."""

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """The problem at other sizes, in the order of `sizes`. Raises UserError."""
        return problem_of(self.kernel, dict(zip(self.kernel.sizes, shape, strict=True)))

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """Numbers of the problem; without `flops` and `bytes` only what must be written is counted."""
        k = self.kernel
        written = tuple(b for b in problem.buffers if b.role in WRITES)
        notes = [] if k.answer.kind != "kernel" else [NO_ANSWER]
        notes += [] if k.flops else ["flops were not given: one for each element written"]
        notes += [] if k.bytes else ["bytes were not given: what must be written"]
        start = k.starts[0] if k.starts else {}
        other = [n for n, v in k.default.items() if n in start and start[n] != v]
        asked, taken = (", ".join(f"{n}={of[n]}" for n in other) for of in (k.default, start))
        notes += [f"the default {asked} is not a valid configuration; {taken} is taken instead"] if other else []
        flops = float(evaluate(k.flops, problem.dims)) if k.flops else float(sum(b.elements for b in written))
        moved = float(evaluate(k.bytes, problem.dims)) if k.bytes else float(bytes_of(written))
        return OperatorFacts(
            operator=k.name,
            dtype=problem.dtype,
            settings=tuple(Setting(name=n, value=v, assumed=False) for n, v in problem.dims.items()),
            tensors={b.name: b.shape for b in problem.buffers},
            flops=flops,
            min_bytes=moved,
            notes=tuple(notes),
        )

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        """Inputs and inouts: random from the seed, constant, or as in their files."""
        wanted = {a.name: a for a in self.kernel.arguments}
        return {b.name: _filled(wanted[b.name], b, seed, scale) for b in problem.buffers if b.role in READS}

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The outputs that the answer gives."""
        return {n: _wide(v) for n, v in self.answer(problem, inputs).items()}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Relative to the larger of element and root mean square of the tensor, plus absolute; integers are exact."""
        dtypes = {b.name: b.dtype for b in problem.buffers}
        return {n: self._allowed(dtypes[n], np.asarray(v, np.float64)) for n, v in reference.items()}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """Sizes of the user's tests and for checking; none are guessed: a kernel may demand multiples of its tiles."""
        wanted = [t.sizes for t in self.kernel.tests if t.sizes]
        wanted += [self.kernel.check] if self.kernel.check else []
        found = [problem_of(self.kernel, {**self.kernel.sizes, **sizes}) for sizes in wanted]
        return tuple({p.model_dump_json(): p for p in found if p != problem}.values())

    def _allowed(self, dtype: str, reference: NDArray[np.float64]) -> NDArray[np.float64]:
        asked = self.kernel.tolerance
        relative = RELATIVE.get(dtype, 0.0) if asked.relative is None else asked.relative
        size = float(np.sqrt(np.mean(reference**2))) if reference.size else 0.0
        return relative * np.maximum(np.abs(reference), size) + asked.absolute


def problem_of(kernel: UserKernel, sizes: Mapping[str, int]) -> Problem:
    """The problem at these sizes.

    Raises:
        UserError: an extent is not a whole number above 0, or a tensor is too large.
    """
    buffers = tuple(
        Buffer(name=a.name, dtype=a.dtype, shape=tuple(_extent(a, e, sizes) for e in a.shape), role=a.role)
        for a in kernel.arguments
        if a.role != "scalar"
    )
    if not any(b.role in WRITES for b in buffers):
        raise UserError(f"{kernel.name} writes no argument; mark one as output or inout, or it has no result to check.")
    first = next(b for b in buffers if b.role in WRITES)
    return Problem(
        operator=kernel.name, dims=dict(sizes), dtype=first.dtype, buffers=checked_sizes(kernel.name, buffers)
    )


def _passed(argument: Argument) -> str:
    """The type as which a scalar is passed: every integer that is not wider fits one of two."""
    if argument.dtype not in PASSED:
        known = ", ".join(sorted(PASSED))
        raise UserError(f"The scalar {argument.name!r} is {argument.dtype}, which is not passed. Known: {known}.")
    return PASSED[argument.dtype]


def _exact(argument: Argument) -> str:
    """The type as it is: OpenCL compares the size of a scalar with the one that the kernel declares."""
    return _passed(argument) and argument.dtype


def _extent(argument: Argument, text: str, sizes: Mapping[str, int]) -> int:
    value = evaluate(text, sizes)
    if not isinstance(value, int | float) or value != int(value) or value < 1:
        raise UserError(
            f"The argument {argument.name!r} has extent {text} = {value}; a whole number above 0 is needed."
        )
    return int(value)


def _filled(argument: Argument, buffer: Buffer, seed: int, scale: float) -> NDArray[np.generic]:
    if argument.fill == "file":
        return given(argument, buffer)
    if argument.fill == "constant":
        return np.full(buffer.shape, float(evaluate(argument.value, {}))).astype(buffer.dtype)
    generator = np.random.default_rng((seed, zlib.crc32(buffer.name.encode())))
    if np.dtype(buffer.dtype).kind != "f":
        return generator.integers(argument.low, argument.high, buffer.shape).astype(buffer.dtype)
    return (generator.standard_normal(buffer.shape, dtype=np.float32) * np.float32(scale)).astype(buffer.dtype)


def given(argument: Argument, buffer: Buffer) -> NDArray[np.generic]:
    """The contents of an argument's file.

    Raises:
        UserError: it is gone, has changed, or is of another shape.
    """
    return stored(argument.file, argument.digest, buffer, f"the argument {argument.name!r}")


def stored(file: str, digest: str, buffer: Buffer, what: str) -> NDArray[np.generic]:
    """An array from a .npy file or from raw numbers, held against its digest and its shape.

    Raises:
        UserError: it is gone, has changed, or is of another shape.
    """
    try:
        raw = Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {file} for {what}: {error.strerror}.") from error
    if digest and hashlib.sha256(raw).hexdigest() != digest:
        raise UserError(f"{file} for {what} has changed since the run began. Put it back, or start anew.")
    try:
        array = np.load(file, allow_pickle=False) if file.endswith(".npy") else np.frombuffer(raw, buffer.dtype)
    except ValueError as error:
        raise UserError(f"{file} for {what} is no .npy file and no raw {buffer.dtype} numbers: {error}.") from error
    flat = array.shape == (buffer.elements,)
    if array.shape != buffer.shape and not flat:
        raise UserError(f"{file} has shape {array.shape}; {what} has shape {buffer.shape}. Give one of that shape.")
    return np.ascontiguousarray(array.reshape(buffer.shape).astype(buffer.dtype))


def given_inputs(kernel: UserKernel) -> bool:
    """Whether nothing that is read is random, so that there is one answer."""
    return all(a.fill != "random" for a in kernel.arguments if a.role in READS)


def _wide(value: NDArray[np.generic]) -> NDArray[np.generic]:
    return value.astype(np.float64) if value.dtype.kind == "f" else value
