"""nvcc, where it is installed and asked for: whole .cu files, host code included, to machine code."""

from pathlib import Path
from tempfile import TemporaryDirectory

from atunner.core.errors import NotBuilt
from atunner.tools.nvrtc import SOURCE_NAME, Compiled, CompileJob, shortened
from atunner.tools.process import run

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
