"""A worker process whose starter is killed while it still begins must not stay."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from service_jobs import WAIT_S

from atunner.tools.tree import descendants, gone, kill_tree

STARTER = """
import time
from atunner.core.candidate import Candidate
from atunner.core.ports import WorkItem
from atunner.core.task import Task
from atunner.executors.local import LocalExecutor
if __name__ == "__main__":
    task = Task(domain="toy", name="toy", spec={"floor": 1})
    item = WorkItem(action="judge", task=task, candidate=Candidate(params={"x": 1, "y": 1}))
    print("begins", flush=True)
    LocalExecutor("atunner.domains.toy:Toy", {}, workers=2).map([item] * 4)
    time.sleep(60)
"""


@pytest.mark.parametrize("processes", [2, 3])
def test_nothing_outlives_a_starter_killed_at_the_start(tmp_path: Path, processes: int) -> None:
    script = tmp_path / "starter.py"
    script.write_text(STARTER)
    starter = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    starter.stdout.readline()
    below: set[int] = set()
    while len(below) < processes and starter.poll() is None:
        below = descendants(starter.pid)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    try:
        assert gone(below, WAIT_S)
    finally:
        for pid in below:
            kill_tree(pid)
        starter.stdout.close()
