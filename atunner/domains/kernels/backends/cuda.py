"""CUDA for a device that need not be here: compiled to its machine code, inspected, and checked on the CPU."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import NotMeasured
from atunner.core.measurement import Environment
from atunner.core.profile import Profile, StaticFacts
from atunner.core.program import PROGRAM_FILE, Problem, Program
from atunner.core.trial import Check
from atunner.domains.kernels.backends import Job, Ran
from atunner.domains.kernels.cpu_check import Instance, Mode, Order
from atunner.domains.kernels.cpu_check import build as build_check
from atunner.domains.kernels.cpu_check import run as run_check
from atunner.domains.kernels.cpu_check.building import Checked
from atunner.domains.kernels.cpu_check.toolchain import compiler as host_compiler
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.gate import static
from atunner.domains.kernels.oracle import written_buffers
from atunner.domains.kernels.static_facts import LaunchShape, inspect
from atunner.domains.kernels.timing import Session, TimingPlan
from atunner.tools.nvrtc import Compiled, CompileJob, compile_here, package_version
from atunner.tools.process import Finished, run
from atunner.tools.runner import program
from atunner.tools.sandbox import Chain, Layer, Limits, confined, demand, strongest

ORDERS = (Order(), Order("reverse"), Order.shuffled(1), Order.shuffled(2))


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

    def shapes(self) -> dict[str, LaunchShape]:
        """How each kernel is launched."""
        return {
            g.kernel: LaunchShape(block=g.block, grid=g.grid, dynamic_shared=g.shared_bytes)
            for g in self.program.geometry(self.names)
        }


class CudaBackend:
    """The backend for `language: cuda`. target: the problem that machine code is made for; others are only checked."""

    language = "cuda"

    def __init__(self, cache: Path, device: Device, target: Problem, sandbox: str = "rlimits") -> None:
        self._cache, self._device, self._target = cache, device, target
        self.chain = within_folders(strongest(cache))
        demand(self.chain, sandbox)

    def check(self, problem: Problem, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate over the tokens of every file. Raises Rejected."""
        return static(candidate.files)

    def build(self, problem: Problem, candidate: Candidate) -> CudaBuilt:
        """Compile to machine code, or take it from the cache. Raises NotBuilt."""
        program = Program.model_validate_json(candidate.files[PROGRAM_FILE])
        built = CudaBuilt(problem, candidate, program)
        if problem != self._target:
            return built
        job = CompileJob(
            source=built.source,
            arch=self._device.arch,
            defines=problem.macros(candidate.params),
            flags=program.flags,
            names=tuple(sorted({launch.kernel for launch in program.launches})),
        )
        return CudaBuilt(problem, candidate, program, compile_here(job, self._cache / "nvrtc"))

    def facts(self, built: CudaBuilt) -> tuple[StaticFacts, ...]:
        """What the machine code says, kernel by kernel."""
        if built.compiled is None:
            return ()
        lowered, shapes = built.compiled.lowered, built.shapes()
        by_symbol = {lowered.get(name, name): shape for name, shape in shapes.items()}
        found = inspect(built.compiled, by_symbol)
        return tuple(f for f in found if f.kernel in by_symbol) or found

    def run_cases(self, jobs: Sequence[Job[CudaBuilt]]) -> list[list[Ran]]:
        """Run every case on the CPU; one compile a mode serves all problems.

        The first case of each problem runs with every access checked (bounds, races, uninitialised reads), the
        others for their results in other thread orders. Raises Wrong, Crashed, TimedOut, NotVerified.
        """
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

    def session(self, built: CudaBuilt, feed: Feed, plan: TimingPlan) -> Session:
        """Nothing is timed where the device is not."""
        raise NotMeasured(f"{self._device.name} is not on this machine; measure it there with the bundle")

    def profile(self, built: CudaBuilt, feed: Feed) -> Profile:
        """Static facts."""
        return Profile(kernels=self.facts(built))

    def environment(self) -> Environment:
        """The compilers: what a prediction depends on."""
        host = host_compiler()
        return Environment(
            device=f"{self._device.name} (not on this machine)",
            toolchain={"nvrtc": package_version(), host.family: host.version},
            sandbox=self.chain.names,
        )


def within_folders(chain: Chain) -> Chain:
    """The chain without a user of its own, since the checker must read and write folders of this one."""
    return chain.model_copy(update={"layers": tuple(layer for layer in chain.layers if layer is not Layer.USER)})
