"""A worker process must not outlive the one that started it, also when that one is killed."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent(starter: int | None = None) -> None:
    """Ask the kernel (prctl(2), Linux) to kill this process when its parent ends; elsewhere this does nothing.

    starter: who started us; when our parent is another one by now, the starter is gone and we end at once.
    """
    parent = os.getppid() if starter is None else starter
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
