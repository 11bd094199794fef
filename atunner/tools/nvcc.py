"""nvcc, where it is installed and asked for: whole .cu files, host code included, to machine code."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from atunner.core.errors import CandidateError, NotBuilt
from atunner.tools.nvrtc import SOURCE_NAME, Compiled, CompileJob, Outcome, keep, recall, shortened
from atunner.tools.process import ASKED_S, run

TIMEOUT_S = 300.0


def compile_with_nvcc(job: CompileJob, nvcc: str = "nvcc", timeout_s: float = TIMEOUT_S) -> Compiled:
    """Compile with nvcc; `job.names` does not count, since nvcc keeps every kernel and instance of the file.

    Raises:
        NotBuilt: with the compiler's words, shortened. ToolError: nvcc is missing or hangs.
    """
    with TemporaryDirectory(prefix="atunner-nvcc-") as folder:
        for name, text in {SOURCE_NAME: job.source, **job.headers}.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        defines = [f"-D{name}={text}" if text else f"-D{name}" for name, text in job.defines.items()]
        done = run(
            nvcc,
            "-cubin",
            f"-arch={job.arch}",
            "-O3",
            "-Xptxas=-v",
            *defines,
            *job.flags,
            SOURCE_NAME,
            "-o",
            "kernel.cubin",
            cwd=Path(folder),
            timeout_s=timeout_s,
        )
        if done.code:
            raise NotBuilt(shortened(done.output) or f"nvcc failed with code {done.code}.")
        return Compiled(arch=job.arch, cubin=(Path(folder) / "kernel.cubin").read_bytes(), log=done.output)


@lru_cache
def version(nvcc: str = "nvcc") -> str:
    """The compiler's release, as it says itself. Raises ToolError when it is missing."""
    found = re.search(r"release [\d.]+, V([\d.]+)", run(nvcc, "--version", timeout_s=ASKED_S).output)
    return found[1] if found else "unknown"


def compile_kept(job: CompileJob, cache: Path, nvcc: str = "nvcc") -> Compiled:
    """Compile, or take the outcome from `cache`, where each release of nvcc has a folder of its own.

    Raises:
        NotBuilt: with the compiler's words, shortened. ToolError: nvcc is missing or hangs.
    """
    folder = cache / f"nvcc-{version(nvcc)}"
    outcome: Outcome | None = recall(job, folder)
    if outcome is None:
        try:
            outcome = compile_with_nvcc(job, nvcc)
        except NotBuilt as error:
            outcome = error
        keep(job, outcome, folder)
    if isinstance(outcome, CandidateError):
        raise outcome
    return outcome


def compile_all(jobs: Sequence[CompileJob], cache: Path, workers: int = 2) -> list[Outcome]:
    """Compile all jobs, `workers` side by side; outcomes in the order given. Raises ToolError."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        return list(pool.map(lambda job: _outcome(job, cache), jobs))


def _outcome(job: CompileJob, cache: Path) -> Outcome:
    try:
        return compile_kept(job, cache)
    except CandidateError as error:
        return error
