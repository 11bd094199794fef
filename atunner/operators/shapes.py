"""What every operator asks of a shape, a setting and a dtype, and how its inputs are drawn."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import UserError
from atunner.core.facts import Setting
from atunner.core.program import Buffer, Problem
from atunner.operators import Arrays

MAX_ELEMENTS = 2**31 - 1
"""Kernels index each tensor with 32-bit integers."""

UNIT_ROUNDOFF = {"float32": 2.0**-24, "float16": 2.0**-11}
"""Largest relative error of rounding to nearest: half an ulp of 1."""


def checked_shape(operator: str, shape: Sequence[int], names: Sequence[str]) -> dict[str, int]:
    """The extents by name.

    Raises:
        UserError: the rank is wrong, or an extent is below 1.
    """
    if len(shape) != len(names):
        wanted = ",".join(names)
        raise UserError(f"{operator} takes --input-shape {wanted} ({len(names)} numbers), got {len(shape)}.")
    for name, extent in zip(names, shape, strict=True):
        if extent < 1:
            raise UserError(f"{operator}: {name} must be at least 1, got {extent}; mend --input-shape.")
    return dict(zip(names, (int(e) for e in shape), strict=True))


def checked_settings(
    operator: str, settings: Mapping[str, int | str], defaults: Mapping[str, int], least: Mapping[str, int]
) -> dict[str, int]:
    """`defaults` overlaid with `settings`; `least` has the smallest legal value of a setting (1 if absent).

    Raises:
        UserError: an unknown setting, a value that is no integer, or one below its least.
    """
    for name in settings:
        if name not in defaults:
            known = ", ".join(f"{n}={v}" for n, v in defaults.items()) or "none"
            raise UserError(f"{operator} has no setting {name!r}. Known, with defaults: {known}.")
    chosen = dict(defaults)
    for name, value in settings.items():
        chosen[name] = _integer(operator, name, value)
        if chosen[name] < least.get(name, 1):
            raise UserError(f"{operator}: {name} must be at least {least.get(name, 1)}, got {value}; mend --set.")
    return chosen


def _integer(operator: str, name: str, value: int | str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise UserError(f"{operator}: {name} must be an integer, got {value!r}; use --set {name}=NUMBER.") from error


def checked_dtype(operator: str, dtype: str, known: Sequence[str] = ("float32",)) -> str:
    """The dtype itself.

    Raises:
        UserError: the operator has no kernels for it.
    """
    if dtype not in known:
        raise UserError(f"{operator} has no dtype {dtype!r}. Known: {', '.join(known)}.")
    return dtype


def checked_sizes(operator: str, buffers: Sequence[Buffer]) -> tuple[Buffer, ...]:
    """The buffers themselves.

    Raises:
        UserError: a tensor has more elements than a 32-bit index reaches.
    """
    for buffer in buffers:
        if buffer.elements > MAX_ELEMENTS:
            extents = "x".join(str(e) for e in buffer.shape)
            raise UserError(
                f"{operator}: tensor {buffer.name} ({extents}) has {buffer.elements} elements, "
                f"at most {MAX_ELEMENTS} are possible; use a smaller shape."
            )
    return tuple(buffers)


def bytes_of(buffers: Sequence[Buffer]) -> int:
    """Bytes of all buffers together."""
    return sum(b.elements * np.dtype(b.dtype).itemsize for b in buffers)


def check_memory(problem: Problem, available: float, place: str) -> None:
    """Refuse a problem whose tensors do not fit into `available` bytes of `place` (a device or this machine).

    Raises:
        UserError: with both sizes.
    """
    needed = bytes_of(problem.buffers)
    if needed > available:
        raise UserError(
            f"{problem.operator} needs {needed / 2**30:.3g} GiB for its tensors, {place} has "
            f"{available / 2**30:.3g} GiB; use a smaller shape."
        )


def settings_of(values: Mapping[str, int], given: frozenset[str]) -> tuple[Setting, ...]:
    """The settings as facts; those not in `given` are assumed, and say how they are set."""
    return tuple(
        Setting(name=n, value=v, assumed=n not in given, how="" if n in given else f"--set {n}={v}")
        for n, v in values.items()
    )


def seeded_inputs(problem: Problem, seed: int, scale: float) -> Arrays:
    """Normal values with standard deviation `scale` for each input; equal arguments give equal arrays."""
    return {b.name: _normal(b, seed, scale) for b in problem.buffers if b.role != "output"}


def _normal(buffer: Buffer, seed: int, scale: float) -> NDArray[np.generic]:
    generator = np.random.default_rng((seed, zlib.crc32(buffer.name.encode())))
    drawn = generator.standard_normal(buffer.shape, dtype=np.float32)
    return (drawn * np.float32(scale)).astype(buffer.dtype)


def accumulation_tolerance(
    magnitude: NDArray[np.float64], reference: NDArray[np.float64], length: int, dtype: str
) -> NDArray[np.float64]:
    """Largest allowed absolute error of a sum of `length` products accumulated in float32 and stored as `dtype`.

    magnitude: the sum of the absolute products of each element, in the shape of `reference`. Rounding errors of a sum
    in any order grow as the square root of its length (Higham, Accuracy and Stability of Numerical Algorithms,
    section 4.6): 2 sqrt(length) + 8 unit roundoffs of the magnitude leave room for every order and for algebraic
    rewriting such as Winograd's, and are far below the share 1/length of one product left out.
    """
    grown = (2.0 * np.sqrt(length) + 8.0) * UNIT_ROUNDOFF["float32"] * magnitude
    stored = 2.0 * UNIT_ROUNDOFF[dtype] * np.abs(reference)
    return np.asarray(grown + stored + np.finfo(dtype).tiny, dtype=np.float64)
