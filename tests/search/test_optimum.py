from search.spaces import TILES, cost

from atunner.search import SearchSpace
from atunner.search.optimum import left

SPACE = SearchSpace(TILES)
TRIALS = [(p, c) for p in (SPACE.params(i) for i in range(len(SPACE))) if (c := cost(p)) is not None]


def test_nothing_is_left_when_everything_was_tried() -> None:
    found = left(SearchSpace.of_points(TILES, [p for p, _ in TRIALS]), TRIALS)

    assert found is not None
    assert (found.gain, found.untried) == (0.0, 0)


def test_more_is_expected_of_a_search_that_saw_only_the_worse_half() -> None:
    ranked = sorted(TRIALS, key=lambda t: t[1])
    worse, better = left(SPACE, ranked[len(ranked) // 2 :]), left(SPACE, ranked[: len(ranked) // 2])

    assert worse is not None
    assert better is not None
    assert worse.gain > better.gain
    assert worse.untried == len(SPACE) - (len(ranked) - len(ranked) // 2)


def test_too_few_figures_say_nothing() -> None:
    assert left(SPACE, TRIALS[:3]) is None
    assert left(SPACE, [(p, 1.0) for p, _ in TRIALS]) is None or len(TRIALS) == len(SPACE)
