"""What models are worth and what they may cost: python benchmarks/models.py [FIGURE ...]; exits 1 on a miss.

good      a scripted model with the good kernel reaches it in each strategy, measured on this CPU and confirmed
useless   a model that never helps against the expert, 10 seeds, paired: the lower bound of the ratio is at least 0.97
budget    200 randomised runs against a hostile server: overshoot is one call at most
replay    a run of at least 50 calls once more: the same trials, hashes and result
briefs    within their limit for 0, 10 and 1,000 trials, the newest and the best in them
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / "models"), str(Path(__file__).parents[1] / "tests")]

from models_answers import CONV2D, MATMUL, good, useless  # noqa: E402
from server import said, serving  # noqa: E402

from atunner.agents.evaluation import Verdict  # noqa: E402
from atunner.core.candidate import Candidate  # noqa: E402
from atunner.core.errors import ToolError  # noqa: E402
from atunner.core.record import RunRecord, RunState  # noqa: E402
from atunner.core.statistics import paired_ratio  # noqa: E402
from atunner.core.task import Budget, Task  # noqa: E402
from atunner.domains import BUILT_IN as DOMAINS  # noqa: E402
from atunner.executors.work import resolve  # noqa: E402
from atunner.graphs.deps import Options  # noqa: E402
from atunner.graphs.request import Request  # noqa: E402
from atunner.knowledge_base.store import Store  # noqa: E402
from atunner.llm import Terms, model  # noqa: E402
from atunner.settings import Settings  # noqa: E402
from atunner.wiring import Session, domain_config  # noqa: E402

STRATEGIES = ("one_prompt", "autonomous", "explicit", "evolve")
KERNELS = {"matmul": ([128, 128, 128], MATMUL, {}), "conv2d": ([1, 16, 28, 28], CONV2D, {"out_channels": "16"})}
PLANTED = 2.0
"""How many times faster than naive the good kernel has to be found, at least."""
LEAST = 0.97
TOY = Task(domain="toy", name="toy", spec={"floor": 1})


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: str
    wanted: str
    met: bool


@dataclass(frozen=True)
class Bench:
    """A place for runs. seeds: of `useless`. budget: trials of a measured run. strategies: those that are looked at.

    A finished run of `useless` is kept in the folder, so that a benchmark that was stopped goes on where it was.
    """

    folder: Path
    seeds: int = 10
    budget: int = 12
    strategies: tuple[str, ...] = STRATEGIES
    operators: tuple[str, ...] = tuple(KERNELS)

    def settings(self, memory: str = "data") -> Settings:
        """memory: of the runs that know of one another. One thread, for a second one's core may be another's."""
        return Settings(data=self.folder / memory, cache=self.folder / "cache", workers=1)

    def session(self, memory: str = "data") -> Session:
        """A session of its own."""
        return Session(self.settings(memory))

    def script(self, name: str, lines: dict[str, Any]) -> str:
        """What --model says for these lines."""
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(lines))
        return f"scripted:{file}"


def task(operator: str) -> Task:
    shape, _, settings = KERNELS[operator]
    spec: dict[str, Any] = {"operator": operator, "shape": shape, "dtype": "float32", "settings": settings}
    return Task(name=operator, spec=spec)


def reaches(bench: Bench) -> Iterable[Figure]:
    for operator in bench.operators:
        text = bench.script(f"good-{operator}", good(KERNELS[operator][1]))
        for strategy in bench.strategies:
            options = Options(slice=bench.budget - 1, search="random", seed=1)
            request = Request(task(operator), Budget(trials=bench.budget), options, text, strategy)
            record = played(bench, request)
            if record is None:
                yield Figure(
                    f"good, {operator}, {strategy}", "not measurable on this machine now", f">= {PLANTED}x", False
                )
                continue
            gain = written_gain(record)
            found = record.confirmed
            confirmed = found is not None and found.better
            told = (
                f"{gain:.2f}x naive; confirmed {found.ratio:.2f}x [{found.low:.2f}, {found.high:.2f}]" if found else "-"
            )
            yield Figure(f"good, {operator}, {strategy}", told, f">= {PLANTED}x", confirmed and gain >= PLANTED)


def played(bench: Bench, request: Request, memory: str = "data") -> RunRecord | None:
    """The run at its end; tried again where the machine was too loud to measure, None where it stays so."""
    for _ in range(3):
        try:
            with bench.session(memory) as session:
                return session.start(request)
        except ToolError as error:
            print(f"  {error}", file=sys.stderr)
    return None


def written_gain(record: RunRecord) -> float:
    """How many times faster than the baseline the model's kernel was measured; 0 where it was not."""
    mine = [t.measurement.value for t in record.trials if t.candidate.origin.startswith("model:") and t.measurement]
    base = record.baseline.measurement if record.baseline else None
    return base.value / min(mine) if mine and base else 0.0


def worth_of_nothing(bench: Bench) -> Iterable[Figure]:
    """On the toy, where figures are exact, and measured on this CPU. The runs of a seed follow one another."""
    for what in ("toy", *bench.operators[:1]):
        text = bench.script(f"useless-{what}", useless(KERNELS.get(what, KERNELS["matmul"])[1]))
        pairs: dict[str, list[float]] = {strategy: [] for strategy in bench.strategies}
        for seed in range(bench.seeds):
            alone = winner(bench, what, "none", "expert", seed)
            for strategy in bench.strategies:
                pairs[strategy].append(beside(bench, what, alone, winner(bench, what, text, strategy, seed)))
        for strategy, ratios in pairs.items():
            found = paired_ratio(ratios, [1.0] * len(ratios))
            told = (
                f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}], {ratios.count(1.0)} of {len(ratios)} the same"
            )
            yield Figure(f"useless, {what}, {strategy}", told, f"low >= {LEAST}", found.low >= LEAST)


def beside(bench: Bench, what: str, alone: Candidate, other: Candidate) -> float:
    """How many times faster `other` is than `alone`, measured in turn in one session; the same candidate is as fast."""
    if other.id == alone.id:
        return 1.0
    path = bench.folder / f"useless-{what}-{alone.id}-{other.id}.json"
    if not path.exists():
        asked = measured_task(what)
        domain = resolve(DOMAINS[asked.domain], domain_config(bench.settings(), asked))
        admitted = domain.admit(asked)
        found = domain.compare(admitted, *(domain.build(admitted, c) for c in (alone, other)))
        path.write_text(json.dumps(found.ratio))
    return float(json.loads(path.read_text()))


def measured_task(what: str) -> Task:
    return TOY if what == "toy" else task(what)


def winner(bench: Bench, what: str, text: str, strategy: str, seed: int) -> Candidate:
    """What was confirmed at the end of a run with a memory of its own, the baseline where nothing was."""
    path = bench.folder / f"useless-{what}-{strategy}-{bench.budget}-{seed}.json"
    if not path.exists():
        points, trials = (16, 64) if what == "toy" else (bench.budget - 1, bench.budget)
        options = Options(slice=points, seed=seed)
        how = "inline" if what == "toy" else "local"
        request = Request(measured_task(what), Budget(trials=trials), options, text, strategy, how)
        record = played(bench, request, path.stem)
        if record is None or record.baseline is None:
            raise ToolError(f"{path.stem} could not be measured on this machine now; go on later with --keep")
        won = record.winner if record.winner and record.confirmed else record.baseline
        path.write_text(won.candidate.model_dump_json())
    return Candidate.model_validate_json(path.read_text())


def overshoot(bench: Bench, runs: int = 200) -> Iterable[Figure]:
    worst = max(overshot(bench, number) for number in range(runs))
    yield Figure(f"budget overshoot, {runs} runs", f"{worst:.2f} calls", "<= 1 call", worst <= 1.0)


def overshot(bench: Bench, seed: int) -> float:
    """How many of a run's calls, the dearest first, lie above its budget."""
    rng, good_answer = random.Random(seed), '{"decision": "confirm", "reason": "done"}'
    bad: list[Callable[[], tuple[int, str]]] = [
        lambda: (429, "{}"),
        lambda: (500, "oops"),
        lambda: said('{"decision": "conf'),
        lambda: said("la " * 3000, (20, rng.randrange(100, 5000))),
        lambda: said("```json\n{}\n```"),
        lambda: (200, "<html>"),
    ]

    def answer(_: dict[str, Any]) -> tuple[int, str]:
        if rng.random() < 0.4:
            return rng.choice(bad)()
        return said(good_answer, (rng.randrange(10, 400), rng.randrange(5, 900)))

    budget = rng.randrange(200, 4000)
    with serving(answer) as server, Store("sqlite://") as store:
        store.save_run(RunRecord(run="run", task=TOY, state=RunState.RUNNING, budget=Budget(trials=1)))
        asked = model(f"{server.url}#m", "run", store, Terms(tokens=budget, retry_s=0.0, limit_s=5.0))

        async def ask() -> None:
            for turn in range(4):
                questions = (f"{turn} {n} {'?' * rng.randrange(400)}" for n in range(rng.randrange(1, 5)))
                if asked is not None:
                    await asyncio.gather(*(asked.ask("critic", question, Verdict) for question in questions))

        asyncio.run(ask())
        tokens = sorted((c.input_tokens + c.output_tokens for c in store.calls("run")), reverse=True)
    over, calls = sum(tokens) - budget, 0.0
    for size in tokens:
        if over <= 0:
            break
        calls, over = calls + min(1.0, over / size), over - size
    return calls


def replays(bench: Bench) -> Iterable[Figure]:
    lines: list[Any] = [
        {"name": f"k{n}", "source": "".join("+-*/<>()=!%&"[(n * k) % 12] for k in range(1, 30)) + " x y",
         "parameters": {"x": list(range(9)), "y": list(range(9))}} if n % 7 != 3 else "No."
        for n in range(40)
    ]  # fmt: skip
    text = bench.script("many", {"coder": lines})
    options = Options(slice=8, rounds=24, patience=24, strategy={"children": 3})
    with bench.session() as session:
        first = session.start(Request(TOY, Budget(trials=150), options, text, "evolve", "inline"))
        second = session.start(session.again(first.run))
        calls = [[(c.role, c.prompt_hash, c.answer_hash, c.outcome) for c in session.store.calls(r.run)]
                 for r in (first, second)]  # fmt: skip
    trials = [[(t.candidate.id, t.status, t.measurement and t.measurement.samples) for t in r.trials]
              for r in (first, second)]  # fmt: skip
    same = calls[0] == calls[1] and trials[0] == trials[1] and first.best == second.best
    told = f"{len(calls[0])} calls, {len(trials[0])} trials, {'equal' if same else 'different'}"
    yield Figure("replay", told, ">= 50 calls, equal", same and len(calls[0]) >= 50)


def briefs(bench: Bench) -> Iterable[Figure]:
    from test_brief import material

    from atunner.agents.briefing import ROLES, brief

    for trials in (0, 10, 1000):
        made = [brief(role, material(trials), "Do it.", limit) for role in ROLES for limit in (1000, 2000, 6000)]
        kept = all(trials == 0 or ("- newest: " in b.text and "best: " in b.text) for b in made)
        told = f"{max(b.tokens for b in made)} tokens at most; {[b.tokens for b in made]}"
        yield Figure(f"brief, {trials} trials", told, "<= limit", kept and all(b.tokens <= b.limit for b in made))


FIGURES: dict[str, Callable[[Bench], Iterable[Figure]]] = {
    "good": reaches,
    "useless": worth_of_nothing,
    "budget": overshoot,
    "replay": replays,
    "briefs": briefs,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figure", nargs="*", help=f"of {', '.join(FIGURES)}; all when left out")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=12, help="trials of a measured run")
    parser.add_argument("--strategy", action="append", choices=STRATEGIES)
    parser.add_argument("--operator", action="append", choices=[*KERNELS, "none"])
    parser.add_argument("--keep", type=Path, help="folder for finished runs: a later call with it goes on from there")
    asked = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory() as place:
        operators = tuple(o for o in asked.operator or KERNELS if o != "none")
        folder = asked.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, asked.seeds, asked.budget, tuple(asked.strategy or STRATEGIES), operators)
        for name in asked.figure or FIGURES:
            began = time.monotonic()
            for figure in FIGURES[name](bench):
                print(
                    f"{figure.name:32} {figure.value:58} {figure.wanted:18} {'met' if figure.met else 'MISSED'}",
                    flush=True,
                )
                missed += [] if figure.met else [figure.name]
            print(f"  {name}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"missed: {', '.join(missed)}" if missed else "all figures met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
