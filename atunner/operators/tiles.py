"""Values of tile parameters that make sense for a problem."""

from collections.abc import Iterable

from pydantic import JsonValue

from atunner.core.space import Parameter, Space

NOWHERE = Space(parameters=(Parameter(name="APPLIES", values=()),))
"""The space of a family that cannot run a problem: it has no point."""


def fitting(values: Iterable[int], extent: int) -> tuple[JsonValue, ...]:
    """Those `values` (ascending) that leave no whole tile empty: up to the first that covers `extent`."""
    kept: list[JsonValue] = []
    for value in values:
        kept.append(value)
        if value >= extent:
            break
    return tuple(kept)


def parameter(name: str, *values: int) -> Parameter:
    """A tunable with these values."""
    return Parameter(name=name, values=tuple(values))


def tile(name: str, values: Iterable[int], extent: int) -> Parameter:
    """A tunable that blocks `extent`."""
    return Parameter(name=name, values=fitting(values, extent))


def largest(of: Parameter) -> int:
    """The largest value of a tile parameter."""
    return max(int(v) for v in of.values if isinstance(v, int))
