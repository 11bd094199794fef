"""Sandbox layers: what this machine can put round code that it does not trust, tried and not assumed."""

import os
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from atunner.core.errors import ToolError, UnknownName, UserError
from atunner.core.value import Value
from atunner.tools.process import ASKED_S, Finished, run
from atunner.tools.runner import program


class Layer(StrEnum):
    """A layer that a process can put on itself; the number is its bit in the native programs."""

    RLIMITS = "rlimits"
    USER = "user"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"
    NAMESPACES = "namespaces"

    @property
    def bit(self) -> int:
        """The layer's bit in confine.h."""
        return 1 << list(Layer).index(self)


LEVELS: dict[str, frozenset[Layer]] = {
    "none": frozenset(),
    "rlimits": frozenset({Layer.RLIMITS}),
    "landlock": frozenset({Layer.RLIMITS, Layer.LANDLOCK, Layer.SECCOMP}),
    "namespaces": frozenset(Layer) - {Layer.USER},
}
"""What a policy may demand, weakest first."""

SYSTEM = (
    "/bin",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr",
    "/dev/null",
    "/dev/urandom",
    "/proc",
)


class Limits(Value):
    """rlimits of one process. memory_bytes 0 is unlimited; cpu_s counts the CPU time of all its threads."""

    memory_bytes: int = 8 << 30
    file_bytes: int = 256 << 20
    cpu_s: int = 120


class Chain(Value):
    """The layers in force, outermost first. outside: what already surrounds this process (container, vm)."""

    layers: tuple[Layer, ...]
    outside: tuple[str, ...] = ()

    @property
    def bits(self) -> int:
        """The layers as the native programs take them."""
        return sum(layer.bit for layer in self.layers)

    @property
    def names(self) -> tuple[str, ...]:
        """For the record: what is outside, then the layers; a session and its process group are always there."""
        return (*self.outside, "process group", *(str(layer) for layer in self.layers))

    @property
    def level(self) -> str:
        """The strongest policy level that this chain meets."""
        return [name for name, needed in LEVELS.items() if needed <= set(self.layers)][-1]


def demand(chain: Chain, level: str) -> None:
    """Refuse to go on below `level`.

    Raises:
        UserError: the level is unknown, or the chain does not meet it.
    """
    if level not in LEVELS:
        raise UnknownName("sandbox level", level, LEVELS)
    missing = sorted(LEVELS[level] - set(chain.layers))
    if missing:
        raise UserError(
            f"The policy demands sandbox level {level!r}, but this machine lacks {', '.join(missing)} "
            f"(it has {', '.join(chain.names)}); lower ATUNNER_SANDBOX or enable them."
        )


@lru_cache
def strongest(cache: Path) -> Chain:
    """All layers that work here, each tried on a program that would get away without it."""
    launcher = program("launcher", cache)
    return Chain(layers=tuple(layer for layer in Layer if works(layer, launcher)), outside=_outside())


def works(layer: Layer, launcher: Path) -> bool:
    """Whether the layer holds: a program under it fails at what the layer forbids, and runs otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret"
        secret.write_text("x")
        secret.chmod(0o644)
        Path(folder).chmod(0o755)
        try:
            if layer is Layer.RLIMITS:
                return _says(_try(layer, launcher, "/bin/sh", "-c", "ulimit -c"), "0")
            if layer is Layer.USER:
                return os.geteuid() == 0 and _says(_try(layer, launcher, "/usr/bin/id", "-u"), "65534")
            if layer is Layer.LANDLOCK:
                return _try(layer, launcher, "/bin/cat", str(secret)).code == 1
            if layer is Layer.SECCOMP:
                return _try(layer, launcher, "/bin/grep", "-q", "^Seccomp:.*2", "/proc/self/status").code == 0
            own = _try(layer, launcher, "/bin/sh", "-c", "echo $$")
            return _says(own, "1")
        except ToolError:
            return False


def confined(
    chain: Chain,
    launcher: Path,
    argv: Sequence[str],
    writable: Sequence[Path],
    limits: Limits,
    readable: Sequence[Path] = (),
    clock: int | None = None,
) -> tuple[str, ...]:
    """`argv` wrapped so that it may write only below `writable` and read only that, `readable` and the system.

    clock: an inherited descriptor that takes the nanoseconds of processor time spent before `argv` begins.
    """
    folders = [part for path in writable for part in ("-w", str(path))]
    system = [part for path in (*SYSTEM, *readable) for part in ("-r", str(path))]
    numbers = (chain.bits, limits.memory_bytes, limits.file_bytes, limits.cpu_s)
    telling = () if clock is None else ("-c", str(clock))
    return (str(launcher), *map(str, numbers), *folders, *system, *telling, "--", *argv)


def _try(layer: Layer, launcher: Path, *argv: str) -> Finished:
    return run(*confined(Chain(layers=(layer,)), launcher, argv, (), Limits()), timeout_s=ASKED_S, env={})


def _says(done: Finished, answer: str) -> bool:
    return done.code == 0 and done.output.strip() == answer


def _outside() -> tuple[str, ...]:
    """Whether a container already surrounds us; it is shown, never counted as a layer of ours."""
    if Path("/run/.containerenv").exists() or Path("/.dockerenv").exists() or _in_container_group():
        return ("container",)
    return ()


def _in_container_group() -> bool:
    try:
        text = Path("/proc/1/cgroup").read_text()
    except OSError:
        return False
    return any(word in text for word in ("docker", "kubepods", "containerd", "lxc"))
