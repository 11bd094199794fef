"""Explicit: a list of steps with dependencies; a step that brought nothing takes its dependants with it."""

import json
import string
from collections.abc import Sequence
from typing import Any

from langgraph.graph import START
from langgraph.runtime import Runtime
from pydantic import Field, field_validator

from atunner.agents.briefing import Material
from atunner.core.approval import Approved, Question
from atunner.core.errors import UnknownName, UserError
from atunner.core.value import Value
from atunner.graphs.approval import said, wait_for, wanted
from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import finished, strategy_graph
from atunner.graphs.strategies.material import gather
from atunner.graphs.strategies.shipped_steps import SHIPPED
from atunner.graphs.strategies.steps import Memo, Settings, base_after, drafted, known, propose, reckon, rewrite

VARIABLES = ("kernel_string", "tune_params", "device", "diagnosis")
"""What a template may name: the source, its parameters with values, the device, the one bottleneck."""
BROUGHT, NOTHING, SKIPPED = "brought", "nothing", "skipped"


class TuningStep(Value):
    """One step. prompt_template: text with {named} variables, or an object with `template`, as LangChain's has.

    depends_on: ids of steps that must have brought something first. skip_evaluation: taken when it is verified, also
    without a gain (it prepares the ground for others).
    """

    id: str = Field(min_length=1)
    prompt_template: str
    depends_on: tuple[str, ...] = ()
    skip_evaluation: bool = False

    @field_validator("prompt_template", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return getattr(value, "template", value)

    @property
    def variables(self) -> frozenset[str]:
        """The names in braces. Raises ValueError on braces that do not close."""
        return frozenset(name for _, name, _, _ in string.Formatter().parse(self.prompt_template) if name is not None)


class Explicit(Settings):
    """language: of the shipped steps, "" for the candidate's own. steps: your own, in place of those that ship.

    A command line gives steps as the text of a JSON list.
    """

    language: str = ""
    steps: tuple[TuningStep, ...] | None = Field(default=None, min_length=1)

    @field_validator("steps", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"expected a JSON list of steps, which this is not ({error})") from error

    @field_validator("steps")
    @classmethod
    def _sound(cls, value: tuple[TuningStep, ...] | None) -> tuple[TuningStep, ...] | None:
        return None if value is None else checked(value)

    @field_validator("language")
    @classmethod
    def _shipped(cls, value: str) -> str:
        if value and value not in SHIPPED:
            raise ValueError(f"steps ship for {', '.join(sorted(SHIPPED))}, not for {value!r}")
        return value


def checked(steps: Sequence[TuningStep]) -> tuple[TuningStep, ...]:
    """The steps, if their ids, dependencies and templates are sound.

    Raises:
        UserError: an id twice, a step that needs itself or a circle, a template that cannot be filled in.
        UnknownName: a dependency that is no step.
    """
    ids = [s.id for s in steps]
    for step in steps:
        if ids.count(step.id) > 1:
            raise UserError(f"Two steps have the id {step.id!r}; each needs its own.")
        for needed in step.depends_on:
            if needed == step.id:
                raise UserError(f"Step {step.id!r} depends on itself; take that dependency out.")
            if needed not in ids:
                raise UnknownName("step", needed, ids)
        _check_template(step)
    _order(steps)
    return tuple(steps)


def _check_template(step: TuningStep) -> None:
    try:
        names = step.variables
    except ValueError as error:
        raise UserError(f"The template of step {step.id!r} has braces that do not match: {error}.") from error
    for _, name, form, conversion in string.Formatter().parse(step.prompt_template):
        if form or conversion:
            raise UserError(f"The template of step {step.id!r} formats {name!r}; write {{{name}}} alone.")
    strange = sorted(names - set(VARIABLES))
    if strange:
        known_names = ", ".join(VARIABLES)
        raise UserError(
            f"The template of step {step.id!r} names {strange[0]!r}, which has no value. Known: {known_names}."
        )
    if "kernel_string" not in names:
        raise UserError(
            f"The template of step {step.id!r} lacks {{kernel_string}}: the model would not see the kernel."
        )


def _order(steps: Sequence[TuningStep]) -> None:
    done: set[str] = set()
    while len(done) < len(steps):
        ready = [s.id for s in steps if s.id not in done and set(s.depends_on) <= done]
        if not ready:
            circle = ", ".join(s.id for s in steps if s.id not in done)
            raise UserError(f"The steps {circle} wait for each other; break the circle.")
        done |= set(ready)


def next_step(steps: Sequence[TuningStep], outcomes: dict[str, str]) -> TuningStep | None:
    """The first step in the list whose needs are met; steps that can never run are marked skipped in `outcomes`."""
    changed = True
    while changed:
        changed = False
        for step in steps:
            if step.id not in outcomes and any(outcomes.get(d) in (NOTHING, SKIPPED) for d in step.depends_on):
                outcomes[step.id], changed = SKIPPED, True
    return next(
        (s for s in steps if s.id not in outcomes and all(outcomes.get(d) == BROUGHT for d in s.depends_on)), None
    )


def must_be_for(settings: Explicit, file: str) -> None:
    """Refuse steps that ship for another language than that of the file which is rewritten. Raises UserError."""
    language, own = settings.language, _language(file)
    same = language == own or {language, own} <= {"c", "llvm_ir"}
    if language and settings.steps is None and not same:
        raise UserError(
            f"The strategy setting language={language} is for another kernel: {file} is {own}; leave it out."
        )


class ExplicitStrategy:
    """Walks the steps, one a round. steps: None for those that ship for the candidate's language."""

    def __init__(self, steps: Sequence[TuningStep] | None) -> None:
        self._steps = None if steps is None else checked(steps)

    async def agree(self, state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
        """Where a person wants to be asked: which of the steps may be walked; refused ones are skipped."""
        deps = runtime.context
        if not wanted(deps, Approved.PLAN) or "outcomes" in state.memo:
            return {}
        steps = self._listed(gather(deps, state), known(deps.options.strategy, Explicit))
        lines = tuple(f"{s.id}: {s.prompt_template}" for s in steps)
        question = Question(kind=Approved.PLAN, round=state.round, title="May these steps be walked?", lines=lines)
        decision = wait_for(deps, question)
        said(deps, state, [decision], "plan")
        kept = {s.partition(":")[0].strip() for s in decision.steps} or {s.id for s in steps}
        left = [s.id for s in steps if not decision.approved or s.id not in kept]
        return {"memo": {**state.memo, "outcomes": dict.fromkeys(left, SKIPPED)}}

    def _listed(self, material: Material, settings: Explicit) -> Sequence[TuningStep]:
        own = self._steps if self._steps is not None else settings.steps
        return own if own is not None else shipped(settings.language or _language(material.file))

    async def walk(self, state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
        """Reckon the step of the last round, then have the next one written."""
        deps = runtime.context
        settings: Explicit = known(deps.options.strategy, Explicit)
        material = gather(deps, state)
        steps = self._listed(material, settings)
        memo = self._settled(deps, state, steps)
        outcomes = _outcomes(memo)
        step = next_step(steps, outcomes)
        memo |= {"outcomes": dict(outcomes), "step": step.id if step else ""}
        told = state.model_copy(update={"memo": memo})
        if step is None:
            return await propose(deps, told, memo, (), "no step left")
        answer = await rewrite(deps, told, filled(step, material), settings)
        said = f"step {step.id}" + ("" if answer else ": no valid answer")
        return await propose(deps, told, memo, drafted(deps, answer), said)

    def _settled(self, deps: Deps, state: TuningState, steps: Sequence[TuningStep]) -> Memo:
        memo = dict(state.memo)
        pending = str(memo.get("step") or "")
        if not pending:
            return {**memo, "base": memo.get("base") or state.baseline}
        outcome = reckon(deps, state)
        free = any(s.id == pending and s.skip_evaluation for s in steps)
        won = bool(outcome.family) and (outcome.kept or free)
        base = base_after(deps, state, outcome)
        return {**memo, "outcomes": {**_outcomes(memo), pending: BROUGHT if won else NOTHING}, "base": base}


def filled(step: TuningStep, material: Material) -> str:
    """A step's order; the kernel itself stands in the brief, between marks."""
    values = "; ".join(f"{name} in {list(found)}" for name, found in material.parameters.items())
    return step.prompt_template.format(
        kernel_string="the kernel given above",
        tune_params=values or "none yet",
        device=f"{material.device.name} ({material.device.arch})",
        diagnosis=material.diagnosis.summary if material.diagnosis else "unknown",
    )


def _outcomes(memo: Memo) -> dict[str, str]:
    found = memo.get("outcomes")
    return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _language(file: str) -> str:
    endings = {"cu": "cuda", "cl": "opencl", "ll": "llvm_ir", "c": "c"}
    return endings.get(file.rpartition(".")[2], "c")


def shipped(language: str) -> tuple[TuningStep, ...]:
    """The steps that ship for a language. Raises UnknownName."""
    if language not in SHIPPED:
        raise UnknownName("language with shipped steps", language, SHIPPED)
    return checked([TuningStep.model_validate(s) for s in SHIPPED[language]])


def explicit(steps: Sequence[TuningStep] | None = None) -> Any:
    """The strategy; with steps of your own, or those that ship.

    Raises:
        UserError: the steps are not sound.
    """
    graph, made = strategy_graph(), ExplicitStrategy(steps)
    graph.add_node("agree", made.agree)
    graph.add_node("walk", made.walk)
    graph.add_edge(START, "agree")
    graph.add_edge("agree", "walk")
    return finished(graph, Explicit)
