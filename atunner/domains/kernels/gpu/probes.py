"""Nsight Compute and compute-sanitizer, pointed at one candidate on the GPU."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from atunner.core.errors import Wrong
from atunner.core.profile import Counters
from atunner.core.trial import Check
from atunner.domains.kernels.gpu import once
from atunner.domains.kernels.gpu.present import Here
from atunner.domains.kernels.gpu.session import Loaded
from atunner.operators import Arrays
from atunner.tools import compute_sanitizer, ncu


def counters(here: Here, loaded: Loaded, inputs: Arrays) -> Counters:
    """Hardware counters of one call.

    Raises:
        CountersRefused: no permission. ToolError: no Nsight Compute.
    """
    with _program(here, loaded, inputs) as argv:
        return ncu.collect(argv)


def sanitized(here: Here, loaded: Loaded, inputs: Arrays) -> tuple[Check, ...]:
    """One check for each of compute-sanitizer's tools; none where it is not installed.

    Raises:
        Wrong: with its first complaint. ToolError: it gave no verdict.
    """
    if not compute_sanitizer.available():
        return ()
    with _program(here, loaded, inputs) as argv:
        return tuple(_clean(tool, argv, here) for tool in compute_sanitizer.TOOLS)


def _clean(tool: str, argv: tuple[str, ...], here: Here) -> Check:
    found = compute_sanitizer.check(tool, argv)
    if found:
        raise Wrong(f"compute-sanitizer found {len(found)} errors; the first is {found[0]}.")
    return Check(name=f"compute-sanitizer {tool}", passed=True, detail=f"no errors on {here.name}")


@contextmanager
def _program(here: Here, loaded: Loaded, inputs: Arrays) -> Iterator[tuple[str, ...]]:
    """The command line that runs the candidate once."""
    with TemporaryDirectory(prefix="atunner-once-") as name:
        folder = Path(name)
        np.savez(folder / "inputs.npz", **inputs)  # type: ignore[arg-type]  # numpy's stub mixes keywords and arrays
        order = {
            "library": here.library,
            "program": loaded.program(folder / "kernel.cubin"),
            "buffers": [b.model_dump(mode="json") for b in loaded.problem.buffers],
            "inputs": str(folder / "inputs.npz"),
            "repeats": 1,
        }
        (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
        yield here.command(sys.executable, "-I", str(Path(once.__file__)), str(folder / "order.json"))
