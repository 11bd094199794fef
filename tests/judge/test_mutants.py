from pathlib import Path

import pytest

from atunner.domains.kernels.selftest.mutants import mutants


def test_mutants_of_correct_kernels_are_refused(cache: Path) -> None:
    made = list(mutants(cache, 40, seed=20260))
    survivors = [f"{m.subject}:{m.line} {m.kind}: {m.before} -> {m.after}" for m in made if not m.killed]

    assert len({m.kind for m in made}) >= 6
    assert len(survivors) <= 1, survivors


@pytest.mark.slow
def test_two_hundred_mutants_are_refused(cache: Path) -> None:
    made = list(mutants(cache, 200, seed=20261))
    survivors = [f"{m.subject}:{m.line} {m.kind}: {m.before} -> {m.after}" for m in made if not m.killed]

    assert len(survivors) <= 2, survivors


@pytest.mark.slow
def test_mutants_of_cuda_kernels_are_refused_on_the_cpu(cache: Path) -> None:
    made = list(mutants(cache, 40, seed=20262, language="cuda"))
    survivors = [f"{m.subject}:{m.line} {m.kind}: {m.before} -> {m.after}" for m in made if not m.killed]

    assert len(survivors) <= 1, survivors
