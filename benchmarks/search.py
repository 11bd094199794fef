"""Our default search against Kernel Tuner's strategies on recorded spaces: python benchmarks/search.py --data DIR."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from search_peers import STRATEGIES, Peers, installed
from search_replay import Recording, read

from atunner.core.errors import UserError
from atunner.search import Source, searcher

BUDGET = 600
RIVAL = "adaptive_tabu_greywolf"
HARD = 20


@dataclass(frozen=True)
class Row:
    """Figures of one strategy on one recording. evaluations: median to within 5 %, infinite when most runs miss it."""

    recording: str
    strategy: str
    runs: int
    evaluations: float
    success: float
    slowdown: float
    score: float


def tune(recording: Recording, seed: int, budget: int, history: Sequence[Source] = ()) -> list[int]:
    """The points in the order that `auto` asks for them."""
    search = searcher("auto", recording.space, seed, history=history)
    order: list[int] = []
    while len(order) < budget and (asked := search.ask(1)):
        point = recording.space.point(asked[0])
        figure = float(recording.values[point])
        search.tell(asked[0], figure if np.isfinite(figure) else None)
        order.append(point)
    return order


def row(recording: Recording, strategy: str, runs: list[list[int]]) -> Row:
    """What the runs come to; a run that ends early keeps its last value."""
    curves = [np.minimum.accumulate(recording.values[r]) / recording.best for r in runs]
    hits = [int(np.argmax(c <= 1.05)) + 1 if c[-1] <= 1.05 else np.inf for c in curves]
    at100 = [np.log(min(c[min(99, len(c) - 1)], 1e3)) for c in curves]
    return Row(
        recording.name,
        strategy,
        len(runs),
        float(median(hits)),
        float(np.mean(np.isfinite(hits))),
        float(np.exp(np.mean(at100))),
        score(recording, runs),
    )


def score(recording: Recording, runs: list[list[int]], share: float = 0.95) -> float:
    """The community's score (doi 10.1016/j.future.2024.05.021) over the mean rank of the runs: 0 is random."""
    valid = np.sort(recording.values[np.isfinite(recording.values)])[::-1]
    n, best, middle = len(valid), valid[-1], float(np.median(valid))
    target = best + (middle - best) * (1 - share)
    rank = int(np.argmax(valid <= target)) + 1
    cost = float(np.mean(recording.costs))
    limit = float(np.ceil(rank / (n + 1 - rank))) * float(np.median(recording.costs))
    times = np.linspace(0.01 * limit, limit, 200)
    ranks = np.mean([_ranks(recording, r, valid, times) for r in runs], axis=0)
    curve = valid[np.clip(np.rint(ranks).astype(int), 0, n - 1)]
    draws = np.maximum(1, np.rint(times / cost))
    random = valid[np.minimum(n - 1, np.rint(draws * (n + 1) / (draws + 1)).astype(int))]
    gap = random - best
    return float(np.mean(np.where(gap > 0, (random - curve) / np.where(gap > 0, gap, 1), 1.0)))


def _ranks(recording: Recording, run: list[int], valid: NDArray[np.float64], times: NDArray[np.float64]) -> list[float]:
    spent = np.cumsum(recording.costs[run])
    best = np.minimum.accumulate(recording.values[run])
    at = np.searchsorted(spent, times, side="right") - 1
    worst = np.where(np.isfinite(best), len(valid) - np.searchsorted(valid[::-1], best, side="right"), 0)
    return [float(worst[i]) if i >= 0 else 0.0 for i in at]


def ordered(recording: Recording, others: Sequence[Recording]) -> int:
    """Tries to within 5 % in the order of the mean time, relative to the best, on the other devices."""
    total = np.zeros(len(recording.space))
    for other in others:
        share = np.where(np.isfinite(other.values), other.values / other.best, 100.0)
        known = [other.space.point(p) if p in other.space else -1 for p in _all(recording)]
        total += np.where(np.array(known) >= 0, share[known], 100.0)
    return int(np.argmax(recording.within(0.05)[np.argsort(total, kind="stable")])) + 1


def _all(recording: Recording) -> list[dict[str, object]]:
    return [dict(recording.space.params(i)) for i in range(len(recording.space))]


def cold(recordings: Sequence[Recording], peers: Peers, seeds: int) -> list[Row]:
    """One row for `auto` and one for each peer that has runs, for each recording."""
    rows = []
    for recording in recordings:
        rows.append(row(recording, "auto", [tune(recording, s, BUDGET) for s in range(seeds)]))
        for strategy in STRATEGIES:
            runs = peers.runs(recording, strategy, seeds)
            if runs:
                rows.append(row(recording, strategy, runs))
    return rows


def warm(recordings: Sequence[Recording], seeds: int, budget: int = 300) -> list[Row]:
    """Leave one device out: the other devices of the kernel are history."""
    rows = []
    for recording in recordings:
        history = [Source(o.device, o.records()) for o in _others(recording, recordings)]
        if history:
            runs = [tune(recording, s, budget, history) for s in range(seeds)]
            rows.append(row(recording, "auto, warm", runs))
    return rows


def _others(recording: Recording, recordings: Sequence[Recording]) -> list[Recording]:
    return [o for o in recordings if o.kernel == recording.kernel and o.device != recording.device]


def kernels_left_out(rows: Sequence[Row], recordings: Sequence[Recording]) -> dict[str, tuple[float, float]]:
    """For each kernel, the mean success and slow-down of `auto` over the other kernels only.

    Constants of `auto` are not chosen again without the kernel: this shows how much the mean owes to one kernel, and is
    no held-out test.
    """
    found = {}
    kernel_of = {r.name: r.kernel for r in recordings}
    for kernel in sorted({r.kernel for r in recordings}):
        left = [r for r in rows if r.strategy == "auto" and kernel_of[r.recording] != kernel]
        if left:
            found[kernel] = (float(np.mean([r.success for r in left])), float(np.mean([r.slowdown for r in left])))
    return found


def missed_cold(rows: Sequence[Row], recordings: Sequence[Recording]) -> list[str]:
    """The figures of a search that knows nothing before, by name, where they are missed."""
    ours = {r.recording: r for r in rows if r.strategy == "auto"}
    rival = {r.recording: r for r in rows if r.strategy == RIVAL}
    hard = [r.name for r in recordings if r.expected(0.05) > HARD]
    missed = []
    for name in rival:
        fewer = ours[name].evaluations < rival[name].evaluations
        if not fewer and (name in hard or ours[name].evaluations > rival[name].evaluations):
            missed.append(f"evaluations against {RIVAL} on {name}")
    near = [n for n in hard if ours[n].evaluations <= 1.2 * _best_peer(rows, n)]
    if rival and len(near) < 0.75 * len(hard):
        missed.append(f"within 1.2x of the best strategy on {len(near)} of {len(hard)}")
    missed += [f"success on {n}: {r.success:.0%}" for n, r in ours.items() if r.success < 0.9]
    for label, value, good in (
        ("mean success", mean := float(np.mean([r.success for r in ours.values()])), mean >= 0.98),
        ("slowdown after 100", slow := float(np.mean([r.slowdown for r in ours.values()])), slow <= 1.03),
        ("score", points := float(np.mean([r.score for r in ours.values()])), points >= 0.75),
    ):
        missed += [] if good else [f"{label}: {value:.3f}"]
    return missed


def _best_peer(rows: Sequence[Row], recording: str) -> float:
    return min((r.evaluations for r in rows if r.recording == recording and r.strategy != "auto"), default=np.inf)


def missed_warm(rows: Sequence[Row], warmed: Sequence[Row], recordings: Sequence[Recording]) -> list[str]:
    """The figures of a search that knows the other devices, by name, where they are missed."""
    ours = {r.recording: r for r in rows if r.strategy == "auto"}
    missed = []
    for found in warmed:
        recording = next(r for r in recordings if r.name == found.recording)
        if ordered(recording, _others(recording, recordings)) <= HARD < found.evaluations:
            missed.append(f"warm: 20 evaluations on {found.recording}")
        if found.evaluations > 1.1 * ours[found.recording].evaluations:
            missed.append(f"warm no worse than cold on {found.recording}")
    return missed


def overhead(recordings: Sequence[Recording]) -> float:
    """CPU milliseconds an evaluation of our search over the largest recording, 1,000 evaluations."""
    largest = max(recordings, key=lambda r: len(r.space))
    start = time.process_time()
    tune(largest, 0, 1000)
    return (time.process_time() - start) * 1000 / min(1000, len(largest.space))


def show(rows: Sequence[Row]) -> None:
    print(f"{'recording':24} {'strategy':24} {'runs':>4} {'to 5 %':>7} {'reached':>8} {'@100':>6} {'score':>6}")
    for r in sorted(rows, key=lambda r: (r.recording, r.evaluations)):
        count = f"{r.evaluations:.0f}" if np.isfinite(r.evaluations) else "-"
        print(
            f"{r.recording:24} {r.strategy:24} {r.runs:4} {count:>7} {r.success:8.0%} {r.slowdown:6.3f} {r.score:6.2f}"
        )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of KERNEL_DEVICE.json.gz")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write all rows here")
    parser.add_argument("--peers", type=Path, default=user_cache_path("atunner") / "peers", help="cache of peers' runs")
    return parser.parse_args()


def report(recordings: Sequence[Recording], peers: Peers, seeds: int, out: Path | None) -> list[str]:
    """Print everything and return what was missed."""
    rows = cold(recordings, peers, seeds)
    warmed = warm(recordings, seeds)
    show(rows + warmed)
    ours = [r for r in rows if r.strategy == "auto"]
    print(
        f"auto: reached {np.mean([r.success for r in ours]):.1%}, @100 {np.mean([r.slowdown for r in ours]):.3f}, ",
        end="",
    )
    cost = overhead(recordings)
    print(f"score {np.mean([r.score for r in ours]):+.2f}, search {cost:.2f} ms an evaluation")
    for kernel, (success, slow) in kernels_left_out(rows, recordings).items():
        print(f"without {kernel}: reached {success:.1%}, @100 {slow:.3f}")
    if out is not None:
        out.write_text(json.dumps([asdict(r) for r in rows + warmed], indent=1))
    return missed_cold(rows, recordings) + missed_warm(rows, warmed, recordings) + (["overhead"] if cost > 2 else [])


def main() -> int:
    given = options()
    recordings = [read(p) for p in sorted(given.data.glob("*.json.gz"))]
    if not recordings:
        raise UserError(f"No KERNEL_DEVICE.json.gz in {given.data}.")
    print(
        f"Kernel Tuner {installed()}"
        if installed()
        else "Kernel Tuner is not installed: only runs kept before are compared"
    )
    missed = report(recordings, Peers(given.peers, BUDGET), given.seeds, given.json)
    print(f"MISSED: {'; '.join(missed)}" if missed else "All figures reached")
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
