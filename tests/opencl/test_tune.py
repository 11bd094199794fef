"""`atunner tune kernel` for OpenCL, from end to end on this machine's processor."""

import json
from pathlib import Path
from typing import Any

import pytest

from atunner.cli.app import run

# The careless ones are faster: a slower one is raced out before its results are looked at.
SOURCE = """
__kernel void scale(__global float *y, __global const float *x, uint n, float a) {
    int i = get_global_id(0);
    float sum = 0;
    for (int k = 0; k < (careless ? 32 : 128); ++k) sum = sum * 0.5f + a * x[i < n ? i : 0];
    if (careless || i < n) y[i] = sum;
}
"""
TEXT = """
kernel: scale.cl
problem_size: 40010
parameters: {block_size_x: [64, 128], careless: [0, 1]}
arguments:
  y: float32[problem_size_x] output
  x: float32[problem_size_x]
  n: uint32 = problem_size_x
  a: float32 = 3
reference: {python: reference.py, function: scale}
"""
REFERENCE = "def scale(x):\n    return 6.0 * x\n"


def test_an_opencl_kernel_is_tuned_and_its_overrun_is_found(
    backend: Any, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("scale.cl", SOURCE), ("scale.yaml", TEXT)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "reference.py").write_text(REFERENCE, encoding="utf-8")
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(cache))
    monkeypatch.setenv("ATUNNER_WORKERS", "1")

    out, file = tmp_path / "out", tmp_path / "scale.yaml"

    assert run(["tune", "kernel", str(file), "--budget", "4", "--json", "--output", str(out)]) == 0
    record = json.loads(capfd.readouterr().out)
    told = {(t["candidate"]["params"]["careless"], t["status"]) for t in record["trials"]}
    assert (0, "ok") in told
    assert (1, "wrong") in told
    assert record["provenance"] == "measured"
    assert record["environment"]["driver"].startswith("Portable Computing Language")
    assert (out / "best.cl").is_file()
