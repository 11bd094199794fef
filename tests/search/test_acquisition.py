"""Which point is next, from what a process predicts."""

import numpy as np
import pytest

from atunner.search.acquisition import HEDGE, WORTH, choice, improvement

FREE = np.array([True, True, True])
NOWHERE = np.array([False, False, False])


@pytest.mark.parametrize("turn", [0, 1])
def test_a_gain_worth_having_is_followed_on_every_turn(turn: int) -> None:
    mean, deviation = np.array([0.1, 0.3, 2.0]), np.array([1e-6, 0.5, 0.5])

    assert improvement(0.0, mean, deviation).max() > WORTH
    assert choice(turn, FREE, NOWHERE, 0.0, mean, deviation) == 1


def test_the_lowest_mean_has_its_turn_where_the_gain_is_a_tail_of_what_is_least_known() -> None:
    mean, deviation = np.array([0.1, 0.8, 2.0]), np.array([1e-3, 0.2, 0.2])

    assert improvement(0.0, mean, deviation).max() < WORTH
    assert [choice(turn, FREE, NOWHERE, 0.0, mean, deviation) for turn in range(2 * HEDGE)] == 2 * [
        0,
        *(HEDGE - 1) * [1],
    ]


def test_what_is_near_the_best_has_every_other_turn_where_no_gain_is_worth_having() -> None:
    mean, deviation = np.array([0.1, 0.8, 0.9]), np.array([1e-3, 0.2, 0.1])
    near = np.array([True, False, True])

    asked = [choice(turn, FREE, near, 0.0, mean, deviation) for turn in range(HEDGE)]

    assert improvement(0.0, mean, deviation).max() < WORTH
    assert asked == [0, near_best := int(np.argmax(np.where(near, improvement(0.0, mean, deviation), 0))), 1, near_best]


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("deviation", [1e-4, 1.0])
def test_a_point_that_is_not_free_is_never_chosen(turn: int, deviation: float) -> None:
    mean = np.array([0.1, 0.5, 0.2])

    assert choice(turn, np.array([False, True, False]), FREE, 0.0, mean, np.full(3, deviation)) == 1


def test_no_gain_at_all_is_still_a_choice() -> None:
    mean, deviation = np.array([900.0, 800.0, 700.0]), np.full(3, 1e-9)

    assert [choice(turn, np.array([True, True, False]), NOWHERE, 0.0, mean, deviation) for turn in (0, 1)] == [1, 0]
