"""Sums of products of names, as indices of arrays are."""

from collections.abc import Mapping

Term = tuple[str, ...]
"""Names that are multiplied, sorted; none for the constant."""
Polynomial = Mapping[Term, int]
"""How many times each term; no term has zero."""


def plus(a: Polynomial, b: Polynomial, times: int = 1) -> dict[Term, int]:
    """The sum of `a` and `times` b."""
    found = dict(a)
    for term, factor in b.items():
        found[term] = found.get(term, 0) + times * factor
    return {term: factor for term, factor in found.items() if factor}


def product(a: Polynomial, b: Polynomial) -> dict[Term, int]:
    """The product."""
    found: dict[Term, int] = {}
    for one, factor in a.items():
        found = plus(found, {tuple(sorted((*one, *other))): count for other, count in b.items()}, factor)
    return found
