"""The figures of benchmarks/models.py in small: the same code, on fewer seeds and runs."""

from pathlib import Path

import pytest
from support import benchmark, need

figures = benchmark("models")
STRATEGIES = figures.STRATEGIES


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_useless_model_costs_nothing_that_the_expert_would_have_had(strategy: str, tmp_path: Path) -> None:
    bench = figures.Bench(tmp_path, seeds=2, strategies=(strategy,), operators=())
    (figure,) = figures.worth_of_nothing(bench)

    assert figure.met, figure.value


def test_a_budget_is_overshot_by_one_call_at_most(tmp_path: Path) -> None:
    (figure,) = figures.overshoot(figures.Bench(tmp_path), runs=10)

    assert figure.met, figure.value


@pytest.mark.slow
@pytest.mark.parametrize("operator", figures.KERNELS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_model_that_knows_the_good_kernel_reaches_it(strategy: str, operator: str, tmp_path: Path) -> None:
    need("gcc")
    bench = figures.Bench(tmp_path, budget=8, strategies=(strategy,), operators=(operator,))
    (figure,) = figures.reaches(bench)

    assert figure.met, figure.value
