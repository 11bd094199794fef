"""What the parameters of one family did: its configurations, and how much of the variation each parameter explains."""

import math
from collections import Counter

from pydantic import JsonValue

from atunner.api.digest import Digest
from atunner.api.sight import Sight
from atunner.core.candidate import Params
from atunner.core.record import RunRecord
from atunner.core.status import Provenance
from atunner.core.value import Value, canonical
from atunner.reports import wording
from atunner.search.explain import importances

FEWEST = 4
PAIRS = 6
MOST = 5000
Point = tuple[str, Params, float, str]


class Parameters(Value):
    """rows: for each configuration the places of its values, its figure, its candidate. importance: name, share.

    names: the parameters that took more than one value. screened: figures are the scores that ordered the search.
    """

    unit: str
    minimise: bool
    provenance: Provenance
    family: str
    families: tuple[tuple[str, int], ...]
    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[tuple[int, ...], float, str], ...]
    importance: tuple[tuple[str, float], ...]
    pairs: tuple[tuple[str, float], ...]
    screened: bool


def parameters(seen: Sight, wanted: str = "") -> Parameters | None:
    """The points of a family, the winner's when none is named; None where there are too few."""
    if seen.digest is None or seen.head is None:
        return None
    key = f"{wanted} {len(seen.digest.tried)} {len(seen.digest.screened)} {seen.scale}"
    if key not in seen.digest.made:
        seen.digest.made = {key: _parameters(seen, seen.head, seen.digest, wanted)}
    found: Parameters | None = seen.digest.made[key]  # type: ignore[assignment]  # it holds what was put there
    return found


def _parameters(seen: Sight, head: RunRecord, digest: Digest, wanted: str) -> Parameters | None:
    screened = head.provenance is Provenance.PREDICTED and bool(digest.screened)
    points = _screened(seen) if screened else _judged(seen)
    counts = Counter(family for family, *_ in points)
    enough = {name: count for name, count in counts.most_common() if count >= FEWEST}
    family = wanted if wanted in enough else _default(seen, enough)
    rows = sorted((p for p in points if p[0] == family), key=lambda p: p[2] if seen.objective.minimise else -p[2])
    names = _names([p[1] for p in rows])
    if not names:
        return None
    values = [_values([p[1] for p in rows], name) for name in names]
    place = [{canonical(v): at for at, v in enumerate(found)} for found in values]
    found = importances([({n: p[1][n] for n in names}, p[2]) for p in rows])
    return Parameters(
        unit="" if screened else seen.unit,
        minimise=seen.objective.minimise,
        provenance=head.provenance,
        family=family,
        families=tuple(enough.items()),
        names=names,
        values=tuple(tuple(_word(v) for v in found) for found in values),
        rows=tuple(
            (tuple(at[canonical(p[1][n])] for n, at in zip(names, place, strict=True)), p[2], p[3]) for p in rows[:MOST]
        ),
        importance=tuple((i.parameters[0], i.share) for i in found if len(i.parameters) == 1),
        pairs=tuple((" and ".join(i.parameters), i.share) for i in found if len(i.parameters) == 2)[:PAIRS],
        screened=screened,
    )


def _judged(seen: Sight) -> list[Point]:
    good, scale = seen.digest.good if seen.digest else [], seen.scale
    return [(t.family, t.params, t.value * scale, t.candidate) for t in good if t.params and t.value and t.value > 0]


def _screened(seen: Sight) -> list[Point]:
    found = seen.digest.screened if seen.digest else []
    return [
        (s.family, s.params, s.score, s.candidate)
        for s in found
        if s.params and s.score is not None and s.score > 0 and math.isfinite(s.score)
    ]


def _default(seen: Sight, enough: dict[str, int]) -> str:
    first = next((one.family for one in seen.ranked if one.family in enough), "")
    return first or next(iter(enough), "")


def _names(points: list[Params]) -> tuple[str, ...]:
    """The parameters that all points have and that took more than one value."""
    if not points:
        return ()
    shared = [n for n in points[0] if all(n in p for p in points)]
    return tuple(n for n in shared if len({canonical(p[n]) for p in points}) > 1)


def _values(points: list[Params], name: str) -> list[JsonValue]:
    found = {canonical(p[name]): p[name] for p in points}
    return sorted(found.values(), key=_order)


def _order(value: JsonValue) -> tuple[bool, float, str]:
    if isinstance(value, int | float):
        return False, float(value), ""
    return True, 0.0, str(value)


def _word(value: JsonValue) -> str:
    return wording.parameters({"": value}).lstrip("=")
