import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atunner.core.statistics import interval, is_better, is_equal, median, paired_ratio, relative_error

RNG = np.random.default_rng(5)
NOISE = RNG.normal(1.0, 0.02, 400)


def test_a_planted_gain_is_found_and_nothing_is_not() -> None:
    drift = np.linspace(1.0, 1.5, 200)
    base, same = 100 * drift * NOISE[:200], 100 * drift * NOISE[200:]

    assert is_better(paired_ratio(base, same / 1.05))
    assert not is_better(paired_ratio(base, same))
    assert is_equal(paired_ratio(base, same))
    assert not is_equal(paired_ratio(base, same / 1.05))
    assert not is_equal(paired_ratio(base / 1.05, same))


def test_a_gain_below_the_minimum_is_not_better() -> None:
    ratio = paired_ratio([100.5] * 50, [100.0] * 50)

    assert ratio.low > 1.0
    assert not is_better(ratio)


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=30), st.integers(0, 9))
def test_an_interval_holds_its_estimate_and_is_the_same_again(samples: list[float], seed: int) -> None:
    one = interval(samples, seed)

    assert one.low <= one.value <= one.high
    assert one == interval(samples, seed)
    assert one.value == median(samples)


@given(st.lists(st.floats(0.1, 1e3), min_size=3, max_size=20))
def test_swapping_the_sides_inverts_the_ratio(samples: list[float]) -> None:
    other = [s * 1.3 for s in samples]
    there, back = paired_ratio(samples, other), paired_ratio(other, samples)

    assert there.value == pytest.approx(1 / back.value)


def test_outliers_count_once_in_the_relative_error() -> None:
    quiet = [100.0, 101.0, 99.0, 100.5, 99.5] * 10

    assert relative_error([*quiet, 1e6]) == pytest.approx(relative_error(quiet), rel=0.2)
    assert relative_error([1.0, 2.0]) == float("inf")


@pytest.mark.parametrize(("first", "second"), [([1.0], [1.0, 2.0]), ([], []), ([1.0], [0.0])])
def test_pairs_must_be_pairs_of_positive_figures(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="figures"):
        paired_ratio(first, second)
