"""The operator agent: what is computed, and which of its properties should steer the choice of algorithm."""

from enum import StrEnum

from atunner.agents.brief import AGENT_LIMIT, Brief, problem, told
from atunner.core.consult import Spoken, Toolbox, consult, fitting
from atunner.core.facts import OperatorFacts
from atunner.core.ports import Model
from atunner.core.value import Value


class Trait(StrEnum):
    """A property of the problem that favours some algorithms over others."""

    HIGH_REUSE = "high_reuse"
    STREAMING = "streaming"
    SMALL_PROBLEM = "small_problem"
    FEW_INPUT_CHANNELS = "few_input_channels"
    POINTWISE_FILTER = "pointwise_filter"
    STRIDED = "strided"
    GROUPED = "grouped"
    LONG_REDUCTION = "long_reduction"
    FEW_ROWS = "few_rows"
    SHORT_ROWS = "short_rows"


class OperatorView(Value):
    """The operator agent's answer."""

    traits: tuple[Trait, ...]
    summary: str


REUSE_WORTH_A_TILE = 8.0
STREAMING_REUSE = 2.0
SMALL_FLOPS = 1e7
FEW_CHANNELS = 4
LONG_SIDE = 8


def rules(facts: OperatorFacts) -> OperatorView:
    """Read the traits off the numbers: reuse per element, size, and the shape settings."""
    if not facts.counted:
        text = f"{facts.operator}, {facts.dtype}: its work is not counted; {'; '.join(facts.notes) or 'no notes'}"
        return OperatorView(traits=(), summary=text)
    traits = [*_reuse(facts), *_settings(facts), *_rows(facts)]
    if facts.flops < SMALL_FLOPS:
        traits.append(Trait.SMALL_PROBLEM)
    summary = (
        f"{facts.operator} {facts.dtype}: {facts.flops:.4g} FLOP over {facts.min_bytes:.4g} bytes at least, "
        f"{facts.intensity:.3g} FLOP/byte; {', '.join(traits) or 'no special trait'}"
    )
    return OperatorView(traits=tuple(dict.fromkeys(traits)), summary=summary)


def _reuse(facts: OperatorFacts) -> list[Trait]:
    most = max(facts.reuse.values(), default=1.0)
    if most >= REUSE_WORTH_A_TILE:
        return [Trait.HIGH_REUSE]
    return [Trait.STREAMING] if most <= STREAMING_REUSE else []


def _settings(facts: OperatorFacts) -> list[Trait]:
    value = {s.name: s.value for s in facts.settings if isinstance(s.value, int)}
    found = []
    if value.get("kernel", 0) == 1:
        found.append(Trait.POINTWISE_FILTER)
    if value.get("stride", 1) > 1:
        found.append(Trait.STRIDED)
    if value.get("groups", 1) > 1:
        found.append(Trait.GROUPED)
    return [*found, *_depth(facts)]


def _depth(facts: OperatorFacts) -> list[Trait]:
    """How long the sums are: the depth of the weights, or of the matrices' shared side."""
    weight, left, result = (facts.tensors.get(name) for name in ("weight", "a", "c"))
    if weight is not None and weight[1] <= FEW_CHANNELS:
        return [Trait.FEW_INPUT_CHANNELS]
    if left is not None and result is not None and left[-1] > LONG_SIDE * max(result):
        return [Trait.LONG_REDUCTION]
    return []


def _rows(facts: OperatorFacts) -> list[Trait]:
    """Traits of operators along the last axis: few rows cannot fill a device, short rows cannot fill a block."""
    if facts.operator in ("conv2d", "matmul") or not facts.tensors:
        return []
    shape = next(iter(facts.tensors.values()))
    columns = shape[-1] if shape else 1
    rows = 1
    for extent in shape[:-1]:
        rows *= extent
    found = [Trait.FEW_ROWS] if rows < 128 else []
    return [*found, Trait.SHORT_ROWS] if columns <= 128 else found


OPENING = "You are the operator agent: you say which properties of a problem steer the choice of algorithm."
NOW = "Name the traits that should steer the choice of algorithm, and say why in one sentence. Known traits: {traits}."


def prompt(facts: OperatorFacts, limit: int = AGENT_LIMIT) -> Brief:
    """What a model is told."""
    parts = {"The problem, computed and exact": problem(facts), "The rules say": (rules(facts).summary,)}
    return told("operator", OPENING, parts, NOW.format(traits=", ".join(Trait)), limit)


async def examine(model: Model | None, tools: Toolbox, facts: OperatorFacts) -> Spoken[OperatorView]:
    """Say which properties of the problem matter."""
    limit = fitting(model, "operator", OperatorView, AGENT_LIMIT)
    return await consult(model, "operator", prompt(facts, limit).text, OperatorView, lambda: rules(facts), tools)
