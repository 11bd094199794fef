"""OpenCL devices of this machine, and a process on one of them that holds a candidate."""

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from atunner.core.device import Device
from atunner.core.errors import NotBuilt, UserError
from atunner.core.value import Value
from atunner.domains.kernels.gpu.link import Link
from atunner.domains.kernels.gpu.present import Here
from atunner.tools.process import run, start
from atunner.tools.sandbox import Chain, Layer, Limits, confined
from atunner.tools.yielding import Yielding

INSTALL = "pip install 'atunner[opencl]'"
GPU_LAYERS = (Layer.RLIMITS,)
"""A GPU's driver opens devices and sockets of its own, which the other layers forbid."""
WORKER = Path(__file__).with_name("opencl_worker.py")
ADDRESS = 256
"""Bytes that every buffer is aligned to; devices ask for this much or less."""


class OpenclDevice(Value):
    """One device as its driver tells it. place: number of its platform, and its own number there."""

    name: str
    platform: str
    kind: str
    version: str
    driver: str
    place: tuple[int, int]
    units: int
    align: int


@lru_cache
def devices() -> tuple[OpenclDevice, ...]:
    """Every OpenCL device of this machine, asked in a process of its own; none without pyopencl."""
    done = run(sys.executable, "-I", str(WORKER), timeout_s=60)
    try:
        return tuple(OpenclDevice.model_validate(found) for found in json.loads(done.output.strip().splitlines()[-1]))
    except (IndexError, ValueError):
        return ()


def chosen(target: Device, found: Sequence[OpenclDevice]) -> OpenclDevice:
    """The device that a target means: for this machine a CPU device, else a GPU of that name.

    Raises:
        UserError: there is none; says what there is.
    """
    kind = "cpu" if target.kind == "cpu" else "gpu"
    names = [n.lower() for n in (target.name, *target.aliases)]
    for one in found:
        if one.kind == kind and (kind == "cpu" or any(n in one.name.lower() for n in names)):
            return one
    there = ", ".join(f"{one.name} ({one.kind})" for one in found) or "none"
    missing = f"; {INSTALL} brings a CPU device" if not found else ""
    raise UserError(f"No OpenCL device of this machine is {target.name}. There are: {there}{missing}.")


def package_version() -> str:
    """The version of pyopencl, "" without it."""
    try:
        return version("pyopencl")
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True)
class Place:
    """How processes on the device are started. folder: where the driver keeps its code; launcher: of the sandbox."""

    device: OpenclDevice
    chain: Chain
    launcher: Path
    cpus: tuple[int, ...]
    folder: Path

    def argv(self, *argv: str) -> tuple[str, ...]:
        """The worker's command in the sandbox: it reads Python and the system, and writes the folder only."""
        program = (sys.executable, "-I", str(WORKER), *argv)
        wanted = (sys.prefix, sys.base_prefix, str(WORKER.parent), "/sys", "/etc/OpenCL", "/dev/shm")
        readable = [Path(p) for p in wanted if Path(p).exists()]
        limits = Limits(memory_bytes=0, file_bytes=1 << 30, cpu_s=600)
        return confined(self.chain, self.launcher, program, (self.folder,), limits, readable=readable)

    def environment(self) -> dict[str, str]:
        """All that the process is told by its environment; PoCL takes its threads and its cache from there."""
        folder = str(self.folder)
        # PoCL asks for the machine's layout below a root directory that it must be able to open; "/" it may not.
        for name in ("proc", "sys"):
            if not (link := self.folder / name).is_symlink():
                link.symlink_to(f"/{name}")
        threads = {"POCL_MAX_PTHREAD_COUNT": str(len(self.cpus))} if self.cpus else {}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            **dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "POCL_CACHE_DIR"), folder),
            "HWLOC_FSROOT": folder,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYOPENCL_NO_CACHE": "1",
            "OPENBLAS_NUM_THREADS": "1",
            **threads,
        }


class OpenclLink(Link):
    """One worker on the device; see `Link`. facts: what the compiler said of each kernel.

    yielding: to whose timing it gives way, for a worker that only compiles.

    Raises:
        NotBuilt: the compiler refused the source, with its words.
    """

    def __init__(
        self,
        place: Place,
        order: dict[str, Any],
        octets: int,
        limit_s: float = 60.0,
        yielding: Yielding | None = None,
    ) -> None:
        self._place, self._limit_s, self._yielding, self._member = place, limit_s, yielding, ExitStack()
        told = {**order, "device": list(place.device.place), "cpus": list(place.cpus)}
        super().__init__(Here(name=place.device.name, arch="opencl"), told, octets)
        self.facts: list[dict[str, Any]] = list(self.environment["facts"])

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """One request and its answer, the order within the limit; raises as `Link.ask`."""
        return super().ask(request, self._limit_s if "programs" in request else timeout_s)

    @cached_property
    def _worker(self) -> int:
        """The process at work: the last of the line of children, since a sandbox layer may put one between."""
        pid = int(self._process.pid)
        while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            pid = int(children[0])
        return pid

    def waited_us(self) -> float:
        """Time that any of its threads was ready to run and another had the core, by the kernel's account."""
        found = 0.0
        for task in Path(f"/proc/{self._worker}/task").glob("*/schedstat"):
            try:
                found += int(task.read_bytes().split()[1]) / 1e3
            except (OSError, IndexError):
                continue
        return found

    def cpu_us(self) -> float:
        """CPU time of all its threads."""
        try:
            return time.clock_gettime_ns((~self._worker << 3) | 2) / 1e3
        except OSError:
            return 0.0

    def _start(self, octets: int) -> None:
        commands, self._control = os.pipe()
        self._reply, replies = os.pipe()
        given = (commands, replies, self._arena)
        argv = self._place.argv(*map(str, given), str(octets))
        try:
            self._process = start(*argv, cwd=self._place.folder, env=self._place.environment(), descriptors=given)
        finally:
            os.close(commands)
            os.close(replies)
        if self._yielding is not None:
            self._member.enter_context(self._yielding.joined(self._process.pid))

    def close(self) -> None:
        """End the worker."""
        self._member.close()
        super().close()

    def _failed(self, said: dict[str, Any]) -> None:
        if said["failed"] == "build":
            raise NotBuilt(diagnosed(str(said["text"])))
        super()._failed(said)


def diagnosed(text: str, lines: int = 8) -> str:
    """The errors in a build log, without the folders of the compiler's temporary files."""
    found = [line.strip() for line in text.splitlines() if "error:" in line]
    plain = [line.rpartition("/")[2] if line.startswith("/") else line for line in found]
    return "\n".join(plain[:lines]) or text.strip()[:800] or "The OpenCL compiler failed and said nothing."
