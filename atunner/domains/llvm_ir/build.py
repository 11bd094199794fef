"""From C to IR, from IR to a binary: every compile confined, limited in time, and ended with its whole group.

Two entries: `Compiler.ir` gives the IR after optimisation (what a profile is about and what is edited), or before it.
`Compiler.native` turns IR into a binary by code generation alone, so that no pass undoes an edit; `Compiler.binary`
compiles C (or IR) with everything that its flags say.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from atunner.core.errors import NotBuilt
from atunner.domains.llvm_ir.toolchain import Toolchain
from atunner.tools.compilers import diagnostics
from atunner.tools.process import ProgramTimedOut, run
from atunner.tools.runner import program as native_program
from atunner.tools.sandbox import Chain, Layer, Limits, confined

COMPILE_S = 45.0
COMPILING = Limits(memory_bytes=4 << 30, file_bytes=256 << 20, cpu_s=60)
O3 = ("-O3",)
STRICT = ("-O3", "-march=native", "-ffp-contract=off")
"""The fastest common flags that change no bit of a result: -march=native alone contracts a*b+c to one rounding."""
LINES = ("-gline-tables-only",)
BEFORE = ("-Xclang", "-disable-llvm-passes")
LIBRARIES = ("-lm",)


@dataclass
class Meter:
    """Seconds in which programs of the toolchain or candidates ran; those side by side count once."""

    spent_s: float = 0.0
    _running: int = 0
    _since: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block."""
        with self._lock:
            self._since = self._since if self._running else time.perf_counter()
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self.spent_s += 0.0 if self._running else time.perf_counter() - self._since


@dataclass(frozen=True)
class Compiler:
    """Clang with a sandbox round it. cache: where the native launcher lies. chain: sandbox layers to use."""

    toolchain: Toolchain
    cache: Path
    chain: Chain
    limit_s: float = COMPILE_S
    meter: Meter = field(default_factory=Meter)

    def ir(self, source: Path, out: Path, flags: Sequence[str] = O3) -> Path:
        """Textual IR of a C file; with `BEFORE` among the flags as it is before any pass, else after optimisation.

        Raises:
            NotBuilt: refused, with the first errors, or not done within the limit.
        """
        self.call([self.toolchain.clang, "-S", "-emit-llvm", *flags, str(source), "-o", str(out)], out.parent, source)
        return out

    def binary(self, source: Path, out: Path, flags: Sequence[str] = O3, libraries: Sequence[str] = LIBRARIES) -> Path:
        """A program from C or IR with these flags. Raises NotBuilt."""
        self.call([self.toolchain.clang, *flags, "-w", str(source), "-o", str(out), *libraries], out.parent, source)
        return out

    def native(self, ir: Path, out: Path, flags: Sequence[str] = O3, libraries: Sequence[str] = LIBRARIES) -> Path:
        """A program from IR by code generation alone: at the level of the flags, no IR pass. Raises NotBuilt."""
        return self.binary(ir, out, [*flags, *BEFORE], libraries)

    def optimised(self, ir: Path, out: Path, passes: str, flags: Sequence[str] = ()) -> Path:
        """IR after `opt -passes=...`. Raises NotBuilt, ProgramMissing."""
        argv = [self.toolchain.tool("opt"), "-S", f"-passes={passes}", *flags, str(ir), "-o", str(out)]
        self.call(argv, out.parent, ir)
        return out

    def verified(self, ir: Path) -> None:
        """Parse and verify IR. Raises NotBuilt with the parser's or verifier's words."""
        if "opt" in self.toolchain.tools:
            self.call([self.toolchain.tool("opt"), "-passes=verify", "-disable-output", str(ir)], ir.parent, ir)
        else:
            argv = [self.toolchain.clang, "-x", "ir", "-c", "-O0", "-w", str(ir), "-o", os.devnull]
            self.call(argv, ir.parent, ir)

    def call(self, argv: Sequence[str], cwd: Path, source: Path) -> str:
        """Run one tool of the toolchain; what it printed.

        It may write below `cwd` only, and read that, the folder of `source` and the system.

        Raises:
            NotBuilt: it failed, or did not end within the limit (its whole process group is killed).
        """
        layers = tuple(layer for layer in self.chain.layers if layer is not Layer.USER)
        home = Path(argv[0]).resolve().parent.parent
        wrapped = confined(
            Chain(layers=layers),
            native_program("launcher", self.cache),
            argv,
            [cwd, Path(os.devnull)],
            COMPILING,
            [home, source.resolve().parent],
        )
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TMPDIR": str(cwd)}
        try:
            with self.meter.running():
                done = run(*wrapped, cwd=cwd, timeout_s=self.limit_s, env=env)
        except ProgramTimedOut as error:
            raise NotBuilt(f"The compiler did not end within {self.limit_s:g} s and was stopped.") from error
        if done.code:
            raise NotBuilt(diagnostics(done.output, cwd))
        return done.output


def laid_out(files: Mapping[str, str], folder: Path) -> Path:
    """Write files into a folder (made if need be); the path of the first one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / next(iter(files))
