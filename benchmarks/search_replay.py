"""Recorded tuning spaces as replays: a point's figure and cost instead of a compile and a measurement."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.core.space import Parameter, Space
from atunner.search import SearchSpace


@dataclass(frozen=True)
class Recording:
    """One kernel on one device. values: ms by point, infinite where it failed. costs: ms of compile, check and run."""

    kernel: str
    device: str
    hash: str
    space: SearchSpace
    values: NDArray[np.float64]
    costs: NDArray[np.float64]

    @property
    def name(self) -> str:
        """As the file is called."""
        return f"{self.kernel}_{self.device}"

    @property
    def best(self) -> float:
        """The optimum in ms."""
        return float(self.values.min())

    def within(self, share: float) -> NDArray[np.bool_]:
        """Points at most `share` slower than the optimum."""
        return self.values <= (1 + share) * self.best

    def expected(self, share: float) -> float:
        """Evaluations until random search is within `share`, in expectation."""
        return (len(self.space) + 1) / (int(self.within(share).sum()) + 1)

    def records(self) -> tuple[tuple[Params, float | None], ...]:
        """All configurations with their figures, as history for another device."""
        figures = [float(v) if np.isfinite(v) else None for v in self.values]
        return tuple((self.space.params(i), f) for i, f in enumerate(figures))


def read(path: Path) -> Recording:
    """Read KERNEL_DEVICE.json.gz in Kernel Tuner's cache format.

    Raises:
        UserError: the name has another form.
    """
    kernel, _, device = path.name.removesuffix(".json.gz").partition("_")
    if not device:
        raise UserError(f"Not a recording's name: {path.name}. Expected KERNEL_DEVICE.json.gz.")
    raw = path.read_bytes()
    content = json.loads(gzip.decompress(raw))
    names = content["tune_params_keys"]
    parameters = tuple(Parameter(name=n, values=tuple(content["tune_params"][n])) for n in names)
    entries = list(content["cache"].values())
    points = [{n: e[n] for n in names} for e in entries]
    space = SearchSpace.of_points(Space(parameters=parameters), points)
    order = [space.point(p) for p in points]
    values, costs = np.full(len(space), np.inf), np.zeros(len(space))
    for at, entry in zip(order, entries, strict=True):
        values[at] = entry["time"] if isinstance(entry["time"], int | float) else np.inf
        costs[at] = sum(float(entry.get(k) or 0) for k in ("compile_time", "verification_time", "benchmark_time"))
    return Recording(kernel, device, hashlib.sha256(raw).hexdigest()[:16], space, values, costs)
