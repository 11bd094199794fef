"""Families that models wrote for one run: kept with the run, searched like those that ship."""

from typing import Any

from pydantic import JsonValue

from atunner.agents.rewrite import Rewrite, Written
from atunner.core.candidate import Candidate, Params
from atunner.core.ports import Domain
from atunner.core.space import Family
from atunner.core.task import Task
from atunner.graphs.deps import RunMemory

KIND = "family"
DRAFT, SCREEN = "draft", "screen"
MOST_SCREENS = 100_000
MOST = 1000


def shelf(run: str) -> str:
    """The stream of a run's families."""
    return f"{run}:families"


def drawer(run: str) -> str:
    """The stream of all that models wrote for a run, to know what is new."""
    return f"{run}:drafts"


def sieve(run: str) -> str:
    """The stream of what became of drafts before they were judged."""
    return f"{run}:screens"


def keep(memory: RunMemory, run: str, one: Written) -> None:
    """Keep a family; a second one of the same content changes nothing."""
    memory.event(shelf(run), KIND, one.model_dump(mode="json"), key=one.family.name)


def kept(memory: RunMemory, run: str) -> dict[str, Written]:
    """The run's families by name, in the order kept."""
    found = [Written.model_validate(e.body) for e in memory.events(shelf(run), limit=MOST) if e.kind == KIND]
    return {one.family.name: one for one in found}


def keep_draft(memory: RunMemory, run: str, at: tuple[int, int], draft: Rewrite) -> str:
    """Keep what was written, also what falls later; its name. at: round and number in it."""
    name = f"{draft.name} ({at[0]}.{at[1]})"
    body: dict[str, JsonValue] = {"name": name, "round": at[0], "source": draft.source}
    memory.event(drawer(run), DRAFT, body, key=f"{at[0]}.{at[1]}")
    return name


def drafts_before(memory: RunMemory, run: str, round_: int) -> dict[str, str]:
    """Sources by name of what was written before a round."""
    found = [e.body for e in memory.events(drawer(run)) if isinstance(e.body, dict)]
    return {str(b["name"]): str(b["source"]) for b in found if int(str(b["round"])) < round_}


def keep_screen(memory: RunMemory, run: str, candidate: str, reason: str) -> None:
    """Keep why a draft fell before it was judged, "" when it did not: a replay asks no compiler."""
    memory.event(sieve(run), SCREEN, {"candidate": candidate, "reason": reason}, key=candidate)


def screens_of(memory: RunMemory, run: str) -> dict[str, str]:
    """Reasons by candidate."""
    found = [e.body for e in memory.events(sieve(run), limit=MOST_SCREENS) if isinstance(e.body, dict)]
    return {str(b["candidate"]): str(b["reason"]) for b in found}


class Extended:
    """A domain, and beside its own families those that were written for this run; everything else is the domain's."""

    def __init__(self, domain: Domain[Any], memory: RunMemory, run: str) -> None:
        self._domain, self._memory, self._run = domain, memory, run
        self._mine: dict[str, Written] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domain, name)

    def families(self, task: Task) -> tuple[Family, ...]:
        """The domain's families, then the written ones that have numbers to search."""
        self._mine = kept(self._memory, self._run)
        mine = (w.family for w in self._mine.values())
        return (*self._domain.families(task), *(f for f in mine if any(len(p.values) > 1 for p in f.space.parameters)))

    def realise(self, task: Task, family: str, params: Params) -> Candidate:
        """The candidate at one point of a family's space."""
        if family not in self._mine and all(f.name != family for f in self._domain.families(task)):
            self._mine = kept(self._memory, self._run)
        mine = self._mine.get(family)
        return mine.realise(params) if mine else self._domain.realise(task, family, params)
