"""C on this machine: compiled by gcc or clang, run in a throw-away worker on pinned cores."""

import hashlib
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from atunner.core.candidate import Candidate
from atunner.core.errors import Crashed, NotBuilt, TimedOut, UserError
from atunner.core.measurement import Environment
from atunner.core.profile import Profile
from atunner.core.program import Buffer, Problem
from atunner.core.trial import Check
from atunner.domains.kernels.arena import Plan, Slot, lay_out, pattern, slot_bytes
from atunner.domains.kernels.backends import Case, Job, Ran, c_sanitize
from atunner.domains.kernels.backends.c_compile import CCompiling
from atunner.domains.kernels.backends.c_entry import ENTRY, SHARED, command_line, digest_of, entry_source, workspaces
from atunner.domains.kernels.backends.c_profile import profile
from atunner.domains.kernels.backends.program import program_of
from atunner.domains.kernels.blocks import Block
from atunner.domains.kernels.disturbance import Seen, Watch
from atunner.domains.kernels.feed import Fed, Feed
from atunner.domains.kernels.gate import imports, static
from atunner.domains.kernels.timing import TimingPlan
from atunner.domains.kernels.verify import label
from atunner.tools.compilers import compile_shared, compiler
from atunner.tools.hardware import cpu
from atunner.tools.lock import alone
from atunner.tools.process import Finished, run
from atunner.tools.runner import program as native
from atunner.tools.runner.bulk import Bulk
from atunner.tools.runner.memory import Arenas
from atunner.tools.runner.session import Call, Flag, Order, Setup, Worker
from atunner.tools.sandbox import Chain, Layer, Limits, confined, demand, strongest

ARENA = 12 << 20
"""Slots of a timing session together, so that they stay near the cache; at least LEAST_SLOTS in any case."""
LEAST_SLOTS = 3
MOST_SLOTS = 256
SANITIZED = 2
"""Derived problems that a winner is run on under the sanitizers."""
SANITIZED_ELEMENTS = 1 << 16


@dataclass(frozen=True)
class CBuilt:
    """A shared object for one problem. buffers: tensors, then workspaces, in the order of the entry's pointers."""

    path: Path
    problem: Problem
    candidate: Candidate
    buffers: tuple[Buffer, ...]
    argv: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the shared object: what was verified is what is measured and kept."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Options:
    """How the C backend works. threads: 1 or more cores. sandbox: the level that the policy demands."""

    compiler: str = "gcc"
    threads: int = 1
    sandbox: str = "rlimits"
    chain: Chain | None = None
    timeout_s: float = 10.0
    gate: bool = True


class CBackend:
    """The backend for `language: c`. cache: where builds and the native worker are kept by content.

    Raises:
        UserError: the sandbox that this machine can build is below the demanded level.
    """

    language = "c"

    def __init__(self, cache: Path, options: Options = Options()) -> None:
        self.options = options
        self._cache = cache
        self.chain = options.chain or strongest(cache)
        demand(self.chain, options.sandbox)
        self._compiling = CCompiling(cache, self.chain)
        bulk = Bulk.native(cache)
        self._arenas = Arenas(bulk)
        usable = sorted(os.sched_getaffinity(0))
        self.cpus = tuple(usable[-min(options.threads, len(usable)) :])
        """The cores that candidates are pinned to: the last ones, since interrupts favour the first."""
        self._watch = Watch(self.cpus, bulk.spin)

    def check(self, problem: Problem, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate over the tokens of every file. Raises Rejected."""
        return static(candidate.files) if self.options.gate else ()

    def build(self, problem: Problem, candidate: Candidate) -> CBuilt:
        """Compile for this problem, or take it from the cache. Raises NotBuilt, Rejected."""
        made = program_of(candidate)
        try:
            buffers = (*problem.buffers, *workspaces(made, problem, candidate))
            entry = entry_source(made, problem, candidate, buffers)
        except UserError as error:  # the candidate's own expressions
            raise NotBuilt(str(error)) from error
        tool = compiler(self.options.compiler)
        argv = command_line(tool, made, problem, candidate)
        path = self._cache / "c" / f"{digest_of(tool, argv, candidate, entry)}.so"
        if not path.exists():
            self._compiling.shared(tool, argv, candidate, entry, path)
        if self.options.gate:
            imports(path)
        return CBuilt(path, problem, candidate, buffers, argv)

    def run_cases(self, jobs: Sequence[Job[CBuilt]]) -> list[list[Ran]]:
        """Outputs of every case; one process for all jobs. Raises Crashed, TimedOut.

        The n-th cases of all jobs are asked for at once, so that the worker need not be woken up for each.
        """
        rng = np.random.default_rng(secrets.randbits(64))
        plans, size = _storages(jobs, rng)
        answers: list[list[Ran]] = [[] for _ in jobs]
        with Worker(self.setup(), [job.built.path for job in jobs], size, self.options.timeout_s) as worker:
            filling = pattern(rng)
            bulk = self._arenas.bulk
            slots = [{at: Slot(p, worker.memory, filling, bulk) for at, p in plan.items()} for plan in plans]
            for turn in range(max(len(job.cases) for job in jobs)):
                wave = [
                    _Turn(index, slots[index][job.cases[turn].storage], job.cases[turn], job.label)
                    for index, job in enumerate(jobs)
                    if turn < len(job.cases)
                ]
                for one, ran in zip(wave, self._ran(worker, wave), strict=True):
                    answers[one.library].append(ran)
        return answers

    def session(self, built: CBuilt, feed: Feed, plan: TimingPlan) -> "CSession":
        """A timing session in a new process. Raises Crashed, TimedOut."""
        return CSession(self.setup(), built, feed, plan, self._watch)

    def device(self) -> AbstractContextManager[None]:
        """The processor alone: one process of ATunner at a time measures on it."""
        return alone("cpu")

    def quiet(self) -> AbstractContextManager[None]:
        """The compilers of this process stand still."""
        return self._compiling.yielding.still()

    def profile(self, built: CBuilt, feed: Feed) -> Profile:
        """Counters of a run of its own."""
        with self.session(built, feed, TimingPlan()) as session:
            return profile(session)

    def sanitize(self, built: CBuilt, feed: Feed) -> tuple[Check, ...]:
        """The compiler's sanitizers on the smallest problems that it is verified on, and on its own when that is small.

        Raises:
            Wrong: with the first complaint, file and line. NotBuilt, Crashed.
        """
        derived = sorted(feed.operator.derived(built.problem), key=_elements)[:SANITIZED]
        small = [built.problem] if _elements(built.problem) <= SANITIZED_ELEMENTS else []
        return tuple(self._sanitized(problem, built.candidate, feed) for problem in [*derived, *small])

    def _sanitized(self, problem: Problem, candidate: Candidate, feed: Feed) -> Check:
        made, tool = program_of(candidate), compiler(self.options.compiler)
        buffers = (*problem.buffers, *workspaces(made, problem, candidate))
        plain = tuple(a for a in command_line(tool, made, problem, candidate) if a not in SHARED)
        sources = {**candidate.files, ENTRY: entry_source(made, problem, candidate, buffers)}
        subject = c_sanitize.Subject(plain, sources, buffers, label(problem))

        def compiled(argv: tuple[str, ...], folder: Path) -> str:
            return compile_shared(self._compiling.apart(argv, folder), folder)

        def started(argv: tuple[str, ...], folder: Path, timeout_s: float, env: Mapping[str, str]) -> Finished:
            chain = Chain(layers=tuple(layer for layer in self.chain.layers if layer is not Layer.USER))
            limits = Limits(memory_bytes=0, cpu_s=int(timeout_s) * len(self.cpus) + 1)
            wrapped = confined(chain, native("launcher", self._cache), argv, [folder], limits)
            return run(*wrapped, cwd=folder, timeout_s=timeout_s, env=env)

        return c_sanitize.sanitized(subject, feed.draw(problem), compiled, started)

    def environment(self) -> Environment:
        """This host, its compiler and the sandbox layers in force."""
        tool = compiler(self.options.compiler)
        return Environment(
            device=cpu().model,
            toolchain={tool.name: tool.version},
            clocks=_clocks(),
            sandbox=self.chain.names,
            extra={"threads": self.options.threads, "cpus": list(self.cpus)},
        )

    def setup(self) -> Setup:
        """How workers are started here."""
        return Setup(native("worker", self._cache), self.chain, Limits(), self.cpus, self._arenas)

    def _ran(self, worker: Worker, wave: Sequence["_Turn"]) -> list[Ran]:
        for one in wave:
            one.slot.fill(one.case.inputs)
        try:
            keys = worker.post([Order([_call(one.slot.plan)], one.library, flags=Flag.SEAL) for one in wave])
        except (Crashed, TimedOut) as error:
            raise type(error)(f"{error} ({wave[0].label})") from error
        return [self._left(worker, key, one) for key, one in zip(keys, wave, strict=True)]

    def _left(self, worker: Worker, key: int, one: "_Turn") -> Ran:
        try:
            worker.answered(key, self.options.timeout_s)
        except (Crashed, TimedOut) as error:
            raise type(error)(f"{error} ({one.label})") from error
        return Ran(one.slot.outputs(), one.slot.faults(one.case.inputs))


@dataclass(frozen=True)
class _Turn:
    """One case of one job, about to be run in its slot."""

    library: int
    slot: Slot
    case: Case
    label: str


class CSession:
    """Timed calls of one candidate in one process; every call has its own contents and its own addresses."""

    def __init__(self, setup: Setup, built: CBuilt, feed: Feed, plan: TimingPlan, watch: Watch) -> None:
        self.source = cpu().model
        self._watch, self._taken = watch, watch.stolen_us()
        self.threads = len(setup.cpus)
        self._cpus = set(setup.cpus)
        self._feed = feed
        self._plan = plan
        rng = np.random.default_rng(secrets.randbits(64))
        room = slot_bytes(built.buffers)
        self.slots = max(LEAST_SLOTS, min(MOST_SLOTS, ARENA // room))
        self.worker = Worker(setup, [built.path], self.slots * room, plan.timeout_s)
        filling = pattern(rng)
        self._slots = [
            Slot(place, self.worker.memory, filling, setup.arenas.bulk)
            for place in (lay_out(built.buffers, i * room, rng) for i in range(self.slots))
        ]

        self._rest()

    @property
    def most(self) -> int:
        """Calls in one block: each has a slot of its own."""
        return self.slots

    @property
    def pid(self) -> int:
        """The process that holds the candidate."""
        return self.worker.pid

    def block(self, calls: int, batch: int = 1) -> Block:
        """`calls` timed calls, one sample for each `batch` of them. Raises Wrong, Crashed, TimedOut."""
        rested, used = self._rested, self._used
        fed = [self._feed.next() for _ in range(calls)]
        slots = self._slots[:calls]
        for slot, given in zip(slots, fed, strict=True):
            slot.fill(given.inputs, given.shift)
        flags = (Flag.FLUSH if self._plan.cold else Flag.NONE) | Flag.SEAL | Flag.TIMED
        made = [_call(s.plan) for s in slots]
        self.worker.ready()
        pace = self._watch.pace()
        idle, idle_cpu = time.perf_counter_ns() - rested, self.worker.cpu_ns() - used
        done = self.worker.round(Order(made, per_sample=batch, flags=flags), self._plan.timeout_s)
        self._rest()
        self._hold(slots, fed)
        return Block(
            samples_us=done.samples_ns / 1e3 / batch,
            calls=calls,
            wall_us=done.wall_ns / 1e3,
            cpu_us=done.cpu_ns / 1e3,
            waited_us=done.waited_ns / 1e3,
            idle_us=idle / 1e3,
            idle_cpu_us=idle_cpu / 1e3,
            seen=Seen(self._stolen(), pace),
        )

    def _stolen(self) -> float:
        before, self._taken = self._taken, self._watch.stolen_us()
        return self._taken - before

    def _rest(self) -> None:
        """From here on the candidate has nothing to do, and whatever CPU time it uses is looked at."""
        self._rested, self._used = time.perf_counter_ns(), self.worker.cpu_ns()

    def _hold(self, slots: Sequence[Slot], fed: Sequence[Fed]) -> None:
        for slot, given in zip(slots, fed, strict=True):
            self._feed.hold(given, slot.views)

    def __enter__(self) -> Self:
        """Leave the candidate's cores to it, as far as there are others for this thread."""
        self._ours = os.sched_getaffinity(0)
        if self._ours - self._cpus:
            os.sched_setaffinity(0, self._ours - self._cpus)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.sched_setaffinity(0, self._ours)
        self.worker.close()


def _clocks() -> dict[str, str]:
    """The nominal clock, and the governor where the kernel shows one."""
    found = {"nominal": f"{cpu().clock_mhz:.0f} MHz"}
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return found | ({"governor": governor.read_text().strip()} if governor.exists() else {})


def _storages(jobs: Sequence[Job[CBuilt]], rng: np.random.Generator) -> tuple[list[dict[int, Plan]], int]:
    """Where every storage of every job lies, and the bytes in all."""
    plans: list[dict[int, Plan]] = []
    at = 0
    for job in jobs:
        placed = {}
        for storage in sorted({case.storage for case in job.cases}):
            placed[storage] = lay_out(job.built.buffers, at, rng)
            at = placed[storage].high
        plans.append(placed)
    return plans, at


def _elements(problem: Problem) -> int:
    return sum(buffer.elements for buffer in problem.buffers)


def _call(place: Plan) -> Call:
    return Call(place.low, place.high, tuple(p.start for p in place.places))
