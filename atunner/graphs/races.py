"""Searching by races: builds run ahead, one candidate at a time is raced, and a new leader is verified at once.

A race's figure orders candidates and is never published: what leads, and what was near it, is judged when the search
ends. Repeated after a crash, the races that were recorded are not run again.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from atunner.core.candidate import Candidate
from atunner.core.ports import Executor, Searcher, WorkItem
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Screening, Trial
from atunner.graphs.builds import Builds, as_screening

BORDER = 1.25
"""Raced candidates within this factor of the best are looked at again when the search ends: a race may be unlucky."""
REVISITED, FINALISTS = 8, 3
AGAIN = 8
"""After so many races the leader runs once more: the machine may be another one by now, or its figure was lucky."""

Fresh = Callable[[int], list[Candidate]]


class Record(Protocol):
    """What races need of the slice that they belong to."""

    task: Task
    trials: dict[str, Trial]
    screened: dict[str, Screening]

    def keep(self, found: Sequence[Screening]) -> None:
        """Record screenings."""
        ...

    def judge(self, candidate: Candidate) -> Trial:
        """The recorded trial of a candidate, or a new one."""
        ...

    def room(self, target: int) -> int:
        """How many candidates more may be taken up; 0 when a bound is reached."""
        ...

    def late(self) -> bool:
        """Whether a bound other than trials is reached."""
        ...

    def say(self, message: str, kind: str = "stage") -> None:
        """Tell whoever watches."""
        ...


class Races:
    """The races of one slice. The leader is the best candidate whose results were found to be right."""

    def __init__(self, record: Record, executor: Executor) -> None:
        self._record, self._executor = record, executor
        self._leader: Candidate | None = None
        self._figure, self._since = float("inf"), 0
        self._wrong = {i for i, t in record.trials.items() if t.status is not Status.OK}
        for trial in record.trials.values():
            score = self.score(trial.candidate)
            if trial.status is Status.OK and score is not None and score < self._figure:
                self._leader, self._figure = trial.candidate, score

    def score(self, candidate: Candidate) -> float | None:
        """The figure of a candidate's race, None when there was none."""
        found = self._record.screened.get(candidate.id)
        return found.score if found else None

    def search(self, searcher: Searcher, fresh: Fresh, target: int, ahead: int) -> bool:
        """Race until `target` candidates are recorded; False when the space ran out."""
        builds, more = Builds(self._executor, self._record.task, ahead), True
        while not self._record.late():
            count = min(builds.room, self._record.room(target) - len(builds))
            if more and count > 0:
                asked = fresh(count)
                more = len(asked) == count
                builds.start(asked)
            if not len(builds):
                break
            self._take(searcher, builds.next())
        return more

    def revisit(self) -> None:
        """Race the border again, the best first, and judge the finalists: nothing counts that was only raced."""
        scored = [(s.score, s.candidate) for s in self._record.screened.values() if s.score is not None]
        best = self._figure if self._leader else None
        border = [(v, c) for v, c in scored if c.id not in self._record.trials and _near(v, best)]
        border.sort(key=lambda pair: pair[0])
        again: list[tuple[float, Candidate]] = []
        for score, candidate in border[:REVISITED]:
            if not self._record.late():
                found = self._race(candidate).score
                again.append((score if found is None else min(score, found), candidate))
        again.sort(key=lambda pair: pair[0])
        leader = self._leader.id if self._leader else ""
        finalists = [c for _, c in again if c.id == leader] + [c for _, c in again if c.id != leader]
        for candidate in finalists[:FINALISTS]:
            if not self._record.late():
                self._record.judge(candidate)

    def _take(self, searcher: Searcher, built: Screening) -> None:
        """Race what was built, record it and tell the searcher; verify it when it leads."""
        if self._record.late():
            return  # it is found by its content when the run goes on
        found = built if built.reason else self._race(built.candidate)
        self._record.keep([found])
        searcher.tell(found.candidate.params, found.score)
        if found.score is None:
            return
        if found.score < self._figure:
            self._lead(searcher, found.candidate, found.score)
        self._since += 1
        if self._since >= AGAIN:
            self._look_again(searcher)

    def _lead(self, searcher: Searcher, candidate: Candidate, figure: float) -> None:
        """Make it the leader if its results are right."""
        if self._right(candidate):
            self._leader, self._figure, self._since = candidate, figure, 0
        else:
            searcher.tell(candidate.params, None)

    def _look_again(self, searcher: Searcher) -> None:
        """Race the leader again, and whoever is ahead of its new figure."""
        self._since = 0
        if self._leader is None or (again := self._race(self._leader).score) is None:
            return
        self._figure = again
        ahead = [s for s in self._record.screened.values() if s.score is not None and s.score < again]
        rivals = [s for s in ahead if s.candidate.id != self._leader.id and s.candidate.id not in self._wrong]
        best = min(rivals, key=lambda s: s.score or 0.0, default=None)
        if best is not None and (figure := self._race(best.candidate).score) is not None and figure < again:
            self._lead(searcher, best.candidate, figure)

    def _right(self, candidate: Candidate) -> bool:
        """Whether its results are right; one that is wrong is judged, so that the record says why."""
        item = WorkItem(action="prove", task=self._record.task, candidate=candidate)
        (outcome,) = self._executor.map([item])
        if as_screening(candidate, outcome).reason:
            right = self._record.judge(candidate).status is Status.OK
            self._wrong |= set() if right else {candidate.id}
            return right
        self._record.say(f"{candidate.family} {candidate.id}: verified", "verified")
        return True

    def _race(self, candidate: Candidate) -> Screening:
        rival = self._figure if self._leader else None
        item = WorkItem(action="race", task=self._record.task, candidate=candidate, rival=rival)
        (outcome,) = self._executor.map([item])
        return as_screening(candidate, outcome)


def _near(score: float, best: float | None) -> bool:
    return best is None or score <= BORDER * best
