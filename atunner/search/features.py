"""What a surrogate sees of a point: scales, identities, alignments and products of its values, in weighted groups."""

from functools import reduce
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from atunner.core.space import Parameter
from atunner.search.encoding import Scale
from atunner.search.space import Points, SearchSpace

Matrix = NDArray[np.float64]
PAIRS = 10


class Features:
    """Columns in groups; the squared distance of two points is a weighted sum over groups.

    scale: the place of a value in its list. identity: 1 where two values differ (a tile of 3 need not lie between 2 and
    4). alignment: how often 2 divides a value, which decides vector widths, banks and full warps. product: the
    logarithm of the product of two values, such as threads in a block or work in a tile.
    """

    def __init__(self, space: SearchSpace, extra: tuple[Matrix, ...] = ()) -> None:
        self._space, self._extra = space, extra
        self._tables: list[tuple[tuple[int, ...], tuple[Matrix, ...]]] = []
        self.kinds: list[str] = []
        groups: list[int] = []
        for columns, tables, kind in _groups(space):
            self._tables.append((columns, tables))
            groups += [len(self.kinds)] * tables[0].shape[1]
            self.kinds.append(kind)
        for _ in extra:
            groups.append(len(self.kinds))
            self.kinds.append("belief")
        self.groups = np.array(groups, dtype=np.int64)

    def __call__(self, points: Points) -> Matrix:
        """The columns of the points, shape (k, columns)."""
        codes = self._space.codes[points]
        parts = [
            reduce(np.add, (t[codes[:, j]] for j, t in zip(columns, tables, strict=True)))
            for columns, tables in self._tables
        ]
        for extra in self._extra:
            # A point that was added to a space too large to build is unknown to the beliefs.
            known = points < len(extra)
            parts.append(np.where(known, extra[np.where(known, points, 0)], np.median(extra))[:, None])
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(points), 0))


def _groups(space: SearchSpace) -> list[tuple[tuple[int, ...], tuple[Matrix, ...], str]]:
    found: list[tuple[tuple[int, ...], tuple[Matrix, ...], str]] = []
    for j, (parameter, scale) in enumerate(zip(space.space.parameters, space.scales, strict=True)):
        width = len(parameter.values)
        if width < 2:
            continue
        if scale.ordered:
            found.append(((j,), (scale.columns,), "scale"))
        if width > 2 or not scale.ordered:
            found.append(((j,), (np.eye(width) / 2,), "identity"))
        twos = _twos(parameter)
        if twos is not None:
            found.append(((j,), (twos,), "alignment"))
    return found + _products(space)


def _twos(parameter: Parameter) -> Matrix | None:
    """Exponent of 2 in each value, scaled; None where it says no more than the scale does."""
    if not all(isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in parameter.values):
        return None
    values = [v for v in parameter.values if isinstance(v, int)]
    twos = np.array([(v & -v).bit_length() - 1 for v in values], dtype=float)
    if len(set(twos.tolist())) < 2 or all(v == 1 << int(t) for v, t in zip(values, twos, strict=True)):
        return None
    column: Matrix = (twos / twos.max())[:, None]
    return column


def _products(space: SearchSpace) -> list[tuple[tuple[int, ...], tuple[Matrix, ...], str]]:
    """The pairs with the most values: blocks and tiles."""
    logs: dict[int, Matrix] = {}
    for j, (parameter, scale) in enumerate(zip(space.space.parameters, space.scales, strict=True)):
        if _multiplies(parameter, scale):
            logs[j] = np.log2([float(str(v)) for v in parameter.values])[:, None]
    pairs = sorted(combinations(logs, 2), key=lambda p: -len(logs[p[0]]) * len(logs[p[1]]))[:PAIRS]
    made: list[tuple[tuple[int, ...], tuple[Matrix, ...], str]] = []
    for a, b in pairs:
        spread = float(np.ptp(logs[a]) + np.ptp(logs[b]))
        made.append(((a, b), (logs[a] / spread, logs[b] / spread), "product"))
    return made


def _multiplies(parameter: Parameter, scale: Scale) -> bool:
    return scale.ordered and len(parameter.values) > 3 and all(float(str(v)) > 0 for v in parameter.values)
