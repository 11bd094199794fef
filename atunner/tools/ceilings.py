"""What this processor reaches: a short C program where there is a compiler, numpy otherwise."""

import json
import tempfile
import threading
import time
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from atunner.core.errors import ToolError
from atunner.core.value import Value
from atunner.tools.process import run

COMPILERS = ("gcc", "clang", "cc")
FLOATS = 6 << 20
PASSES = 4


class Reached(Value):
    """The best of a few short tries. by: how it was measured. None where it needs a compiler that is not here."""

    dram_gbs: float
    by: str
    clock_mhz: float | None = None
    fp32_tflops: float | None = None


def measure(threads: int) -> Reached:
    """The ceilings with this many threads, in half a second of compiling and half a second of running."""
    for compiler in COMPILERS:
        try:
            return _native(compiler, threads)
        except ToolError:
            continue
    return Reached(dram_gbs=_numpy_triad(threads), by="numpy")


def _native(compiler: str, threads: int) -> Reached:
    with as_file(files("atunner.tools") / "ceilings.c") as source, tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "ceilings")
        flags = ("-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512", "-pthread")
        done = run(compiler, *flags, str(source), "-o", program, timeout_s=60)
        if done.code:
            done = run(
                compiler, "-O3", "-ffast-math", "-DLANES=4", "-pthread", str(source), "-o", program, timeout_s=60
            )
        if done.code == 0:
            done = run(program, str(threads), timeout_s=60)
    if done.code:
        raise ToolError(f"{compiler} made no working probe of the processor's ceilings: {done.output[:200]}")
    found = json.loads(done.output)
    return Reached(
        dram_gbs=found["dram_gbs"],
        by=compiler,
        clock_mhz=found["clock_mhz"],
        fp32_tflops=found["core_gflops"] * threads / 1e3,
    )


def _numpy_triad(threads: int) -> float:
    """Bandwidth of a = b + c in GB/s, the best of a few passes over all threads."""
    arrays = [np.ones((3, FLOATS), dtype=np.float32) for _ in range(threads)]
    least = float("inf")
    for _ in range(PASSES):
        workers = [threading.Thread(target=np.add, args=(a[0], a[1]), kwargs={"out": a[2]}) for a in arrays]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        least = min(least, time.perf_counter() - start)
    return 3.0 * FLOATS * 4 * threads / least / 1e9
