"""Occupancy against NVIDIA's own `cuda_occupancy.h`: `python benchmarks/occupancy.py [--cases 100000]`."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from atunner.core.occupancy import ARCHITECTURES, occupancy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from occupancy_oracle import cases, compiler, expected, header


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if compiler() is None or header() is None:
        print("MISSED: needs a C++ compiler and the package nvidia-cuda-runtime")
        return 1
    made = cases(options.cases, options.seed)
    with TemporaryDirectory() as folder:
        truth = expected(made, Path(folder))
    total = Counter(arch for arch, _ in made)
    equal = Counter(
        arch for (arch, block), blocks in zip(made, truth, strict=True) if occupancy(arch, block).blocks == blocks
    )
    print(f"{'architecture':14} {'cases':>8} {'equal':>8}")
    for arch in ARCHITECTURES:
        print(f"{arch:14} {total[arch]:8d} {equal[arch]:8d}")
    print(f"{'all':14} {total.total():8d} {equal.total():8d}")
    if equal.total() == len(made) == len(truth):
        print("All cases equal.")
        return 0
    print(f"MISSED: {len(made) - equal.total()} of {len(made)} cases differ")
    return 1


if __name__ == "__main__":
    sys.exit(main())
