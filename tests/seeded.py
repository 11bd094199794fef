"""A recorded run of many trials, with models' calls, failures and a lineage: what only a long job would give."""

import math
import random
from collections.abc import Iterator

from atunner.core.call import ModelCall
from atunner.core.candidate import Candidate, Params
from atunner.core.job import Job, JobRequest
from atunner.core.measurement import Environment, Measurement
from atunner.core.record import AgentNote, RunRecord, RunState
from atunner.core.status import Status
from atunner.core.task import Budget, Spent, Task
from atunner.core.trial import Check, Trial
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.devices import device
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.store import Store
from atunner.operators import operator

SOURCE = """// Multiply two matrices, each tile kept in registers.
#include <stddef.h>

static inline int least(int x, int y) {{ return x < y ? x : y; }}

void matmul(const float *restrict a, const float *restrict b, float *restrict c) {{
#pragma omp parallel for collapse(2)
    for (int i = 0; i < DIM_M; i += {tile}) {{
        for (int j = 0; j < DIM_N; j += {tile}) {{
            float sum[{tile}][{tile}] = {{{{0.0f}}}};
            for (int k = 0; k < DIM_K; k += {unroll})
                for (int u = 0; u < {unroll}; ++u) accumulate(sum, a, b, i, j, k + u); /* variant {variant} */
            store(sum, c, least(i, DIM_M), least(j, DIM_N));
        }}
    }}
}}
"""
FAMILIES = ("row_update", "register_tile", "packed_panels")
SLOWER = {"row_update": 1.5, "register_tile": 1.0, "packed_panels": 0.85}
WORDS = {
    Status.NOT_BUILT: "matmul.c:9:19: error: variable-length array may not be initialized",
    Status.WRONG: "c differs from the reference at 31 of 4096 places; worst error 0.21 at (3, 7)",
    Status.TIMED_OUT: "no answer within 10 s",
    Status.REJECTED: "the static gate refuses inline assembly",
}


def seed(database: Database, trials: int, run: str = "long-run", ended: bool = True) -> Job:
    """Record a run of `trials` trials, and a job that did it."""
    task = Task(name="matmul", spec={"operator": "matmul", "shape": [512, 512, 512]})
    jobs, store = JobStore(database), Store(database)
    job = jobs.submit(JobRequest(task=task, budget=Budget(trials=trials, usd=2.0), labels={"team": "kernels"}))
    lease = jobs.claim("worker-seeded")
    assert lease is not None
    assert lease.job.id == job.id
    jobs.attach(lease, run)
    environment = Environment(
        device="AMD EPYC",
        toolchain={"gcc": "gcc 12.2.0"},
        clocks={"nominal": "2596 MHz"},
        sandbox=("process group", "rlimits", "user", "landlock", "seccomp", "namespaces"),
        extra={"threads": 2},
    )
    made = list(_trials(trials))
    good = [t for t in made if t.measurement is not None]
    best = min(good, key=lambda t: t.measurement.value if t.measurement else 0.0)
    op = operator("matmul")
    store.save_run(
        RunRecord(
            run=run,
            task=task,
            state=RunState.DONE if ended else RunState.RUNNING,
            stop_reason="the budget of trials is spent" if ended else "",
            facts=op.facts(op.problem((512, 512, 512), {}, "float32"), frozenset()),
            device=device("host"),
            environment=environment,
            budget=Budget(trials=trials, usd=2.0),
            spent=Spent(trials=trials, seconds=trials * 2.4, tokens=4305, usd=0.0042),
            model="openai:gpt-5-mini",
            baseline=made[0],
            trials=tuple(made),
            best=best.candidate.id,
            created="2026-11-20T08:00:00+00:00",
            notes=tuple(_notes()),
        )
    )
    calls = [None, *_calls()]
    for call, (number, agent) in zip(calls, ((0, "performance"), (0, "codegen"), (1, "codegen")), strict=True):
        if call is not None:
            store.keep_call(run, call)
        store.event(job.id, "note", {"round": number, "stage": agent, "message": "said", "seconds": 30.0 * number + 4})
    jobs.heartbeat(lease, progress=trials)
    if ended:
        jobs.complete(lease, "the budget of trials is spent")
    return jobs.get(job.id)


def _trials(count: int) -> Iterator[Trial]:
    chance = random.Random(7)
    yield _trial(_candidate(0, "naive", {}, None, "baseline"), Status.OK, 61000.0, chance)
    known: set[str] = set()
    leader: str | None = None
    least = 61000.0
    for number in range(1, count):
        family = FAMILIES[min(2, chance.randrange(0, 3 + number // 400))]
        tile, unroll = chance.choice((4, 8, 16, 32, 64)), chance.choice((1, 2, 4, 8))
        order, packed = chance.choice(("ikj", "kij", "jki")), chance.choice((True, False))
        rows, columns, ahead = chance.randint(1, 12), chance.randint(1, 16), chance.randint(0, 8)
        params: Params = {"TILE": tile, "UNROLL": unroll, "ORDER": order, "PACK": packed}
        params |= {"ROWS": rows, "COLUMNS": columns, "AHEAD": ahead, "PAD": len(known) % 3}
        while str(params) in known:
            params["PAD"] = int(str(params["PAD"])) + 1
        known.add(str(params))
        status = chance.choices((Status.OK, *WORDS), (88, 5, 4, 2, 1))[0]
        cost = 1600 + 1500 * abs(math.log2(tile) - 4) + 600 * abs(unroll - 4) + (0 if packed else 1100)
        cost += 90 * abs(rows - 6) + 40 * abs(columns - 8)
        cost = (cost + 3000 / (1 + number / 90)) * SLOWER[family] * chance.lognormvariate(0, 0.08)
        written = number % 23 == 5
        origin = "model:openai:gpt-5-mini" if written else "search"
        trial = _trial(_candidate(number, family, params, leader if written else None, origin), status, cost, chance)
        if trial.measurement is not None and cost < least:
            leader, least = trial.candidate.id, cost
        yield trial


def _candidate(number: int, family: str, params: Params, parent: str | None, origin: str) -> Candidate:
    text = SOURCE.format(tile=params.get("TILE", 1), unroll=params.get("UNROLL", 1), variant=number % 40)
    return Candidate(files={"matmul.c": text}, params=params, family=family, origin=origin, parent=parent)


def _trial(candidate: Candidate, status: Status, cost: float, chance: random.Random) -> Trial:
    ok = status is Status.OK
    samples = tuple(cost * chance.lognormvariate(0, 0.02) for _ in range(24))
    measured = Measurement(unit="us", samples=samples, source="AMD EPYC")
    checks = (Check(name="correctness", passed=ok, detail="64 cases on 8 shapes", figures={"cases": 64}),)
    return Trial(
        candidate=candidate,
        status=status,
        feedback="" if ok else WORDS[status],
        measurement=measured if ok else None,
        checks=checks if status in (Status.OK, Status.WRONG) else (),
        cost=Spent(trials=1, seconds=2.4),
    )


def _notes() -> Iterator[AgentNote]:
    by = "model:openai:gpt-5-mini"
    said = "compute: measured 61000 us is 54x the roofline bound, and few loads are vectors"
    yield AgentNote(round=0, agent="performance", by="rules", summary=said, points=("IPC 0.7", "no FMA in the loop"))
    yield AgentNote(round=0, agent="codegen", by=by, summary="Keep a tile in registers", answer={"families": ["tile"]})
    yield AgentNote(round=1, agent="codegen", by="rules", summary="Pack panels of b", tools=("technique packing",))


def _calls() -> Iterator[ModelCall]:
    prompts = ("The kernel is bound by arithmetic.\nPropose one change.", "The tile is 16.\nWhat next?")
    for number, prompt in enumerate(prompts):
        yield ModelCall(
            key=f"call{number}",
            node="coder:Rewrite",
            role="coder",
            model="openai:gpt-5-mini",
            prompt=prompt,
            answer='{"change": "keep a 16 x 16 tile of sums in registers"}',
            input_tokens=1840 + number,
            output_tokens=312,
            usd=0.0021,
            seconds=3.4,
        )
