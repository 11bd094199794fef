import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search.spaces import TILES

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.core.space import Parameter, Space
from atunner.search.space import SearchSpace


def grid(constraints: tuple[str, ...], **values: tuple[object, ...]) -> Space:
    return Space.model_validate(
        {"parameters": [{"name": n, "values": v} for n, v in values.items()], "constraints": constraints}
    )


def brute_force(space: Space) -> list[tuple[object, ...]]:
    names = [p.name for p in space.parameters]
    rows = itertools.product(*(p.values for p in space.parameters))
    return [r for r in rows if all(eval(c, {}, dict(zip(names, r, strict=True))) for c in space.constraints)]


def test_the_valid_points_are_those_of_the_plain_product_in_its_order() -> None:
    built = SearchSpace(TILES)

    assert [tuple(built.params(i).values()) for i in range(len(built))] == brute_force(TILES)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(1, 40))
def test_enumeration_equals_brute_force(widths: list[int], bound: int) -> None:
    names = "abcd"[: len(widths)]
    declared = grid(
        (f"{names[0]} * {names[-1]} <= {bound}", f"{names[-1]} % {names[0]} == 0 or {names[1]} > 1"),
        **{n: tuple(range(1, w + 1)) for n, w in zip(names, widths, strict=True)},
    )
    expected = brute_force(declared)

    if not expected:
        with pytest.raises(UserError, match="cannot be met"):
            SearchSpace(declared)
    else:
        built = SearchSpace(declared)
        assert [tuple(built.params(i).values()) for i in range(len(built))] == expected
        assert [built.point(built.params(i)) for i in range(len(built))] == list(range(len(built)))


def test_neighbours_differ_in_one_parameter_and_are_valid() -> None:
    built = SearchSpace(TILES)
    for point in (0, 17, len(built) - 1):
        here = built.codes[point]
        expected = np.flatnonzero((built.codes != here).sum(axis=1) == 1)

        assert sorted(built.neighbours(point)) == expected.tolist()


@pytest.mark.parametrize("changes", [0, 1, 2])
def test_what_is_around_a_point_differs_in_that_many_parameters_at_most(changes: int) -> None:
    built = SearchSpace(TILES)
    others = np.arange(3, len(built))

    near = others[built.around(40, others, changes)]

    expected = [
        p
        for p in others.tolist()
        if sum(a != b for a, b in zip(built.codes[p], built.codes[40], strict=True)) <= changes
    ]
    assert near.tolist() == expected
    assert len(near) > changes


def test_adjacent_points_are_one_step_away() -> None:
    built = SearchSpace(TILES)
    near = built.adjacent(40)

    steps = np.abs(built.codes[near].astype(int) - built.codes[40].astype(int))
    assert len(near) > 0
    assert steps.max() == 1
    assert 40 not in near


def test_distance_is_zero_at_the_point_and_one_for_another_name() -> None:
    built = SearchSpace(TILES)
    here = built.point({"block_x": 64, "block_y": 2, "tile": 3, "unroll": 1, "layout": "row"})
    other = built.point({"block_x": 64, "block_y": 2, "tile": 3, "unroll": 1, "layout": "swizzled"})

    assert built.distances(here, np.array([here, other])).tolist() == [0.0, 1.0]


def test_encodings_are_in_unit_range_and_tell_all_points_apart() -> None:
    built = SearchSpace(TILES)
    numbers = built.encoded(np.arange(len(built)))

    assert numbers.min() == 0
    assert numbers.max() == 1
    assert len(np.unique(numbers, axis=0)) == len(built)


def test_a_million_points_are_built_in_about_a_second() -> None:
    tens = {f"p{i}": tuple(range(1, 11)) for i in range(6)}
    declared = grid(("p0 * p5 <= 40", "p1 % 2 == 0 or p2 > 3", "p3 + p4 < 15"), **tens)
    start = time.process_time()
    built = SearchSpace(declared)

    assert time.process_time() - start < 3
    assert built.complete
    assert len(built) == len(brute_force(grid(("a * b <= 40",), a=tens["p0"], b=tens["p0"]))) * 85 * 79


def test_a_hundred_million_points_are_sampled_without_being_built() -> None:
    tens = {f"p{i}": tuple(range(1, 11)) for i in range(8)}
    declared = grid(("p0 * p7 <= 40", "p1 <= p2"), **tens)
    start = time.process_time()
    built = SearchSpace(declared)

    assert time.process_time() - start < 5
    assert not built.complete
    exact = 1e6 * len([0 for a in range(1, 11) for b in range(1, 11) if a * b <= 40]) / 100 * 0.55 * 1e2
    assert built.size == pytest.approx(exact, rel=0.2)
    drawn = [built.params(int(p)) for p in built.sample(np.random.default_rng(1), 100)]
    assert all(int(str(d["p0"])) * int(str(d["p7"])) <= 40 for d in drawn)
    before = len(built)
    near = built.neighbours(5)
    assert len(near) > 20
    assert len(built) > before
    assert built.point(built.params(int(near[-1]))) == near[-1]


def test_an_invalid_configuration_is_refused_with_its_constraint() -> None:
    built = SearchSpace(TILES)
    wide: Params = {"block_x": 256, "block_y": 16, "tile": 1, "unroll": 0, "layout": "row"}

    assert wide not in built
    with pytest.raises(UserError, match=r"block_x \* block_y <= 1024"):
        built.point(wide)


def test_calls_and_comparisons_may_be_multiplied() -> None:
    text = "max([a, 2]) * (a > 1) * len((a, b)) * (2 if b == 3 else 1) > 0"

    built = SearchSpace(grid((text,), a=(1, 2), b=(3, 4)))

    assert [tuple(built.params(i).values()) for i in range(len(built))] == [(2, 3), (2, 4)]


def test_a_callable_is_a_constraint() -> None:
    def fits(block_x: int, tile: int) -> bool:
        return block_x * tile <= 64

    def odd(p: dict[str, int]) -> bool:
        return p["tile"] % 2 == 1

    built = SearchSpace(TILES, rules=(fits, odd))
    points = [built.params(i) for i in range(len(built))]

    assert {(p["block_x"], p["tile"]) for p in points} == {(16, 1), (16, 3), (32, 1), (64, 1)}


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (("a > 9",), "'a > 9' cannot be met"),
        (("a > 1", "b < a", "a == 1"), "'a == 1' cannot be met together with 'a > 1'"),
        (("a > 1", "a < b", "b < 3"), "cannot be met together with .*'a < b'"),
        (("a / (b - 1) > 0",), r"fails at a=1, b=1: division by zero"),
        (("c > 1",), "No parameter named 'c'"),
        (("a >",), "Not an expression"),
        (("__import__('os')",), "Unknown function"),
        (("0 > 1",), "cannot be met"),
        (("a < 'x'",), "fails at a=1"),
        (("'x' * 10000000000 == a",), "Only numbers may be multiplied"),
        (("(1, 2) * a == b",), "Only numbers may be multiplied"),
        (("('x' + 'y' if a else 'z') * 10000000000 == b",), "Only numbers may be multiplied"),
        (("'%1000000000d' % a == b",), "Only numbers may be multiplied"),
        (("max('x', 'y') * 10000000000 == b",), "Only numbers may be multiplied"),
        (("max(['x', 'y']) * 10000000000 == b",), "Only numbers may be multiplied"),
    ],
)
def test_a_bad_constraint_is_named_in_one_line(constraints: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        SearchSpace(grid(constraints, a=(1, 2, 3), b=(1, 2, 3)))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ((), "no parameter"),
        ((Parameter(name="a", values=()),), "'a' has no values"),
        ((Parameter(name="a", values=(1,)), Parameter(name="a", values=(2,))), "declared twice"),
        ((Parameter(name="a", values=(1, 1)),), "a value twice"),
        ((Parameter(name="a b", values=(1,)),), "Not a parameter name"),
    ],
)
def test_a_bad_declaration_is_refused(parameters: tuple[Parameter, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        SearchSpace(Space(parameters=parameters))


def test_a_space_can_be_a_list_of_points() -> None:
    points: list[Params] = [{"a": 2, "b": 1}, {"a": 1, "b": 3}]
    built = SearchSpace.of_points(grid((), a=(1, 2), b=(1, 3)), points)

    assert [built.params(i) for i in range(len(built))] == [{"a": 1, "b": 3}, {"a": 2, "b": 1}]
    assert {"a": 1, "b": 1} not in built
