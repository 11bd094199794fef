"""Kernel Tuner on one kernel, as its users run it; started by live_search.py in an environment that has Kernel Tuner.

python benchmarks/live_peer.py JOB: a JSON file with the source, the space, files of arguments and answer, the strategy
and its seed. `started` in the job's folder holds the time of the call; Kernel Tuner's own cache file has the rest.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np
from kernel_tuner import tune_kernel


def main(path: Path) -> None:
    job = json.loads(path.read_text())
    given, right = (np.load(job[name]) for name in ("arguments", "answer"))
    arguments = [given[n].copy() if n in given.files else getattr(np, kind)(value) for n, kind, value in job["order"]]
    answer = [right[n] if n in right.files else None for n, _, _ in job["order"]]
    random.seed(job["seed"])
    np.random.seed(job["seed"])
    (path.parent / "started").write_text(str(time.time()))
    tune_kernel(
        job["name"],
        job["source"],
        job["size"],
        arguments,
        job["parameters"],
        restrictions=job["constraints"],
        lang=job["language"],
        compiler_options=job["flags"],
        answer=answer,
        atol=job["atol"],
        strategy=job["strategy"],
        strategy_options={"max_fevals": job["evaluations"]},
        cache=job["cache"],
        quiet=True,
        **job["grid"],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
