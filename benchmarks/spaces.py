"""Time and memory of large search spaces: `python benchmarks/spaces.py`.

A tiled matrix product's parameters with its usual constraints, as expressions and as callables: a million Cartesian
points built whole, a hundred million sampled, and a search by `auto` over the million. Each in a process of its own,
whose peak resident memory is told. Exits 1 when a figure is missed, the last line names which.
"""

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atunner.core.candidate import Params
from atunner.core.space import Parameter, Space
from atunner.search import SearchSpace, searcher
from atunner.tools.process import run

EVALUATIONS, TIMEOUT_S = 200, 300.0
TUNED: dict[str, tuple[int | str, ...]] = {
    "block_x": (8, 16, 32, 64, 128),
    "block_y": (1, 2, 4, 8, 16),
    "tile_m": (16, 32, 64, 128, 256),
    "tile_n": (16, 32, 64, 128, 256),
    "tile_k": (8, 16, 32, 64),
    "vector": (1, 2, 4, 8),
    "unroll": (1, 2, 4, 8, 16),
    "stages": (1, 2, 3, 4, 5),
    "layout": ("row", "column"),
    "shared_a": (0, 1),
}
MORE: dict[str, tuple[int | str, ...]] = {"split_k": tuple(range(1, 11)), "swizzle": tuple(range(10))}
CONSTRAINTS = (
    "32 <= block_x * block_y <= 1024",
    "tile_m * tile_n % (block_x * block_y) == 0",
    "tile_m * tile_n // (block_x * block_y) <= 256",
    "tile_k % vector == 0",
    "shared_a == 1 or stages == 1",
    "(tile_m + tile_n) * tile_k * 4 * stages <= 98304",
)
"""Threads of a block, whole tiles for each, registers, whole vectors, and shared memory in bytes."""


def fits(tile_m: int, tile_n: int, tile_k: int, stages: int) -> bool:
    """The last constraint as a callable."""
    return (tile_m + tile_n) * tile_k * 4 * stages <= 98304


def space(parameters: dict[str, tuple[int | str, ...]], constraints: tuple[str, ...] = CONSTRAINTS) -> Space:
    """The declaration."""
    return Space(parameters=tuple(Parameter(name=n, values=v) for n, v in parameters.items()), constraints=constraints)


def cost(params: Params) -> float:
    """A smooth landscape to search, in no unit."""
    numbers = [math.log2(float(v)) for v in params.values() if isinstance(v, int) and v > 0]
    return 1 + sum((n - 4) ** 2 for n in numbers)


def built(declared: Space, rules: tuple[Callable[..., object], ...] = ()) -> tuple[SearchSpace, float]:
    """The space and the seconds that it took."""
    started = time.perf_counter()
    made = SearchSpace(declared, rules)
    return made, time.perf_counter() - started


def expressions() -> dict[str, Any]:
    """A million points, constraints as expressions."""
    made, seconds = built(space(TUNED))
    return {"cartesian": made.cartesian, "points": len(made), "seconds": seconds}


def callables() -> dict[str, Any]:
    """A million points, the constraint on shared memory as a callable."""
    made, seconds = built(space(TUNED, CONSTRAINTS[:-1]), (fits,))
    return {"cartesian": made.cartesian, "points": len(made), "seconds": seconds}


def sampled() -> dict[str, Any]:
    """A hundred million points, not built."""
    made, seconds = built(space(TUNED | MORE))
    return {"cartesian": made.cartesian, "points": len(made), "seconds": seconds}


def searched() -> dict[str, Any]:
    """A search by `auto` over the million; seconds are those of the search alone."""
    made, _ = built(space(TUNED))
    search = searcher("auto", made, 0)
    started = time.perf_counter()
    for _ in range(EVALUATIONS):
        (params,) = search.ask(1)
        search.tell(params, cost(params))
    return {"cartesian": made.cartesian, "points": len(made), "seconds": time.perf_counter() - started}


@dataclass(frozen=True)
class Case:
    """What is done, the most seconds that it may take, and the most memory; infinite where nothing is demanded."""

    work: Callable[[], dict[str, Any]]
    most_s: float = math.inf
    most_mb: float = math.inf


CASES = {
    "a million, expressions": Case(expressions, 1.0, 300),
    "a million, a callable": Case(callables, 1.0, 300),
    "a hundred million, sampled": Case(sampled),
    f"a million, {EVALUATIONS} evaluations": Case(searched, most_mb=300),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CASES, help="this one, in this process, as JSON")
    given = parser.parse_args()
    if given.only:
        told = CASES[given.only].work()
        print(json.dumps(told | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return 0
    missed = []
    print(f"{'space':28} {'Cartesian':>12} {'points':>9} {'seconds':>8} {'peak MB':>8}")
    for name, case in CASES.items():
        told = json.loads(run(sys.executable, __file__, "--only", name, timeout_s=TIMEOUT_S).output)
        print(
            f"{name:28} {told['cartesian']:12.0f} {told['points']:9} {told['seconds']:8.2f} {told['peak_mb']:8.0f}",
            flush=True,
        )
        if told["seconds"] > case.most_s:
            missed.append(f"{name}: {told['seconds']:.2f} s of {case.most_s:g}")
        if told["peak_mb"] > case.most_mb:
            missed.append(f"{name}: {told['peak_mb']:.0f} MB of {case.most_mb:g}")
    print(f"MISSED: {'; '.join(missed)}" if missed else "all figures met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
