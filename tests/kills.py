"""A service whose server and workers are killed on a seeded schedule, and what must hold of its database afterwards.

The jobs are light, so that hundreds of them fit into a test: each takes three measurements through the queue, the fence
and the record as real runs do. A file beside the database witnesses every measurement, begun and recorded.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from atunner.core.job import ENDED, Job, JobFilter, JobState
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.store import Store
from atunner.tools.scratch import Folder
from atunner.tools.tree import descendants, kill_tree

TESTS = Path(__file__).parent
UNITS = 3
LEASE_S = 2.0


@dataclass
class Outcome:
    """What became of it all. Every count but jobs, kills and attempts is to be 0."""

    jobs: int
    kills: int
    attempts: int
    lost: int
    duplicated: int
    stuck: int
    repeated: int
    gaps: int

    @property
    def good(self) -> bool:
        """Nothing was lost, doubled, left or done again."""
        return not (self.lost or self.duplicated or self.stuck or self.repeated or self.gaps)


@dataclass
class Town:
    """One server, two workers, a client that hands in jobs and insists, and somebody who kills."""

    folder: Path
    url: str
    seed: int
    kills: int
    jobs: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    def run(self, limit_s: float) -> Outcome:
        """Let it happen, and look at what is left."""
        self.chance = random.Random(self.seed)
        self.port = 0
        self.temporary = Folder()
        self.store = JobStore(self.url, LEASE_S)
        self.server = self._serve()
        self.workers = [self._work(), self._work()]
        client = threading.Thread(target=self._insist, daemon=True)
        client.start()
        try:
            done = self._kill_all(time.monotonic() + limit_s)
            client.join(limit_s)
            while self._unfinished() and time.monotonic() < done + limit_s:
                time.sleep(0.2)
        finally:
            for process in (self.server, *self.workers):
                self._end(process)
            self.temporary.remove()
        return self._judged()

    def _kill_all(self, until: float) -> float:
        """The schedule: after so much progress, one of the server and the workers, drawn by the seed."""
        units = self.jobs * UNITS
        for number in range(self.kills):
            goal = min(self._progress() + self.chance.randrange(1, max(2, units // self.kills)), units)
            victim = self.chance.choice(["server", "worker", "worker", "worker"])
            while self._progress() < goal and self._unfinished() and time.monotonic() < until:
                time.sleep(0.02)
            if victim == "server" or number == 0:
                self._end(self.server)
                self.server = self._serve()
            else:
                self._end(self.workers.pop(self.chance.randrange(2)))
                self.workers.append(self._work())
        return time.monotonic()

    def _serve(self) -> "subprocess.Popen[str]":
        argv = [Path(sys.executable).parent / "atunner", "serve", "--slots", "0", "--port", str(self.port)]
        environment = {**self._environment(), "ATUNNER_DATA": str(self.folder), "ATUNNER_CACHE": str(self.folder)}
        environment["ATUNNER_DATABASE"] = self.url
        process = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
        if not self.port:
            assert process.stdout is not None
            self.port = int(process.stdout.readline().split()[2].rpartition(":")[2])
        return process

    def _work(self) -> "subprocess.Popen[str]":
        argv = [sys.executable, TESTS / "light_jobs.py", self.url, self.folder / "witness", str(UNITS), str(LEASE_S)]
        told = [str(a) for a in argv]
        return subprocess.Popen(
            told, env=self._environment(), stdout=subprocess.DEVNULL, start_new_session=True, text=True
        )

    def _environment(self) -> dict[str, str]:
        """What is killed leaves its temporary files where they end with all this; fork servers find the light jobs.

        Python 3.11 hands its fork server no search path, so that each job would import for itself.
        """
        return {**os.environ, "TMPDIR": str(self.temporary.path), "PYTHONPATH": str(TESTS)}

    def _insist(self) -> None:
        """Hand in every job until it is acknowledged; some twice, as clients that missed the answer do."""
        chance = random.Random(self.seed + 1)
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=10) as http:
            for number in range(self.jobs):
                for _ in range(1 + (chance.random() < 0.2)):
                    self.acknowledged[f"key-{number}"] = self._accepted(http, number)

    def _accepted(self, http: httpx.Client, number: int) -> str:
        asked = {"task": {"kind": "toy", "floor": number + 1}, "budget": {"trials": UNITS}}
        while True:
            try:
                answer = http.post("/jobs", json=asked, headers={"idempotency-key": f"key-{number}"})
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code != 201:
                self.refused = f"{answer.status_code}: {answer.text}"
                raise AssertionError(self.refused)
            return str(answer.json()["id"])

    def _end(self, process: "subprocess.Popen[str]") -> None:
        below = descendants(process.pid)
        process.kill()
        process.communicate()
        for pid in below:
            kill_tree(pid)

    def _all(self) -> list[Job]:
        found: list[Job] = []
        while batch := self.store.list(JobFilter(limit=1000, offset=len(found), sort="created")).jobs:
            found += batch
        return found

    def _progress(self) -> int:
        return (self.folder / "witness").read_text().count("recorded") if (self.folder / "witness").exists() else 0

    def _unfinished(self) -> bool:
        """Raises AssertionError: the server refused a job."""
        if self.refused:
            raise AssertionError(self.refused)
        counts = self.store.counts()
        return sum(counts[state] for state in ENDED) < self.jobs

    def _judged(self) -> Outcome:
        found, store = self._all(), Store(self.store.database)
        ids = {job.id for job in found}
        lost = sum(job not in ids for job in self.acknowledged.values()) + (self.jobs - len(self.acknowledged))
        gaps = 0
        for job in found:
            events = store.events(job.id, limit=5000)
            ends = sum(e.kind == "state" and e.body == {"state": "done"} for e in events)
            whole = [e.seq for e in events] == list(range(1, len(events) + 1))
            gaps += not whole or ends != 1 or len(store.trials(str(job.run))) != UNITS
        outcome = Outcome(
            jobs=len(found),
            kills=self.kills,
            attempts=sum(job.attempts for job in found),
            lost=lost,
            duplicated=len(found) - len(set(self.acknowledged.values())),
            stuck=sum(job.state is not JobState.DONE for job in found),
            repeated=repeated((self.folder / "witness").read_text()),
            gaps=gaps,
        )
        self.store.close()
        return outcome


def repeated(witnessed: str) -> int:
    """Measurements that were begun although one of the same kind had been recorded."""
    recorded: Counter[str] = Counter()
    count = 0
    for line in witnessed.splitlines():
        what, _, which = line.partition(" ")
        count += what == "begun" and bool(recorded[which])
        recorded[which] += what == "recorded"
    return count
