"""Families that models wrote for one run: kept with the run, searched like those that ship."""

from typing import Any

from atunner.agents.rewrite import Written
from atunner.core.candidate import Candidate, Params
from atunner.core.ports import Domain
from atunner.core.space import Family
from atunner.core.task import Task
from atunner.graphs.deps import RunMemory

KIND = "family"
MOST = 200


def shelf(run: str) -> str:
    """The stream of a run's families."""
    return f"{run}:families"


def keep(memory: RunMemory, run: str, one: Written) -> None:
    """Keep a family; a second one of the same content changes nothing."""
    memory.event(shelf(run), KIND, one.model_dump(mode="json"), key=one.family.name)


def kept(memory: RunMemory, run: str) -> dict[str, Written]:
    """The run's families by name, in the order kept."""
    found = [Written.model_validate(e.body) for e in memory.events(shelf(run), limit=MOST) if e.kind == KIND]
    return {one.family.name: one for one in found}


class Extended:
    """A domain, and beside its own families those that were written for this run; everything else is the domain's."""

    def __init__(self, domain: Domain[Any], memory: RunMemory, run: str) -> None:
        self._domain, self._memory, self._run = domain, memory, run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domain, name)

    def families(self, task: Task) -> tuple[Family, ...]:
        """The domain's families, then the written ones that have numbers to search."""
        mine = (w.family for w in kept(self._memory, self._run).values())
        return (*self._domain.families(task), *(f for f in mine if any(len(p.values) > 1 for p in f.space.parameters)))

    def realise(self, task: Task, family: str, params: Params) -> Candidate:
        """The candidate at one point of a family's space."""
        mine = kept(self._memory, self._run).get(family)
        return mine.realise(params) if mine else self._domain.realise(task, family, params)
