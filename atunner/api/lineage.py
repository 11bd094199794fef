"""Who came from whom: candidates under their parents; those without one under their family."""

from collections import defaultdict

from atunner.api.digest import Tried
from atunner.api.sight import Sight
from atunner.core.value import Value

SHOWN = 8
"""Childless candidates shown under one parent; the best ones. The others are counted."""

DEEPEST = 120


class Node(Value):
    """A candidate, or a family of them (then `candidate` is ""). hidden: children that are only counted."""

    name: str
    candidate: str = ""
    family: str = ""
    origin: str = ""
    status: str = ""
    figure: str = ""
    best: bool = False
    hidden: int = 0
    children: tuple["Node", ...] = ()


def tree(seen: Sight) -> Node | None:
    """The tree below the baseline; None while nothing was judged."""
    if seen.digest is None or not seen.digest.tried:
        return None
    below: dict[str, list[Tried]] = defaultdict(list)
    families: dict[str, list[Tried]] = defaultdict(list)
    known = seen.digest.by_id
    for one in seen.digest.tried:
        if one.candidate == seen.digest.base:
            continue
        if one.parent in known and one.parent not in ("", one.candidate, seen.digest.base):
            below[str(one.parent)].append(one)
        else:
            families[one.family].append(one)
    grower = _Grower(seen, below)
    children = tuple(grower.group(name, members) for name, members in families.items())
    base = seen.base
    if base is None:
        return Node(name="no baseline", children=children)
    return grower.node(base).model_copy(update={"name": f"baseline {base.family}", "children": children})


class _Grower:
    """Turns trials into nodes, each candidate once; deeper than DEEPEST descendants are only counted."""

    def __init__(self, seen: Sight, below: dict[str, list[Tried]]) -> None:
        self._seen, self._below = seen, below
        ranked = seen.ranked
        self._best = (seen.head.best if seen.head else None) or (ranked[0].candidate if ranked else "")
        self._seen_ids: set[str] = set()

    def group(self, name: str, members: list[Tried]) -> Node:
        """A family of candidates without parents."""
        shown, hidden = self._cut(members)
        good = [m.value for m in members if m.value is not None]
        best = (min(good) if self._seen.objective.minimise else max(good)) if good else None
        return Node(
            name=name,
            family=name,
            figure="" if best is None else self._seen.words(best),
            status="ok" if good else members[0].status.value,
            hidden=hidden,
            children=tuple(self.node(m) for m in shown),
        )

    def node(self, one: Tried, depth: int = 0) -> Node:
        """A candidate and its descendants."""
        self._seen_ids.add(one.candidate)
        below = [c for c in self._below[one.candidate] if c.candidate not in self._seen_ids]
        shown, hidden = self._cut(below) if depth < DEEPEST else ([], len(below))
        return Node(
            name=f"#{one.number}",
            candidate=one.candidate,
            family=one.family,
            origin=one.origin,
            status=one.status.value,
            figure="" if one.value is None else self._seen.words(one.value),
            best=one.candidate == self._best,
            hidden=hidden,
            children=tuple(self.node(c, depth + 1) for c in shown),
        )

    def _cut(self, members: list[Tried]) -> tuple[list[Tried], int]:
        sign = 1 if self._seen.objective.minimise else -1
        order = sorted(members, key=lambda m: (m.value is None, sign * (m.value or 0.0), m.number))
        kept = {m.candidate for m in order[:SHOWN]} | {m.candidate for m in order if self._below[m.candidate]}
        shown = [m for m in order if m.candidate in kept or m.candidate == self._best]
        return shown, len(members) - len(shown)
