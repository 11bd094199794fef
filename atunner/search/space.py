"""A constrained discrete space, built: points are row numbers of a table of value indices."""

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from atunner.core.candidate import Params
from atunner.core.errors import UnknownName, UserError
from atunner.core.space import Parameter, Space
from atunner.search.constraint import Rule, rule
from atunner.search.encoding import Scale, scale
from atunner.search.join import Codes, join, satisfied, weights

Points = NDArray[np.int64]
BUILD_LIMIT = 4_000_000
SAMPLE = 200_000


class SearchSpace:
    """The valid points of a declaration, numbered from 0 in lexicographic order of the declared values.

    complete: all points are in the table. Otherwise the space is too large to build, the table holds a sample, grows by
    neighbours as they are asked for, and `size` is an estimate.
    """

    def __init__(
        self, space: Space, rules: Sequence[Callable[..., object]] = (), limit: int = BUILD_LIMIT, seed: int = 0
    ) -> None:
        self.space = space
        self.names = tuple(p.name for p in space.parameters)
        _check(space)
        self._rules: tuple[Rule, ...] = (
            *(rule(text, self.names) for text in space.constraints),
            *(rule(function, self.names) for function in rules),
        )
        rng = np.random.default_rng(seed)
        joined = join(space.parameters, self._rules, limit, rng)
        codes = joined.codes
        if not joined.complete and len(codes) > SAMPLE:
            codes = codes[np.sort(rng.permutation(len(codes))[:SAMPLE])]
        self._fill(codes, joined.size, joined.complete)

    @classmethod
    def of_points(cls, space: Space, points: Sequence[Params]) -> Self:
        """The space that has exactly these points of the declaration (a recording, a hand-made list).

        Raises:
            UserError: no point, or a value that the declaration does not have.
        """
        if not points:
            raise UserError("No valid configuration: the list of points is empty. Give at least one.")
        self = cls.__new__(cls)
        self.space, self.names = space, tuple(p.name for p in space.parameters)
        _check(space)
        self._rules = ()
        self._fill(np.zeros((0, len(self.names)), dtype=np.uint16), 0.0, complete=True)
        codes = np.array([self._encode(p) for p in points], dtype=np.uint16)
        self._fill(np.unique(codes, axis=0), 0.0, complete=True)
        return self

    def _fill(self, codes: Codes, size: float, complete: bool) -> None:
        parameters = self.space.parameters
        self.complete = complete
        self.widths = np.array([len(p.values) for p in parameters], dtype=np.int64)
        self.scales: tuple[Scale, ...] = tuple(scale(p.values) for p in parameters)
        self._codes_of = [{_hashable(v): i for i, v in enumerate(p.values)} for p in parameters]
        self._weights = weights(parameters)
        self._table, self._count = codes, len(codes)
        keys = codes @ self._weights
        self._order: Points | None = None if np.all(keys[:-1] <= keys[1:]) else np.argsort(keys, kind="stable")
        self._keys = keys if self._order is None else keys[self._order]
        self._added: dict[bytes, int] = {}
        self._size = float(len(codes)) if complete else size

    # -- points ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Points in the table: all of them when the space is complete."""
        return self._count

    @property
    def size(self) -> float:
        """Valid points: exact when complete, else an estimate."""
        return self._size

    @property
    def cartesian(self) -> float:
        """Points before constraints."""
        return float(np.prod(self.widths.astype(float)))

    @property
    def codes(self) -> Codes:
        """Value indices of all points in the table, shape (n, parameters)."""
        return self._table[: self._count]

    def params(self, point: int) -> Params:
        """The configuration of a point."""
        row = self._table[point]
        return {p.name: p.values[c] for p, c in zip(self.space.parameters, row.tolist(), strict=True)}

    def point(self, params: Params) -> int:
        """The point of a configuration.

        Raises:
            UserError: an unknown or missing parameter, an unknown value, or a constraint is broken; says which.
        """
        row = self._encode(params)
        found = int(self.find(np.array([row], dtype=np.uint16))[0])
        if found < 0:
            raise UserError(f"Not a valid configuration: {params}. It breaks {self._broken(row)}.")
        return found

    def __contains__(self, params: Params) -> bool:
        try:
            self.point(params)
        except UserError:
            return False
        return True

    def find(self, codes: Codes) -> Points:
        """Points of rows of value indices, -1 for those that are not valid. Shape (k,)."""
        keys = codes @ self._weights
        spot = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        if len(self._keys) == 0:
            return np.full(len(codes), -1, dtype=np.int64)
        points = spot if self._order is None else self._order[spot]
        hit = (self._keys[spot] == keys) & (self._table[points] == codes).all(axis=1)
        points = np.where(hit, points, -1).astype(np.int64)
        if not self.complete and not hit.all():
            self._grow(codes, points)
        return points

    def key(self, point: int) -> list[int]:
        """A name of the point that stays true after a restart: its value indices."""
        return [int(c) for c in self._table[point]]

    # -- walking --------------------------------------------------------------------------------------------------

    def neighbours(self, point: int) -> Points:
        """Valid points that differ in exactly one parameter (Hamming distance 1)."""
        row = self._table[point].astype(np.int64)
        near = np.repeat(row[None, :], int(self.widths.sum()), axis=0)
        column = np.repeat(np.arange(len(row)), self.widths)
        near[np.arange(len(near)), column] = np.concatenate([np.arange(w) for w in self.widths])
        near = near[near[np.arange(len(near)), column] != row[column]]
        found = self.find(near.astype(np.uint16))
        return found[found >= 0]

    def around(self, point: int, others: Points, changes: int) -> NDArray[np.bool_]:
        """Which of the others differ from the point in at most so many parameters. Shape (k,)."""
        near: NDArray[np.bool_] = (self._table[others] != self._table[point]).sum(axis=1) <= changes
        return near

    def adjacent(self, point: int) -> Points:
        """Valid points with no parameter more than one step away; with many parameters one or two may move at once."""
        row = self._table[point]
        if self.complete:
            step = np.abs(self.codes.astype(np.int32) - row.astype(np.int32)).max(axis=1)
            every: Points = np.flatnonzero(step == 1)
            return every
        near = self.neighbours(point)
        step = np.abs(self._table[near].astype(np.int32) - row.astype(np.int32)).max(axis=1)
        some: Points = near[step == 1]
        return some

    def distances(self, point: int, others: Points) -> NDArray[np.float64]:
        """Distance in unit scale: ordered parameters by scaled difference, named ones 0 or 1. Shape (k,)."""
        total = np.zeros(len(others))
        for j, s in enumerate(self.scales):
            here, there = self._table[point, j], self._table[others, j]
            total += np.abs(s.unit[there] - s.unit[here]) if s.ordered else (there != here).astype(float)
        return total

    def encoded(self, points: Points) -> NDArray[np.float64]:
        """Numbers for surrogates: unit scale (logarithmic where values grow so), one column for each named value."""
        parts = [s.columns[self._table[points, j]] for j, s in enumerate(self.scales)]
        return np.concatenate(parts, axis=1)

    def sample(self, rng: np.random.Generator, count: int) -> Points:
        """Up to `count` distinct points of the table, uniformly."""
        if count * 4 >= self._count:
            every: Points = rng.permutation(self._count)[:count]
            return every
        drawn = np.unique(rng.integers(0, self._count, size=count + count // 2 + 8))
        some: Points = rng.permutation(drawn)[:count]
        return some

    def resample(self, rng: np.random.Generator) -> None:
        """Add another sample to the table of a space that is not complete."""
        fresh = join(self.space.parameters, self._rules, SAMPLE, rng).codes
        if not self.complete:
            self.find(fresh)

    # -- parts ----------------------------------------------------------------------------------------------------

    def _encode(self, params: Params) -> list[int]:
        for name in params:
            if name not in self.names:
                raise UnknownName("parameter", name, self.names)
        row = []
        for parameter, codes in zip(self.space.parameters, self._codes_of, strict=True):
            if parameter.name not in params:
                raise UserError(f"No value for parameter {parameter.name!r}. Give one of {list(parameter.values)[:8]}.")
            value = params[parameter.name]
            if _hashable(value) not in codes:
                known = list(parameter.values)[:8]
                raise UserError(f"{parameter.name} has no value {value!r}. Known: {known}.")
            row.append(codes[_hashable(value)])
        return row

    def _broken(self, row: list[int]) -> str:
        codes = np.array([row], dtype=np.uint16)
        broken = [r.text for r in self._rules if not satisfied(r, self.space.parameters, codes)[0]]
        return f"the constraint {broken[0]!r}" if broken else "the list of points, which does not have it"

    def _valid(self, codes: Codes) -> NDArray[np.bool_]:
        good = np.ones(len(codes), dtype=bool)
        for r in self._rules:
            good[good] = satisfied(r, self.space.parameters, codes[good])
        return good

    def _grow(self, codes: Codes, points: Points) -> None:
        missing = np.flatnonzero(points < 0)
        known = [self._added.get(codes[i].tobytes(), -1) for i in missing]
        points[missing] = known
        fresh = missing[np.array(known, dtype=np.int64) < 0]
        fresh = fresh[self._valid(codes[fresh])] if len(fresh) else fresh
        for i in fresh:
            name = codes[i].tobytes()
            if name not in self._added:
                self._append(codes[i])
                self._added[name] = self._count - 1
            points[i] = self._added[name]

    def _append(self, row: Codes) -> None:
        if self._count == len(self._table):
            room = np.zeros((max(1024, len(self._table) // 4), len(self.names)), dtype=np.uint16)
            self._table = np.concatenate([self._table, room])
        self._table[self._count] = row
        self._count += 1


def _check(space: Space) -> None:
    if not space.parameters:
        raise UserError("The space has no parameter. Declare at least one with its values.")
    seen: set[str] = set()
    for parameter in space.parameters:
        _check_parameter(parameter, seen)
        seen.add(parameter.name)


def _check_parameter(parameter: Parameter, seen: set[str]) -> None:
    if parameter.name in seen:
        raise UserError(f"The parameter {parameter.name!r} is declared twice. Keep one.")
    if not parameter.name.isidentifier():
        raise UserError(f"Not a parameter name: {parameter.name!r}. Use letters, digits and underscores.")
    if not parameter.values:
        raise UserError(f"The parameter {parameter.name!r} has no values. Give at least one.")
    if len({_hashable(v) for v in parameter.values}) < len(parameter.values):
        raise UserError(f"The parameter {parameter.name!r} has a value twice. Give each once.")
    if len(parameter.values) > 65_535:
        raise UserError(
            f"The parameter {parameter.name!r} has {len(parameter.values)} values; at most 65535 are allowed."
        )


def _hashable(value: JsonValue) -> JsonValue | str:
    if isinstance(value, bool | list | dict) or value is None:
        return repr(value)
    return value
