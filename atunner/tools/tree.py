"""A process with everything below it, also what moved to sessions of its own."""

import os
import signal
import time
from pathlib import Path

ROUNDS = 50


def descendants(pid: int) -> set[int]:
    """Process ids of all children, their children and so on (Linux: /proc); without `pid` itself."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent(entry)
            if parent is not None:
                parents.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    todo = [pid]
    while todo:
        below = set(parents.get(todo.pop(), ())) - found
        found |= below
        todo.extend(below)
    return found


def _parent(entry: Path) -> int | None:
    try:
        fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1])


def kill_tree(pid: int) -> None:
    """Stop, then kill a process that we started and everything below it.

    Each is stopped before its children are looked up, so that nothing can be forked past us.
    """
    stopped: set[int] = set()
    for _ in range(ROUNDS):
        new = ({pid} | descendants(pid)) - stopped
        if not new:
            break
        for one in new:
            _send(one, signal.SIGSTOP)
        stopped |= new
    for one in stopped:
        _send(one, signal.SIGKILL)


def gone(pids: set[int], timeout_s: float) -> bool:
    """Whether all of them end, or wait to be reaped, within the time."""
    end = time.monotonic() + timeout_s
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
