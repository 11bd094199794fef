"""What briefs are made of, gathered from the run's state, its record and the knowledge base."""

from typing import Any

from atunner.agents.briefing import Lesson, Material
from atunner.agents.codegen import Recalled
from atunner.agents.performance import Diagnosis
from atunner.agents.rewrite import main_file
from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.ports import Domain
from atunner.core.program import PROGRAM_FILE, Program
from atunner.core.record import RunRecord
from atunner.core.task import Task
from atunner.core.terms import Terms
from atunner.graphs.admission import parent_of, values_of
from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState

LAST = 400


def gather(deps: Deps, state: TuningState) -> Material:
    """The material of this moment; trials beyond the last LAST are summed up by the best one."""
    parent = parent_of(deps, state)
    trials = deps.memory.trials(deps.run)
    refused = state.memo.get("refused")
    name = main_file(parent)
    return Material(
        facts=deps.domain.facts(state.task),
        device=deps.device,
        provenance=str(deps.domain.provenance(state.task)),
        unit=state.task.objective.unit,
        source=shown(deps.domain, state.task, parent),
        file=name,
        launches=_launches(parent),
        best=deps.memory.trial(deps.run, state.best) if state.best else None,
        baseline=deps.memory.trial(deps.run, state.baseline) if state.baseline else None,
        diagnosis=state.diagnosis,
        trials=tuple(trials[-LAST:]),
        lessons=lessons(deps.recalled, state.diagnosis),
        refused=tuple(str(r) for r in refused) if isinstance(refused, list) else (),
        parameters=values_of(deps.domain.families(state.task), parent.family),
        terms=terms_of(deps.domain, state.task),
    )


def terms_of(domain: Domain[Any], task: Task) -> Terms | None:
    """What a model must know of the domain; None for one that is content with the terms of kernels."""
    own = getattr(domain, "terms", None)
    found: Terms | None = own(task) if own else None
    return found


def shown(domain: Domain[Any], task: Task, candidate: Candidate) -> str:
    """The source to start from, as a brief shows it; a domain whose programs are long may have a shorter form."""
    own = getattr(domain, "shown", None)
    text: str = own(task, candidate) if own else candidate.files[main_file(candidate)]
    return text


def _launches(parent: Candidate) -> str:
    if PROGRAM_FILE not in parent.files:
        return ""
    program = Program.model_validate_json(parent.files[PROGRAM_FILE])
    return "; ".join(
        f"{x.kernel}({', '.join(x.args)}) grid {'x'.join(x.grid)} block {'x'.join(x.block)}" for x in program.launches
    )


def lessons(recalled: tuple[Recalled, ...], diagnosis: Diagnosis | None) -> tuple[Lesson, ...]:
    """Good points of similar earlier tasks, and techniques that treat the bottleneck."""
    found = [
        Lesson(text=f"{r.family} was good with {r.params}", evidence=f"run {r.from_task} of a similar task")
        for r in recalled
    ]
    if diagnosis is None:
        return tuple(found)
    said = f"treats {diagnosis.bottleneck}, says the knowledge base"
    return (*found, *(Lesson(text=t, evidence=said) for t in diagnosis.techniques[:6]))


def of_task(
    domain: Domain[Any], device: Device, task: Task, recalled: tuple[Recalled, ...], record: RunRecord | None = None
) -> Material:
    """The material before a run, or at the end of a recorded one; `task` is admitted."""
    winner = (record.winner or record.baseline) if record else None
    start = winner.candidate if winner else domain.baseline(task)
    name = main_file(start)
    said = [n for n in record.notes if n.agent == "performance"] if record else []
    diagnosis = Diagnosis.model_validate(said[-1].answer) if said else None
    return Material(
        facts=domain.facts(task),
        device=device,
        provenance=str(domain.provenance(task)),
        unit=task.objective.unit,
        source=shown(domain, task, start),
        file=name,
        launches=_launches(start),
        best=winner,
        baseline=record.baseline if record else None,
        diagnosis=diagnosis,
        trials=record.trials[-LAST:] if record else (),
        lessons=lessons(recalled, diagnosis),
        parameters=values_of(domain.families(task), start.family),
        terms=terms_of(domain, task),
    )
