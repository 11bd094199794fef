"""Processes that drive runs and are killed: `python driver.py JSON`; keys: mode, folder, kill_at, real, seed, trials.

kill_at: die by SIGKILL just after that write to the knowledge base (0: never). A folder with a run in it is resumed.
approve: what the run asks about; whatever it asks is approved.
"""

import json
import os
import random
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from atunner import domains, wiring
from atunner.core.candidate import Candidate
from atunner.core.record import RunRecord, RunState
from atunner.core.task import Budget, Task
from atunner.core.trial import Check, Screening
from atunner.domains.toy import Toy
from atunner.graphs.deps import Options
from atunner.knowledge_base.store import Store
from atunner.settings import Settings

WRITES = ("save_run", "record", "screened", "note", "set_baseline", "set_spent", "set_state", "event")


class Logged(Toy):
    """The toy that writes down every candidate that it judges."""

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        with (Path(str(task.spec["log"]))).open("a") as log:
            log.write(f"{candidate.id}\n")
        return super().check(task, candidate)

    def screen(self, task: Task, candidates: Sequence[Candidate]) -> list[Screening]:
        return Toy().screen(task, candidates)  # looks without judging

    def admit(self, task: Task) -> Task:
        return task


class Deadly(Store):
    """A store that ends the process just after its n-th write."""

    left = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in WRITES:
            return found

        def call(*args: Any, **more: Any) -> Any:
            answer = found(*args, **more)
            Deadly.left -= 1
            if Deadly.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return call


def request(config: dict[str, Any]) -> wiring.Request:
    if config.get("real"):
        task = Task(name="matmul", spec={"operator": "matmul", "shape": [64, 48, 40]})
        return wiring.Request(task=task, budget=Budget(trials=6), options=Options(search="random", slice=3, ahead=2))
    spec: dict[str, Any] = {"floor": 1, "log": f"{config['folder']}/judged"}
    options = Options(search="random", slice=config["slice"], patience=9, approve=config.get("approve", ""))
    budget = Budget(trials=config["trials"])
    return wiring.Request(Task(domain="toy", name="toy", spec=spec), budget, options, executor="inline")


def main(config: dict[str, Any]) -> RunRecord:
    folder = Path(config["folder"])
    domains.BUILT_IN["toy"] = "driver:Logged"
    sys.path.insert(0, str(Path(__file__).parent))
    Deadly.left = config.get("kill_at", 0)
    session = wiring.Session(Settings(data=folder, cache=folder / "cache", workers=1))
    session.store = Deadly(session.settings.database_url)
    with session:
        runs = session.store.runs()
        if runs:
            return approved(session, runs[0].run)
        record = session.start(request(config))
        return record if record.state is not RunState.WAITING else approved(session, record.run)


def approved(session: wiring.Session, run: str) -> RunRecord:
    """Go on with a run, saying yes to whatever it asks."""
    if session.question(run) is not None:
        session.approve(run)
    record = session.resume(run)
    while record.state is RunState.WAITING:
        session.approve(run)
        record = session.resume(run)
    return record


def forked(config: dict[str, Any], after_s: float | None = None) -> int:
    """One attempt in a process of its own, killed from outside after a time if one is given; its wait status."""
    child = os.fork()
    if child == 0:
        with (Path(config["folder"]) / "output").open("w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        record = main(config)
        result = [str(record.state), len(record.trials), record.spent.trials, record.best]
        (Path(config["folder"]) / "result").write_text(json.dumps(result))
        os._exit(0)
    if after_s is not None:
        ended = os.pidfd_open(child)
        if not select.select([ended], [], [], after_s)[0]:
            os.kill(child, signal.SIGKILL)
        os.close(ended)
    return os.waitpid(child, 0)[1]


def outcome(folder: Path, kills: int) -> dict[str, Any]:
    judged = (folder / "judged").read_text().split()
    result = json.loads((folder / "result").read_text())
    return {"kills": kills, "judged": len(judged), "distinct": len(set(judged)), "result": result}


def each_write(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Die after write `first`, then `step` writes later, until the run is done before; resume to the end each time."""
    found = []
    for number in range(config["first"], 1000, config["step"]):
        folder = Path(config["folder"]) / str(number)
        folder.mkdir()
        one = config | {"folder": str(folder)}
        status = forked(one | {"kill_at": number})
        with Store(f"sqlite:///{folder / 'atunner.sqlite'}") as store:
            ended = [run.state for run in store.runs()] == ["done"]
        if ended or not os.WIFSIGNALED(status):
            break
        assert forked(one) == 0, (folder / "output").read_text()
        found.append(outcome(folder, 1))
    return found


def random_times(config: dict[str, Any]) -> dict[str, Any]:
    """Kill at seeded times, five times or until the run is done before that."""
    times, folder, kills = random.Random(config["seed"]), Path(config["folder"]), 0
    while kills < 5 and os.WIFSIGNALED(forked(config, times.uniform(0.02, 0.25))):
        kills += 1
    if not (folder / "result").exists():
        assert forked(config) == 0, (folder / "output").read_text()
    return outcome(folder, kills)


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    mode = asked.pop("mode", "once")
    if mode == "each_write":
        sys.stdout.write(json.dumps(each_write(asked)))
    elif mode == "random_times":
        sys.stdout.write(json.dumps(random_times(asked)))
    else:
        done = main(asked)
        sys.stdout.write(f"{done.state}\n")
