"""Enumeration of a constrained product: one parameter at a time, each constraint as soon as it can be computed."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.core.space import Parameter
from atunner.search.constraint import Rule

Codes = NDArray[np.uint16]
_TABLE = 4_000_000


@dataclass(frozen=True)
class Joined:
    """Valid rows of value indices, shape (n, parameters). size: how many there are; estimated when not complete."""

    codes: Codes
    size: float
    complete: bool


def join(parameters: Sequence[Parameter], rules: Sequence[Rule], cap: int, rng: np.random.Generator) -> Joined:
    """All valid rows in lexicographic order, or a sample of about `cap` of them when there are more on the way.

    Raises:
        UserError: nothing is valid; names the constraint after which nothing was left, and its parameters.
    """
    order = _order(parameters, rules)
    codes: Codes = np.zeros((1, len(parameters)), dtype=np.uint16)
    size, complete, left, there = 1.0, True, list(rules), set[str]()
    for j in order:
        there.add(parameters[j].name)
        width = len(parameters[j].values)
        if len(codes) * width > cap:
            keep = max(1, cap // width)
            codes, complete = codes[np.sort(rng.permutation(len(codes))[:keep])], False
        codes = np.repeat(codes, width, axis=0)
        codes[:, j] = np.tile(np.arange(width, dtype=np.uint16), len(codes) // width)
        size *= width
        for rule in [r for r in left if there.issuperset(r.names)]:
            left.remove(rule)
            mask = satisfied(rule, parameters, codes)
            if not mask.any():
                before = [r for r in rules if r not in left and r is not rule]
                raise _nothing(rule, before, parameters, complete)
            size *= float(mask.mean())
            codes = codes[mask]
    if order != sorted(order):
        codes = codes[np.argsort(codes @ weights(parameters), kind="stable")]
    return Joined(codes=codes, size=float(len(codes)) if complete else size, complete=complete)


def satisfied(rule: Rule, parameters: Sequence[Parameter], codes: Codes) -> NDArray[np.bool_]:
    """Whether each row obeys the rule; each distinct combination of the rule's parameters is computed once."""
    if not rule.names:
        return np.full(len(codes), rule.holds([()])[0])
    position = {p.name: j for j, p in enumerate(parameters)}
    columns = [position[n] for n in rule.names]
    key = np.zeros(len(codes), dtype=np.int64)
    size = 1
    for j in columns:
        key = key * len(parameters[j].values) + codes[:, j]
        size *= len(parameters[j].values)
    if size > min(_TABLE, 4 * len(codes) + 1000):
        return _answers(rule, parameters, columns, codes)
    present = np.zeros(size, dtype=bool)
    present[key] = True
    first = np.zeros(size, dtype=np.int64)
    first[key] = np.arange(len(codes))
    combos = np.flatnonzero(present)
    present[combos] = _answers(rule, parameters, columns, codes[first[combos]])
    return present[key]


def _answers(rule: Rule, parameters: Sequence[Parameter], columns: list[int], codes: Codes) -> NDArray[np.bool_]:
    values = [np.array(parameters[j].values, dtype=object)[codes[:, j]].tolist() for j in columns]
    return np.array(rule.holds(list(zip(*values, strict=True))), dtype=bool)


def weights(parameters: Sequence[Parameter]) -> NDArray[np.int64]:
    """Factors that turn a row into one number: mixed radix while that fits in 62 bits, else odd random ones."""
    widths = [len(p.values) for p in parameters]
    if math.prod(widths) < 2**62:
        return np.array([math.prod(widths[j + 1 :]) for j in range(len(widths))], dtype=np.int64)
    return np.random.default_rng(0).integers(-(2**62), 2**62, size=len(widths), dtype=np.int64) | 1


def _order(parameters: Sequence[Parameter], rules: Sequence[Rule]) -> list[int]:
    """Parameters of the rules with the smallest grids first, free parameters last."""
    width = {p.name: len(p.values) for p in parameters}
    order: list[str] = []
    left = [r for r in rules if r.names]
    while left:
        sizes = [float(np.prod([float(width[n]) for n in r.names if n not in order])) for r in left]
        chosen = left.pop(int(np.argmin(sizes)))
        order += [n for n in chosen.names if n not in order]
    position = {p.name: j for j, p in enumerate(parameters)}
    return [position[n] for n in order] + [j for j, p in enumerate(parameters) if p.name not in order]


def _nothing(rule: Rule, before: Sequence[Rule], parameters: Sequence[Parameter], complete: bool) -> UserError:
    """Nothing was left after a rule: it cannot be met at all, or not together with those that came before it."""
    values = {p.name: p.values for p in parameters}
    which = ", ".join(f"{n} in {list(values[n])[:8]}" for n in rule.names) or "no parameter"
    found = "no valid configuration is left" if complete else "no valid configuration was found"
    others = ", ".join(repr(r.text) for r in before if set(r.names) & set(rule.names))
    together = f" together with {others}" if others and _alone(rule, values) else ""
    return UserError(
        f"The constraint {rule.text!r} cannot be met{together}: {found} after it ({which}). Relax it or add values."
    )


def _alone(rule: Rule, values: Mapping[str, Sequence[JsonValue]]) -> bool:
    """Whether a rule can be met where there is no other; one that is large, or that fails there, is taken to be."""
    grid = [values[n] for n in rule.names]
    try:
        return math.prod(len(g) for g in grid) > _TABLE or any(rule.holds(list(itertools.product(*grid))))
    except UserError:
        return True
