from itertools import islice
from pathlib import Path

import pytest
from support import need

from atunner.core.candidate import Candidate
from atunner.core.errors import UserError
from atunner.core.judge import judge
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.domains.kernels.backends.c import CBackend
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.domain import Kernels
from atunner.domains.kernels.evidence import FILE, Bundle, Evidence, gather, read, recheck, write
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import Entry, corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM
from atunner.domains.kernels.stages import Stages, Terms
from atunner.knowledge_base.devices import device
from atunner.operators import operator
from atunner.tools import nvrtc

TASK = Task(name="evidence")
ENTRIES: dict[str, Entry] = {e.name: e for e in (*corpus("honest"), *corpus("exploits"))}


def named(name: str) -> Candidate:
    return ENTRIES[name].candidate


@pytest.fixture(scope="module")
def evidence(backend: CBackend) -> Evidence:
    problem = ROW_SUM.problem((60, 80), {}, "float32")
    stages = Stages(backend, Terms(Oracle(ROW_SUM), problem, hidden=(ROW_SUM.problem((7, 11), {}, "float32"),)))
    trial = judge(stages, TASK, named("fast-math"))
    slow, fast = (stages.build(TASK, named(n)) for n in ("no-optimisation", "fast-math"))
    return gather(stages, trial, stages.compare(TASK, slow, fast), named("no-optimisation"))


def test_a_bundle_is_checked_again_from_scratch(evidence: Evidence, backend: CBackend, tmp_path: Path) -> None:
    bundle = read(write(evidence, tmp_path).parent)
    found = {f.name: f for f in recheck(bundle, ROW_SUM, backend)}

    assert {name for name, f in found.items() if f.passed is not True} == {"provenance"}, found
    assert {"integrity", "artefact", "validity, revealed seeds", "validity, new seeds", "merit"} < set(found)


def test_a_cuda_kernel_that_was_checked_on_the_cpu_is_checked_again(tmp_path: Path) -> None:
    need("nvrtc", nvrtc.available(), "the cuda extra is not installed")
    domain = Kernels({"cache": str(tmp_path / "cache"), "device": device("A100").model_dump(mode="json")})
    task = domain.admit(Task(name="softmax", target="A100", spec={"operator": "softmax", "shape": [64, 128]}))
    made = domain.baseline(task)
    told = domain.evidence(task, judge(domain, task, made), None, made)
    bundle = Bundle.model_validate(told)
    kept = bundle.evidence
    backend = CudaBackend(tmp_path / "cache", device("A100"), kept.artefact.built_for or kept.validity.problem)
    found = {f.name: f for f in recheck(bundle, operator("softmax"), backend)}

    assert kept.origin.provenance is Provenance.PREDICTED
    assert kept.origin.target.startswith("A100")
    assert kept.artefact.built_for is not None
    assert len(kept.artefact.sha256) == 64
    assert {c.name for c in kept.validity.checks} >= {"static gate", "correctness", "memory", "determinism"}
    assert kept.merit.comparison is None
    assert {f.passed for n, f in found.items() if n not in ("merit", "provenance")} == {True}, found
    assert "nothing was measured" in found["merit"].detail

    wrong = kept.candidate.model_copy(
        update={"files": {n: t.replace("/ sum", "/ (sum + 1.0f)") for n, t in kept.candidate.files.items()}}
    )
    forged = kept.model_copy(update={"candidate": wrong})
    again = Bundle(digest=forged.digest, evidence=forged)
    told_off = {f.name: f.passed for f in islice(recheck(again, operator("softmax"), backend), 4)}

    assert told_off["integrity"] is True
    assert told_off["artefact"] is False
    assert told_off["validity, revealed seeds"] is False


def test_a_bundle_says_how_it_was_judged(evidence: Evidence) -> None:
    correctness = next(c for c in evidence.validity.checks if c.name == "correctness")

    assert correctness.version
    assert "a held-out shape" in str(correctness.figures["errors"])
    assert evidence.merit.measurement is not None
    assert len(evidence.merit.measurement.samples) >= 10
    assert "rlimits" in evidence.origin.environment.sandbox
    assert len(evidence.artefact.sha256) == 64


def test_a_changed_bundle_is_told(evidence: Evidence, backend: CBackend) -> None:
    forged = evidence.model_copy(update={"candidate": named("all-zeros")})
    found = {f.name: f.passed for f in recheck(Bundle(digest=evidence.digest, evidence=forged), ROW_SUM, backend)}

    assert found["integrity"] is False
    assert found["artefact"] is False
    assert found["validity, new seeds"] is False


def test_only_verified_results_have_evidence(backend: CBackend) -> None:
    stages = Stages(backend, Terms(Oracle(ROW_SUM), ROW_SUM.problem((5, 5), {}, "float32")))

    with pytest.raises(UserError, match="is wrong"):
        gather(stages, judge(stages, TASK, named("all-zeros")))


def test_what_is_no_bundle_is_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{}")

    with pytest.raises(UserError, match="not an evidence bundle"):
        read(tmp_path)
    with pytest.raises(UserError, match="No evidence at"):
        read(tmp_path / "nowhere")
