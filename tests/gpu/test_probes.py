import sys
from pathlib import Path

import pytest
from gpu.conftest import kernel, matmul

from atunner.core.errors import Wrong
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Oracle
from atunner.operators import operator

# Runs the program that it is pointed at, as the real tools do, and prints what stands in a file beside it.
TOOL = """#!{python}
import subprocess, sys
from pathlib import Path
here = Path(__file__)
words = sys.argv[sys.argv.index(sys.executable):]
done = subprocess.run(words, capture_output=True, text=True)
print(here.with_suffix(".txt").read_text() if not done.returncode else "==ERROR== " + done.stderr)
"""


def tool(folder: Path, name: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / name
    path.write_text(TOOL.format(python=sys.executable))
    path.chmod(0o755)
    path.with_suffix(".txt").write_text(says)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def fed() -> Feed:
    return Feed(Oracle(operator("matmul"), secret=7), matmul(), seed=3)


def test_counters_of_the_candidate_itself_are_in_its_profile(
    backend: CudaBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = (Path(__file__).parent / "ncu" / "metrics.csv").read_text()
    tool(tmp_path, "ncu", says, monkeypatch)

    found = backend.profile(backend.build(matmul(), kernel()), fed())

    assert found.kernels[0].kernel == "matmul"
    assert found.counters is not None
    assert found.counters.source == "ncu"
    assert found.counters.values["gpu__time_duration.sum"] == 51200.0


def test_no_permission_for_counters_leaves_the_static_facts_and_a_note(
    backend: CudaBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tmp_path, "ncu", "==ERROR== ERR_NVGPUCTRPERM - no permission", monkeypatch)

    found = backend.profile(backend.build(matmul(), kernel()), fed())

    assert found.counters is None
    assert found.kernels
    assert "NVreg_RestrictProfilingToAdminUsers=0" in found.notes[0]


def test_a_candidate_that_fails_under_the_profiler_is_told(
    backend: CudaBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tmp_path, "ncu", "never printed", monkeypatch)

    found = backend.profile(backend.build(matmul(), kernel("matmul_fault")), fed())

    assert "CUDA_ERROR_ILLEGAL_ADDRESS" in found.notes[0]


def test_the_sanitizers_verdict_is_the_judges(
    backend: CudaBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = backend.build(matmul(), kernel())
    tool(tmp_path, "compute-sanitizer", "========= ERROR SUMMARY: 0 errors", monkeypatch)
    assert [c.name.split()[1] for c in backend.sanitize(built, fed())] == [
        "memcheck",
        "racecheck",
        "initcheck",
        "synccheck",
    ]

    bad = (
        "========= Invalid __global__ read of size 4 bytes\n=========     at matmul+0x10\n"
        "========= ERROR SUMMARY: 1 error"
    )
    tool(tmp_path, "compute-sanitizer", bad, monkeypatch)
    with pytest.raises(Wrong, match=r"found 1 errors; the first is memcheck: Invalid __global__ read"):
        backend.sanitize(built, fed())


def test_without_the_tools_the_profile_says_so(
    backend: CudaBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    built = backend.build(matmul(), kernel())

    assert "Nsight Compute (ncu) is not on this machine" in backend.profile(built, fed()).notes[0]
    assert backend.sanitize(built, fed()) == ()
