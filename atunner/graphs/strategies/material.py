"""What briefs are made of, gathered from the run's state, its record and the knowledge base."""

from atunner.agents.briefing import Lesson, Material
from atunner.agents.rewrite import main_file
from atunner.core.candidate import Candidate
from atunner.core.program import PROGRAM_FILE, Program
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
        source=parent.files[name],
        file=name,
        launches=_launches(parent),
        best=deps.memory.trial(deps.run, state.best) if state.best else None,
        baseline=deps.memory.trial(deps.run, state.baseline) if state.baseline else None,
        diagnosis=state.diagnosis,
        trials=tuple(trials[-LAST:]),
        lessons=_lessons(deps, state),
        refused=tuple(str(r) for r in refused) if isinstance(refused, list) else (),
        parameters=values_of(deps.domain.families(state.task), parent.family),
    )


def _launches(parent: Candidate) -> str:
    if PROGRAM_FILE not in parent.files:
        return ""
    program = Program.model_validate_json(parent.files[PROGRAM_FILE])
    return "; ".join(
        f"{x.kernel}({', '.join(x.args)}) grid {'x'.join(x.grid)} block {'x'.join(x.block)}" for x in program.launches
    )


def _lessons(deps: Deps, state: TuningState) -> tuple[Lesson, ...]:
    """Techniques that treat the bottleneck, and good points of similar earlier tasks."""
    found = [
        Lesson(text=f"{r.family} was good with {r.params}", evidence=f"run {r.from_task} of a similar task")
        for r in deps.recalled
    ]
    if state.diagnosis is None:
        return tuple(found)
    said = f"treats {state.diagnosis.bottleneck}, says the knowledge base"
    return (*found, *(Lesson(text=t, evidence=said) for t in state.diagnosis.techniques[:6]))
