"""Whether this machine is at other work, and waiting until it is not."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

LOADAVG = Path("/proc/loadavg")
LOOKS = 5
BETWEEN_S = 0.05
LONGEST_S = 20.0


def crowded(loadavg: Path = LOADAVG, sleep: Callable[[float], None] = time.sleep) -> str:
    """How many tasks want the cores, when they are more than there are; "" when there is room, or nobody knows.

    The kernel's averages follow too slowly, so what runs at this moment is looked at a few times.
    """
    cores, found = os.cpu_count() or 1, list[int]()
    for look in range(LOOKS):
        if look:
            sleep(BETWEEN_S)
        try:
            found.append(int(loadavg.read_text(encoding="ascii").split()[3].partition("/")[0]))
        except (OSError, IndexError, ValueError):
            return ""
    running = int(median(found))
    return f"{running} tasks want its {cores} cores" if running > cores else ""


def calm(
    limit_s: float = LONGEST_S,
    crowd: Callable[[], str] = crowded,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Wait until the machine has room, at most `limit_s` seconds; what keeps it busy when it still is."""
    deadline = now() + limit_s
    while (said := crowd()) and now() < deadline:
        sleep(0.5)
    return said
