"""Hostile programs under every sandbox chain that can run here: stopped, or reported as "layer absent"."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from atunner.core.errors import ToolError
from atunner.core.value import Value
from atunner.tools.process import ProgramTimedOut, kill, run, running
from atunner.tools.runner import program
from atunner.tools.sandbox import Chain, Layer, Limits, confined, strongest

SUCCEEDED = 42
DYING_S = 0.5
LIMITS = Limits(memory_bytes=512 << 20, file_bytes=8 << 20, cpu_s=5)
ALWAYS: frozenset[Layer] = frozenset()
FILES = frozenset({Layer.LANDLOCK, Layer.USER})
NET = frozenset({Layer.SECCOMP, Layer.NAMESPACES})

ATTACKS: dict[str, frozenset[Layer]] = {
    "file_escape": FILES,
    "symlink_out": FILES,
    "read_secret": FILES,
    "delete_outside": FILES,
    "tcp": NET | {Layer.LANDLOCK},
    "udp": NET,
    "abstract_socket": frozenset({Layer.LANDLOCK, Layer.NAMESPACES}),
    "trace_parent": frozenset({Layer.SECCOMP, Layer.USER, Layer.LANDLOCK, Layer.NAMESPACES}),
    "signal_parent": frozenset({Layer.USER, Layer.LANDLOCK, Layer.NAMESPACES}),
    "fill_disk": frozenset({Layer.RLIMITS}),
    "memory": frozenset({Layer.RLIMITS}),
    "fork_bomb": ALWAYS,
    "orphan": frozenset({Layer.NAMESPACES}),
    "endless_output": ALWAYS,
    "endless_sleep": ALWAYS,
    "leaves_early": ALWAYS,
}
"""Each attack and the layers of which any one stops it; none needed: the process group and the time limit do."""


class Outcome(Value):
    """One attack under one chain. result: stopped, layer absent, or SUCCEEDED."""

    attack: str
    chain: tuple[str, ...]
    result: str
    left_behind: str = ""


@dataclass(frozen=True)
class _Target:
    outside: Path
    port: int


def chains(cache: Path) -> tuple[Chain, ...]:
    """Every chain worth telling apart here, weakest first: each layer alone upon rlimits, then all."""
    whole = strongest(cache).layers
    grown = [Chain(layers=tuple(layer for layer in whole if layer in (Layer.RLIMITS, one))) for one in whole]
    return (Chain(layers=()), *dict.fromkeys([*grown, Chain(layers=whole)]))


def attacked(cache: Path, timeout_s: float = 0.7) -> Iterator[Outcome]:
    """Every attack under every chain, one outcome at a time. Raises ToolError when there is no C compiler."""
    with tempfile.TemporaryDirectory() as name, _listening() as port:
        folder = Path(name)
        folder.chmod(0o755)
        tool = folder / "hostile"
        with as_file(files("atunner.domains.kernels.selftest") / "hostile.c") as source:
            done = run("gcc", "-O1", "-w", str(source), "-o", str(tool), timeout_s=60)
        if done.code:
            raise ToolError(f"gcc could not compile the hostile programs: {done.output.strip()[:200]}")
        for chain in chains(cache):
            for attack in ATTACKS:
                yield _attack(attack, chain, tool, port, program("launcher", cache), timeout_s)


def _attack(attack: str, chain: Chain, tool: Path, port: int, launcher: Path, timeout_s: float) -> Outcome:
    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as private:
        Path(work).chmod(0o777)
        outside = Path(private) / "precious"
        outside.write_text("precious")
        argv = (str(tool), attack, str(outside), str(os.getpid()), str(port))
        wrapped = confined(chain, launcher, argv, [Path(work), tool], LIMITS)
        try:
            code = run(*wrapped, cwd=Path(work), env={}, timeout_s=timeout_s).code
        except ProgramTimedOut:
            code = -9
        bad = code == SUCCEEDED or not outside.exists() or outside.read_text() != "precious"
        left = _left(str(tool))
    result = "stopped"
    if bad or left:
        needed = ATTACKS[attack]
        result = "layer absent" if needed and not needed & set(chain.layers) else "SUCCEEDED"
    return Outcome(attack=attack, chain=chain.names, result=result, left_behind=left)


def _left(tool: str) -> str:
    """Processes of the attack that outlived it by more than the time to die; they are ended here."""
    deadline = time.monotonic() + DYING_S
    while (found := running(tool)) and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in found:
        kill(pid)
    return ", ".join(map(str, found))


@contextmanager
def _listening() -> Iterator[int]:
    """A TCP, a UDP and an abstract Unix socket that an attack could reach."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        tcp.bind(("127.0.0.1", 0))
        tcp.listen(256)
        port = int(tcp.getsockname()[1])
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", port))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        unix.bind(f"\0atunner-{port}")
        unix.listen(256)
        yield port
