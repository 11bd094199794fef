"""A recorded run once more: judge, measurements and confirmation answer from its record, and nothing is built or timed.

The loop sees what it saw then, so that it decides as it did then; what it keeps is stamped simulated.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from atunner.agents.codegen import Recalled
from atunner.core.candidate import Candidate
from atunner.core.errors import ATunnerError, NotVerified, UserError
from atunner.core.measurement import Measurement
from atunner.core.ports import Domain, Outcome, WorkItem
from atunner.core.record import AgentNote, RunRecord, RunState
from atunner.core.status import Provenance, Status
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Screening, Trial
from atunner.core.value import Value
from atunner.graphs.deps import Deps, RunMemory
from atunner.graphs.events import Event, Watch
from atunner.graphs.written import screens_of

DIVERGED, RECALLED = "diverged", "recalled"
Report = Callable[[str], None]


class Source(Value):
    """The run that is repeated. screens: why drafts fell before they were judged, by candidate; "" for the others."""

    record: RunRecord
    screens: dict[str, str]

    @property
    def survived(self) -> str:
        """The candidate that its confirmation published, "" for none."""
        said = [n.summary for n in self.record.notes if n.agent == "confirm"]
        return "" if not said or said[-1].startswith("no candidate survived") else self.record.best or ""

    @property
    def trials(self) -> dict[str, Trial]:
        """Its trials by candidate."""
        return {t.candidate.id: t for t in self.record.trials}


def source_of(memory: RunMemory, record: RunRecord) -> Source:
    """What a replay needs of a run."""
    return Source(record=record, screens=screens_of(memory, record.run))


def report_to(memory: RunMemory, run: str) -> Report:
    """Keeps the first divergence of a run; later ones change nothing."""

    def diverged(what: str) -> None:
        memory.event(run, DIVERGED, {"what": what}, key=DIVERGED)

    return diverged


def divergence(memory: RunMemory, run: str) -> str:
    """The first divergence of a replay from its source, "" while there is none."""
    found = [e.body for e in memory.events(run) if e.kind == DIVERGED]
    return str(found[0]["what"]) if found and isinstance(found[0], dict) else ""


class RecordEnded(ATunnerError):
    """The run that is repeated did not come to its end, and nothing more of it was recorded."""


class FromRecord:
    """The Executor port over a record. A candidate that is not in it has no figure; where the run was stopped before
    its end, the record ends there.
    """

    def __init__(self, source: Source, diverged: Report) -> None:
        self._source, self._diverged = source, diverged
        self._trials = source.trials
        self._screenings = {s.candidate.id: s for s in source.record.screenings}

    def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """One recorded outcome for each item. Raises RecordEnded."""
        ways = {"screen": self._screen, "race": self._screen, "prove": self._prove}
        return [ways.get(item.action, self._judge)(item.candidate) for item in items]

    def close(self) -> None:
        """Nothing to end."""

    def _screen(self, candidate: Candidate) -> Outcome:
        known = self._screenings.get(candidate.id)
        if known is None and candidate.id in self._source.screens:
            known = Screening(candidate=candidate, reason=self._source.screens[candidate.id])
        if known is None and candidate.id in self._trials:
            known = Screening(candidate=candidate)
        if known is None:
            known = Screening(candidate=candidate, reason=self._unknown(candidate))
        return Outcome(answer=known.model_copy(update={"candidate": candidate}).model_dump(mode="json"))

    def _prove(self, candidate: Candidate) -> Outcome:
        """What was proved wrong was judged, so that the record says why; everything else was right."""
        trial = self._trials.get(candidate.id)
        wrong = trial is not None and trial.status is not Status.OK
        found = Screening(candidate=candidate, reason=trial.feedback if trial is not None and wrong else "")
        return Outcome(answer=found.model_dump(mode="json"))

    def _judge(self, candidate: Candidate) -> Outcome:
        known = self._trials.get(candidate.id)
        if known is None:
            known = Trial(candidate=candidate, status=Status.NOT_MEASURED, feedback=self._unknown(candidate))
        return Outcome(answer=known.model_copy(update={"candidate": candidate}).model_dump(mode="json"))

    def _unknown(self, candidate: Candidate) -> str:
        record = self._source.record
        if record.state is not RunState.DONE:
            raise RecordEnded(f"The record of {record.run} ends here: it is {record.state}.")
        what = f"{candidate.family} {candidate.id} {candidate.params} is not in run {record.run}"
        self._diverged(what)
        return what


class Recorded:
    """A domain that builds and measures nothing; what it knows of the task is the domain's."""

    def __init__(self, domain: Domain[Any], source: Source) -> None:
        self._domain, self._source = domain, source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domain, name)

    def unreachable(self, task: Task) -> str:
        """As it was then."""
        return "" if self._source.record.trials else self._source.record.stop_reason

    def provenance(self, task: Task) -> Provenance:
        """As it was then, so that everybody decides as then; what is kept says simulated."""
        return self._source.record.provenance

    def build(self, task: Task, candidate: Candidate) -> Candidate:
        """Nothing is built."""
        return candidate

    def verify(self, task: Task, built: Candidate) -> tuple[Check, ...]:
        """Only what was confirmed then survives."""
        if built.id != self._source.survived:
            raise NotVerified(f"it was not confirmed in run {self._source.record.run}")
        return ()

    def compare(self, task: Task, baseline: Candidate, candidate: Candidate) -> Comparison | None:
        """The recorded comparison with the baseline; None of two others."""
        base = self._source.record.baseline
        return self._source.record.confirmed if base and base.candidate.id == baseline.id else None

    def meet(self, task: Task, leader: Candidate, rival: Candidate) -> Comparison | None:
        """Who won then is known."""
        return None

    def yardstick(self, task: Task, candidate: Candidate) -> Comparison | None:
        """Not taken again."""
        return None

    def evidence(self, task: Task, trial: Trial, comparison: Comparison | None, baseline: Candidate) -> JsonValue:
        """A replay proves nothing anew."""
        return None


class Stamped:
    """A memory that keeps figures as simulated and shows them to the loop as they were."""

    def __init__(self, memory: RunMemory, source: Source) -> None:
        self._memory, self._source, self._trials = memory, source, source.trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def record(self, run: str, trial: Trial) -> None:
        """Keep a trial, its figure stamped."""
        self._memory.record(run, self._stamped(trial))

    def set_baseline(self, run: str, trial: Trial) -> None:
        """Keep the baseline, its figure stamped."""
        self._memory.set_baseline(run, self._stamped(trial))

    def trial(self, run: str, candidate: str) -> Trial | None:
        """As it was in the source."""
        found = self._memory.trial(run, candidate)
        return None if found is None else self._seen(found)

    def trials(self, run: str) -> list[Trial]:
        """As they were in the source."""
        return [self._seen(t) for t in self._memory.trials(run)]

    def save_run(self, record: RunRecord) -> None:
        """Keep the head, the confirmed figures stamped."""
        found = record.confirmed
        if found is not None:
            pair = {"baseline": self._simulated(found.baseline), "candidate": self._simulated(found.candidate)}
            record = record.model_copy(update={"confirmed": found.model_copy(update=pair)})
        self._memory.save_run(record)

    def note(self, run: str, note: AgentNote) -> None:
        """Say of the confirmation that it was read."""
        if note.agent == "confirm":
            note = note.model_copy(update={"summary": f"as recorded in {self._source.record.run}: {note.summary}"})
        self._memory.note(run, note)

    def _stamped(self, trial: Trial) -> Trial:
        if trial.measurement is None:
            return trial
        return trial.model_copy(update={"measurement": self._simulated(trial.measurement)})

    def _simulated(self, figure: Measurement) -> Measurement:
        if figure.source.startswith("replay of "):
            return figure
        source = f"replay of {self._source.record.run}: {figure.source}"
        return figure.model_copy(update={"provenance": Provenance.SIMULATED, "source": source})

    def _seen(self, trial: Trial) -> Trial:
        known = self._trials.get(trial.candidate.id)
        return trial if known is None else trial.model_copy(update={"measurement": known.measurement})


def replayed(deps: Deps, source: Source) -> Deps:
    """The same run, with everything that would build or measure answering from the record."""
    diverged = report_to(deps.memory, deps.run)
    memory: Any = Stamped(deps.memory, source)
    return replace(
        deps,
        domain=Recorded(deps.domain, source),
        executor=FromRecord(source, diverged),
        memory=memory,
        device=source.record.device or deps.device,
        present=source.record.provenance is not Provenance.PREDICTED,
        watch=_told_as_simulated(deps.watch),
    )


def _told_as_simulated(watch: Watch) -> Watch:
    def told(event: Event) -> None:
        watch(event.model_copy(update={"provenance": Provenance.SIMULATED}))

    return told


def as_repeat(source: RunRecord, record: RunRecord) -> RunRecord:
    """The head of a replay: what was found then, stamped simulated.

    Raises:
        UserError: the source was of another task.
    """
    if source.task.id != record.task.id:
        raise UserError(
            f"Run {source.run} was of another task ({source.task.name} for {source.task.target}): ask for the same, "
            f"use `atunner replay {source.run}`, or take only its answers with --remeasure."
        )
    environment = source.environment or record.environment
    if environment is not None:
        environment = environment.model_copy(update={"extra": {**environment.extra, "replay_of": source.run}})
    same = {"facts": source.facts, "device": source.device, "environment": environment}
    return record.model_copy(update={**same, "provenance": Provenance.SIMULATED})


def keep_recalled(memory: RunMemory, run: str, found: Sequence[Recalled]) -> None:
    """Keep what a run was told of earlier ones; a second time changes nothing."""
    points: list[JsonValue] = [r.model_dump(mode="json") for r in found]
    memory.event(run, RECALLED, {"points": points}, key=RECALLED)


def recalled_then(memory: RunMemory, run: str) -> tuple[Recalled, ...] | None:
    """What a run was told of earlier ones; None where that was not kept."""
    kept = [e.body for e in memory.events(run) if e.kind == RECALLED]
    points = kept[0]["points"] if kept and isinstance(kept[0], dict) else None
    return tuple(Recalled.model_validate(p) for p in points) if isinstance(points, list) else None


def verdict_on(memory: RunMemory, source: RunRecord, record: RunRecord, calls: int) -> AgentNote:
    """Whether a replay went the way of its source: the first prompt and the first trial that did not."""
    told = tuple(filter(None, (divergence(memory, record.run), first_difference(source, record))))
    same = f"the {calls} calls and {len(record.trials)} trials are those of {source.run}"
    summary = f"differs from {source.run}: {told[0]}" if told else same
    last = max((n.round for n in record.notes), default=0)
    return AgentNote(round=last, agent="replay", by="rules", summary=summary, points=told)


def first_difference(source: RunRecord, record: RunRecord) -> str:
    """The first trial in which two runs differ, "" where one has all that the other has."""
    for number, (then, now) in enumerate(zip(source.trials, record.trials, strict=False), 1):
        if then.candidate.id != now.candidate.id:
            return f"trial {number} is {_short(now)}, and was {_short(then)}"
        if then.status is not now.status:
            return f"trial {number}, {_short(now)}, is {now.status}, and was {then.status}"
    if len(source.trials) != len(record.trials):
        return f"it has {len(record.trials)} trials, and {source.run} has {len(source.trials)}"
    return ""


def _short(trial: Trial) -> str:
    params = ", ".join(f"{name}={value}" for name, value in trial.candidate.params.items())
    return f"{trial.candidate.family or trial.candidate.id} ({params})"
