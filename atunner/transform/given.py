"""From a user's test to files that the judge holds candidates against."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import UserError
from atunner.core.expression import evaluate
from atunner.core.program import Buffer
from atunner.operators.user import UserKernel, problem_of
from atunner.operators.user.cases import GivenArray, GivenTest
from atunner.transform.polynomial import Unclear, names_in, parsed
from atunner.transform.reading import Reading
from atunner.transform.testing import KernelTest


def by_name(given: Mapping[str, Any] | Sequence[Any], reading: Reading, test: str) -> dict[str, Any]:
    """Arguments by name, None left out. Raises UserError: an unknown name, or too many."""
    names = [d.name for d in reading.declared]
    if not isinstance(given, Mapping | Sequence | np.ndarray) or isinstance(given, str | bytes):
        raise UserError(f"{test} takes {{NAME: VALUE}} or a list of all arguments, got {given!r:.60}.")
    if not isinstance(given, Mapping):
        if len(given) != len(names):
            raise UserError(f"{test} gives {len(given)} arguments; {reading.name} takes {', '.join(names)}.")
        given = dict(zip(names, given, strict=True))
    for name in given:
        if name not in names:
            raise UserError(f"{test} names {name!r}, which {reading.name} does not take. It takes {', '.join(names)}.")
    return {n: v for n, v in given.items() if v is not None}


def sizes_of(test: KernelTest, reading: Reading, label: str) -> dict[str, int]:
    """The sizes that a test says: by itself, by its integer arguments, or by the lengths of its arrays."""
    given = by_name(test.inputs, reading, label)
    found = {n: int(v) for n, v in given.items() if n in reading.sizes and np.ndim(v) == 0}
    found |= {n: int(v) for n, v in test.sizes.items()}
    arrays = {**given, **by_name(test.expected, reading, label)}
    for name, value in arrays.items():
        if np.ndim(value):
            found = {**_solved(reading.arguments[name], np.asarray(value)), **found}
    return found


def _solved(described: str, array: NDArray[Any]) -> dict[str, int]:
    """A size that alone is an array's length, or alone is one of its extents."""
    shape = described.partition("[")[2].partition("]")[0]
    extents = [e.strip() for e in shape.split(",")] if shape and "(" not in shape else [shape]
    lengths = array.shape if len(extents) == array.ndim else (array.size,) if len(extents) == 1 else ()
    found = {e: n for e, n in zip(extents, lengths, strict=False) if e.isidentifier()}
    if array.ndim == 2 and shape.count("*") == 1 and len(extents) == 1:
        try:
            names = sorted(names_in({tuple(n.strip() for n in shape.split("*")): 1}))
            parsed(shape)
        except Unclear:
            return found
        if len(names) == 1 and array.shape[0] == array.shape[1]:
            return {**found, names[0]: array.shape[0]}
    return found


def kept(test: KernelTest, number: int, reading: Reading, kernel: UserKernel, folder: Path) -> GivenTest:
    """The test with its arrays in files under `folder`, named by their content.

    Raises:
        UserError: an array is of another length or type than the kernel's argument, or is no array; names both.
    """
    label = test.name or f"test {number + 1}"
    sizes = {n: v for n, v in sizes_of(test, reading, label).items() if n in kernel.sizes}
    buffers = {b.name: b for b in problem_of(kernel, {**kernel.sizes, **sizes}).buffers}
    inputs = by_name(test.inputs, reading, label)
    expected = by_name(test.expected, reading, label)
    written = [n for n in expected if n in buffers and buffers[n].role == "input"]
    if written:
        raise UserError(f"{label} expects something of {written[0]!r}, which {kernel.name} only reads.")
    _check_scalars(label, inputs, kernel, {**kernel.sizes, **sizes})
    read = {n: v for n, v in inputs.items() if n in buffers and buffers[n].role != "output"}
    return GivenTest(
        name=label,
        sizes={n: v for n, v in sizes.items() if kernel.sizes[n] != v},
        inputs={n: _stored(v, buffers[n], label, folder) for n, v in read.items()},
        recipes={n: r for n, r in test.recipes.items() if n in buffers and n not in read},
        outputs={n: _stored(v, buffers[n], label, folder) for n, v in expected.items() if n in buffers},
    )


def _check_scalars(label: str, inputs: Mapping[str, Any], kernel: UserKernel, sizes: Mapping[str, int]) -> None:
    for argument in kernel.arguments:
        if argument.role != "scalar" or argument.name not in inputs:
            continue
        got = float(inputs[argument.name])
        try:
            wanted = float(evaluate(argument.value, sizes))
        except UserError:
            continue
        if not np.isclose(got, wanted, rtol=1e-6, atol=0):
            raise UserError(
                f"{label} gives {argument.name} = {got:g}, but the kernel is tuned with {wanted:g}. "
                f"Give arguments={{{argument.name!r}: '{argument.dtype} = {got:g}'}}."
            )


def _stored(value: Any, buffer: Buffer, label: str, folder: Path) -> GivenArray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise UserError(f"{label} gives {buffer.name!r} as {array.dtype}; an array of {buffer.dtype} is needed.")
    if not np.can_cast(array.dtype, np.dtype(buffer.dtype), "same_kind"):
        raise UserError(f"{label} gives {buffer.name!r} as {array.dtype}, but the kernel takes {buffer.dtype}.")
    if array.size != buffer.elements:
        raise UserError(
            f"{label} gives {buffer.name!r} with {array.size} elements; {buffer.elements} are needed "
            f"({' x '.join(map(str, buffer.shape))})."
        )
    written = io.BytesIO()
    np.save(written, np.ascontiguousarray(array.astype(buffer.dtype)).reshape(buffer.shape))
    content = written.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    file = folder / f"{digest[:32]}.npy"
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        part = file.with_suffix(".part")
        part.write_bytes(content)
        part.replace(file)
    return GivenArray(file=str(file.resolve()), digest=digest)
