"""Several objectives: what is on the front, and that a search turns towards all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atunner.search.pareto import Scale, front, weights

POINTS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(lambda p: (float(p[0]), float(p[1]))))


def beats(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


@given(POINTS)
def test_the_front_is_what_nothing_beats_each_figure_once(points: list[tuple[float, float]]) -> None:
    kept = [points[place] for place in front(points)]

    assert set(kept) == {p for p in points if not any(beats(q, p) for q in points)}
    assert len(kept) == len(set(kept))
    assert kept == sorted(kept)


def test_each_objective_alone_is_searched_first_and_then_what_lies_between() -> None:
    assert [weights(n, 2) for n in range(5)] == [(1, 0), (0, 1), (0.5, 0.5), (0.25, 0.75), (0.75, 0.25)]
    assert [weights(n, 3) for n in range(3)] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert sum(weights(7, 3)) == pytest.approx(1)
    assert weights(7, 3) == weights(7, 3) != weights(8, 3)


@pytest.mark.parametrize(("weighed", "best"), [((1.0, 0.0), 0), ((0.0, 1.0), 2), ((0.5, 0.5), 1)])
def test_the_weights_say_which_point_of_the_front_is_best(weighed: tuple[float, float], best: int) -> None:
    points = [(1.0, 100.0), (10.0, 10.0), (100.0, 1.0)]
    costs = [Scale(points, weighed).cost(p) for p in points]

    assert min(range(3), key=lambda place: costs[place]) == best
    assert min(costs) > 0


def test_a_figure_that_is_to_be_large_comes_as_a_negative_one() -> None:
    points = [(-100.0, 1.0), (-10.0, 1.0), (-1.0, 1.0)]
    costs = [Scale(points, (1.0, 0.0)).cost(p) for p in points]

    assert costs == sorted(costs)
    assert costs[0] < costs[1] < costs[2]


def test_a_point_outside_of_what_was_seen_has_a_cost_too() -> None:
    scale = Scale([(1.0, 0.0), (2.0, 1.0)], (0.5, 0.5))

    assert scale.cost((0.0, -5.0)) < scale.cost((4.0, 3.0))
    assert Scale((), (0.5, 0.5)).cost((1.0, 1.0)) > 0
