"""The service's figures: submissions held, one job for one key, events without gaps, cancels without orphans, overhead,
and what is left of it all when servers and workers are killed again and again.

    python benchmarks/service.py                            # about two minutes
    python benchmarks/service.py --minutes 10 --cancels 100 # as at night
    python benchmarks/service.py --only kills --kills 300 --jobs 5000 --database postgres

Prints one line a figure and exits 1, with their names on the last line, when one is missed.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from served import Server, server, until

from atunner.client import Client
from atunner.core.job import ENDED, JobRequest
from atunner.core.task import Budget, Task
from atunner.graphs.request import Request
from atunner.jobs.submission import Submission
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.store import Store
from atunner.settings import Settings
from atunner.tools.tree import descendants
from atunner.wiring import Session

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # whose schedule of kills this is

CONNECTIONS = 16
TASKS = (
    {"kind": "toy", "floor": 1},
    {"kind": "operator", "operator": "matmul", "shape": [64, 64, 64]},
    {"kind": "operator", "operator": "softmax", "shape": [64, 64]},
)
LONG = {"search": "random", "slice": 8, "rounds": 1_000_000, "patience": 1_000_000}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figure:
    """One line: what, how much, and whether that is enough."""

    name: str
    value: str
    wanted: str
    met: bool

    def __str__(self) -> str:
        return f"{'ok  ' if self.met else 'MISS'} {self.name:34} {self.value:>24}   wanted {self.wanted}"


async def _connection(
    there: Server, name: int, enough: Callable[[int], bool], times: list[float], bad: list[str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    number = 0
    while not enough(number):
        body = json.dumps({"task": TASKS[number % len(TASKS)], "budget": {"trials": 8}}).encode()
        head = (
            f"POST /api/v1/jobs HTTP/1.1\r\nhost: 127.0.0.1:{there.port}\r\ncontent-type: application/json\r\n"
            f"idempotency-key: {name}-{number}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(x for x in answer.lower().split(b"\r\n") if x.startswith(b"content-length"))
        said = await reader.readexactly(int(length.split(b":")[1]))
        times.append(time.perf_counter() - began)
        if b" 201 " not in answer.partition(b"\r\n")[0]:
            bad.append(said.decode()[:200])
        number += 1
    writer.close()


async def _load(there: Server, enough: Callable[[int], bool], first: int) -> tuple[list[float], list[str], float]:
    times: list[float] = []
    bad: list[str] = []
    began = time.perf_counter()
    await asyncio.gather(*(_connection(there, first + n, enough, times, bad) for n in range(CONNECTIONS)))
    return sorted(times), bad, time.perf_counter() - began


def submissions(count: int, minutes: float) -> Iterator[Figure]:
    """Idempotent submissions over 16 connections, by count or by time."""
    with server() as there:
        asyncio.run(_load(there, lambda n: n >= 20, 0))
        before = there.rss_mb
        end = time.monotonic() + minutes * 60
        each = count // CONNECTIONS
        enough = (lambda _: time.monotonic() > end) if minutes else (lambda n: n >= each)
        times, bad, took = asyncio.run(_load(there, enough, 1000))
        grown = there.rss_mb / before - 1
        with Client(there.url) as client:
            held = client.jobs(limit=1).total
    rate, p99 = len(times) / took, times[int(len(times) * 0.99)] * 1000
    yield Figure("submissions a second", f"{rate:.0f} ({len(times)} in {took:.0f} s)", ">= 300", rate >= 300)
    yield Figure("p99 of a submission", f"{p99:.0f} ms", "< 300 ms", p99 < 300)
    yield Figure("errors", f"{len(bad)} {''.join(bad[:1])}", "0", not bad)
    lost = len(times) + CONNECTIONS * 20 - held
    yield Figure("acknowledged and not in the list", str(lost), "0", lost == 0)
    most = 0.05 if minutes >= 10 else 0.25
    yield Figure("growth of memory", f"{grown:.1%} of {before:.0f} MB", f"< {most:.0%}", grown < most)


def one_key(clients: int) -> Iterator[Figure]:
    """The same key from many clients at once."""
    asked = Submission.model_validate({"task": {"kind": "toy"}, "budget": {"trials": 4}})
    with server() as there:
        barrier = threading.Barrier(clients)

        def ask(_: int) -> str:
            with Client(there.url) as client:
                barrier.wait()
                return client.submit(asked, "the-key").id

        with ThreadPoolExecutor(clients) as pool:
            ids = set(pool.map(ask, range(clients)))
        with Client(there.url) as client:
            total = client.jobs().total
    yield Figure(f"jobs of one key from {clients} clients", str(total), "1", len(ids) == total == 1)


def events(count: int = 1000, kills: int = 5) -> Iterator[Figure]:
    """A client that follows a job while its server is killed again and again."""
    with server() as there:
        with Client(there.url) as client:
            held = {"task": {"kind": "toy"}, "budget": {"trials": 4}, "approval": True}
            job = client.submit(Submission.model_validate(held)).id
        store = Store(there.database)

        def tell() -> None:
            for number in range(count):
                store.event(job, "note", {"number": number}, key=f"n-{number}")
                time.sleep(0.002)
            JobStore(store.database).cancel(job, "that was all")

        teller = threading.Thread(target=tell)
        teller.start()
        seen: list[int] = []
        with Client(there.url) as client:
            for told in client.events(job):
                seen.append(told.seq)
                if kills and len(seen) > count * (6 - kills) // 7:
                    kills -= 1
                    there.kill()
                    there.start()
        teller.join()
        there_are = len(_all_events(store, job))
    gaps = there_are - len(set(seen))
    yield Figure("events missed over kills", f"{gaps} of {there_are}", "0", gaps == 0 and there_are >= count)
    yield Figure("events told twice", str(len(seen) - len(set(seen))), "0", len(seen) == len(set(seen)))


def _all_events(store: Store, job: str) -> list[int]:
    found: list[int] = []
    while batch := store.events(job, found[-1] if found else 0):
        found += [event.seq for event in batch]
    return found


def cancels(count: int) -> Iterator[Figure]:
    """Jobs with processes of their own, cancelled at work: how long until those are gone."""
    slowest, orphans = 0.0, 0
    with server(slots=2) as there, Client(there.url) as client:
        queue = JobStore(there.database)
        idle = _settled(there)
        for number in range(count):
            task = Task(domain="toy", name="toy", spec={"floor": number + 1})
            asked = {"executor": "local", "options": {**LONG, "seed": number}}
            job = queue.submit(JobRequest(task=task, budget=Budget(trials=1_000_000), options=asked))
            until(lambda job=job: client.job(job.id).progress > 0)  # type: ignore[misc]
            below = descendants(there.process.pid) - idle
            client.cancel(job.id)
            began = time.monotonic()
            until(lambda below=below: not _alive(below), 20.0)  # type: ignore[misc]
            slowest = max(slowest, time.monotonic() - began)
            orphans += len(_alive(below))
        queue.close()
    yield Figure(f"slowest of {count} cancels", f"{slowest:.2f} s", "< 5 s", slowest < 5)
    yield Figure("processes left after cancels", str(orphans), "0", orphans == 0)


def _settled(there: Server) -> set[int]:
    """The processes of a worker at rest: the one that forks jobs, and its tracker."""
    found: set[int] = set()
    while len(found) < 2:
        time.sleep(0.5)
        found = descendants(there.process.pid)
    return found


def _alive(pids: set[int]) -> set[int]:
    return {p for p in pids if _state(p) not in ("", "Z")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def overhead(trials: int = 200) -> Iterator[Figure]:
    """Processor time for each trial of a served job, beyond that of the same run without a service."""
    options = {"search": "random", "seed": 3, "patience": 1000, "rounds": 1000}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), cache=Path(folder), database="", model="none")
        task = Task(domain="toy", name="toy", spec={"floor": 3})
        from atunner.graphs.deps import Options

        request = Request(task, Budget(trials=trials), Options(**options), executor="inline")  # type: ignore[arg-type]
        with Session(settings) as session:
            began = time.process_time()
            plain_trials = len(session.start(request).trials)
            plain = (time.process_time() - began) / plain_trials
    with server(slots=1) as there, Client(there.url) as client:
        queue = JobStore(there.database)
        _settled(there)
        before = _cpu(there)
        job = queue.submit(
            JobRequest(task=task, budget=Budget(trials=trials), options={"executor": "inline", "options": options})
        )
        used = 0.0
        while client.job(job.id).state not in ENDED:
            used = max(used, _cpu(there) - before)
            time.sleep(0.02)
        served = max(1, client.job(job.id).progress)
        queue.close()
    each = max(0.0, used / served - plain) * 1000
    said = f"{each:.1f} ms ({used / served * 1000:.1f} - {plain * 1000:.1f})"
    yield Figure("processor time a trial, beyond work", said, "< 50 ms", each < 50)


def kills(count: int, jobs: int, database: str, seed: int) -> Iterator[Figure]:
    """The server and two workers, killed on a seeded schedule while a client hands in jobs."""
    from kills import Town
    from postgres_server import fresh_database, postgres_server

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atunner-kills-")))
        url = f"sqlite:///{folder / 'atunner.sqlite'}"
        if database == "postgres":
            url = fresh_database(stack.enter_context(postgres_server()))
        began = time.monotonic()
        found = Town(folder, url, seed, count, jobs).run(limit_s=600.0 + jobs)
        took = time.monotonic() - began
    said = f"{database}: {found.kills} kills, {found.jobs} jobs, {found.attempts} attempts, {took:.0f} s, seed {seed}"
    for name in ("lost", "duplicated", "stuck", "repeated", "gaps"):
        number = getattr(found, name)
        yield Figure(f"{name} over kills", str(number), f"0 ({said})", number == 0)
    yield Figure("jobs over kills", str(found.jobs), str(jobs), found.jobs == jobs)


def _cpu(there: Server) -> float:
    """Seconds of processor time of the server and all its processes, also those that ended."""
    total = 0.0
    for pid in {there.process.pid, *descendants(there.process.pid)}:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(x) for x in fields[11:15]) / TICKS
    return total


def main() -> int:
    """Measure all, print all."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--submissions", type=int, default=6000)
    told.add_argument("--minutes", type=float, default=0.0, help="hold the load for so long instead")
    told.add_argument("--cancels", type=int, default=10)
    told.add_argument("--clients", type=int, default=50)
    told.add_argument("--kills", type=int, default=20)
    told.add_argument("--jobs", type=int, default=200, help="handed in while there are kills")
    told.add_argument("--seed", type=int, default=7)
    told.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite", help="for the kills")
    told.add_argument("--only", choices=["submissions", "one_key", "events", "cancels", "overhead", "kills"])
    asked = told.parse_args()
    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "submissions": lambda: submissions(asked.submissions, asked.minutes),
        "one_key": lambda: one_key(asked.clients),
        "events": events,
        "cancels": lambda: cancels(asked.cancels),
        "overhead": overhead,
        "kills": lambda: kills(asked.kills, asked.jobs, asked.database, asked.seed),
    }
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    missed = []
    for name, part in parts.items():
        if asked.only in (None, name):
            for figure in part():
                print(figure, flush=True)
                missed += [] if figure.met else [figure.name]
    print(f"missed: {', '.join(missed)}" if missed else "all figures met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
