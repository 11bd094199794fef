import pytest
from search.spaces import TILES, cost

from atunner.search import SearchSpace
from atunner.search.explain import importances, sensitivity, shared_by_best

SPACE = SearchSpace(TILES)
TRIALS = [(p, c) for p in (SPACE.params(i) for i in range(len(SPACE))) if (c := cost(p)) is not None]


def test_the_parameter_that_decides_is_first_and_the_one_that_does_not_is_last() -> None:
    shares = {i.parameters: i.share for i in importances(TRIALS)}
    alone = [p for p in shares if len(p) == 1]

    assert max(alone, key=lambda p: shares[p]) == ("layout",)
    assert min(alone, key=lambda p: shares[p]) == ("unroll",)
    assert shares[("block_x", "block_y")] > shares[("unroll", "layout")]


def test_each_step_away_from_the_winner_costs() -> None:
    steps = sensitivity(TRIALS)

    assert steps[0].ratio > steps[-1].ratio >= 1
    assert {s.parameter for s in steps} == {"block_x", "block_y", "tile", "unroll", "layout"}


def test_what_the_best_share_is_named() -> None:
    assert shared_by_best(TRIALS)["layout"] == "swizzled"


def test_too_few_trials_explain_nothing() -> None:
    assert importances(TRIALS[:2]) == []
    assert sensitivity([]) == []
    assert shared_by_best([]) == {}


def test_a_tie_is_no_effect() -> None:
    assert all(i.share == pytest.approx(0) for i in importances([(p, 1.0) for p, _ in TRIALS]))
