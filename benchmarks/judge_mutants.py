"""Mutants of correct kernels: how many does verification refuse, by kind; survivors are listed.

python benchmarks/judge_mutants.py [COUNT] [SEED] [LANGUAGE]: the seed is drawn anew unless given (or 0), and printed.
LANGUAGE: c (default), or cuda, which is checked on the CPU. Exits 1 below 99 %.
"""

import os
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path

from atunner.domains.kernels.selftest.mutants import mutants

LEAST = 0.99


def main(count: int, seed: int, language: str, cache: Path) -> int:
    made, killed, survivors = Counter[str](), Counter[str](), []
    for mutant in mutants(cache, count, seed, language):
        made[mutant.kind] += 1
        killed[mutant.kind] += mutant.killed
        if not mutant.killed:
            survivors.append(mutant)
    print(f"{language}, seed {seed}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for kind in sorted(made):
        print(f"{kind:24} {killed[kind]:4} of {made[kind]:4} refused")
    for one in survivors:
        print(f"survivor: {one.subject} line {one.line}, {one.kind}: {one.before!r} -> {one.after!r} ({one.status})")
    total = sum(killed.values())
    print(
        f"{total} of {count} refused"
        if total >= LEAST * count
        else f"missed: {total} of {count} refused, at least 99 %"
    )
    return 0 if total >= LEAST * count else 1


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    drawn = (int(sys.argv[2]) if len(sys.argv) > 2 else 0) or secrets.randbits(32)
    spoken = sys.argv[3] if len(sys.argv) > 3 else "c"
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(number, drawn, spoken, Path(folder)))
