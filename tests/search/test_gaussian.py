"""How far figures move the weights of the process."""

import numpy as np
import pytest

from atunner.search.gaussian import Matrix, Weights, fitted

GROUPS = np.arange(6)
KINDS = ["scale"] * len(GROUPS)


def moved(features: Matrix, target: Matrix) -> Matrix:
    """Factors on the weights at the start, as logarithms."""
    start = Weights.start(KINDS)
    found = fitted(KINDS, GROUPS, features, target, start)
    return (np.array(found.values) - np.array(start.values))[: len(KINDS)]


@pytest.mark.parametrize("seed", range(4))
def test_a_dozen_figures_without_a_pattern_move_no_weight_far(seed: int) -> None:
    rng = np.random.default_rng(seed)
    changes = moved(rng.random((12, len(KINDS))), rng.standard_normal(12))

    assert float(np.abs(changes).max()) < np.log(4)


def test_many_figures_find_the_column_that_matters() -> None:
    rng = np.random.default_rng(0)
    features = rng.random((100, len(KINDS)))
    changes = moved(features, np.sin(12 * features[:, 2]))

    assert int(np.argmax(changes)) == 2
    assert changes[2] > np.log(4)
    assert max(changes[np.arange(len(KINDS)) != 2]) < 0
