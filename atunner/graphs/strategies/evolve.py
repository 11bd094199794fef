"""Evolve: islands of kernels, bred by several models; what is not new is not tried.

One generation a round: each child has a parent from its island, now and then a second kernel to take ideas from, and a
model that is chosen by what it brought and what it costs.
"""

from typing import Any

from langgraph.graph import START
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from atunner.agents.briefing import Inspiration, brief
from atunner.agents.codegen import Draft
from atunner.agents.novelty import Twin, twin
from atunner.agents.rewrite import Rewrite, main_file
from atunner.core.consult import fitting, put
from atunner.core.ports import Model, Panel
from atunner.core.status import Status
from atunner.core.trial import Trial
from atunner.graphs.compile_tool import equipped
from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import finished, strategy_graph
from atunner.graphs.strategies.arms import Arm, arms_of, choose, worth
from atunner.graphs.strategies.islands import Islands, draw, islands_of, pick
from atunner.graphs.strategies.material import gather
from atunner.graphs.strategies.steps import Memo, Settings, admitted, best_of, known, propose
from atunner.graphs.written import drafts_before, keep_draft

IMPROVE = (
    "Write a better version of this kernel: change its structure where the bottleneck named above is, keep what works. "
    "Turn every number that could be tuned into a parameter."
)
CROSS = (
    "Write a kernel that joins what is good in the kernel to start from and in the other kernel. "
    "Turn every number that could be tuned into a parameter."
)
EXPLORE = (
    "Write a kernel with another algorithm or data layout than any of these: {tried}. "
    "Turn every number that could be tuned into a parameter."
)
ALIKE = "\nYour last kernel was {likeness:.0%} alike to {name}, which is known. Write one that differs in structure."


class Evolve(Settings):
    """islands: populations side by side. children: kernels asked for a round. size: of a population.

    novelty: a kernel whose likeness to a known one is above this is asked for once more, then dropped unbuilt.
    migrate: rounds between exchanges. cost_power: 0 chooses models by what they bring alone, 1 by that over their cost.
    """

    islands: int = Field(default=2, ge=1, le=16)
    children: int = Field(default=1, ge=1, le=8)
    size: int = Field(default=6, ge=1, le=64)
    novelty: float = Field(default=0.95, gt=0, le=1)
    migrate: int = Field(default=4, ge=1)
    cost_power: float = Field(default=0.5, ge=0, le=2)


class Child(BaseModel):
    """A new kernel: on which island it was bred, and by which model."""

    island: int
    voice: str


class Nursery:
    """One generation."""

    def __init__(self, deps: Deps, state: TuningState) -> None:
        self.deps, self.state = deps, state
        self.settings: Evolve = known(deps.options.strategy, Evolve)
        self.arms, self.islands = arms_of(state.memo.get("arms")), self._islands()
        self.best = self._best()
        self.seen = self._seen()

    def _islands(self) -> Islands:
        found = islands_of(self.state.memo.get("islands"), self.settings.islands)
        return found.settled([f.name for f in self.deps.domain.families(self.state.task)])

    def _best(self) -> list[Trial]:
        """The best OK trial of each family, best first; the baseline stands for its own."""
        sign = 1 if self.state.task.objective.minimise else -1
        found: dict[str, Trial] = {}
        trials = [t for t in self.deps.memory.trials(self.deps.run) if t.status is Status.OK and t.measurement]
        for trial in sorted(trials, key=lambda t: sign * (t.measurement.value if t.measurement else 0.0)):
            found.setdefault(trial.candidate.family, trial)
        return list(found.values())

    def _seen(self) -> dict[str, str]:
        """Sources by name: every family's best, the kernels that models wrote, and those that were refused."""
        sources = {t.candidate.family: t.candidate.files[main_file(t.candidate)] for t in self.best}
        return sources | drafts_before(self.deps.memory, self.deps.run, self.state.round)

    def settle(self) -> None:
        """What the last generation brought: rewards for its models, homes for its families, and now and then a move."""
        told = self.state.memo.get("children")
        children = [Child.model_validate(c) for c in told] if isinstance(told, list) else []
        for child, (family, _) in zip(children, admitted(self.state), strict=False):
            self.arms[child.voice] = self.arms.get(child.voice, Arm()).after(self._reward(family))
            if family:
                self.islands = self.islands.at(family, child.island)
        if self.state.round and self.state.round % self.settings.migrate == 0:
            self.islands = self.islands.migrated(self.best)

    def _reward(self, family: str) -> float:
        """Against the best before the round, which the memo holds."""
        trial, before = best_of(self.deps, self.state, family) if family else None, self.state.memo.get("before")
        if trial is None or trial.measurement is None:
            return 0.0
        old = before if isinstance(before, float | int) else trial.measurement.value
        return worth(self.state.task.objective.ratio(float(old), trial.measurement.value))

    async def breed(self, number: int) -> tuple[Child | None, Draft | None]:
        """Ask for one child; the next model is asked where the first gives nothing."""
        island = (self.state.round * self.settings.children + number) % self.settings.islands
        chance = draw(self.deps.options.seed, self.state.round, number)
        parent = pick(self.islands.population(island, self.best, self.settings.size), chance)
        order, other = self._order(island, chance, parent)
        for voice, model in self._models():
            answer = await self._new(model, order, parent, other)
            if isinstance(answer, Rewrite):
                name = keep_draft(self.deps.memory, self.deps.run, (self.state.round, number), answer)
                self.seen[name] = answer.source
                draft = Draft(rewrite=answer, by=f"model:{voice}", parent=parent.candidate.id)
                return Child(island=island, voice=voice), draft
            self.arms[voice] = self.arms.get(voice, Arm()).after(0.0)
            if isinstance(answer, Twin):
                break
        return None, None

    def _models(self) -> list[tuple[str, Model]]:
        """The coder's models, the one to ask first in front."""
        model = self.deps.model
        if model is None:
            return []
        if not isinstance(model, Panel):
            return [(model.name, model)]
        ranked = choose(model.voices("coder"), self.arms, self.settings.cost_power)
        return [(voice.name, model.only(voice.name)) for voice in ranked]

    def _order(self, island: int, chance: Any, parent: Trial) -> tuple[str, Inspiration | None]:
        """Improve half of the time; else join with a kernel of another island, or leave the beaten track."""
        kind = chance.choices(("improve", "cross", "explore"), weights=(2, 1, 1))[0]
        others = [t for t in self.best if t.candidate.family != parent.candidate.family]
        if kind == "cross" and others:
            other = pick(others, chance).candidate
            return CROSS, Inspiration(name=other.family, source=other.files[main_file(other)])
        if kind == "explore":
            return EXPLORE.format(tried=", ".join(t.candidate.family for t in self.best[:12])), None
        return IMPROVE, None

    async def _new(self, model: Model, order: str, parent: Trial, other: Inspiration | None) -> Rewrite | Twin | None:
        """A kernel that is not known yet: asked once more where the first one is. None: no valid answer."""
        memo = {**self.state.memo, "base": parent.candidate.id}
        state = self.state.model_copy(update={"memo": memo})
        material, tools = gather(self.deps, state), equipped(self.deps, state, "coder")
        material = material.model_copy(update={"inspiration": other})
        alike: Twin | None = None
        limit = fitting(model, "coder", Rewrite, self.settings.brief_tokens)
        for _ in range(2):
            more = ALIKE.format(likeness=alike.likeness, name=alike.name) if alike else ""
            told = brief("coder", material, order + more, limit)
            answer = await put(model, "coder", told.text, Rewrite, tools)
            if answer is None:
                return None
            alike = twin(answer.source, self.seen)
            if alike is None or alike.likeness <= self.settings.novelty:
                return answer
        return alike

    def memo(self, children: list[Child]) -> Memo:
        """What the next generation needs."""
        return {
            **self.state.memo,
            "arms": {name: arm.model_dump(mode="json") for name, arm in self.arms.items()},
            "islands": self.islands.model_dump(mode="json"),
            "children": [child.model_dump(mode="json") for child in children],
            "before": self.state.best_value,
        }


async def breed(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Settle the last generation, then ask for the next one; the expert's moves fill the round."""
    nursery = Nursery(runtime.context, state)
    nursery.settle()
    children: list[Child] = []
    drafts: list[Draft] = []
    for number in range(nursery.settings.children if runtime.context.model else 0):
        child, draft = await nursery.breed(number)
        children += [child] if child else []
        drafts += [draft] if draft else []
    said = f"generation {state.round}: {len(drafts)} of {nursery.settings.children} children are new"
    return await propose(runtime.context, state, nursery.memo(children), tuple(drafts), said)


def evolve() -> Any:
    """The strategy."""
    graph = strategy_graph()
    graph.add_node("breed", breed)
    graph.add_edge(START, "breed")
    return finished(graph, Evolve)
