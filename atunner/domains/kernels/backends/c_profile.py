"""What the host can count of a kernel: hardware events where perf can read them, else what the kernel accounts."""

import os
import re
import select
import signal
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from atunner.core.errors import ToolError
from atunner.core.profile import Counters, Profile
from atunner.domains.kernels.blocks import Block
from atunner.tools.process import end, ended, start

EVENTS = ("cycles:u", "instructions:u", "cache-references:u", "cache-misses:u", "branch-misses:u")
ANSWER_S = 3.0


class Watched(Protocol):
    """A timing session whose process can be watched from outside."""

    @property
    def most(self) -> int:
        """Calls in one block at most."""
        ...

    @property
    def pid(self) -> int:
        """The process that holds the candidate."""
        ...

    def block(self, calls: int) -> Block:
        """Make calls back to back."""
        ...


def profile(session: Watched, perf: str = "perf") -> Profile:
    """Counters of one call, from a run of its own: the difference of many calls and few, over their number."""
    few = session.block(1)
    calls = max(2, min(session.most, int(2000 / max(few.wall_us, 1.0)) + 1))
    faults = _faults(session.pid)
    many = session.block(calls)
    values = {"cpu_us": many.cpu_us / calls, "page_faults": (_faults(session.pid) - faults) / calls}
    try:
        hardware = counted(_watched(session, calls, perf), calls)
    except ToolError as error:
        return Profile(
            counters=Counters(source="user time only", values=values, notes=(f"no hardware counters: {error}",))
        )
    return Profile(counters=Counters(source="perf", values=values | hardware))


def counted(text: str, calls: int) -> dict[str, float]:
    """Events of one call from what `perf stat -x ,` wrote: count, unit, event, time it ran, share of that time...

    An event that was counted for a share of the time only is scaled up by perf itself.

    Raises:
        ToolError: it could count none of them.
    """
    found = {
        match[2].partition(":")[0]: float(match[1]) / calls
        for match in re.finditer(r"^([0-9.]+),[^,]*,([a-z:-]+)", text, re.MULTILINE)
    }
    if not found:
        raise ToolError("this machine's kernel or hypervisor does not offer them")
    return found


def _watched(session: Watched, calls: int, perf: str) -> str:
    """What perf counts of that many calls and of nothing else: it is told when to begin and when to end.

    Raises:
        ToolError: it is not here, or does not answer.
    """
    with tempfile.TemporaryDirectory() as folder, _Told() as told:
        out = Path(folder) / "perf.csv"
        watching = start(
            perf, "stat", "-x", ",", "-D", "-1", "--control", f"fd:{told.orders},{told.answers}",
            "-e", ",".join(EVENTS), "-o", str(out), "-p", str(session.pid),
            env={"PATH": os.defpath, "LC_ALL": "C"}, descriptors=(told.orders, told.answers),
        )  # fmt: skip
        try:
            told.handed()
            told.order(b"enable\n")
            session.block(calls)
            told.order(b"disable\n")
        finally:
            watching.send_signal(signal.SIGINT)
            ended(watching, 2.0)
            end(watching)
        return out.read_text() if out.exists() else ""


class _Told:
    """The two pipes over which perf takes orders and says that it has carried them out."""

    def __enter__(self) -> Self:
        self.orders, self._order = os.pipe()
        self._answer, self.answers = os.pipe()
        self._theirs = [self.orders, self.answers]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.handed()
        os.close(self._order)
        os.close(self._answer)

    def handed(self) -> None:
        """Close the ends that perf has by now, so that its end is seen."""
        while self._theirs:
            os.close(self._theirs.pop())

    def order(self, word: bytes) -> None:
        """Give one order and wait until it is carried out. Raises ToolError."""
        try:
            os.write(self._order, word)
        except BrokenPipeError as error:
            raise ToolError("perf ended at once; it may not watch other processes here") from error
        ready, _, _ = select.select([self._answer], [], [], ANSWER_S)
        if not ready or not os.read(self._answer, 64):
            raise ToolError("perf gave no answer; it may not watch other processes here")


def _faults(pid: int) -> int:
    """Minor page faults so far (field 10 of /proc/PID/stat)."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[7])
    except (OSError, IndexError):
        return 0
