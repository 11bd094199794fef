"""OpenCL: compiled by the device's own driver, run and timed on it; PoCL makes this machine's processor a device."""

import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import Crashed, NotBuilt, TimedOut, UserError
from atunner.core.expression import evaluate
from atunner.core.measurement import Environment
from atunner.core.profile import Profile
from atunner.core.program import Buffer, Problem, Program
from atunner.core.trial import Check
from atunner.domains.kernels.arena import Plan as SlotPlan
from atunner.domains.kernels.arena import Slot, lay_out, pattern, slot_bytes
from atunner.domains.kernels.backends import Job, Ran
from atunner.domains.kernels.backends.opencl_built import OpenclBuilt, options, told
from atunner.domains.kernels.backends.opencl_device import (
    ADDRESS,
    GPU_LAYERS,
    OpenclDevice,
    OpenclLink,
    Place,
    chosen,
    devices,
    package_version,
)
from atunner.domains.kernels.backends.opencl_session import OpenclSession
from atunner.domains.kernels.backends.program import program_of
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.gate import static
from atunner.domains.kernels.timing import TimingPlan
from atunner.tools.lock import awaited
from atunner.tools.runner import program
from atunner.tools.sandbox import Layer, demand, strongest
from atunner.tools.yielding import Yielding

FACTS = "facts.json"
MOST_BUILD_S, LEAST_BUILD_S, LONG_BUILD = 120.0, 20.0, 8.0
"""A build is stopped after this many times the median build, but not before LEAST_BUILD_S."""


class OpenclBackend:
    """The backend for `language: opencl`. threads: compute units of a CPU device, pinned to the last cores.

    Raises:
        UserError: no OpenCL device is the target, or the sandbox is below the demanded level.
    """

    language = "opencl"

    def __init__(self, cache: Path, target: Device, threads: int = 1, sandbox: str = "rlimits") -> None:
        self._cache, self._spent, self._alone, self._yielding = cache, list[float](), False, Yielding()
        self.here: OpenclDevice = chosen(target, devices())
        if self.here.align > ADDRESS:
            raise UserError(f"{self.here.name} aligns buffers to {self.here.align} bytes; at most {ADDRESS} are known.")
        layers = tuple(layer for layer in strongest(cache).layers if layer is not Layer.USER)
        if self.here.kind != "cpu":
            layers = tuple(layer for layer in layers if layer in GPU_LAYERS)
        self.chain = strongest(cache).model_copy(update={"layers": layers})
        demand(self.chain, sandbox)
        usable = sorted(os.sched_getaffinity(0))
        self.cpus = tuple(usable[-min(threads, len(usable)) :]) if self.here.kind == "cpu" else ()

    def check(self, problem: Problem, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate over the tokens of every file. Raises Rejected."""
        return static(candidate.files)

    def build(self, problem: Problem, candidate: Candidate) -> OpenclBuilt:
        """Compile for this problem, to the code of its work-group size, or take it from the cache. Raises NotBuilt."""
        made = program_of(candidate)
        names = {**problem.dims, **candidate.params}
        try:
            extra = tuple(
                Buffer(name=w.name, dtype=w.dtype, shape=(max(1, int(evaluate(w.elements, names))),), role="workspace")
                for w in made.workspaces
            )
            folder = self._folder(problem, candidate, made)
            built = OpenclBuilt(folder, problem, candidate, made, (*problem.buffers, *extra), ())
            if not (folder / FACTS).exists():
                self._compile(built)
        except UserError as error:  # the candidate's own expressions
            raise NotBuilt(str(error)) from error
        facts = json.loads((folder / FACTS).read_text())
        return OpenclBuilt(folder, problem, candidate, made, built.buffers, tuple(facts))

    def run_cases(self, jobs: Sequence[Job[OpenclBuilt]]) -> list[list[Ran]]:
        """Outputs of every case; one process for each job. Raises Crashed, TimedOut."""
        return [self._run(job) for job in jobs]

    def session(self, built: OpenclBuilt, feed: Feed, plan: TimingPlan) -> OpenclSession:
        """A timing session in a new process. Raises Crashed, TimedOut."""
        return OpenclSession(self, built, feed, plan)

    def profile(self, built: OpenclBuilt, feed: Feed) -> Profile:
        """What the compiler says of each kernel."""
        lines = tuple(
            f"{one['kernel']}: {one['local_bytes']} bytes of local and {one['private_bytes']} of private memory, "
            f"at most {one['most_threads']} work-items in a group"
            for one in built.facts
        )
        return Profile(notes=lines)

    def environment(self) -> Environment:
        """The device, its driver, and the sandbox layers in force."""
        here = self.here
        return Environment(
            device=here.name,
            driver=f"{here.platform} {here.driver}",
            toolchain={"opencl": here.version, "pyopencl": package_version()},
            sandbox=self.chain.names,
            extra={"units": len(self.cpus) or here.units, "cpus": list(self.cpus)},
        )

    @contextmanager
    def device(self) -> Iterator[None]:
        """The device alone: one process of ATunner at a time is at work on it; may be entered again within."""
        if self._alone:
            yield
            return
        name = re.sub(r"\W+", "-", self.here.name)
        with awaited(self._cache / "locks" / f"opencl-{name}.lock"):
            self._alone = True
            try:
                yield
            finally:
                self._alone = False

    def quiet(self) -> AbstractContextManager[None]:
        """What this process has compiled ahead stands still."""
        return self._yielding.still()

    @contextmanager
    def linked(self, built: OpenclBuilt, octets: int) -> Iterator[OpenclLink]:
        """A process of its own with a copy of what was compiled, so that no process can change it for another."""
        with tempfile.TemporaryDirectory(prefix="atunner-opencl-") as name:
            folder = Path(name) / "made"
            shutil.copytree(built.folder, folder, symlinks=True)
            order = {"programs": [built.told()], "slots": []}
            with OpenclLink(self.place(folder), order, octets) as link:
                yield link

    def place(self, folder: Path) -> Place:
        """How processes are started here."""
        return Place(self.here, self.chain, program("launcher", self._cache), self.cpus, folder)

    def _folder(self, problem: Problem, candidate: Candidate, made: Program) -> Path:
        digest = hashlib.sha256()
        parts = [self.here.model_dump_json(), *options(made, problem, candidate), problem.model_dump_json()]
        parts += [f"{k}\0{v}" for k, v in sorted(candidate.files.items())]
        for part in parts:
            digest.update(part.encode() + b"\0")
        return self._cache / "opencl" / digest.hexdigest()[:32]

    def _compile(self, built: OpenclBuilt) -> None:
        limit = max(LEAST_BUILD_S, LONG_BUILD * median(self._spent)) if len(self._spent) > 4 else MOST_BUILD_S
        started = time.perf_counter()
        built.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=built.folder.parent) as name:
            folder = Path(name) / "made"
            folder.mkdir()
            facts = self._first(built, folder, limit)
            (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
            try:
                folder.rename(built.folder)
            except OSError:  # another process was first
                return
            finally:
                self._spent.append(time.perf_counter() - started)

    def _first(self, built: OpenclBuilt, folder: Path, limit_s: float) -> list[dict[str, Any]]:
        """Compile and start one work group of each launch, in the sandbox; what the compiler says."""
        octets = slot_bytes(built.buffers, ADDRESS)
        plan = lay_out(built.buffers, 0, np.random.default_rng(0), ADDRESS)
        order = {"programs": [built.told()], "slots": [told(plan)]}
        try:
            with OpenclLink(self.place(folder), order, octets, limit_s, self._yielding) as link:
                return link.facts
        except TimedOut as error:
            raise NotBuilt(f"It was not compiled and started within {limit_s:.0f} s (build time-out).") from error
        except Crashed as error:
            raise NotBuilt(f"The compiler or the first start failed: {error}") from error

    def _run(self, job: Job[OpenclBuilt]) -> list[Ran]:
        rng = np.random.default_rng(secrets.randbits(64))
        placed: dict[int, SlotPlan] = {}
        at = 0
        for storage in sorted({case.storage for case in job.cases}):
            placed[storage] = lay_out(job.built.buffers, at, rng, ADDRESS)
            at = placed[storage].high
        found, filling = [], pattern(rng)
        with self.device(), self.linked(job.built, at) as link:
            slots = {storage: Slot(plan, link.memory, filling) for storage, plan in placed.items()}
            for case in job.cases:
                slot = slots[case.storage]
                slot.fill(case.inputs)
                try:
                    link.ask({"do": "run", "program": 0, "slots": [told(slot.plan)]}, 30.0)
                except (Crashed, TimedOut) as error:
                    raise type(error)(f"{error} ({job.label})") from error
                found.append(Ran(slot.outputs(), slot.faults(case.inputs)))
        return found
