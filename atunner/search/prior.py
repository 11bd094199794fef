"""What is believed before the first trial: a ranking model's scores, and records of other devices and shapes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.search.space import SearchSpace

Predictor = Callable[[Params], float | None] | Sequence[tuple[Params, float | None]]
PREDICT_LIMIT = 20_000


@dataclass(frozen=True)
class Source:
    """Tuning records of another device or shape of the same kernel; a failed configuration has None."""

    name: str
    records: tuple[tuple[Params, float | None], ...]


@dataclass(frozen=True)
class Belief:
    """Relative scores by point from one source, as logarithm of value over best; NaN where nothing is known.

    failed: points that failed there.
    """

    name: str
    scores: NDArray[np.float64]
    failed: NDArray[np.bool_]


def from_source(space: SearchSpace, source: Source) -> Belief:
    """Records mapped onto the space; a record whose values this space does not have is left out."""
    return _belief(space, source.name, source.records)


def from_predictor(space: SearchSpace, predictor: Predictor) -> Belief:
    """A ranking model's scores (positive, lower is better); None where it says that a point cannot run.

    A callable is asked about every point of a small space, and about a sample of a large one.
    """
    if callable(predictor):
        points = space.sample(np.random.default_rng(0), PREDICT_LIMIT)
        chosen = [space.params(int(p)) for p in np.sort(points)]
        return _belief(space, "model", [(p, predictor(p)) for p in chosen])
    return _belief(space, "model", predictor)


def first(beliefs: Sequence[Belief], count: int) -> list[int]:
    """The `count` points with the lowest mean score over the beliefs that know them, best first."""
    if not beliefs or count == 0:
        return []
    scores = np.array([b.scores for b in beliefs])
    known = np.isfinite(scores)
    mean = np.where(known, scores, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    mean[~known.any(axis=0)] = np.inf
    rank = np.argsort(mean, kind="stable")[:count]
    return [int(p) for p in rank[np.isfinite(mean[rank])]]


def _belief(space: SearchSpace, name: str, records: Iterable[tuple[Params, float | None]]) -> Belief:
    scores, failed = np.full(len(space), np.nan), np.zeros(len(space), dtype=bool)
    for params, value in records:
        point = _point(space, params)
        if point is None or point >= len(scores):
            continue
        if value is None:
            failed[point] = True
        elif value > 0:
            scores[point] = np.log(value)
        else:
            raise UserError(f"A score must be above 0, got {value} from {name!r} for {params}.")
    if np.isfinite(scores).any():
        scores -= np.nanmin(scores)
    return Belief(name=name, scores=scores, failed=failed)


def _point(space: SearchSpace, params: Params) -> int | None:
    known = {name: value for name, value in params.items() if name in space.names}
    try:
        return space.point(known)
    except UserError:
        return None
