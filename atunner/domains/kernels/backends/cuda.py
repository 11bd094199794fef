"""CUDA: compiled to machine code and inspected; checked on the CPU where the device is not here, else run on it."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import CandidateError, NotBuilt, NotMeasured, ToolError, UserError
from atunner.core.measurement import Environment
from atunner.core.profile import Profile, StaticFacts
from atunner.core.program import Problem, Program
from atunner.core.trial import Check
from atunner.domains.kernels import cubin
from atunner.domains.kernels.backends import Job, Ran
from atunner.domains.kernels.backends.program import program_of
from atunner.domains.kernels.cpu_check import Instance, Mode, Order
from atunner.domains.kernels.cpu_check import build as build_check
from atunner.domains.kernels.cpu_check import run as run_check
from atunner.domains.kernels.cpu_check.building import Checked
from atunner.domains.kernels.cpu_check.toolchain import compiler as host_compiler
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.gate import static
from atunner.domains.kernels.gpu import limits, probes
from atunner.domains.kernels.gpu.present import Here
from atunner.domains.kernels.gpu.session import GpuSession, Loaded, Run, run_all
from atunner.domains.kernels.oracle import written_buffers
from atunner.domains.kernels.static_facts import LaunchShape, inspect_all
from atunner.domains.kernels.timing import Session, TimingPlan
from atunner.tools import compute_sanitizer, ncu, nvcc
from atunner.tools.lock import awaited
from atunner.tools.nvrtc import Compiled, CompileJob, Outcome, compile_here, package_version
from atunner.tools.nvrtc_children import compile_many
from atunner.tools.process import Finished, run
from atunner.tools.runner import program
from atunner.tools.sandbox import Chain, Layer, Limits, confined, demand, strongest

ORDERS = (Order(), Order("reverse"), Order.shuffled(1), Order.shuffled(2))
COMPILERS = ("nvrtc", "nvcc")
GPU_CASE_S = 20.0
"""Longest that one verified call may take on the device, copies included."""


@dataclass(frozen=True)
class CudaBuilt:
    """A candidate for one problem. compiled: machine code for the target; None for a problem that is only checked."""

    problem: Problem
    candidate: Candidate
    program: Program
    compiled: Compiled | None = None

    @property
    def source(self) -> str:
        """The text of the file that is compiled."""
        return self.candidate.files[self.program.source]

    @property
    def names(self) -> dict[str, object]:
        """What launch expressions may use."""
        return {**self.problem.dims, **self.candidate.params}

    @property
    def loaded(self) -> Loaded:
        """With its machine code. Raises NotMeasured when it has none."""
        if self.compiled is None:
            raise NotMeasured("this candidate was only checked, not compiled for the device")
        return Loaded(self.problem, self.candidate, self.compiled)

    @property
    def digest(self) -> str:
        """SHA-256 of the machine code; "" where there is none."""
        return hashlib.sha256(self.compiled.cubin).hexdigest() if self.compiled else ""

    @property
    def argv(self) -> tuple[str, ...]:
        """Architecture, definitions and flags that the compiler was told."""
        if self.compiled is None:
            return ()
        macros = (f"-D{name}={value}" for name, value in self.problem.macros(self.candidate.params).items())
        return (f"--gpu-architecture={self.compiled.arch}", *macros, *self.program.flags)

    def shapes(self) -> dict[str, LaunchShape]:
        """How each kernel is launched, by symbol of the machine code."""
        lowered = self.compiled.lowered if self.compiled else {}
        return {
            lowered.get(g.kernel, g.kernel): LaunchShape(block=g.block, grid=g.grid, dynamic_shared=g.shared_bytes)
            for g in self.program.geometry(self.names)
        }


Built = CudaBuilt | CandidateError


class CudaBackend:
    """The backend for `language: cuda`. target: the problem that machine code is made for; others are only checked.

    here: the device, when it is on this machine: then all problems are compiled, run and timed on it.
    """

    language = "cuda"
    case_s = GPU_CASE_S

    def __init__(
        self,
        cache: Path,
        device: Device,
        target: Problem,
        sandbox: str = "rlimits",
        compiler: str = "nvrtc",
        here: Here | None = None,
    ) -> None:
        self._cache, self._device, self._target = cache, device, target
        self.compiler, self.here = compiler, here
        self._timed: GpuSession | None = None
        self.chain = within_folders(strongest(cache))
        demand(self.chain, sandbox)

    def check(self, problem: Problem, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate over the tokens of every file. Raises Rejected."""
        return static(candidate.files)

    def build(self, problem: Problem, candidate: Candidate) -> CudaBuilt:
        """Compile to machine code, or take it from the cache. Raises NotBuilt."""
        built = CudaBuilt(problem, candidate, program_of(candidate))
        if problem != self._target and self.here is None:
            return built
        if self.compiler == "nvcc":
            return self.finished(built, nvcc.compile_kept(self.job(built), self._cache))
        return self.finished(built, compile_here(self.job(built), self._cache / "nvrtc"))

    def job(self, built: CudaBuilt) -> CompileJob:
        """What the compiler is told."""
        return CompileJob(
            source=built.source,
            arch=self._device.arch,
            defines=built.problem.macros(built.candidate.params),
            flags=built.program.flags,
            names=tuple(sorted({launch.kernel for launch in built.program.launches})),
        )

    def finished(self, built: CudaBuilt, compiled: Compiled) -> CudaBuilt:
        """With its machine code, held against the device's limits.

        Raises:
            NotBuilt: a launch that the device does not take, or a kernel that is not there.
        """
        kernels = cubin.kernels(compiled.cubin, compiled.arch)
        names = {name: _symbol(name, compiled, [k.name for k in kernels]) for name in self.job(built).names}
        made = replace(built, compiled=compiled.model_copy(update={"lowered": names}))
        try:
            launches = built.program.geometry(built.names)
        except UserError as error:  # the candidate's own expressions
            raise NotBuilt(str(error)) from error
        limits.admit([g.model_copy(update={"kernel": names[g.kernel]}) for g in launches], kernels, self._device)
        return made

    def compile_all(self, jobs: Sequence[CompileJob], workers: int) -> list[Outcome]:
        """Outcomes in the order given, compiled side by side."""
        if self.compiler == "nvcc":
            return nvcc.compile_all(jobs, self._cache, workers)
        return compile_many(jobs, self._cache / "nvrtc", workers)

    def build_all(self, problem: Problem, candidates: Sequence[Candidate], workers: int) -> list[Built]:
        """Each candidate for the target's problem, compiled side by side; in the place of one that fails, why."""
        if len(candidates) == 1:
            return [_or_error(lambda: self.build(problem, candidates[0]))]
        begun = [_or_error(partial(self._begun, problem, c)) for c in candidates]
        jobs = [self.job(one) for one in begun if isinstance(one, CudaBuilt)]
        outcomes = iter(self.compile_all(jobs, workers))
        return [self._finished(one, next(outcomes)) if isinstance(one, CudaBuilt) else one for one in begun]

    def _begun(self, problem: Problem, candidate: Candidate) -> CudaBuilt:
        return CudaBuilt(problem, candidate, program_of(candidate))

    def _finished(self, built: CudaBuilt, outcome: Outcome) -> Built:
        return outcome if isinstance(outcome, CandidateError) else _or_error(lambda: self.finished(built, outcome))

    def facts_all(self, built: Sequence[CudaBuilt]) -> list[tuple[StaticFacts, ...]]:
        """What the machine code of each says, kernel by kernel; all of it is disassembled at once."""
        # A copy each: equal candidates share their machine code, and facts are told apart by the object.
        compiled = [one.compiled.model_copy() for one in built if one.compiled is not None]
        shapes = [one.shapes() for one in built if one.compiled is not None]
        seen = iter(zip(inspect_all(compiled, shapes), shapes, strict=True))
        return [_launched(*next(seen)) if one.compiled is not None else () for one in built]

    def facts(self, built: CudaBuilt) -> tuple[StaticFacts, ...]:
        """What the machine code says, kernel by kernel."""
        return self.facts_all([built])[0]

    def run_cases(self, jobs: Sequence[Job[CudaBuilt]]) -> list[list[Ran]]:
        """Run every case: on the device, in one process, where it is here; else on the CPU.

        There one compile a mode serves all problems, and the first case of each problem runs with every access checked
        (bounds, races, uninitialised reads), the others for their results in other thread orders. Raises Wrong,
        Crashed, TimedOut, NotVerified.
        """
        if self.here is not None:
            runs = [Run(job.built.loaded, job.cases, job.label) for job in jobs]
            with self.device():
                return run_all(self.here, runs, self.case_s)
        first = jobs[0].built
        instances = [Instance(job.built.problem, job.built.candidate.params) for job in jobs]
        with tempfile.TemporaryDirectory(prefix="atunner-check-") as name:
            full, fast = (self._checked(first, instances, mode, Path(name)) for mode in (Mode.CHECKED, Mode.FAST))
            return [self._ran(full, fast, index, job) for index, job in enumerate(jobs)]

    def _checked(self, built: CudaBuilt, instances: Sequence[Instance], mode: Mode, folder: Path) -> Checked:
        return build_check(built.source, built.program, instances, mode, folder / mode.value, self._cache / "check")

    def _ran(self, full: Checked, fast: Checked, index: int, job: Job[CudaBuilt]) -> list[Ran]:
        wanted = {b.name for b in written_buffers(job.built.problem)}
        found = []
        for number, case in enumerate(job.cases):
            checked = full if number == 0 else fast
            order = ORDERS[number % len(ORDERS)]
            outputs = run_check(checked, index, case.inputs, order, runner=self._confined)
            found.append(Ran({k: v for k, v in outputs.items() if k in wanted}))
        return found

    def _confined(self, *argv: str, cwd: Path, timeout_s: float, env: Mapping[str, str]) -> Finished:
        """Start the checker in the sandbox: it reads its own folder and the system, and writes its work folder only."""
        launcher = program("launcher", self._cache)
        limits = Limits(memory_bytes=0, cpu_s=int(timeout_s) + 1)
        wrapped = confined(self.chain, launcher, argv, (cwd,), limits, readable=(cwd.parent,))
        return run(*wrapped, cwd=cwd, timeout_s=timeout_s, env=env)

    @contextmanager
    def device(self) -> Iterator[None]:
        """The device alone, where it is here: one process of ATunner at a time is at work on it."""
        if self.here is None:
            yield
            return
        with awaited(self._cache / "locks" / f"{self.here.uuid or 'gpu'}.lock"):
            yield

    def session(self, built: CudaBuilt, feed: Feed, plan: TimingPlan) -> Session:
        """A timing session on the device; nothing is timed where the device is not. Raises NotMeasured."""
        if self.here is None:
            raise NotMeasured(f"{self._device.name} is not on this machine; measure it there with the bundle")
        self._timed = GpuSession(self.here, built.loaded, feed, plan)
        return self._timed

    def profile(self, built: CudaBuilt, feed: Feed) -> Profile:
        """Static facts; with the device here also Nsight Compute's counters, or in a note why there are none."""
        found = Profile(kernels=self.facts(built))
        if self.here is None:
            return found
        notes = self._conditions(built)
        if not ncu.available():
            return found.model_copy(
                update={"notes": (*notes, "no counters: Nsight Compute (ncu) is not on this machine")}
            )
        try:
            with self.device():
                counters = probes.counters(self.here, built.loaded, feed.next().inputs)
        except ToolError as error:
            return found.model_copy(update={"notes": (*notes, str(error))})
        return found.model_copy(update={"counters": counters, "notes": notes})

    def _conditions(self, built: CudaBuilt) -> tuple[str, ...]:
        """Clocks and heat while this candidate was timed last, where they were watched."""
        timed = self._timed
        told = timed.conditions() if timed is not None and timed.candidate == built.candidate.id else ""
        return (told,) if told else ()

    def sanitize(self, built: CudaBuilt, feed: Feed) -> tuple[Check, ...]:
        """The device's own sanitizer, where it is installed. Raises Wrong with its first complaint."""
        if self.here is None:
            return ()
        with self.device():
            return probes.sanitized(self.here, built.loaded, feed.next().inputs)

    def environment(self) -> Environment:
        """The device where it is here; else the compilers, which a prediction depends on."""
        version = nvcc.version() if self.compiler == "nvcc" else package_version()
        if self.here is not None:
            tools = {"compute-sanitizer": "present"} if compute_sanitizer.available() else {}
            return Environment(
                device=self.here.name,
                driver=self.here.driver,
                toolchain={self.compiler: version, **tools},
                clocks={name: f"at most {mhz} MHz" for name, mhz in self.here.clocks.items()},
                extra={"uuid": self.here.uuid, "arch": self.here.arch},
            )
        host = host_compiler()
        return Environment(
            device=f"{self._device.name} (not on this machine)",
            toolchain={self.compiler: version, host.family: host.version},
            sandbox=self.chain.names,
        )


def _or_error(build: Callable[[], CudaBuilt]) -> Built:
    """What `build` makes, or its error as a value."""
    try:
        return build()
    except CandidateError as error:
        return error


def _symbol(name: str, compiled: Compiled, there: Sequence[str]) -> str:
    """The symbol of a kernel: as the compiler said, its own name, or the one C++ symbol with that plain name."""
    if name in compiled.lowered or name in there:
        return compiled.lowered.get(name, name)
    mangled = [symbol for symbol in there if symbol.startswith(f"_Z{len(name)}{name}")]
    if len(mangled) != 1:
        raise NotBuilt(f"There is no kernel {name!r} in the machine code; it has {', '.join(there) or 'none'}.")
    return mangled[0]


def _launched(found: tuple[StaticFacts, ...], shapes: Mapping[str, LaunchShape]) -> tuple[StaticFacts, ...]:
    """The kernels that are launched; all when none of them is known by name."""
    return tuple(f for f in found if f.kernel in shapes) or found


def within_folders(chain: Chain) -> Chain:
    """The chain without a user of its own, since the checker must read and write folders of this one."""
    return chain.model_copy(update={"layers": tuple(layer for layer in chain.layers if layer is not Layer.USER)})
