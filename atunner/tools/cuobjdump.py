"""NVIDIA's disassembler and cubin dumper, from their PyPI packages inside the environment; no toolkit, no GPU."""

import importlib.util
import shutil
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from atunner.core.errors import ToolError
from atunner.tools.process import run

TIMEOUT_S = 120.0
# An instruction has 16 bytes and its line at most about 100: 10,000 lines stay below the 1 MiB of output that is kept.
PIECE_BYTES = 10_000 * 16


class DisassemblyFailed(ToolError):
    """The disassembler refused what it was given."""


@lru_cache
def program(name: str) -> str:
    """Path of `cuobjdump` or `nvdisasm`: the package's in this environment, else the one on PATH.

    Raises:
        ToolError: neither is there.
    """
    spec = importlib.util.find_spec("nvidia")
    roots = [Path(root) for root in (spec.submodule_search_locations or ())] if spec else []
    folders = [root / "cu13" / "bin" for root in roots] + [Path(sysconfig.get_path("scripts"))]
    found = next((str(folder / name) for folder in folders if (folder / name).is_file()), None) or shutil.which(name)
    if found is None:
        raise ToolError(f"{name} is not installed. Install it with: pip install 'atunner[cuda]'.")
    return found


def available() -> bool:
    """Whether machine code can be disassembled here."""
    try:
        return bool(program("nvdisasm"))
    except ToolError:
        return False


def disassemble(code: bytes, arch: str) -> str:
    """SASS text of raw machine code, one instruction a line with its offset in `code`.

    Several kernels joined end to end cost one process start (0.2 s) instead of one each.

    Raises:
        DisassemblyFailed: not code of that architecture.
    """
    with TemporaryDirectory(prefix="atunner-sass-") as folder, ThreadPoolExecutor(2) as pool:
        return "".join(
            pool.map(lambda start: _piece(code, start, arch, Path(folder)), range(0, len(code), PIECE_BYTES))
        )


def _piece(code: bytes, start: int, arch: str, folder: Path) -> str:
    file = folder / f"{start}.bin"
    file.write_bytes(code[start : start + PIECE_BYTES])
    # Raw code has no control-flow annotations to follow, so the data-flow analyser would only cost time.
    done = run(
        program("nvdisasm"),
        "--no-dataflow",
        "--base-address",
        hex(start),
        "--binary",
        arch.replace("sm_", "SM"),
        str(file),
        timeout_s=TIMEOUT_S,
    )
    if done.code:
        raise DisassemblyFailed(f"nvdisasm failed on {arch}: {done.output.strip()[:200] or 'no output'}")
    return done.output


def resource_usage(cubin: bytes) -> str:
    """What `cuobjdump -res-usage` prints of a cubin: registers, stack and shared memory of each function.

    Raises:
        DisassemblyFailed: not a cubin.
    """
    with TemporaryDirectory(prefix="atunner-cubin-") as folder:
        file = Path(folder) / "kernel.cubin"
        file.write_bytes(cubin)
        done = run(program("cuobjdump"), "-res-usage", str(file), timeout_s=TIMEOUT_S)
    if done.code:
        raise DisassemblyFailed(f"cuobjdump failed: {done.output.strip()[:200]}")
    return done.output
