"""Inputs and right answers in numpy, computed again from the definition of each operator, in float64."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
UNIT_ROUNDOFF = 2.0**-24
"""Of float32: half an ulp of 1."""


@dataclass(frozen=True)
class Draw:
    """Which inputs: seed and magnitude."""

    seed: int
    scale: float = 1.0


@dataclass(frozen=True)
class Truth:
    """The right answer of one output, and the largest error allowed of each element."""

    expected: Array
    allowed: Array


def inputs(buffers: list[dict[str, Any]], draw: Draw) -> dict[str, Array]:
    """Normal values of standard deviation `scale` for every buffer that is read; equal draws give equal arrays."""
    found = {}
    for place, buffer in enumerate(b for b in buffers if b["role"] != "output"):
        generator = np.random.default_rng((draw.seed, place))
        values = generator.standard_normal(buffer["shape"], dtype=np.float32) * np.float32(draw.scale)
        found[buffer["name"]] = values.astype(buffer["dtype"])
    return found


def _summed(expected: Array, magnitude: Array, length: int) -> Truth:
    """Bounds of a sum in any order grow as the root of its length (Higham, Accuracy and Stability, section 4.6)."""
    grown = (2.0 * np.sqrt(length) + 8.0) * UNIT_ROUNDOFF * magnitude
    return Truth(expected, grown + 2.0 * UNIT_ROUNDOFF * np.abs(expected) + float(np.finfo(np.float32).tiny))


def _convolve(d: Mapping[str, int], x: Array, weight: Array) -> Array:
    reach, step = (d["r"] - 1) * d["dilation"] + 1, d["stride"]
    padded = np.pad(x, ((0, 0), (0, 0), (d["padding"],) * 2, (d["padding"],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (reach, reach), axis=(2, 3))
    taps = windows[:, :, ::step, ::step, :: d["dilation"], :: d["dilation"]]
    per_group, out = d["c"] // d["groups"], d["k"] // d["groups"]
    parts = [
        np.einsum(
            "ncpqrs,kcrs->nkpq",
            taps[:, g * per_group : (g + 1) * per_group],
            weight[g * out : (g + 1) * out],
            optimize=True,
        )
        for g in range(d["groups"])
    ]
    return np.concatenate(parts, axis=1)


def _conv2d(d: Mapping[str, int], x: Array, weight: Array) -> Truth:
    length = d["c"] // d["groups"] * d["r"] ** 2
    return _summed(_convolve(d, x, weight), _convolve(d, np.abs(x), np.abs(weight)), length)


def _matmul(d: Mapping[str, int], a: Array, b: Array) -> Truth:
    return _summed(a @ b, np.abs(a) @ np.abs(b), a.shape[-1])


def _reduce_sum(d: Mapping[str, int], x: Array) -> Truth:
    return _summed(x.sum(axis=-1), np.abs(x).sum(axis=-1), x.shape[-1])


def _softmax(d: Mapping[str, int], x: Array) -> Truth:
    shifted = x - x.max(axis=-1, keepdims=True)
    grown = np.exp(shifted)
    expected = grown / grown.sum(axis=-1, keepdims=True)
    relative = (2.0 * np.sqrt(x.shape[-1]) + 16.0 + 4.0 * np.abs(shifted)) * UNIT_ROUNDOFF
    return Truth(expected, expected * relative + 2.0 * float(np.finfo(np.float32).tiny))


def _layer_norm(d: Mapping[str, int], x: Array, gamma: Array, beta: Array) -> Truth:
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - mean
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + d["eps_pico"] * 1e-12)
    expected = centred / deviation * gamma + beta
    size = np.abs(x).max(axis=-1, keepdims=True) / deviation * np.abs(gamma)
    grown = (2.0 * np.sqrt(x.shape[-1]) + 16.0) * UNIT_ROUNDOFF
    return Truth(expected, grown * (size + np.abs(beta) + np.abs(expected)) + float(np.finfo(np.float32).tiny))


REFERENCES: dict[str, Callable[..., Truth]] = {
    "conv2d": _conv2d,
    "matmul": _matmul,
    "softmax": _softmax,
    "layer_norm": _layer_norm,
    "reduce_sum": _reduce_sum,
}
"""By operator; arguments are the inputs in the order of the problem's buffers, as float64."""


def truth(problem: dict[str, Any], draw: Draw) -> dict[str, Truth]:
    """The answers by output buffer, in its shape."""
    arrays = [array.astype(np.float64) for array in inputs(problem["buffers"], draw).values()]
    found = REFERENCES[problem["operator"]](problem["dims"], *arrays)
    output = next(b for b in problem["buffers"] if b["role"] == "output")
    shape = tuple(output["shape"])
    return {output["name"]: Truth(found.expected.reshape(shape), found.allowed.reshape(shape))}


def mismatch(name: str, got: Array, right: Truth) -> str:
    """The worst element in words; "" when every element is within its bound. A value that is not finite is wrong."""
    if got.shape != right.expected.shape:
        return f"{name} has shape {got.shape}, expected {right.expected.shape}"
    error = np.abs(got.astype(np.float64) - right.expected)
    excess = np.where(np.isfinite(error), error / right.allowed, np.inf)
    worst = int(np.argmax(excess))
    if excess.flat[worst] <= 1.0:
        return ""
    place = ", ".join(str(int(i)) for i in np.unravel_index(worst, got.shape))
    return (
        f"{name}[{place}]: expected {right.expected.flat[worst]:.8g}, got {float(got.flat[worst]):.8g}, "
        f"allowed error {right.allowed.flat[worst]:.3g}; {int((excess > 1.0).sum())} of {got.size} elements are wrong"
    )
