"""For a worker's server of forks to preload: the toy of its jobs kills their processes before anything is recorded."""

import os
import signal

from atunner import domains
from atunner.core.task import Task
from atunner.domains.toy import Toy


class Deadly(Toy):
    """The toy, and a bug that takes its process with it."""

    def admit(self, task: Task) -> Task:
        os.kill(os.getpid(), signal.SIGKILL)
        return task


domains.BUILT_IN["toy"] = "deadly_toy:Deadly"
