"""NVRTC: CUDA C++ to machine code for a named architecture; no GPU, no driver, no toolkit.

Compiling code that someone else wrote happens in a child process (`nvrtc_children.compile_many`, or an executor's
worker that calls `compile_here`). Outcomes are kept by content in a folder that the caller names.
"""

import importlib.util
import os
import re
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from pydantic import Field

from atunner.core.errors import CandidateError, NotBuilt, TimedOut, ToolError, UserError
from atunner.core.value import Value, content_id

SOURCE_NAME = "kernel.cu"
MAX_LINES = 40


class CompileJob(Value):
    """One source for one architecture. defines: macro -> text. names: template instances wanted, as in C++.

    headers: in-memory includes by name. flags: further NVRTC options, word by word.
    """

    source: str
    arch: str
    defines: dict[str, str] = Field(default_factory=dict)
    flags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    headers: dict[str, str] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """Hash of the content and of the compiler's version: the name in the cache."""
        return content_id({"job": self.model_dump(mode="json"), "compiler": package_version()})


class Compiled(Value):
    """Machine code for one architecture. log: what the compiler said, with the resources of each kernel.

    lowered: C++ name -> symbol, for the names that the job asked for.
    """

    arch: str
    cubin: bytes
    log: str = ""
    lowered: dict[str, str] = Field(default_factory=dict)


Outcome = Compiled | CandidateError


class Kept(Value):
    """An outcome on disk beside its cubin: error is "" when it compiled."""

    arch: str
    error: str = ""
    log: str = ""
    lowered: dict[str, str] = Field(default_factory=dict)


@lru_cache
def package_version() -> str:
    """The version of the NVRTC package; "" when it is not installed."""
    try:
        return installed_version("nvidia-cuda-nvrtc")
    except PackageNotFoundError:
        return ""


def available() -> bool:
    """Whether NVRTC and its binding are installed."""
    return bool(package_version()) and importlib.util.find_spec("cuda") is not None


@lru_cache
def include_folders() -> tuple[Path, ...]:
    """Folders with CUDA's headers (`cuda_fp16.h`, `mma.h`, `cuda/std`) in the installed packages."""
    spec = importlib.util.find_spec("nvidia")
    roots = [Path(root) for root in (spec.submodule_search_locations or ())] if spec else []
    found = [root / cuda / "include" for root in roots for cuda in ("cu13", "cuda_runtime")]
    found += [folder / "cccl" for folder in found]
    return tuple(folder for folder in found if folder.is_dir())


@lru_cache
def architectures() -> tuple[str, ...]:
    """The architectures that this compiler takes, oldest first, as it says itself."""
    return tuple(f"sm_{number}" for number in _call("nvrtcGetSupportedArchs"))


def check_architecture(arch: str) -> str:
    """Return `arch` when this compiler takes it.

    Raises:
        UserError: it never knew it, or no longer does.
    """
    known = architectures()
    base = re.sub(r"(?<=\d)[af]$", "", arch)
    if base in known and (base == arch or int(base[3:]) >= 90):
        return arch
    numbers = re.fullmatch(r"sm_(\d+)", base)
    dropped = numbers is not None and int(numbers[1]) < int(known[0][3:])
    why = f"was dropped by NVRTC {package_version()}; its oldest is {known[0]}" if dropped else "is not known to NVRTC"
    raise UserError(f"Architecture {arch!r} {why}. Use one of {', '.join(known)}.")


def compile_here(job: CompileJob, cache: Path | None = None) -> Compiled:
    """Compile in this process, or take the outcome from `cache`.

    Raises:
        NotBuilt: with the compiler's words, shortened. UserError: an architecture that it does not take.
    """
    kept = recall(job, cache) if cache else None
    outcome = _compile(job) if kept is None else kept
    if kept is None and cache:
        keep(job, outcome, cache)
    if isinstance(outcome, CandidateError):
        raise outcome
    return outcome


def shortened(log: str) -> str:
    """The compiler's words from the first error on, verbatim, at most MAX_LINES lines."""
    lines = [line.rstrip() for line in log.strip().splitlines() if line.strip() and "ptxas info" not in line]
    first = next((i for i, line in enumerate(lines) if "error" in line), 0)
    rest = lines[first:]
    cut = rest[:MAX_LINES] + ([f"... {len(rest) - MAX_LINES} more lines"] if len(rest) > MAX_LINES else [])
    return "\n".join(cut)


def recall(job: CompileJob, cache: Path) -> Outcome | None:
    """The outcome kept for a job, None when there is none."""
    try:
        kept = Kept.model_validate_json((cache / f"{job.id}.json").read_text(encoding="utf-8"))
        if kept.error:
            return NotBuilt(kept.error)
        cubin = (cache / f"{job.id}.cubin").read_bytes()
    except (FileNotFoundError, ValueError):
        return None
    return Compiled(arch=kept.arch, cubin=cubin, log=kept.log, lowered=kept.lowered)


def keep(job: CompileJob, outcome: Outcome, cache: Path) -> None:
    """Write an outcome; the JSON comes last, so that what is readable is whole. A time-out is not kept."""
    if isinstance(outcome, TimedOut):
        return
    cache.mkdir(parents=True, exist_ok=True)
    if isinstance(outcome, Compiled):
        _write(cache / f"{job.id}.cubin", outcome.cubin)
        kept = Kept(arch=job.arch, log=outcome.log, lowered=outcome.lowered)
    else:
        kept = Kept(arch=job.arch, error=str(outcome))
    _write(cache / f"{job.id}.json", kept.model_dump_json().encode())


def _write(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)


def _compile(job: CompileJob) -> Outcome:
    check_architecture(job.arch)
    program = _call(
        "nvrtcCreateProgram",
        job.source.encode(),
        SOURCE_NAME.encode(),
        len(job.headers),
        [text.encode() for text in job.headers.values()],
        [name.encode() for name in job.headers],
    )
    try:
        return _run(program, job)
    finally:
        _call("nvrtcDestroyProgram", program)


def _run(program: Any, job: CompileJob) -> Outcome:
    for name in job.names:
        _call("nvrtcAddNameExpression", program, name.encode())
    options = [option.encode() for option in _options(job)]
    nvrtc = _library()
    (code,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    log = _text(program, "ProgramLog")
    if code != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        return NotBuilt(shortened(log) or f"NVRTC failed: {code.name}.")
    lowered = {name: _call("nvrtcGetLoweredName", program, name.encode()).decode() for name in job.names}
    # The binding writes into the buffer that it is handed, so this must be a fresh object.
    cubin = bytes(_call("nvrtcGetCUBINSize", program))
    _call("nvrtcGetCUBIN", program, cubin)
    return Compiled(arch=job.arch, cubin=cubin, log=log, lowered=lowered)


def _options(job: CompileJob) -> Iterator[str]:
    yield f"--gpu-architecture={job.arch}"
    yield "--ptxas-options=-v"
    yield from (f"--include-path={folder}" for folder in include_folders())
    yield from (f"-D{name}={text}" if text else f"-D{name}" for name, text in job.defines.items())
    yield from job.flags


def _text(program: Any, what: str) -> str:
    size: int = _call(f"nvrtcGet{what}Size", program)
    buffer = bytes(size)
    _call(f"nvrtcGet{what}", program, buffer)
    return buffer.decode(errors="replace").rstrip("\0\n ")


def _call(function: str, *arguments: Any) -> Any:
    nvrtc = _library()
    code, *values = getattr(nvrtc, function)(*arguments)
    if code != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        raise ToolError(f"NVRTC's {function} failed: {code.name}.")
    return values[0] if values else None


@lru_cache
def _library() -> Any:
    try:
        from cuda.bindings import nvrtc
    except ImportError as error:
        raise ToolError("NVRTC is not installed. Install it with: pip install 'atunner[cuda]'.") from error
    return nvrtc
