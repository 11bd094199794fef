"""Why the winner won, in computed sentences: what mattered, what it has, what a step away costs, what is left."""

from collections.abc import Iterator

from atunner.core.candidate import Params
from atunner.core.record import RunRecord
from atunner.core.status import Provenance
from atunner.operators.user import UserKernel
from atunner.reports import wording
from atunner.reports.roof import roofline
from atunner.reports.tuned import Family
from atunner.reports.tuned import family as family_of
from atunner.search import SearchSpace
from atunner.search.explain import Importance, importances, sensitivity, shared_by_best
from atunner.search.optimum import left

LEAST_SHARE = 0.01
MOST_STEPS = 3


def explained(record: RunRecord) -> tuple[str, ...]:
    """The sentences; none where too few configurations have a figure."""
    found = family_of(record)
    if found is None:
        return ()
    trials = found.costs
    lines = [
        *_mattered(importances(trials), len(trials)),
        *_has(trials),
        *_steps(trials),
        *_left(record),
        *_to_find(record, found),
    ]
    return tuple(lines)


def _mattered(found: list[Importance], count: int) -> Iterator[str]:
    alone = [i for i in found if len(i.parameters) == 1 and i.share >= LEAST_SHARE]
    pairs = [i for i in found if len(i.parameters) == 2 and i.share >= LEAST_SHARE]
    if alone:
        shares = ", ".join(f"{i.parameters[0]} {i.share:.0%}" for i in alone)
        yield f"Of the variation over {count} configurations each parameter explains alone: {shares}."
    if pairs:
        shares = ", ".join(f"{' with '.join(i.parameters)} {i.share:.0%}" for i in pairs[:MOST_STEPS])
        yield f"Beyond each alone, together: {shares}."


def _has(trials: list[tuple[Params, float]]) -> Iterator[str]:
    best = min(value for _, value in trials)
    near = sum(value <= 1.05 * best for _, value in trials)
    shared = shared_by_best(trials)
    if shared and near < len(trials):
        values = ", ".join(f"{n}={v}" for n, v in shared.items())
        who = f"All {near} within 5 % of the best have" if near > 1 else "The best alone, within 5 %, has"
        yield f"{who} {values}; fewer than half of the others do."


def _steps(trials: list[tuple[Params, float]]) -> Iterator[str]:
    steps = sensitivity(trials)
    if not steps:
        return
    told = ", ".join(f"{s.parameter}={s.value} {s.ratio:.2f}x" for s in steps[:MOST_STEPS])
    free = [s for s in steps if s.ratio <= 1.05]
    rest = f"; {len(free)} of {len(steps)} such steps cost less than 5 %" if free else "; none costs less than 5 %"
    yield f"One step away from the best, the dearest: {told}{rest}."


def _to_find(record: RunRecord, family: Family) -> Iterator[str]:
    """What the search's model expects of the configurations that were not tried; where their space is on record."""
    described = record.task.spec.get("kernel")
    if not isinstance(described, dict):
        return
    space = SearchSpace(UserKernel.model_validate(described).space)
    whole = [(p.params, cost) for p, (_, cost) in zip(family.points, family.costs, strict=True)]
    found = left(space, whole)
    if found is None:
        return
    if not found.untried:
        yield "Every configuration was tried."
    else:
        yield (
            f"A model of these figures expects {found.gain:.1%} at most from any one of the {found.untried} "
            "configurations not tried (predicted)."
        )


def _left(record: RunRecord) -> Iterator[str]:
    since = _since_best(record)
    if since is not None:
        yield f"The best did not move in the last {since} of {len(record.trials) + _only_raced(record)} configurations."
    roof, winner = roofline(record), record.winner
    if roof is None or winner is None or winner.measurement is None or record.provenance is not Provenance.MEASURED:
        return
    if winner.measurement.unit == "us" and roof.bound_us > 0:
        ratio = wording.number(winner.measurement.value / roof.bound_us)
        yield f"The winner takes {ratio} times the roofline's bound of {wording.duration(roof.bound_us, 'us')}."


def _only_raced(record: RunRecord) -> int:
    judged = {t.candidate.id for t in record.trials}
    return sum(s.candidate.id not in judged for s in record.screenings)


def _since_best(record: RunRecord) -> int | None:
    """Configurations looked at after the winner, None where the record has no order of them."""
    order = [s.candidate.id for s in record.screenings]
    return len(order) - 1 - order.index(record.best) if record.best in order else None
