"""Source to machine code: NVRTC where its package is, else nvcc where that is."""

import importlib.util
import shutil
import subprocess  # noqa: TID251  this runs where ATunner's own `tools.process` is not installed
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIMIT_S = 300.0
MOST_LINES = 20


class Refused(Exception):
    """The compiler refused the kernel."""


class NoCompiler(Exception):
    """Neither NVRTC nor nvcc is here."""


def compiler() -> str:
    """Name and version of the compiler that will be used; "" when there is none."""
    if importlib.util.find_spec("cuda") and importlib.util.find_spec("cuda.bindings"):
        try:
            return f"NVRTC {version('nvidia-cuda-nvrtc')}"
        except PackageNotFoundError:
            return "NVRTC"
    return "nvcc" if shutil.which("nvcc") else ""


def compiled(source: str, arch: str, macros: dict[str, str], flags: list[str]) -> bytes:
    """The cubin.

    Raises:
        Refused: with the compiler's words. NoCompiler: with what to install.
    """
    options = [f"-D{name}={text}" for name, text in macros.items()] + flags
    if compiler().startswith("NVRTC"):
        return _nvrtc(source, arch, options)
    if compiler():
        return _nvcc(source, arch, options)
    raise NoCompiler("no compiler: pip install cuda-core cuda-bindings nvidia-cuda-nvrtc, or put nvcc on PATH")


def _include_folders() -> Iterator[Path]:
    spec = importlib.util.find_spec("nvidia")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        for part in ("cu13", "cuda_runtime"):
            folder = Path(root) / part / "include"
            if folder.is_dir():
                yield folder
                yield folder / "cccl"


def _nvrtc(source: str, arch: str, options: list[str]) -> bytes:
    from cuda.bindings import nvrtc

    def call(name: str, *arguments: Any) -> Any:
        code, *values = getattr(nvrtc, name)(*arguments)
        if code != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            raise NoCompiler(f"{name} failed: {code.name}")
        return values[0] if values else None

    program = call("nvrtcCreateProgram", source.encode(), b"kernel.cu", 0, [], [])
    words = [f"--gpu-architecture={arch}", *(f"--include-path={folder}" for folder in _include_folders()), *options]
    (code,) = nvrtc.nvrtcCompileProgram(program, len(words), [word.encode() for word in words])
    if code != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        log = b" " * call("nvrtcGetProgramLogSize", program)
        call("nvrtcGetProgramLog", program, log)
        raise Refused(_shortened(log.decode(errors="replace")) or code.name)
    cubin = bytes(call("nvrtcGetCUBINSize", program))
    call("nvrtcGetCUBIN", program, cubin)
    return cubin


def _nvcc(source: str, arch: str, options: list[str]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="bundle-") as folder:
        given, made = Path(folder) / "kernel.cu", Path(folder) / "kernel.cubin"
        given.write_text(source, encoding="utf-8")
        words = ["nvcc", "-cubin", f"-arch={arch}", *options, str(given), "-o", str(made)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        if done.returncode:
            raise Refused(_shortened(done.stderr + done.stdout))
        return made.read_bytes()


def _shortened(log: str) -> str:
    lines = [line.rstrip("\0 ") for line in log.splitlines() if line.strip("\0 ")]
    return "\n".join(lines[:MOST_LINES])
