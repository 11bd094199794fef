"""The expert's order: few builds that cost little, promising rewrites, then the best of both and what lies round it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.space import Advice
from atunner.core.trial import Trial
from atunner.core.value import content_id
from atunner.domains.llvm_ir import flags, pages, templates
from atunner.domains.llvm_ir.templates import AS_IS, BUILD, PAGES, Place, Templates, kind_of

Made = Callable[[str, Params], Candidate]


@dataclass(frozen=True)
class Known:
    """What the expert goes by. portfolio: fixed builds. searched: families that it has no order for."""

    portfolio: Sequence[Params]
    places: Templates
    searched: Sequence[str] = ()


EARLY = 4
"""Numbers of the hottest place before anything else is changed."""
ALONE = 3
"""Places whose rewrite is tried alone as well."""
OPENING = 2
"""Fixed builds before the first rewrite; all of the portfolio where no loop nest was recognised."""
SEARCHED = 4
"""One point in so many is left to the searcher."""


def advise(known: Known, trials: Sequence[Trial], points: int, made: Made) -> tuple[Advice, ...]:
    """Up to `points` points that were not tried, the most promising first; the searchers get what is left.

    made: what a point becomes, so that two that become the same are tried once. Trials that fell count as tried.
    """
    best = _best(trials, templates.FAMILY)
    numbers = points // SEARCHED if best else 0
    begun = any(trial.candidate.family == flags.FAMILY for trial in trials)
    kept = points // 2 if known.searched and begun and not known.places.places else numbers
    by_family: dict[str, list[Params]] = {}
    for family, params in islice(_order(known.portfolio, known.places, trials, made), points - kept):
        by_family.setdefault(family, []).append(params)
    found = [
        Advice(family=family, points=len(starts), starts=tuple(starts), allowed=_values(starts), reason=_reason(family))
        for family, starts in by_family.items()
    ]
    if best and numbers:
        found.append(_search(best, known.places, numbers, _idle(trials)))
    left = points - sum(advice.points for advice in found)
    return (*found, *_at_large(known.searched, left))


def _at_large(families: Sequence[str], points: int) -> Iterator[Advice]:
    """Shares of some points for families that have no order."""
    for place, name in enumerate(families):
        share = (points + len(families) - 1 - place) // len(families)
        if share > 0:
            yield Advice(family=name, points=share, reason=f"{name}, by the searcher")


def _values(starts: Sequence[Params]) -> dict[str, tuple[JsonValue, ...]]:
    """The values that occur: a searcher that has to add to the starts mixes them."""
    return {name: tuple(dict.fromkeys(p[name] for p in starts)) for name in starts[0]}


def _search(best: Params, places: Templates, points: int, idle: frozenset[str]) -> Advice:
    """A searcher over the numbers of the hottest place that was rewritten; everything else stays as it is best."""
    allowed: dict[str, tuple[JsonValue, ...]] = {name: (value,) for name, value in best.items()}
    for place in places.places:
        one = place.chosen(best)
        if one is not None:
            numbers = {place.number(one, name): values for name, values in one.parameters.items()}
            allowed |= {name: values for name, values in numbers.items() if name not in idle} or numbers
            break
    return Advice(
        family=templates.FAMILY,
        points=points,
        allowed=allowed,
        reason="numbers of the hottest rewrite, by the searcher",
    )


def _reason(family: str) -> str:
    return "fixed builds, the usual best first" if family == flags.FAMILY else "rewrites of recognised loop nests"


def _order(
    portfolio: Sequence[Params], places: Templates, trials: Sequence[Trial], made: Made
) -> Iterator[tuple[str, Params]]:
    """Everything worth trying, in order, without what was tried and without repeats."""
    said = {content_id(dict(t.candidate.files)) for t in trials}
    looked = {(t.candidate.family, _key(t.candidate.params)) for t in trials}
    for family, params in _wishes(portfolio, places, trials):
        if (family, _key(params)) in looked or not places.holds(family, params):
            continue
        looked.add((family, _key(params)))
        content = content_id(dict(made(family, params).files))
        if content not in said:
            said.add(content)
            yield family, params


def _key(params: Params) -> str:
    return ";".join(f"{k}={v}" for k, v in sorted(params.items()))


def _wishes(portfolio: Sequence[Params], places: Templates, trials: Sequence[Trial]) -> Iterator[tuple[str, Params]]:
    opening = OPENING if places.places else len(portfolio)
    yield from ((flags.FAMILY, p) for p in portfolio[:opening])
    yield from ((templates.FAMILY, p) for p in _first(places))
    best = _best(trials, templates.FAMILY)
    if best is not None:
        idle = _idle(trials)
        yield from ((templates.FAMILY, p) for p in _around(best, places) if not _changed(best, p) <= idle)
    yield from ((flags.FAMILY, p) for p in portfolio[opening:])
    builds = _best(trials, flags.FAMILY)
    if builds is not None:
        yield from ((flags.FAMILY, p) for p in _mixed(portfolio, builds))
    if best is not None:
        yield from ((templates.FAMILY, p) for p in _around(best, places))


def _first(places: Templates) -> Iterator[Params]:
    """Each template wherever it suits; then the hottest places alone, should one of the others not hold."""
    if not places.places:
        return
    whole = [p for p in places.places if not p.line]
    single = {p.name: kind_of(p.rewrites[0]) for p in places.places if p.line}
    yield from ({**places.untouched(), p.name: kind_of(r)} for p in whole for r in p.rewrites)
    yield from (
        {**places.untouched(), p.name: kind_of(r), **{p.number(r, n): v for n, v in start.items()}}
        for p in whole
        for r in p.rewrites
        for start in r.starts
    )
    if not whole:
        yield {**places.untouched(), **single}
    yield from ({**places.untouched(), name: value} for name, value in islice(single.items(), ALONE))


def _best(trials: Sequence[Trial], family: str) -> Params | None:
    """The parameters of the family's fastest verified trial."""
    good = [(t.measurement.value, t.candidate.params) for t in trials if t.measurement and t.candidate.family == family]
    return min(good, key=lambda pair: pair[0])[1] if good else None


def _changed(one: Params, other: Params) -> frozenset[str]:
    """The parameters in which two points differ."""
    return frozenset(name for name in {*one, *other} if one.get(name) != other.get(name))


def _idle(trials: Sequence[Trial]) -> frozenset[str]:
    """Parameters whose change alone left the binary as it was; equal binaries share one figure, sample for sample."""
    alike: dict[tuple[float, ...], list[Params]] = {}
    for trial in trials:
        if trial.measurement and trial.candidate.family == templates.FAMILY:
            alike.setdefault(trial.measurement.samples, []).append(trial.candidate.params)
    differences = (_changed(*pair) for group in alike.values() for pair in combinations(group, 2))
    return frozenset(name for changed in differences if len(changed) == 1 for name in changed)


def _around(best: Params, places: Templates) -> Iterator[Params]:
    """One change at a time from the best point: numbers, flags, templates, by turns, the hottest place first."""
    apart = places.spread(best)
    chosen = [place for place in places.places if place.chosen(best)]
    numbers = _by_turns([_numbers(best, place) for place in chosen[:1]])
    yield from ({**best, PAGES: value} for value in pages.choices())
    yield from islice(numbers, EARLY)
    ways = [numbers, _builds(best, places), numbers]
    ways += [_numbers(apart, place) for place in places.places if place.line and place not in chosen[:1]]
    ways += [_templates(apart, place) for place in places.places if place.line]
    yield from _by_turns(ways)


def _builds(best: Params, places: Templates) -> Iterator[Params]:
    yield from ({**best, BUILD: name} for name in places.builds)


def _templates(best: Params, place: Place) -> Iterator[Params]:
    """The place with each of its other rewrites, then as it is."""
    kinds = [*(kind_of(r) for r in place.rewrites), AS_IS]
    yield from ({**best, place.name: kind} for kind in kinds if kind != best[place.name])


def _numbers(best: Params, place: Place) -> Iterator[Params]:
    """The same rewrite with one number changed, by turns: first what is off, to a middle value, then sizes."""
    one = place.chosen(best)
    if one is None:
        return
    names = sorted(one.parameters, key=lambda n: one.default[n] != 0)
    yield from _by_turns([_other(best, place.number(one, name), one.parameters[name]) for name in names])


def _other(best: Params, name: str, values: Sequence[JsonValue]) -> Iterator[Params]:
    yield from ({**best, name: value} for value in _near(values, best[name]))


def _near(values: Sequence[JsonValue], now: JsonValue) -> list[JsonValue]:
    """The other values, the nearest first; from 0, which is off, the middle one first."""
    order = list(values)
    others = [v for v in order if v != now]
    middle = len(order) // 2 if now == 0 else order.index(now)
    return sorted(others, key=lambda v: (abs(order.index(v) - middle), -order.index(v)))


def _by_turns(ways: Sequence[Iterator[Params]]) -> Iterator[Params]:
    left = list(ways)
    while left:
        going = []
        for way in left:
            found = next(way, None)
            if found is not None:
                going.append(way)
                yield found
        left = going


def _mixed(portfolio: Sequence[Params], best: Params) -> Iterator[Params]:
    """The best build with what one more of the fixed builds has beyond the usual."""
    usual = portfolio[0]
    for other in portfolio[1:]:
        changed = {k: v for k, v in other.items() if v != usual[k]}
        yield {**best, **changed}
