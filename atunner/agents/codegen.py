"""The codegen agent: which algorithms to try next, on how many points, and where in their spaces."""

from collections.abc import Sequence

from pydantic import Field, JsonValue

from atunner.agents.brief import LIMIT, Brief, told
from atunner.agents.fusion import FusionView
from atunner.agents.hardware import HardwareView
from atunner.agents.operator import OperatorView, Trait
from atunner.agents.performance import Diagnosis
from atunner.agents.rewrite import Rewrite
from atunner.core.candidate import Params
from atunner.core.consult import Spoken, Toolbox, consult, fitting
from atunner.core.ports import Model
from atunner.core.space import Advice as Advised
from atunner.core.space import Family
from atunner.core.value import Value


class FamilyRecord(Value):
    """What this run knows of a family. best: best figure so far (lower is better), with the parameters that gave it."""

    family: Family
    tried: int = 0
    failed: int = 0
    best: float | None = None
    best_params: Params = Field(default_factory=dict)
    exhausted: bool = False


class Recalled(Value):
    """A good point from an earlier, similar task: a place to start, not a result."""

    family: str
    params: Params
    from_task: str


class Situation(Value):
    """All that the codegen agent may look at. points: how many points this round may spend.

    advised: where the domain's own expert would search, where it has one; the rules follow it.
    """

    operator: OperatorView
    hardware: HardwareView
    diagnosis: Diagnosis
    fusion: FusionView
    records: tuple[FamilyRecord, ...]
    recalled: tuple[Recalled, ...] = ()
    advised: tuple[Advised, ...] = ()
    round: int
    points: int = Field(gt=0)


class Move(Value):
    """Search one family: so many points, first those in `starts`, with some parameters held to `allowed` values."""

    family: str
    points: int = Field(gt=0)
    allowed: dict[str, tuple[JsonValue, ...]] = Field(default_factory=dict)
    starts: tuple[Params, ...] = ()
    reason: str = ""


class Advice(Value):
    """What a model is asked for: moves, and where it wants one, a kernel written anew."""

    moves: tuple[Move, ...]
    summary: str
    rewrites: tuple[Rewrite, ...] = ()


class Draft(Value):
    """A kernel written anew, to be admitted. by: who wrote it. parent: candidate id, "" for the strategy's own base.

    refused: why a person does not want it, "" where nobody objects.
    """

    rewrite: Rewrite
    by: str
    parent: str = ""
    refused: str = ""


class Proposal(Value):
    """The codegen agent's answer, in the order to be tried. drafts: kernels written anew."""

    moves: tuple[Move, ...]
    summary: str
    drafts: tuple[Draft, ...] = ()


LIKES: dict[Trait, tuple[str, ...]] = {
    Trait.HIGH_REUSE: ("register_blocking", "shared_memory_tiling", "cache_blocking"),
    Trait.STREAMING: ("vectorized_loads", "vectorization", "thread_coarsening"),
    Trait.SMALL_PROBLEM: ("split_k",),
    Trait.FEW_INPUT_CHANNELS: ("register_blocking", "halo_tiling", "sliding_window"),
    Trait.POINTWISE_FILTER: ("implicit_gemm",),
    Trait.STRIDED: ("implicit_gemm",),
    Trait.GROUPED: ("halo_tiling", "sliding_window"),
    Trait.LONG_REDUCTION: ("split_k",),
    Trait.FEW_ROWS: ("split_rows", "split_k", "block_per_row"),
    Trait.SHORT_ROWS: ("warp_shuffle_reduction", "warp_per_row"),
}
TWO_PASSES = frozenset({"split_k", "split_rows", "split_reduction", "two_pass_reduction"})
LEAST_POINTS = 4
REFINE_AFTER = 8


def weight(record: FamilyRecord, situation: Situation, helpful: frozenset[str]) -> float:
    """How promising a family is: its techniques against diagnosis, traits and fusion, then what it has shown.

    A family that is x times slower than the best so far weighs 1 / x^2 of what its techniques promise.
    """
    techniques = set(record.family.techniques)
    liked = {t for trait in situation.operator.traits for t in LIKES[trait]}
    value = 1.0 + 0.5 * len(techniques & helpful) + 0.5 * len(techniques & liked)
    if situation.fusion.keep_single_pass and techniques & TWO_PASSES:
        value *= 0.7
    best = min((r.best for r in situation.records if r.best is not None), default=None)
    if best is not None and record.tried >= LEAST_POINTS:
        value *= (best / record.best) ** 2 if record.best else 0.05
    return value


def rules(situation: Situation, helpful: frozenset[str]) -> Proposal:
    """Share the round's points by weight; a family with a good point is searched around it, the others at large."""
    if situation.advised:
        return _advised(situation)
    open_ = [r for r in situation.records if not r.exhausted]
    ranked = sorted(open_, key=lambda r: -weight(r, situation, helpful))
    if situation.round > 0:
        ranked = ranked[: max(2, len(ranked) // 2)]
    total = sum(weight(r, situation, helpful) for r in ranked)
    moves, left = [], situation.points
    for record in ranked:
        share = round(situation.points * weight(record, situation, helpful) / total) if total else 0
        points = min(left, max(LEAST_POINTS, share))
        if points > 0:
            moves.append(_move(record, points, situation, helpful))
            left -= points
    if left > 0 and moves:
        moves[0] = moves[0].model_copy(update={"points": moves[0].points + left})
    return Proposal(moves=tuple(moves), summary=_summary(moves) or "nothing left to try")


def _advised(situation: Situation) -> Proposal:
    """What the domain's expert says; points that it leaves go to the searcher of its last family."""
    moves = [Move(**one.model_dump()) for one in situation.advised]
    left = situation.points - sum(m.points for m in moves)
    moves[-1] = moves[-1].model_copy(update={"points": moves[-1].points + max(0, left)})
    return Proposal(moves=tuple(moves), summary=_summary(moves))


def _summary(moves: Sequence[Move]) -> str:
    told = ((m.family, m.points, "point" if m.points == 1 else "points", m.reason) for m in moves)
    return "; ".join(f"{family}: {count} {noun} ({reason})" for family, count, noun, reason in told)


def _move(record: FamilyRecord, points: int, situation: Situation, helpful: frozenset[str]) -> Move:
    family = record.family
    recalled = [r for r in situation.recalled if r.family == family.name and family.space.holds(r.params)]
    starts = tuple(r.params for r in recalled)
    learned = f"; starts from {len(starts)} points of {recalled[0].from_task}" if recalled else ""
    if record.tried >= REFINE_AFTER and record.best is not None:
        return Move(
            family=record.family.name,
            points=points,
            allowed=around(record.family, record.best_params),
            starts=starts,
            reason=f"search around its best point{learned}",
        )
    match = sorted(set(record.family.techniques) & helpful)
    reason = f"{', '.join(match)} treats {situation.diagnosis.bottleneck}" if match else "explore"
    return Move(family=record.family.name, points=points, starts=starts, reason=reason + learned)


def around(family: Family, best: Params, reach: int = 2) -> dict[str, tuple[JsonValue, ...]]:
    """The values within `reach` steps of the best point, for each parameter with more than 2 * reach + 1 values."""
    near: dict[str, tuple[JsonValue, ...]] = {}
    for parameter in family.space.parameters:
        if parameter.name not in best or len(parameter.values) <= 2 * reach + 1:
            continue
        at = parameter.values.index(best[parameter.name])
        near[parameter.name] = parameter.values[max(0, at - reach) : at + reach + 1]
    return near


OPENING = "You are the codegen agent: you decide where a search over kernels spends its points."
NOW = (
    "Spend {points} points this round. Answer with moves: family, points, allowed parameter values where you want to "
    "hold some, and why. You may add one rewrite: the whole source of a new kernel of the same name and arguments, "
    "tunable numbers as NAMES with values."
)


def prompt(situation: Situation, helpful: frozenset[str], limit: int = LIMIT) -> Brief:
    """What a model is told: the families with the best figures first, never the whole history."""
    s = situation
    ranked = sorted(s.records, key=lambda r: (r.best is None, r.best or 0.0))
    parts = {
        "Diagnosis": (s.diagnosis.summary, *(f"- {e}" for e in s.diagnosis.evidence)),
        "Families: techniques; points tried, failed, best figure, its parameters": [_about(r) for r in ranked],
        "Techniques that treat the bottleneck": sorted(helpful),
        "Operator, hardware, fusion": (s.operator.summary, s.hardware.summary, s.fusion.summary),
        "Good points of similar tasks": [f"{r.family} {r.params} (run {r.from_task})" for r in s.recalled],
    }
    return told("codegen", OPENING, parts, NOW.format(points=s.points), limit)


def _about(record: FamilyRecord) -> str:
    family = record.family
    best = "no figure yet" if record.best is None else f"best {record.best:.5g} at {record.best_params}"
    values = ", ".join(f"{p.name} in {list(p.values)}" for p in family.space.parameters)
    state = "; nothing left to try" if record.exhausted else ""
    tried = f"{record.tried} tried, {record.failed} failed, {best}{state}"
    return f"- {family.name}: {', '.join(family.techniques)}; {tried}; {values}"


async def propose(model: Model | None, tools: Toolbox, situation: Situation) -> Spoken[Proposal]:
    """Choose the next moves. A model's moves are cut to families and values that exist and to the round's points."""
    found = tools.call("techniques", bottleneck=str(situation.diagnosis.bottleneck))
    named = [str(t) for t in found] if isinstance(found, list) else []
    helpful = frozenset([*named, *situation.diagnosis.techniques])
    expert = rules(situation, helpful)
    advice = Advice(moves=expert.moves, summary=expert.summary)
    limit = fitting(model, "codegen", Advice, LIMIT)
    spoken = await consult(model, "codegen", prompt(situation, helpful, limit).text, Advice, lambda: advice, tools)
    moves = legal(spoken.answer.moves, situation)
    calls = tuple(tools.calls)
    drafts = tuple(Draft(rewrite=r, by=spoken.by) for r in spoken.answer.rewrites[:1])
    if not moves and not drafts:
        return Spoken(expert, "rules", calls)
    answer = Proposal(moves=moves or expert.moves, summary=spoken.answer.summary, drafts=drafts)
    return Spoken(answer, spoken.by, calls)


def legal(moves: tuple[Move, ...], situation: Situation) -> tuple[Move, ...]:
    """Moves on open families, with values that the space has, adding up to at most the round's points."""
    spaces = {r.family.name: r.family.space for r in situation.records if not r.exhausted}
    kept, left = [], situation.points
    for move in moves:
        if move.family not in spaces or left <= 0:
            continue
        values = {p.name: p.values for p in spaces[move.family].parameters}
        allowed = {n: tuple(v for v in vs if v in values[n]) for n, vs in move.allowed.items() if n in values}
        allowed = {n: vs for n, vs in allowed.items() if vs}
        points = min(move.points, left)
        starts = tuple(p for p in move.starts if spaces[move.family].holds(p))
        kept.append(move.model_copy(update={"points": points, "allowed": allowed, "starts": starts}))
        left -= points
    return tuple(kept)
