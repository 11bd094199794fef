"""How well the ranking model orders recorded kernels: `python benchmarks/ranking.py --facts FILE`.

FILE holds configurations of one convolution with resources, instruction counts and times recorded on two GPUs.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from scipy.stats import spearmanr

from atunner.core.device import Device, Fact
from atunner.core.occupancy import Block, occupancy
from atunner.core.profile import StaticFacts
from atunner.domains.kernels.ranking import predict
from atunner.domains.kernels.sass import meaning

WIDTH = HEIGHT = 4096
NEAR = 1.05
# device: (Spearman at least, best of the first ten within)
WANTED = {"A100": (0.86, 1.12), "A4000": (0.92, 1.03)}


def device(name: str, arch: str, **facts: float) -> Device:
    known = {key: Fact(value=value, unit="", source="NVIDIA data sheet") for key, value in facts.items()}
    return Device(name=name, vendor="nvidia", kind="gpu", arch=arch, facts=known)


# The recordings are of an A100-PCIE-40GB and an RTX A4000.
DEVICES = {
    "A100": device("A100", "sm_80", sm_count=108, clock_mhz=1410, dram_gbs=1555, fp32_tflops=19.5),
    "A4000": device("A4000", "sm_86", sm_count=48, clock_mhz=1560, dram_gbs=448, fp32_tflops=19.2),
}


class Row(NamedTuple):
    """One recorded configuration. ms: device -> recorded time."""

    facts: StaticFacts
    flops: float
    halo_bytes: float
    ms: dict[str, float]


def row_of(raw: dict[str, Any]) -> Row:
    p = raw["parameters"]
    out_x, out_y = p["block_size_x"] * p["tile_size_x"], p["block_size_y"] * p["tile_size_y"]
    blocks = -(-WIDTH // out_x) * -(-HEIGHT // out_y)
    mix: dict[str, float] = {}
    traffic: dict[str, float] = {}
    for opcode, count in raw["sass_opcode_counts"].items():
        if opcode == "NOP":
            continue
        means = meaning(opcode)
        mix[means.kind] = mix.get(means.kind, 0) + count
        if means.space:
            traffic[means.space] = traffic.get(means.space, 0) + means.bytes * count
    threads = p["block_size_x"] * p["block_size_y"]
    facts = StaticFacts(
        arch="sm_80",
        kernel="convolution",
        registers=raw["registers"],
        static_shared=raw["static_shared_bytes"],
        spill_bytes=raw["spill_bytes"],
        threads_per_block=threads,
        blocks=blocks,
        mix=mix,
        traffic=traffic,
    )
    taps = p["filter_width"] * p["filter_height"]
    halo = (out_x + p["filter_width"] - 1) * (out_y + p["filter_height"] - 1) * blocks
    return Row(facts, 2.0 * WIDTH * HEIGHT * taps, 4.0 * (halo + WIDTH * HEIGHT), raw["recorded_ms"])


def model(row: Row, on: Device) -> float:
    return predict((row.facts,), row.flops, 8.0 * WIDTH * HEIGHT, on).cost


def issue(row: Row, on: Device) -> float:
    warps = -(-row.facts.threads_per_block // 32)
    waiting = 0.35 + 0.65 * min(1.0, 1.6 * -alone(row, on))
    return sum(row.facts.mix.values()) * warps * row.facts.blocks / waiting


def roofline(row: Row, on: Device) -> float:
    return max(row.flops / (on.get("fp32_tflops") * 1e6), row.halo_bytes / (on.get("dram_gbs") * 1e3))


def alone(row: Row, on: Device) -> float:
    block = Block(threads=row.facts.threads_per_block, registers=row.facts.registers, shared=row.facts.static_shared)
    return -occupancy(on.arch, block).fraction


class Score(NamedTuple):
    """How good an order is; first and ten are ratios to the true best."""

    spearman: float
    first: float
    ten: float
    to_measure: int


def score(order: list[int], rank: float, times: list[float]) -> Score:
    best = min(times)
    near = next(i for i, index in enumerate(order, 1) if times[index] <= NEAR * best)
    return Score(rank, times[order[0]] / best, min(times[i] for i in order[:10]) / best, near)


def judged(rows: list[Row], name: str, predictor: Callable[[Row, Device], float]) -> Score:
    times = [row.ms[name] for row in rows]
    costs = [predictor(row, DEVICES[name]) for row in rows]
    order = sorted(range(len(rows)), key=costs.__getitem__)
    return score(order, float(spearmanr(costs, times).statistic), times)


def by_chance(rows: list[Row], name: str, repeats: int = 2000) -> Score:
    times = [row.ms[name] for row in rows]
    draw = random.Random(0)
    scores = [score(draw.sample(range(len(rows)), len(rows)), 0.0, times) for _ in range(repeats)]
    first, ten, near = (sorted(s[i] for s in scores)[repeats // 2] for i in (1, 2, 3))
    return Score(0.0, first, ten, int(near))


def table(rows: list[Row], name: str) -> Score:
    predictors = {"model": model, "issue work": issue, "roofline alone": roofline, "occupancy alone": alone}
    scores = {title: judged(rows, name, predictor) for title, predictor in predictors.items()}
    scores["random (median)"] = by_chance(rows, name)
    print(f"\n{name}: {len(rows)} configurations")
    print(f"{'predictor':18} {'Spearman':>9} {'first':>8} {'best of 10':>11} {'measure for 5 %':>16}")
    for title, s in scores.items():
        print(f"{title:18} {s.spearman:9.3f} {s.first:7.2f}x {s.ten:10.3f}x {s.to_measure:16d}")
    return scores["model"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=Path, required=True)
    rows = [row_of(raw) for raw in json.loads(parser.parse_args().facts.read_text())["rows"]]
    missed = []
    for name, (spearman, ten) in WANTED.items():
        found = table(rows, name)
        if found.spearman < spearman:
            missed.append(f"{name} Spearman {found.spearman:.3f} < {spearman}")
        if found.ten > ten:
            missed.append(f"{name} best of ten {found.ten:.3f}x > {ten}x")
    print(f"\n{'MISSED: ' + '; '.join(missed) if missed else 'All figures reached.'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
