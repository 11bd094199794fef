"""What this processor reaches: a short C program where there is a compiler, numpy otherwise."""

import json
import tempfile
import threading
import time
import uuid
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from atunner.core.errors import ToolError
from atunner.core.value import Value
from atunner.tools.process import run

COMPILERS = ("gcc", "clang", "cc")
FLOATS = 6 << 20
PASSES = 4
PROBES = 3


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


class _Kept(Value):
    """What was reached since a start of the machine, and in how many probes."""

    machine: str
    probes: int
    best: Reached


def remembered(folder: Path, machine: str, threads: int) -> Reached:
    """The best of the first PROBES probes since the machine was started; one of them is made now where any is left.

    A probe beside other work reaches less, so that a single one must not count for good.
    """
    file, name = folder / "ceilings.json", f"{machine} {_boot()}"
    known = _read(file, name)
    if known is not None and known.probes >= PROBES:
        return known.best
    found = measure(threads)
    best = found if known is None else _greater(found, known.best)
    kept = _Kept(machine=name, probes=1 if known is None else known.probes + 1, best=best)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as fresh:
        fresh.write(kept.model_dump_json())
    Path(fresh.name).replace(file)
    return best


def _read(file: Path, machine: str) -> _Kept | None:
    try:
        known = _Kept.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known if known.machine == machine else None


def _boot() -> str:
    """A name of this start of the machine; another one each time where the system gives none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return uuid.uuid4().hex


def _greater(one: Reached, other: Reached) -> Reached:
    """The greater of each figure, where both were measured in the same way."""
    if one.by != other.by:
        return one
    return Reached(
        dram_gbs=max(one.dram_gbs, other.dram_gbs),
        by=one.by,
        clock_mhz=_more(one.clock_mhz, other.clock_mhz),
        fp32_tflops=_more(one.fp32_tflops, other.fp32_tflops),
    )


def _more(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else max(one, other)


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
