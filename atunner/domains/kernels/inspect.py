"""Any CUDA kernel of the user's, read: facts for each architecture, what to look at first, gates for CI."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import Field

from atunner.core.device import Device
from atunner.core.errors import CandidateError, UserError
from atunner.core.occupancy import MAX_THREADS, REGISTERS_PER_SM, limits
from atunner.core.pipes import pipes
from atunner.core.profile import StaticFacts
from atunner.core.value import Value
from atunner.domains.kernels import cubin
from atunner.domains.kernels.static_facts import LaunchShape
from atunner.domains.kernels.static_facts import inspect as read
from atunner.tools.nvcc import compile_with_nvcc
from atunner.tools.nvrtc import Compiled, CompileJob, Outcome
from atunner.tools.nvrtc_children import compile_many

MAX_BLOCK = (1024, 1024, 64)
# Sixteen of 64 warps saturate issue when nothing waits for memory (CUDA C++ Programming Guide: 4 schedulers, 4 cycles).
LOW_OCCUPANCY = 0.25


class Request(Value):
    """What to inspect. targets: devices with their architectures. block: None for the launch bounds or 256 threads."""

    file: str
    source: str
    kernel: str = ""
    targets: tuple[Device, ...]
    defines: dict[str, str] = Field(default_factory=dict)
    block: tuple[int, int, int] | None = None
    grid: tuple[int, int, int] = (0, 0, 0)
    shared: int = 0
    compiler: str = "nvrtc"


class Gates(Value):
    """Demands of CI; None asks nothing. min_occupancy: a fraction."""

    max_registers: int | None = None
    no_spills: bool = False
    min_occupancy: float | None = None


class Report(Value):
    """One kernel on one target. pipes: share of the busiest pipe's cycles; look_at: advice, most important first."""

    file: str
    kernel: str
    target: str
    facts: StaticFacts
    pipes: dict[str, float]
    look_at: tuple[str, ...]
    failed: tuple[str, ...] = ()


class Declared(NamedTuple):
    """A `__global__` function in a source."""

    name: str
    template: bool


NO_GATES = Gates()


def inspect(request: Request, gates: Gates = NO_GATES) -> tuple[Report, ...]:
    """One report for each target.

    Raises:
        UserError: no kernel, several and none named, a launch over the limits, a source that does not compile.
    """
    name = _chosen(request)
    _check_block(request.block)
    jobs = [_job(request, name, target) for target in request.targets]
    return tuple(
        _report(request, name, target, compiled, gates)
        for target, compiled in zip(request.targets, _compile(request, jobs), strict=True)
    )


def declared(source: str) -> tuple[Declared, ...]:
    """The `__global__` functions that a source spells out, comments left aside."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", source, flags=re.DOTALL)
    return tuple(dict.fromkeys(_declared(text)))


def _declared(text: str) -> Iterator[Declared]:
    for found in re.finditer(r"\b__global__\b", text):
        rest = re.sub(r"__\w+__\s*\([^()]*(?:\([^()]*\)[^()]*)*\)", " ", text[found.end() : found.end() + 600])
        name = re.match(r"[^(;{}]*?(\w+)\s*\(", rest)
        if name:
            before = text[max(0, found.start() - 300) : found.start()]
            yield Declared(name[1], bool(re.search(r"template\s*<[^;{}]*>\s*[\w\s]*$", before)))


def _chosen(request: Request) -> str:
    known = declared(request.source)
    names = [kernel.name for kernel in known]
    if not known:
        raise UserError(f"No kernel in {request.file}: expected a __global__ function.")
    if not request.kernel and len(known) > 1:
        raise UserError(f"{request.file} has {len(known)} kernels: {', '.join(names)}. Choose one with --kernel.")
    name = request.kernel or names[0]
    bare = name.split("<")[0].split("::")[-1].strip()
    kernel = next((one for one in known if one.name == bare), None)
    if kernel is None:
        raise UserError(f"No kernel named {bare!r} in {request.file}. It has: {', '.join(names)}.")
    if kernel.template and "<" not in name and request.compiler == "nvrtc":
        raise UserError(f"{bare} is a template. Name an instance, as in --kernel '{bare}<4>'.")
    return name


def _check_block(block: tuple[int, int, int] | None) -> None:
    if block is None:
        return
    over = any(not 1 <= extent <= most for extent, most in zip(block, MAX_BLOCK, strict=True))
    threads = block[0] * block[1] * block[2]
    if over or threads > MAX_THREADS:
        text = ",".join(map(str, block))
        raise UserError(
            f"Block {text} has {threads} threads. Expected at most {MAX_THREADS}, and at most 1024,1024,64 by axis."
        )


def _job(request: Request, name: str, target: Device) -> CompileJob:
    if not target.arch.startswith("sm_"):
        raise UserError(f"{target.name} is {target.arch}: inspect reads CUDA machine code. Name an NVIDIA GPU.")
    limits(target.arch)
    names = (name,) if request.compiler == "nvrtc" else ()
    return CompileJob(source=request.source, arch=target.arch, defines=request.defines, names=names)


def _compile(request: Request, jobs: list[CompileJob]) -> list[Compiled]:
    outcomes = [_with_nvcc(job) for job in jobs] if request.compiler == "nvcc" else compile_many(jobs, workers=2)
    compiled = []
    for outcome in outcomes:
        if isinstance(outcome, CandidateError):
            raise UserError(_refusal(request.file, str(outcome))) from outcome
        compiled.append(outcome)
    return compiled


def _with_nvcc(job: CompileJob) -> Outcome:
    try:
        return compile_with_nvcc(job)
    except CandidateError as error:
        return error


def _refusal(file: str, words: str) -> str:
    host = "host function" in words or "cannot open source file" in words or "host variable" in words
    hint = " NVRTC takes device code only; for a whole program add --compiler nvcc." if host else ""
    return f"{file} does not compile.{hint}\n{words}"


def _report(request: Request, name: str, target: Device, compiled: Compiled, gates: Gates) -> Report:
    kernel = _symbol(name, compiled)
    block = request.block or (kernel.max_threads or 256, 1, 1)
    shape = LaunchShape(block, request.grid, request.shared)
    _check_launch(name, kernel, shape, target)
    facts = next(f for f in read(compiled, {kernel.name: shape}) if f.kernel == kernel.name)
    cycles = pipes(facts, target)
    busiest = max(cycles.values()) or 1.0
    shares = {pipe: round(value / busiest, 3) for pipe, value in cycles.items() if value}
    return Report(
        file=request.file,
        kernel=name,
        target=target.name,
        facts=facts,
        pipes=dict(sorted(shares.items(), key=lambda item: -item[1])),
        look_at=tuple(look_at(facts, cycles)),
        failed=tuple(_failures(facts, gates)),
    )


def _symbol(name: str, compiled: Compiled) -> cubin.Kernel:
    """The compiled kernel of a C++ name: as the compiler lowered it, or by the mangled form of its bare name."""
    found = cubin.kernels(compiled.cubin, compiled.arch)
    bare = name.split("<")[0].split("::")[-1].strip()
    symbol = compiled.lowered.get(name)
    for kernel in found:
        if kernel.name in (symbol, bare) or (symbol is None and f"{len(bare)}{bare}" in kernel.name):
            return kernel
    raise UserError(f"{name} was not compiled: the file has {', '.join(k.name for k in found) or 'no instance of it'}.")


def _check_launch(name: str, kernel: cubin.Kernel, shape: LaunchShape, target: Device) -> None:
    known = limits(target.arch)
    shared = kernel.shared + shape.dynamic_shared
    if shared > known.shared_per_block:
        raise UserError(
            f"{name} needs {shared} B of shared memory per block; {target.name} has {known.shared_per_block} B. "
            "Use smaller tiles."
        )
    if kernel.max_threads and shape.threads > kernel.max_threads:
        raise UserError(f"{name} is bounded to {kernel.max_threads} threads by __launch_bounds__; got {shape.threads}.")
    if kernel.registers * shape.threads > REGISTERS_PER_SM:
        raise UserError(
            f"{name} needs {kernel.registers} registers for each of {shape.threads} threads; a multiprocessor "
            f"has {REGISTERS_PER_SM}. Use a smaller --block or __launch_bounds__."
        )


def look_at(facts: StaticFacts, cycles: dict[str, float]) -> Iterator[str]:
    """What deserves the first look, most important first; at least one line."""
    lines = [line for rule in (_spills, _local, _residency, _access, _loops) for line in rule(facts)]
    yield from lines
    busiest = max(cycles, key=cycles.__getitem__)
    yield f"busiest pipe: {busiest}, {_MEANS[busiest]}"


_MEANS = {
    "issue": "so every instruction counts: fewer address computations, wider loads, more work per thread",
    "fp32": "so arithmetic sets the pace, as it should for dense work",
    "half": "so half-precision arithmetic sets the pace; tensor cores would do more per cycle",
    "fp64": "so double precision sets the pace; check that every double is wanted",
    "int": "so index arithmetic sets the pace: hoist it out of the loops or make extents powers of two",
    "special": "so exp, sqrt, division or conversions set the pace",
    "shuffle": "so exchanges between lanes set the pace",
    "atomic": "so atomics set the pace: reduce within the block first",
    "tensor": "so tensor cores set the pace, as they should",
    "shared_memory": "so shared memory sets the pace: keep operands in registers, use 128-bit accesses",
    "global_access": "so global accesses set the pace: reuse through shared memory or registers",
}


def _spills(facts: StaticFacts) -> Iterator[str]:
    if facts.spill_bytes:
        yield (
            f"register spills: {facts.spill_bytes} B a thread with {facts.registers} registers; unroll less, split the "
            "kernel, or allow more registers"
        )


def _local(facts: StaticFacts) -> Iterator[str]:
    if facts.local_array_bytes:
        yield (
            f"local arrays: {facts.local_array_bytes} B a thread are indexed at run time and live in memory (these are "
            "not spills); unroll fully or use shared memory"
        )


def _residency(facts: StaticFacts) -> Iterator[str]:
    found = facts.occupancy
    if found is not None and found.fraction <= LOW_OCCUPANCY:
        cliff = f"; {found.next_cliff}" if found.next_cliff else ""
        yield f"occupancy {found.fraction:.0%}, limited by {found.limiter}{cliff}"


def _access(facts: StaticFacts) -> Iterator[str]:
    narrow = sum(count for bits, count in facts.widths.items() if int(bits) <= 32)
    wide = sum(count for bits, count in facts.widths.items() if int(bits) > 32)
    if narrow >= 4 and not wide:
        yield f"all {narrow} global accesses are 32 bits or narrower; 128-bit ones need a quarter of the instructions"


def _loops(facts: StaticFacts) -> Iterator[str]:
    if facts.unknown_loops:
        yield (
            f"{facts.unknown_loops} loops run an unknown number of times and are counted once; give extents with "
            "--define for exact counts"
        )


def _failures(facts: StaticFacts, gates: Gates) -> Iterator[str]:
    if gates.max_registers is not None and facts.registers > gates.max_registers:
        yield f"{facts.registers} registers > {gates.max_registers}"
    if gates.no_spills and facts.spill_bytes:
        yield f"{facts.spill_bytes} B spilled"
    fraction = facts.occupancy.fraction if facts.occupancy else 0.0
    if gates.min_occupancy is not None and fraction < gates.min_occupancy:
        yield f"occupancy {fraction:.2f} < {gates.min_occupancy:g}"
