"""What the host can count of a kernel: hardware events where perf can read them, else what the kernel accounts."""

import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from atunner.core.errors import ToolError
from atunner.core.profile import Counters, Profile
from atunner.domains.kernels.timing import Block
from atunner.tools.process import end, ended, start

EVENTS = ("cycles:u", "instructions:u", "cache-references:u", "cache-misses:u", "branch-misses:u")


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


def profile(session: Watched) -> Profile:
    """Counters of one call, from a run of its own: the difference of many calls and few, over their number."""
    few = session.block(1)
    calls = max(2, min(session.most, int(2000 / max(few.wall_us, 1.0)) + 1))
    faults = _faults(session.pid)
    many = session.block(calls)
    values = {"cpu_us": many.cpu_us / calls, "page_faults": (_faults(session.pid) - faults) / calls}
    hardware, note = _hardware(session, calls)
    if not hardware:
        return Profile(counters=Counters(source="user time only", values=values, notes=(note,)))
    return Profile(counters=Counters(source="perf", values=values | hardware))


def _hardware(session: Watched, calls: int) -> tuple[dict[str, float], str]:
    """Events of one call, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "perf.csv"
        try:
            watching = start(
                "perf", "stat", "-x", ",", "-e", ",".join(EVENTS), "-o", str(out), "-p", str(session.pid),
                env={"PATH": os.defpath, "LC_ALL": "C"},
            )  # fmt: skip
        except ToolError as error:
            return {}, f"no hardware counters: {error}"
        try:
            session.block(calls)
        finally:
            watching.send_signal(2)
            ended(watching, 2.0)
            end(watching)
        text = out.read_text() if out.exists() else ""
    found = {
        match[2].removesuffix(":u"): float(match[1]) / calls
        for match in re.finditer(r"^([0-9.]+),[^,]*,([a-z:-]+)", text, re.MULTILINE)
    }
    return found, "" if found else "no hardware counters: this machine's kernel or hypervisor does not offer them"


def _faults(pid: int) -> int:
    """Minor page faults so far (field 10 of /proc/PID/stat)."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[7])
    except (OSError, IndexError):
        return 0
