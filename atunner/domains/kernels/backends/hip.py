"""HIP: compiled by Debian's or ROCm's hipcc to the code of a named AMD GPU, and checked on the CPU as CUDA is."""

import hashlib
import re
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import NotBuilt, NotMeasured, UserError
from atunner.core.measurement import Environment
from atunner.core.profile import Profile, StaticFacts
from atunner.core.program import Problem
from atunner.core.trial import Check
from atunner.domains.kernels.backends.cuda import CudaBackend, CudaBuilt
from atunner.domains.kernels.backends.program import program_of
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.gate import static
from atunner.domains.kernels.timing import Session, TimingPlan
from atunner.tools.compilers import diagnostics
from atunner.tools.process import ASKED_S, ProgramMissing, ProgramTimedOut, run
from atunner.tools.runner import program
from atunner.tools.sandbox import Limits, confined

ALWAYS = ("--cuda-device-only", "-O3", "-S")
FLAG = re.compile(r"-O[0-3]|-ffast-math|-f(?:no-)?unroll-loops|-ffp-contract=\w+|-m(?:no-)?wavefrontsize64|-std=\S+")
GFX = re.compile(r"gfx[0-9a-f]+(?::[a-z]+[+-])*")
TIMEOUT_S = 60.0
_HEADER = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<hip/hip_(?:runtime|fp16)\.h>[^\n]*", re.M)
_FIGURES = {
    "registers": r"\.vgpr_count:\s+(\d+)",
    "static_shared": r"\.group_segment_fixed_size:\s+(\d+)",
    "spill_bytes": r"\.vgpr_spill_count:\s+(\d+)",
    "local_array_bytes": r"\.private_segment_fixed_size:\s+(\d+)",
}


class HipBackend(CudaBackend):
    """The backend for `language: hip`. Machine code is made for `device`; results are checked on the CPU.

    Raises:
        UserError: the target is no AMD GPU whose code hipcc makes, or hipcc is not here.
    """

    language = "hip"

    def __init__(self, cache: Path, device: Device, target: Problem, sandbox: str = "rlimits") -> None:
        if not GFX.fullmatch(device.arch):
            raise UserError(f"HIP kernels are compiled for AMD GPUs such as MI210; {device.name} is {device.arch}.")
        super().__init__(cache, device, target, sandbox)
        self.version = version()

    def check(self, problem: Problem, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate; HIP's own headers may be included. Raises Rejected."""
        return static(_plain(candidate).files)

    def build(self, problem: Problem, candidate: Candidate) -> CudaBuilt:
        """Compile for the GPU, and keep the source as the checker on the CPU takes it. Raises NotBuilt."""
        built = CudaBuilt(problem, _plain(candidate), program_of(candidate))
        if problem == self._target:
            self.assembly(problem, candidate)
        return built

    def resources(self, problem: Problem, candidate: Candidate) -> tuple[StaticFacts, ...]:
        """Vector registers, LDS, spills and private memory of each kernel in the assembly."""
        return read_metadata(self.assembly(problem, candidate), self._device.arch)

    def assembly(self, problem: Problem, candidate: Candidate) -> str:
        """The GPU's assembly, from the cache where it was made before. Raises NotBuilt."""
        made = program_of(candidate)
        for flag in made.flags:
            if not FLAG.fullmatch(flag):
                raise NotBuilt(f"The option {flag!r} is not allowed for HIP: use -O, -f and -m for code generation.")
        macros = [f"-D{n}={v}" for n, v in sorted(problem.macros(candidate.params).items())]
        argv = ["hipcc", f"--offload-arch={self._device.arch}", *ALWAYS, *made.flags, *macros, "kernel.hip"]
        source = candidate.files[made.source]
        key = hashlib.sha256("\0".join([self.version, *argv, source]).encode()).hexdigest()[:32]
        path = self._cache / "hip" / f"{key}.s"
        if not path.exists():
            text = self._compiled([*argv, "-o", "kernel.s"], source)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return path.read_text(encoding="utf-8")

    def _compiled(self, argv: Sequence[str], source: str) -> str:
        with tempfile.TemporaryDirectory(prefix="atunner-hip-") as name:
            folder = Path(name)
            (folder / "kernel.hip").write_text(source, encoding="utf-8")
            launcher = program("launcher", self._cache)
            limits = Limits(memory_bytes=0, cpu_s=int(TIMEOUT_S))
            readable = [p for p in (Path("/etc"), Path("/opt/rocm"), Path("/sys")) if p.exists()]
            wrapped = confined(self.chain, launcher, ("/usr/bin/env", *argv), (folder,), limits, readable=readable)
            env = {"PATH": "/opt/rocm/bin:/usr/bin:/bin", "HIP_PLATFORM": "amd", "HOME": name, "TMPDIR": name}
            try:
                done = run(*wrapped, cwd=folder, timeout_s=TIMEOUT_S, env=env)
            except ProgramTimedOut as error:
                raise NotBuilt(f"hipcc did not end within {TIMEOUT_S:g} s (build time-out).") from error
            if done.code or not (folder / "kernel.s").exists():
                raise NotBuilt(diagnostics(done.output, folder))
            return (folder / "kernel.s").read_text(encoding="utf-8")

    def session(self, built: CudaBuilt, feed: Feed, plan: TimingPlan) -> Session:
        """Nothing is timed. Raises NotMeasured."""
        raise NotMeasured(f"{self._device.name} is not measured here")

    def profile(self, built: CudaBuilt, feed: Feed) -> Profile:
        """Raises NotMeasured: the metadata is read from the assembly, see `resources`."""
        raise NotMeasured("HIP kernels have no profile here")

    def environment(self) -> Environment:
        """The compiler."""
        name = f"{self._device.name} (not on this machine)"
        return Environment(device=name, toolchain={"hipcc": self.version}, sandbox=self.chain.names)


@lru_cache
def version() -> str:
    """Of hipcc and its clang. Raises UserError when it is not here."""
    try:
        said = run(
            "hipcc", "--version", timeout_s=ASKED_S, env={"PATH": "/opt/rocm/bin:/usr/bin:/bin", "HIP_PLATFORM": "amd"}
        )
    except ProgramMissing as error:
        raise UserError("HIP kernels need hipcc; apt-get install hipcc, or ROCm.") from error
    lines = [line.strip() for line in said.output.splitlines() if re.search(r"HIP version|clang version", line)]
    return "; ".join(lines) or "hipcc of unknown version"


def read_metadata(assembly: str, arch: str) -> tuple[StaticFacts, ...]:
    """Each kernel of an AMD GPU's assembly, from the metadata at its end."""
    _, _, told = assembly.partition("amdhsa.kernels:")
    found = []
    for part in re.split(r"^  - ", told, flags=re.M)[1:]:
        name = re.search(r"\.name:\s+(\S+)", part)
        if name is None:
            continue
        figures = {key: re.search(pattern, part) for key, pattern in _FIGURES.items()}
        numbers = {key: int(match[1]) for key, match in figures.items() if match}
        numbers["spill_bytes"] = 4 * numbers.get("spill_bytes", 0)
        found.append(StaticFacts.model_validate({"arch": arch, "kernel": name[1], "registers": 0, **numbers}))
    return tuple(found)


def _plain(candidate: Candidate) -> Candidate:
    """The source without HIP's own headers: what they declare the checker brings itself."""
    made = program_of(candidate)
    files = {**candidate.files, made.source: _HEADER.sub("", candidate.files[made.source])}
    return candidate.model_copy(update={"files": files})
