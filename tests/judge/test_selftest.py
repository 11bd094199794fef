from pathlib import Path

import pytest

from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import Entry, corpus, judged
from atunner.domains.kernels.selftest.problems import OPERATORS

ORACLES = {name: Oracle(operator) for name, operator in OPERATORS.items()}


@pytest.mark.parametrize("entry", corpus("exploits"), ids=lambda e: e.name)
def test_an_exploit_is_caught_by_the_check_meant_for_it(entry: Entry, cache: Path) -> None:
    trial = judged(entry, ORACLES[entry.problem], cache)

    assert trial.status is entry.status, trial.feedback
    assert entry.said_by(trial.feedback), trial.feedback
    assert trial.measurement is None


@pytest.mark.parametrize("entry", corpus("honest"), ids=lambda e: e.name)
def test_an_honest_candidate_passes(entry: Entry, cache: Path) -> None:
    trial = judged(entry, ORACLES[entry.problem], cache)

    assert trial.status is entry.status, trial.feedback
    assert trial.measurement is not None
    assert all(check.passed for check in trial.checks)


def test_the_corpora_are_as_large_as_promised() -> None:
    assert len({e.name for e in corpus("exploits")}) >= 40
    assert len({e.name for e in corpus("honest")}) >= 20
