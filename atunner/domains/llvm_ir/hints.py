"""Metadata of the hot loops as a space: how each is unrolled, interleaved, distributed and made vectors of."""

from collections.abc import Iterator, Mapping, Sequence

from atunner.core.candidate import Params
from atunner.core.space import Family, Parameter, Space
from atunner.core.value import Value
from atunner.domains.llvm_ir.program import HotLine, Level
from atunner.domains.llvm_ir.recipe import LoopHint, Recipe

FAMILY = "loops"
MOST_LOOPS = 3
LEAST_SHARE = 0.05
AUTO = "auto"

CHOICES: Mapping[str, Mapping[str, tuple[tuple[str, int | bool], ...]]] = {
    "unroll": {
        AUTO: (),
        "off": (("unroll.disable", 0),),
        **{str(n): (("unroll.count", n),) for n in (2, 4, 8, 16)},
    },
    "interleave": {AUTO: (), **{str(n): (("interleave.count", n),) for n in (1, 2, 4, 8)}},
    "jam": {AUTO: (), **{str(n): (("unroll_and_jam.enable", True), ("unroll_and_jam.count", n)) for n in (2, 4)}},
    "distribute": {AUTO: (), "on": (("distribute.enable", True),)},
    "width": {AUTO: (), **{str(n): (("vectorize.width", n),) for n in (1, 2, 4, 8, 16)}},
}
"""Property -> value -> metadata."""
LOOSE = ("width",)
"""A width that is asked for lets the compiler take a sum in any order: never at level exact."""


class Place(Value):
    """A loop by its function and the line at which it begins."""

    function: str
    line: int

    def named(self, kind: str) -> str:
        """The name of a parameter of this loop."""
        return f"{self.function}_{self.line}_{kind}"


def hottest(loops: Sequence[Place], hot: Sequence[HotLine]) -> tuple[Place, ...]:
    """The loops that take most of the time: a hot line belongs to the last loop that begins at it or before."""
    shares = dict.fromkeys(loops, 0.0)
    for one in hot:
        before = [place for place in loops if place.line <= one.line]
        if before:
            shares[max(before, key=lambda place: place.line)] += one.share
    found = sorted((p for p in loops if shares[p] >= LEAST_SHARE), key=lambda p: -shares[p])
    return tuple(found[:MOST_LOOPS])


def family(places: Sequence[Place], level: Level) -> tuple[Family, ...]:
    """The space of their properties; none where no loop is hot."""
    if not places:
        return ()
    kinds = [kind for kind in CHOICES if level is not Level.EXACT or kind not in LOOSE]
    parameters = tuple(Parameter(name=p.named(kind), values=tuple(CHOICES[kind])) for p in places for kind in kinds)
    techniques = ("loop_unrolling", "vectorization")
    summary = "the program as it is, with metadata on its hot loops"
    return (Family(name=FAMILY, summary=summary, space=Space(parameters=parameters), techniques=techniques),)


def recipe(places: Sequence[Place], params: Params) -> Recipe:
    """The recipe at a point."""
    hints = [LoopHint(function=p.function, line=p.line, properties=tuple(_properties(p, params))) for p in places]
    return Recipe(loops=tuple(hint for hint in hints if hint.properties))


def _properties(place: Place, params: Params) -> Iterator[tuple[str, int | bool]]:
    for kind, values in CHOICES.items():
        yield from values[str(params.get(place.named(kind), AUTO))]
