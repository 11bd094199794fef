"""Running programs that nobody vouches for: confined, limited, on one core; what they print goes to a file."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from atunner.core.errors import CandidateError, Crashed, TimedOut
from atunner.domains.llvm_ir.build import Meter
from atunner.domains.llvm_ir.program import Input
from atunner.tools.process import Clocked, clocked
from atunner.tools.runner import program as native_program
from atunner.tools.sandbox import Chain, Layer, Limits, confined

MEMORY = 4 << 30
OUTPUT = 512 << 20
IDLE = 0.2
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
SANITIZING = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=86:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=0:halt_on_error=1:exitcode=86",
}


@dataclass(frozen=True)
class Terms:
    """How one run is held: sandbox layers, limit in seconds, where its output goes, the core, extra environment."""

    chain: Chain
    limit_s: float
    out: Path | None = None
    cpu: int | None = None
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Runner:
    """Starts programs under a sandbox. cache: where the native launcher lies. cpu: the core for timed runs."""

    cache: Path
    chain: Chain
    cpu: int
    meter: Meter = field(default_factory=Meter)

    def printed(self, program: Path, given: Input, dump: str, out: Path, limit_s: float) -> Clocked:
        """Run with the dump argument; all that it prints, errors too, is in `out`.

        Raises:
            Crashed: it died or gave an exit code that is not zero. TimedOut: it did not end within `limit_s`.
        """
        return self._run(program, (*given.args, dump), given.stdin, Terms(self.chain, limit_s, out))

    def printed_outside(self, program: Path, given: Input, dump: str, out: Path, limit_s: float) -> Clocked:
        """As `printed`, without namespaces: process ids are the machine's own, so that they differ from run to run."""
        return self._run(program, (*given.args, dump), given.stdin, Terms(self._outside, limit_s, out))

    @property
    def _outside(self) -> Chain:
        return Chain(layers=tuple(layer for layer in self.chain.layers if layer is not Layer.NAMESPACES))

    def sanitized(self, program: Path, given: Input, dump: str, out: Path, limit_s: float) -> Clocked:
        """Run a program that was built with sanitizers. Raises as `printed`; the output has what they found."""
        chain = Chain(layers=tuple(layer for layer in self.chain.layers if layer is not Layer.SECCOMP))
        return self._run(program, (*given.args, dump), given.stdin, Terms(chain, limit_s, out, more=SANITIZING))

    def timed(self, program: Path, given: Input, limit_s: float) -> Clocked:
        """Run as users run it, on the one core, printing nowhere.

        Raises as `printed`. Without namespaces: making them would be counted as the program's own time.
        """
        return self._run(program, given.args, given.stdin, Terms(self._outside, limit_s, cpu=self.cpu))

    def waits(self, program: Path, given: Input, limit_s: float) -> bool:
        """Whether the program sits idle until `limit_s` with an input on which nothing is ever typed."""
        reading, writing = os.pipe()
        try:
            argv = self._confined(program, given.args, Terms(self.chain, limit_s))
            done = clocked(*argv, timeout_s=limit_s, stdin=reading, env=ENVIRONMENT)
        finally:
            os.close(reading)
            os.close(writing)
        return done.timed_out and done.cpu_s < IDLE * limit_s

    def wrapper(self, folder: Path, limit_s: float) -> tuple[str, ...]:
        """What stands before a program in `folder` on a command line, so that another tool can watch it."""
        limits = Limits(memory_bytes=MEMORY, file_bytes=OUTPUT, cpu_s=int(limit_s) + 2)
        return confined(self._outside, native_program("launcher", self.cache), (), (), limits, readable=[folder])

    def _confined(
        self, program: Path, args: tuple[str, ...], terms: Terms, clock: int | None = None
    ) -> tuple[str, ...]:
        memory = 0 if terms.more else MEMORY
        limits = Limits(memory_bytes=memory, file_bytes=OUTPUT, cpu_s=int(terms.limit_s) + 2)
        launcher = native_program("launcher", self.cache)
        argv = (str(program), *args)
        return confined(terms.chain, launcher, argv, (), limits, readable=[program.parent], clock=clock)

    def _run(self, program: Path, args: tuple[str, ...], stdin: str, terms: Terms) -> Clocked:
        env = {**ENVIRONMENT, **terms.more}
        with _typed(stdin) as given, _Before() as before, self.meter.running():
            argv = self._confined(program, args, terms, before.told)
            done = clocked(
                *argv,
                timeout_s=terms.limit_s,
                output=terms.out,
                env=env,
                stdin=given,
                cpu=terms.cpu,
                descriptors=(before.told,),
            )
            done = replace(done, cpu_s=max(done.cpu_s - before.seconds(), 0.0))
        if done.timed_out:
            raise TimedOut(f"The program did not end within {terms.limit_s:.3g} s.")
        if done.code:
            raise _died(done.code, terms.out)
        return done


class _Before(AbstractContextManager["_Before"]):
    """What the launcher takes before a program begins; `told` is where it says so."""

    def __enter__(self) -> "_Before":
        self._heard, self.told = os.pipe()
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._heard)
        os.close(self.told)

    def seconds(self) -> float:
        """Seconds of processor time; 0 where it did not come so far. The program has ended."""
        os.set_blocking(self._heard, False)
        try:
            return int(os.read(self._heard, 32)) / 1e9
        except BlockingIOError:
            return 0.0


def _died(code: int, out: Path | None) -> CandidateError:
    """What a dead program said last, as an error."""
    text = out.read_bytes()[-4000:].decode(errors="replace") if out is not None and out.exists() else ""
    said = [line for line in text.splitlines() if "ERROR:" in line or "runtime error" in line or "sandbox:" in line]
    how = (
        f"died of signal {-code}"
        if code < 0
        else f"died of signal {code - 128}"
        if code > 128
        else f"ended with {code}"
    )
    return Crashed(f"The program {how}{': ' + said[0].strip()[:300] if said else ''}.")


@contextmanager
def _typed(text: str) -> Iterator[int]:
    """An open file with what is typed into the program."""
    if not text:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file.fileno()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that the sandbox's other user may enter."""
    with tempfile.TemporaryDirectory(prefix="atunner-ir-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
