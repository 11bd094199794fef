"""The first lines of a job's process; light, since the worker imports them too."""

import os
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from atunner.core.job import Lease, LostLease
from atunner.knowledge_base.database import DatabaseLost
from atunner.settings import Settings
from atunner.tools.lifeline import die_with_parent
from atunner.tools.scratch import use

TRY_LATER = 75
"""The exit code of EX_TEMPFAIL: the database was away; the lease runs out and somebody tries again."""


def ready() -> None:
    """Nothing: once it ended, the server that forks jobs is up."""


def _end_with_worker() -> None:
    """The server that forks us lives as long as we do, so its death says nothing of the worker's: watch that too."""
    worker = parent_process()
    if worker is not None:
        wait([worker.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)


def begin(values: dict[str, Any], lease: str, lease_s: float, folder: str) -> None:
    """The job's process: dies with its worker, listens to SIGTERM, leaves SIGINT to the worker.

    folder: for its temporary files; the worker removes it.
    """
    from atunner.service.perform import perform

    os.setsid()
    use(Path(folder))
    die_with_parent()
    threading.Thread(target=_end_with_worker, name="lifeline", daemon=True).start()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        perform(Settings(**values), Lease.model_validate_json(lease), stop, lease_s)
    except LostLease:
        return
    except DatabaseLost as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(TRY_LATER)
