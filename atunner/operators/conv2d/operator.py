"""The conv2d operator: its problems, reference and tolerance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from atunner.core.errors import UserError
from atunner.core.facts import OperatorFacts
from atunner.core.program import Buffer, Problem
from atunner.operators import Arrays, KernelSet
from atunner.operators.conv2d import c, cuda
from atunner.operators.conv2d.facts import facts_of
from atunner.operators.shapes import (
    accumulation_tolerance,
    checked_dtype,
    checked_settings,
    checked_shape,
    checked_sizes,
    seeded_inputs,
)

DEFAULTS = {"out_channels": 64, "kernel": 3, "stride": 1, "padding": 1, "dilation": 1, "groups": 1}
MAX_DERIVED_PRODUCTS = 1_000_000
MAX_DERIVED_OUTPUTS = 20_000


@dataclass(frozen=True)
class Conv2d:
    """Convolution of n,c,h,w images with square kernels."""

    name: ClassVar[str] = "conv2d"
    summary: ClassVar[str] = "2-D convolution, NCHW, square kernel, with stride, zero padding, dilation and groups"
    shape_help: ClassVar[str] = (
        "n,c,h,w of the input; --set out_channels=64 kernel=3 stride=1 padding=1 dilation=1 groups=1"
    )
    default_shape: ClassVar[tuple[int, ...]] = (1, 3, 224, 224)
    kernels: Mapping[str, KernelSet] = field(default_factory=lambda: {"cuda": cuda.KERNELS, "c": c.KERNELS})

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """The full problem.

        Raises:
            UserError: an illegal shape, setting or dtype, groups that do not divide, or an empty output.
        """
        dims = checked_shape(self.name, shape, ("n", "c", "h", "w"))
        chosen = checked_settings(self.name, settings, DEFAULTS, least={"padding": 0})
        checked_dtype(self.name, dtype)
        _check_groups(dims["c"], chosen["out_channels"], chosen["groups"])
        dims |= {"k": chosen["out_channels"], "r": chosen["kernel"]}
        dims |= {name: chosen[name] for name in ("stride", "padding", "dilation", "groups")}
        return _problem(dims | {"p": _output(dims, "h"), "q": _output(dims, "w")}, dtype)

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """FLOPs, bytes, access and reuse; settings not in `given` are marked as assumed."""
        return facts_of(problem, given)

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        """Seeded normal values for x (n, c, h, w) and weight (k, c / groups, r, r)."""
        return seeded_inputs(problem, seed, scale)

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The output y (n, k, p, q) in float64: one matrix product for each tap."""
        return {"y": _convolve(problem.dims, inputs["x"].astype(np.float64), inputs["weight"].astype(np.float64))}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Largest allowed error of each y, from the sums of the absolute products behind it and its neighbours."""
        x, weight = (np.abs(inputs[name].astype(np.float64)) for name in ("x", "weight"))
        d = problem.dims
        length = d["c"] // d["groups"] * d["r"] ** 2
        truth = reference["y"].astype(np.float64)
        magnitude = _convolve(d, x, weight)
        if (d["r"], d["stride"], d["dilation"], d["groups"]) == (3, 1, 1, 1):
            magnitude = _mixed(d, x, weight, magnitude)
        return {"y": accumulation_tolerance(magnitude, truth, length, problem.dtype)}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """Same kernel, stride, padding, dilation and kind of grouping at five small sizes."""
        found = (_small(problem, *sizes) for sizes in _SIZES)
        return tuple({p.model_dump_json(): p for p in found}.values())


def _check_groups(channels: int, outputs: int, groups: int) -> None:
    for what, count in (("input channels", channels), ("out_channels", outputs)):
        if count % groups:
            raise UserError(
                f"conv2d: groups must divide the {count} {what}, got groups={groups}; mend --set groups=NUMBER."
            )


def _output(dims: Mapping[str, int], extent: str) -> int:
    reach = (dims["r"] - 1) * dims["dilation"] + 1
    room = dims[extent] + 2 * dims["padding"] - reach
    if room < 0:
        raise UserError(
            f"conv2d: a kernel that reaches over {reach} pixels needs {extent} + 2 * padding of at least {reach}, "
            f"got {room + reach}; use a larger --input-shape or --set padding."
        )
    return room // dims["stride"] + 1


def _problem(dims: dict[str, int], dtype: str) -> Problem:
    buffers = (
        Buffer(name="x", dtype=dtype, shape=(dims["n"], dims["c"], dims["h"], dims["w"]), role="input"),
        Buffer(
            name="weight",
            dtype=dtype,
            shape=(dims["k"], dims["c"] // dims["groups"], dims["r"], dims["r"]),
            role="input",
        ),
        Buffer(name="y", dtype=dtype, shape=(dims["n"], dims["k"], dims["p"], dims["q"]), role="output"),
    )
    return Problem(operator="conv2d", dims=dims, dtype=dtype, buffers=checked_sizes("conv2d", buffers))


def _convolve(d: Mapping[str, int], x: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    groups, pad, step = d["groups"], d["padding"], d["stride"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    filters = weight.reshape(groups, d["k"] // groups, d["c"] // groups, d["r"], d["r"])
    total = np.zeros((d["n"], groups, d["k"] // groups, d["p"] * d["q"]))
    for r, s in np.ndindex(d["r"], d["r"]):
        top, left = r * d["dilation"], s * d["dilation"]
        seen = padded[:, :, top : top + (d["p"] - 1) * step + 1 : step, left : left + (d["q"] - 1) * step + 1 : step]
        total += filters[..., r, s] @ seen.reshape(d["n"], groups, d["c"] // groups, -1)
    return total.reshape(d["n"], d["k"], d["p"], d["q"])


def _mixed(
    d: Mapping[str, int], x: NDArray[np.float64], weight: NDArray[np.float64], magnitude: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The magnitude that Winograd's transforms see: they mix the pixels and the taps of a small tile.

    An output beside padding, or under a small tap, so carries the rounding of its neighbours and of the other taps.
    """
    pad = d["padding"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    largest: NDArray[np.float64] = maximum_filter(padded, size=(1, 1, 5, 5), mode="nearest")
    seen = largest[:, :, 1 : 1 + d["p"], 1 : 1 + d["q"]].reshape(d["n"], d["c"], -1)
    others: NDArray[np.float64] = weight.mean(axis=(2, 3)) @ seen
    near: NDArray[np.float64] = maximum_filter(magnitude, size=(1, 1, 3, 3), mode="nearest")
    return near + others.reshape(magnitude.shape)


# Images, input and output channels of a group, output rows and columns: ones; primes; whole tiles and aligned
# vectors; one beyond a tile; a long reduction.
_SIZES = ((1, 1, 1, 1, 1), (2, 3, 5, 7, 11), (1, 4, 16, 8, 32), (1, 2, 17, 5, 33), (1, 37, 4, 3, 6))


def _small(problem: Problem, images: int, channels: int, outputs: int, rows: int, columns: int) -> Problem:
    """One derived problem; sizes are halved until it is cheap. Depthwise stays depthwise."""
    dims = dict(problem.dims)
    groups = min(dims["groups"], 3)
    if dims["c"] == dims["groups"]:
        groups, channels = (min(channels * groups, 5) if groups > 1 else 1), 1
        outputs = dims["k"] // dims["groups"] if groups > 1 else outputs
    small = dims | {"n": images, "c": channels * groups, "k": outputs * groups, "groups": groups}
    small |= {"h": _extent(dims, rows), "w": _extent(dims, columns)}
    small |= {"p": _output(small, "h"), "q": _output(small, "w")}
    sizes = [images, channels, outputs, rows, columns]
    largest = sizes.index(max(sizes))
    if _too_costly(small) and sizes[largest] > 1:
        sizes[largest] //= 2
        return _small(problem, *sizes)
    return _problem(small, problem.dtype)


def _extent(dims: Mapping[str, int], outputs: int) -> int:
    reach = (dims["r"] - 1) * dims["dilation"] + 1
    return max(1, (outputs - 1) * dims["stride"] + reach - 2 * dims["padding"])


def _too_costly(dims: Mapping[str, int]) -> bool:
    outputs = dims["n"] * dims["k"] * dims["p"] * dims["q"]
    products = outputs * (dims["c"] // dims["groups"]) * dims["r"] ** 2
    return outputs > MAX_DERIVED_OUTPUTS or products > MAX_DERIVED_PRODUCTS
