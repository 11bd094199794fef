"""Compiling C candidates: sandboxed, each entry once, within a limit that follows the others, giving way to timing."""

import hashlib
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from atunner.core.candidate import Candidate
from atunner.domains.kernels.backends.c_entry import ENTRY, for_entry
from atunner.tools.compilers import Compiler, compile_shared
from atunner.tools.runner import program as native
from atunner.tools.sandbox import Chain, Layer, Limits, confined
from atunner.tools.yielding import Yielding

COMPILING = Limits(memory_bytes=4 << 30, file_bytes=64 << 20, cpu_s=60)
OBJECT = "atunner_entry.o"
LONGEST_S, SHORTEST_S, TIMES, KNOWN = 60.0, 10.0, 20.0, 5


@dataclass
class CompileLimit:
    """How long a compile may take: TIMES the median of the last ones once KNOWN of them are known.

    A few configurations (all loops unrolled) can take longer to compile than all others together, and are rarely good.
    """

    took_s: deque[float] = field(default_factory=lambda: deque(maxlen=100))

    @property
    def seconds(self) -> float:
        """The limit for the next one."""
        if len(self.took_s) < KNOWN:
            return LONGEST_S
        return min(LONGEST_S, max(SHORTEST_S, TIMES * median(tuple(self.took_s))))


class CCompiling:
    """The compiler under every layer but the other user, who could not reach the cache. cache: also has the objects."""

    def __init__(self, cache: Path, chain: Chain) -> None:
        self._cache = cache
        self._chain = Chain(layers=tuple(layer for layer in chain.layers if layer is not Layer.USER))
        self._limit, self._lock = CompileLimit(), threading.Lock()
        self.yielding = Yielding()

    def shared(self, tool: Compiler, argv: tuple[str, ...], candidate: Candidate, entry: str, path: Path) -> None:
        """Make the shared object at `path`. Raises NotBuilt."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as name:
            folder = Path(name)
            shutil.copyfile(self._entry(tool, argv, entry), folder / OBJECT)
            for file, text in candidate.files.items():
                (folder / Path(file).name).write_text(text, encoding="utf-8")
            started = time.monotonic()
            self._run(tuple(OBJECT if word == ENTRY else word for word in argv), folder)
            with self._lock:
                self._limit.took_s.append(time.monotonic() - started)
            shutil.move(folder / "made.so", path)

    def apart(self, argv: tuple[str, ...], folder: Path) -> tuple[str, ...]:
        """The command in its sandbox."""
        home = Path(argv[0]).resolve().parent.parent
        return confined(self._chain, native("launcher", self._cache), argv, [folder], COMPILING, [home])

    def _run(self, argv: tuple[str, ...], folder: Path) -> None:
        with self._lock:
            limit = self._limit.seconds
        compile_shared(self.apart(argv, folder), folder, limit, self.yielding)

    def _entry(self, tool: Compiler, argv: Sequence[str], entry: str) -> Path:
        """The entry's object file, which is the same for every candidate of a family and is made once."""
        command = for_entry(argv, OBJECT)
        digest = hashlib.sha256("\0".join((tool.version, *command, entry)).encode()).hexdigest()[:32]
        path = self._cache / "c" / f"entry-{digest}.o"
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent) as name:
                (Path(name) / ENTRY).write_text(entry, encoding="utf-8")
                self._run(command, Path(name))
                shutil.move(Path(name) / OBJECT, path)
        return path
