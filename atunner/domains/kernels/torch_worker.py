"""PyTorch in a process of its own: makes calls on request and tells how long each took. Runs where only torch is.

Arguments: a JSON job (operator, dims, shapes, threads), descriptors to read requests from and to write answers to.
A request is a line "CALLS BATCH"; its answer is a line of JSON: a sample for every BATCH calls, in microseconds.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

SLOTS = 4


def main(job: dict[str, Any], requests: int, answers: int) -> None:
    """Serve requests until the other side closes."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    import torch

    from atunner.domains.kernels.bundle_runner.torch_calls import calls

    torch.set_num_threads(job["threads"])
    call = calls(torch, job["dims"])[job["operator"]]
    slots = [[torch.randn(shape) for shape in job["shapes"]] for _ in range(SLOTS)]
    with os.fdopen(requests) as asked, os.fdopen(answers, "w") as told, torch.no_grad():
        told.write(json.dumps(str(torch.__version__)) + "\n")
        told.flush()
        for line in asked:
            count, batch = map(int, line.split())
            told.write(json.dumps([_sample(call, slots, batch) for _ in range(count // batch)]) + "\n")
            told.flush()


def _sample(call: Any, slots: list[list[Any]], batch: int) -> float:
    started = time.perf_counter_ns()
    for number in range(batch):
        call(*slots[number % SLOTS])
    return (time.perf_counter_ns() - started) / 1e3 / batch


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
