from pathlib import Path

import pytest
from support import need

from atunner.core.status import Status
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import CORPORA, Entry, corpus, judged, selftest
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


QUICK_CUDA = ("atomics-not-declared", "barrier-in-a-branch", "dropped-barrier", "reads-beyond-its-input", "gate-clock")


@pytest.fixture(scope="module")
def cuda(cache: Path) -> Path:
    need("g++")
    return cache


@pytest.mark.parametrize("entry", [e for e in corpus("exploits_cuda") if e.name in QUICK_CUDA], ids=lambda e: e.name)
def test_a_cuda_exploit_is_caught_on_the_cpu(entry: Entry, cuda: Path) -> None:
    trial = judged(entry, ORACLES[entry.problem], cuda)

    assert trial.status is entry.status, trial.feedback
    assert entry.said_by(trial.feedback), trial.feedback


@pytest.mark.parametrize("entry", corpus("honest_cuda")[::5], ids=lambda e: e.name)
def test_an_honest_cuda_kernel_passes_on_the_cpu(entry: Entry, cuda: Path) -> None:
    trial = judged(entry, ORACLES[entry.problem], cuda)

    assert trial.status is Status.NOT_MEASURED, trial.feedback
    assert {c.name for c in trial.checks} >= {"static gate", "correctness", "memory", "determinism"}


@pytest.mark.slow
def test_all_cuda_entries_are_answered_as_expected(cuda: Path) -> None:
    assert [row for row in selftest(cuda, CORPORA["cuda"]) if not row.good] == []


def test_the_corpora_are_as_large_as_promised() -> None:
    assert len({e.name for e in corpus("exploits_cuda")}) >= 40
    assert len({e.name for e in corpus("honest_cuda")}) >= 20
    assert len({e.name for e in corpus("exploits")}) >= 40
    assert len({e.name for e in corpus("honest")}) >= 20
