"""The expert's order: few builds that cost little, promising rewrites, then the best of both and what lies round it."""

from collections.abc import Iterator, Sequence
from itertools import islice

from pydantic import JsonValue

from atunner.core.candidate import Params
from atunner.core.space import Advice
from atunner.core.trial import Trial
from atunner.domains.llvm_ir import flags, templates
from atunner.domains.llvm_ir.templates import AS_IS, BUILD, Place, Templates

OPENING = 2
"""Fixed builds before the first rewrite; all of the portfolio where no loop nest was recognised."""
SEARCHED = 4
"""One point in so many is left to the searcher."""


def advise(portfolio: Sequence[Params], places: Templates, trials: Sequence[Trial], points: int) -> tuple[Advice, ...]:
    """Up to `points` points that were not tried, the most promising first.

    Trials that fell count as tried. () hands the rest to the searchers.
    """
    tried = {(t.candidate.family, _key(t.candidate.params)) for t in trials}
    best = _best(trials, templates.FAMILY)
    searched = points // SEARCHED if best else 0
    by_family: dict[str, list[Params]] = {}
    for family, params in islice(_order(portfolio, places, trials, tried), points - searched):
        by_family.setdefault(family, []).append(params)
    found = [
        Advice(family=family, points=len(starts), starts=tuple(starts), reason=_reason(family))
        for family, starts in by_family.items()
    ]
    return (*found, *([_search(best, places, searched)] if best and searched else []))


def _search(best: Params, places: Templates, points: int) -> Advice:
    """A searcher over the numbers of the hottest place's best rewrite, and the flags; the other places stay."""
    allowed: dict[str, tuple[JsonValue, ...]] = {p.name: (best[p.name],) for p in places.places}
    for place in places.places:
        kind = str(best[place.name]).partition(" ")[0]
        if best[place.name] != AS_IS:
            allowed[place.name] = tuple(v for v in place.values if v.partition(" ")[0] == kind)
            break
    reason = "numbers of the hottest rewrite and flags, by the searcher"
    return Advice(family=templates.FAMILY, points=points, allowed=allowed, reason=reason)


def _reason(family: str) -> str:
    return "fixed builds, the usual best first" if family == flags.FAMILY else "rewrites of recognised loop nests"


def _key(params: Params) -> str:
    return ";".join(f"{k}={v}" for k, v in sorted(params.items()))


def _order(
    portfolio: Sequence[Params], places: Templates, trials: Sequence[Trial], tried: set[tuple[str, str]]
) -> Iterator[tuple[str, Params]]:
    """Everything worth trying, in order, without what was tried and without repeats."""
    said = set(tried)
    for family, params in _wishes(portfolio, places, trials):
        key = (family, _key(params))
        if key not in said:
            said.add(key)
            yield family, params


def _wishes(portfolio: Sequence[Params], places: Templates, trials: Sequence[Trial]) -> Iterator[tuple[str, Params]]:
    opening = OPENING if places.places else len(portfolio)
    yield from ((flags.FAMILY, p) for p in portfolio[:opening])
    yield from ((templates.FAMILY, p) for p in _first(places))
    best = _best(trials, templates.FAMILY)
    if best is not None:
        yield from ((templates.FAMILY, p) for p in _around(best, places, trials))
    yield from ((flags.FAMILY, p) for p in portfolio[opening:])
    builds = _best(trials, flags.FAMILY)
    if builds is not None:
        yield from ((flags.FAMILY, p) for p in _mixed(portfolio, builds, trials))


def _first(places: Templates) -> Iterator[Params]:
    """Every place's most promising rewrite at once; then each place's alone, should one of them not hold."""
    if not places.places:
        return
    tops = {p.name: p.values[1] for p in places.places}
    yield {**places.untouched(), **tops}
    if len(tops) > 1:
        yield from ({**places.untouched(), name: value} for name, value in tops.items())


def _best(trials: Sequence[Trial], family: str) -> Params | None:
    """The parameters of the family's fastest verified trial."""
    good = [(t.measurement.value, t.candidate.params) for t in trials if t.measurement and t.candidate.family == family]
    return min(good, key=lambda pair: pair[0])[1] if good else None


def _around(best: Params, places: Templates, trials: Sequence[Trial]) -> Iterator[Params]:
    """One change at a time from the best point: other templates, other flags, then other numbers, by turns."""
    ways = [_templates(best, place) for place in places.places]
    ways.append(_builds(best, places))
    ways += [_numbers(best, place) for place in places.places]
    yield from _by_turns(ways)


def _templates(best: Params, place: Place) -> Iterator[Params]:
    """The place with the default of each of its other rewrites, then as it is."""
    now = str(best[place.name]).split(" ")[0]
    for one in place.rewrites:
        value = templates.value_of(one, templates.points_of(one)[0])
        if value.split(" ")[0] != now:
            yield {**best, place.name: value}
    yield {**best, place.name: AS_IS}


def _builds(best: Params, places: Templates) -> Iterator[Params]:
    yield from ({**best, BUILD: name} for name in places.builds)


def _numbers(best: Params, place: Place) -> Iterator[Params]:
    """The same rewrite with other numbers, the nearest to the best first."""
    now = str(best[place.name])
    kind, _, numbers = now.partition(" ")
    same = [v for v in place.values if v.partition(" ")[0] == kind and v != now]
    wanted = set(numbers.split(" "))
    yield from ({**best, place.name: v} for v in sorted(same, key=lambda v: len(wanted - set(v.split(" ")[1:]))))


def _by_turns(ways: Sequence[Iterator[Params]]) -> Iterator[Params]:
    left = list(ways)
    while left:
        for way in list(left):
            found = next(way, None)
            if found is None:
                left.remove(way)
            else:
                yield found


def _mixed(portfolio: Sequence[Params], best: Params, trials: Sequence[Trial]) -> Iterator[Params]:
    """The best build with one more of the portfolio's flags, those of faster builds first."""
    usual = portfolio[0]
    for other in portfolio[1:]:
        changed = {k: v for k, v in other.items() if v != usual[k]}
        yield {**best, **changed}
