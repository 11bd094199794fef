"""Orders of passes and metadata of loops: spaces that the searchers walk."""

from itertools import zip_longest

import pytest
from ir_programs import Asked

from atunner.core.errors import Rejected
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Trial
from atunner.domains.llvm_ir import flags, hints, pipelines
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.edits import check_passes
from atunner.domains.llvm_ir.program import HotLine, Level
from atunner.domains.llvm_ir.recipe import LoopHint, check_loops, recipe_of

WALK = """#include <stdio.h>
#include <string.h>
static int next[1 << 16];
int main(int argc, char **argv)
{
    int at = 0;
    for (int i = 0; i < 1 << 16; i++)
        next[i] = (i * 40503 + 7) & 65535;
    for (int i = 0; i < 6000000; i++)
        at = next[at] ^ (i & 15);
    if (argc > 1 && !strcmp(argv[1], "dump"))
        printf("%d\\n", at);
    return 0;
}
"""


def test_every_pass_of_the_space_is_one_that_may_be_named_and_runs(domain: LlvmIr, product: Task) -> None:
    space = next(f for f in domain.families(product) if f.name == pipelines.FAMILY).space
    usual = {"first": "none", "second": "none", "pipeline": "default<O3>", "next": "none", "last": "none"}
    points = [
        {**usual, "first": first or "none", "next": last or "none"}
        for first, last in zip_longest(pipelines.FIRST, pipelines.LAST)
    ]
    candidates = [domain.realise(product, pipelines.FAMILY, point) for point in points]

    assert all(space.holds(point) for point in points)
    for candidate in candidates:
        check_passes(recipe_of(candidate).passes)
    assert [s.reason for s in domain.screen(product, candidates)] == [""] * len(points)


def test_equal_binaries_are_recognised(domain: LlvmIr, product: Task) -> None:
    plain = domain.realise(product, flags.FAMILY, flags.strict())
    named = domain.realise(product, flags.FAMILY, {**flags.strict(), "unroll": "on"})
    other = domain.realise(product, flags.FAMILY, {**flags.strict(), "machine": "generic"})
    first, second, third = domain.screen(product, [plain, named, other])

    assert first.built
    assert (first.built == second.built, first.built == third.built) == (True, False)


def test_a_hot_loop_gets_the_metadata_of_its_point(domain: LlvmIr, product: Task) -> None:
    found = next(f for f in domain.families(product) if f.name == hints.FAMILY).space
    unroll = next(p.name for p in found.parameters if p.name.endswith("_unroll"))
    point = {p.name: "4" if p.name == unroll else hints.AUTO for p in found.parameters}
    recipe = recipe_of(domain.realise(product, hints.FAMILY, point))

    assert recipe.loops[0].properties == (("unroll.count", 4),)
    assert domain.screen(product, [domain.realise(product, hints.FAMILY, point)])[0].reason == ""


def test_hot_lines_belong_to_the_last_loop_before_them() -> None:
    places = [hints.Place(function="f", line=line) for line in (3, 10, 20)]
    hot = [HotLine(line=12, share=0.6), HotLine(line=5, share=0.3), HotLine(line=21, share=0.01)]

    assert [place.line for place in hints.hottest(places, hot)] == [10, 3]


def test_vectors_that_are_asked_for_are_not_exact() -> None:
    asked = [LoopHint(function="f", line=3, properties=(("vectorize.width", 4),))]

    with pytest.raises(Rejected, match="any order; level exact does not"):
        check_loops(asked, Level.EXACT)
    check_loops(asked, Level.TOLERANCE)
    assert not any(p.name.endswith("width") for p in _space(Level.EXACT))
    assert any(p.name.endswith("width") for p in _space(Level.TOLERANCE))


def _space(level: Level) -> tuple[hints.Parameter, ...]:
    return hints.family([hints.Place(function="f", line=3)], level)[0].space.parameters


def test_a_program_without_nests_is_searched_over_passes_and_loops(domain: LlvmIr, asked: Asked) -> None:
    task = domain.admit(asked(WALK))
    tried = Trial(candidate=domain.realise(task, flags.FAMILY, flags.strict()), status=Status.OK)
    first = domain.advise(task, [], 4)
    then = domain.advise(task, [tried], 8)

    assert {advice.family for advice in first} == {flags.FAMILY}
    assert {advice.family: advice.points for advice in then} == {"flags": 4, "passes": 2, "loops": 2}
