"""One search slice: ask, screen, judge and tell against the database until the proposal's points are spent.

Repeated after a crash it finds what is recorded by content, and goes on from there: the count of recorded candidates,
not a counter of its own, says how far the slice has come.
"""

from collections.abc import Callable, Iterable, Sequence

from atunner.agents.codegen import Move
from atunner.core.candidate import Candidate, Params
from atunner.core.errors import Interrupted, ToolError, UnknownName
from atunner.core.ports import Fault, Outcome, Racing, Searcher, WorkItem
from atunner.core.space import Family
from atunner.core.status import Provenance, Status
from atunner.core.task import Spent
from atunner.core.trial import Screening, Trial
from atunner.core.value import content_id
from atunner.graphs.aim import Aim
from atunner.graphs.builds import as_screening
from atunner.graphs.deps import Deps
from atunner.graphs.events import Event
from atunner.graphs.races import Fresh, Races
from atunner.graphs.state import TuningState

BASES = {"user_kernels": "as given", "replay": "first"}
PATIENCE = 3
"""How many times a baseline without a figure is judged again."""
SPOILT = frozenset({Status.NOT_MEASURED, Status.REJECTED, Status.TIMED_OUT})
"""What a busy machine can make of a good kernel: clocks that cannot agree, or no answer in time."""
BUILT = tuple(
    f"{s}:" for s in (Status.WRONG, Status.CRASHED, Status.TIMED_OUT, Status.NOT_VERIFIED, Status.NOT_MEASURED)
)
"""How the reason of a screening begins that came after its build."""
FAULT_STATUS = {Fault.DIED: Status.CRASHED, Fault.TIMED_OUT: Status.TIMED_OUT}


class Slice:
    """The work of one evaluation node; `run` may be repeated."""

    def __init__(self, deps: Deps, state: TuningState) -> None:
        self.deps, self.state, self.task = deps, state, state.task
        self.trials = {t.candidate.id: t for t in deps.memory.trials(deps.run)}
        self.screened = {s.candidate.id: s for s in deps.memory.screenings(deps.run)}
        self.predicted = deps.domain.provenance(state.task) is Provenance.PREDICTED
        racing = isinstance(deps.domain, Racing) and not self.predicted and deps.domain.races(state.task)
        self.races = Races(self, deps.executor) if racing else None
        self.aim = Aim(state.task, racing)

    def run(self) -> tuple[str, ...]:
        """Every move of the proposal, then the contenders. The families whose spaces ran out."""
        families = {f.name: f for f in self.deps.domain.families(self.task)}
        target, closed = self.state.before.trials, list[str]()
        if not self.predicted:
            self._catch_up()
        for move in self.state.proposal.moves if self.state.proposal else ():
            if move.family not in families:
                raise UnknownName("family of the task", move.family, families)
            target += move.points
            if not self._move(move, families[move.family], target):
                closed.append(move.family)
        if self.predicted:
            self._contenders()
        if self.races is not None:
            self.races.revisit()
        return tuple(closed)

    def _catch_up(self) -> None:
        """Judge what was screened and counted just before a crash."""
        for screening in self.screened.values():
            if screening.reason or screening.score is not None or screening.candidate.id in self.trials:
                continue  # a raced one that should be judged is found when the border is looked at again
            if not self.late():
                self.judge(screening.candidate)

    def spent(self) -> Spent:
        """All that the run has used, this slice included. A trial is a candidate screened or judged."""
        return self.state.before.model_copy(update={"trials": self._count(), "seconds": self.deps.seconds()})

    def best(self) -> Trial | None:
        """The best OK trial of this run so far."""
        good = [t for t in self.trials.values() if t.status is Status.OK and t.measurement is not None]
        sign = 1 if self.task.objective.minimise else -1
        return min(good, key=lambda t: sign * (t.measurement.value if t.measurement else 0.0), default=None)

    def _count(self) -> int:
        """Evaluations: what became the same as an earlier candidate costs none, as long as it is not the rule."""
        every = len(self.trials.keys() | self.screened.keys())
        made = [s.built for s in self.screened.values() if s.built]
        return max(every - (len(made) - len(set(made))), -(-every // 2))

    def _stop_if_asked(self) -> None:
        if self.deps.stopped():
            raise Interrupted(f"Stopped; everything so far is kept. Go on with: atunner resume {self.deps.run}")

    def _over(self) -> bool:
        self._stop_if_asked()
        return self.spent().over(self.state.budget) is not None

    def _move(self, move: Move, family: Family, target: int) -> bool:
        """Search one family until `target` candidates are recorded. False when its space ran out."""
        space = family.space.narrowed(move.allowed)
        starts = [p for p in move.starts if space.holds(p) and not self._known(family.name, p)]

        def search(until: int) -> bool:
            searcher = self._searcher(move, family)

            def fresh(count: int) -> list[Candidate]:
                """The starts of the move first, then what the searcher asks for."""
                batch = [starts.pop(0) for _ in range(min(count, len(starts)))]
                batch += self._fresh(searcher, family.name, count - len(batch)) if len(batch) < count else []
                return [self.deps.domain.realise(self.task, family.name, p) for p in batch]

            ahead = min(self.deps.options.ahead, searcher.at_once or self.deps.options.ahead)
            if self.races is not None:
                return self.races.search(searcher, fresh, until, ahead)
            return self._search(searcher, fresh, until, ahead)

        more = self._in_pieces(search, target) if self.aim.several else search(target)
        if not more and move.allowed:
            return self._move(move.model_copy(update={"allowed": {}}), family, target)
        return more

    def _in_pieces(self, search: Callable[[int], bool], target: int) -> bool:
        """One search after another, each towards other weights of the objectives; False when the space ran out."""
        while self.room(target):
            if not search(min(target, self.aim.turn(self.trials.values(), self._count()))):
                return False
        return True

    def _search(self, searcher: Searcher, fresh: Fresh, target: int, ahead: int) -> bool:
        """Judge batches until `target` candidates are recorded; False when the space ran out."""
        while count := self.room(target):
            batch = fresh(min(count, ahead))
            if not batch:
                return False
            self._judge(searcher, batch)
        return True

    def _searcher(self, move: Move, family: Family) -> Searcher:
        """A searcher over the narrowed space that has been told everything this run knows of the family."""
        piece = [self._count()] if self.aim.several else []
        seed = int(content_id([self.deps.options.seed, self.state.round, move.family, *piece]), 16) % (1 << 31)
        space = family.space.narrowed(move.allowed)
        searcher = self.deps.searcher(self.deps.options.search, space, seed)
        for candidate, value in self._figures():
            if candidate.family == family.name and space.holds(candidate.params):
                searcher.tell(candidate.params, value)
        return searcher

    def _figures(self) -> Iterable[tuple[Candidate, float | None]]:
        """What to tell a searcher: predicted costs when nothing can be measured, else the judged figures."""
        if self.predicted:
            yield from ((s.candidate, s.score) for s in self.screened.values())
            return
        for trial in self.trials.values():
            raced, told = self._raced(trial.candidate), self.aim.told(trial)
            yield trial.candidate, told if told is None or raced is None else raced
        for screening in self.screened.values():
            if screening.candidate.id not in self.trials and (screening.reason or screening.score is not None):
                yield screening.candidate, screening.score

    def _raced(self, candidate: Candidate) -> float | None:
        """The figure of its race, None when there was none."""
        return self.races.score(candidate) if self.races else None

    def room(self, target: int) -> int:
        """How many candidates more may be taken up; 0 when a bound is reached."""
        bound = self.state.budget.trials
        left = target - self._count() if bound is None else min(target, bound) - self._count()
        return max(0, left) if left > 0 and not self._over() else 0

    def _fresh(self, searcher: Searcher, family: str, count: int) -> list[Params]:
        """Points not recorded yet; a searcher that only repeats itself counts as run out."""
        found: list[Params] = []
        for _ in range(64):
            asked = searcher.ask(count - len(found))
            found += [p for p in asked if not self._known(family, p)]
            if not asked or len(found) >= count:
                break
        return found

    def _known(self, family: str, params: Params) -> bool:
        key = self.deps.domain.realise(self.task, family, params).id
        return key in self.trials or key in self.screened

    def _judge(self, searcher: Searcher, candidates: Sequence[Candidate]) -> None:
        """Screen a batch side by side; then, where figures are measured, judge it one by one."""
        screenings = self._screen(candidates)
        if self.predicted:
            for screening in screenings:
                searcher.tell(screening.candidate.params, screening.score)
            return
        for screening in screenings:
            if screening.reason or self.late():
                searcher.tell(screening.candidate.params, None)
                continue
            searcher.tell(screening.candidate.params, self.aim.told(self.judge(screening.candidate)))

    def _screen(self, candidates: Sequence[Candidate]) -> list[Screening]:
        found = self._built(candidates)
        self.keep(found)
        return found

    def _built(self, candidates: Sequence[Candidate]) -> list[Screening]:
        items = [WorkItem(action="screen", task=self.task, candidate=c) for c in candidates]
        outcomes = self.deps.executor.map(items)
        return [as_screening(candidate, outcome) for candidate, outcome in zip(candidates, outcomes, strict=True)]

    def keep(self, found: Sequence[Screening]) -> None:
        """Record screenings and tell."""
        self.deps.memory.screened(self.deps.run, found)
        self.screened |= {s.candidate.id: s for s in found}
        self.deps.memory.set_spent(self.deps.run, self.spent())
        last, noun = found[-1].candidate.family, "candidate" if len(found) == 1 else "candidates"
        self.say(f"{last}: {len(found)} {noun} built and {'raced' if self.races else 'inspected'}")

    def judge(self, candidate: Candidate) -> Trial:
        """The recorded trial of a candidate, or a new one; recorded before anyone sees it."""
        return self.judge_all([candidate])[0]

    def judge_all(self, candidates: Sequence[Candidate]) -> list[Trial]:
        """Judge those that have no trial yet, through the executor, and record each."""
        todo = [c for c in candidates if c.id not in self.trials]
        for trial in self._judged(todo):
            if trial.status is Status.NOT_MEASURED:
                trial = self._again(trial, 1)
            self._record(trial)
        return [self.trials[c.id] for c in candidates]

    def judge_first(self, candidate: Candidate) -> Trial:
        """The baseline's trial. One that a busy machine may have spoilt is judged again once the machine is calm.

        What stays without a figure is not recorded, so that a resumed run judges it anew.
        """
        if candidate.id in self.trials:
            return self.trials[candidate.id]
        (trial,) = self._judged([candidate])
        trial = self._again(trial, PATIENCE)
        if trial.status not in SPOILT:
            self._record(trial)
        return trial

    def _judged(self, candidates: Sequence[Candidate]) -> list[Trial]:
        items = [WorkItem(action="judge", task=self.task, candidate=c) for c in candidates]
        return [_trial(c, o) for c, o in zip(candidates, self.deps.executor.map(items), strict=True)]

    def _again(self, trial: Trial, times: int) -> Trial:
        """The same candidate judged anew while it has no figure, each time after the machine had time to calm down."""
        for _ in range(times):
            if trial.status not in SPOILT or self.late():
                break
            busy = self.deps.rest()
            self.say(f"{trial.feedback} Judged again{f' though {busy}' if busy else ''}.")
            (trial,) = self._judged([trial.candidate])
        return trial

    def _record(self, trial: Trial) -> None:
        self.deps.memory.record(self.deps.run, trial)
        self.trials[trial.candidate.id] = trial
        self.deps.memory.set_spent(self.deps.run, self.spent())
        self.say(f"{trial.candidate.family} {trial.candidate.id}: {trial.status} {trial.feedback}".rstrip(), "trial")

    def _contenders(self) -> None:
        """Check the best predicted candidates, and the best of each family: only they may enter the board."""
        scored = [s for s in self.screened.values() if s.score is not None and s.candidate.id not in self.trials]
        scored.sort(key=lambda s: s.score if s.score is not None else 0.0)
        chosen = {s.candidate.id: s.candidate for s in scored[: self.deps.options.contenders]}
        seen = {t.candidate.family for t in self.trials.values() if t.status is Status.OK}
        for screening in scored:
            if screening.candidate.family not in seen:
                seen.add(screening.candidate.family)
                chosen[screening.candidate.id] = screening.candidate
        waiting = list(chosen.values())
        while waiting and not self.late():
            self.judge_all(waiting[:2])
            waiting = waiting[2:]

    def late(self) -> bool:
        """Whether a bound other than trials is reached: judging what was screened costs no further trial."""
        self._stop_if_asked()
        return self.spent().over(self.state.budget.model_copy(update={"trials": None})) is not None

    def _compiled(self) -> int:
        """Candidates that were built, whatever became of them."""
        refused = {i for i, s in self.screened.items() if s.reason and not s.reason.startswith(BUILT)}
        refused |= {i for i, t in self.trials.items() if t.status in (Status.REJECTED, Status.NOT_BUILT)}
        return len(self.trials.keys() | self.screened.keys()) - len(refused)

    def _raced_out(self) -> int:
        """Candidates that were raced and not judged."""
        raced = (i for i, s in self.screened.items() if s.score is not None and i not in self.trials)
        return sum(1 for _ in raced) if self.races else 0

    def _failed(self) -> int:
        """Candidates that did not build, or that the judge refused."""
        refused = {i for i, s in self.screened.items() if s.reason}
        return len(refused | {i for i, t in self.trials.items() if t.status is not Status.OK})

    def say(self, message: str, kind: str = "stage") -> None:
        """Tell whoever watches how the run stands."""
        best, spent = self.best(), self.spent()
        self.deps.watch(
            Event(
                run=self.deps.run,
                kind=kind,
                round=self.state.round,
                stage="evaluation",
                message=message,
                best=best.measurement.value if best and best.measurement else None,
                baseline=self.state.baseline_value,
                unit=best.measurement.unit if best and best.measurement else "",
                provenance=self.deps.domain.provenance(self.task),
                done=spent.trials,
                compiled=min(spent.trials, self._compiled()),
                raced_out=self._raced_out(),
                base=BASES.get(self.task.domain, "naive"),
                failed=self._failed(),
                budget=self.state.budget.trials,
                seconds=spent.seconds,
                budget_s=self.state.budget.seconds,
                eta_s=_eta(spent, self.state),
            )
        )


def _eta(spent: Spent, state: TuningState) -> float | None:
    """Seconds to the end of the budget at the pace so far; the nearer of its two bounds."""
    ends = []
    if state.budget.trials is not None and spent.trials > 0:
        ends.append(spent.seconds / spent.trials * max(0, state.budget.trials - spent.trials))
    if state.budget.seconds is not None:
        ends.append(max(0.0, state.budget.seconds - spent.seconds))
    return min(ends, default=None)


def _trial(candidate: Candidate, outcome: Outcome) -> Trial:
    if outcome.fault is Fault.FAILED:
        raise ToolError(outcome.message)
    if outcome.fault is not Fault.NONE:
        return Trial(candidate=candidate, status=FAULT_STATUS[outcome.fault], feedback=outcome.message)
    return Trial.model_validate(outcome.answer)
