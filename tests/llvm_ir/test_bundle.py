"""The evidence of a tuned C program holds when it is checked from scratch, and not when it was changed."""

from pathlib import Path

import pytest

from atunner.core.judge import judge
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.value import content_id
from atunner.domains.kernels.evidence import FILE, Finding
from atunner.domains.llvm_ir import flags
from atunner.domains.llvm_ir.bundle import ProgramBundle, config, of_program, recheck
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.running import open_folder
from atunner.knowledge_base.devices import named


@pytest.fixture(scope="module")
def bundle(domain: LlvmIr, product: Task) -> ProgramBundle:
    trial = judge(domain, product, domain.realise(product, flags.FAMILY, flags.strict()))
    assert trial.status is Status.OK, trial.feedback
    return ProgramBundle.model_validate(domain.evidence(product, trial, None, domain.baseline(product)))


def checked(bundle: ProgramBundle) -> dict[str, Finding]:
    with open_folder() as cache:
        return {f.name: f for f in recheck(bundle, LlvmIr(config(cache, named("host"), "rlimits")))}


def test_a_result_is_built_and_judged_again_in_an_empty_cache(bundle: ProgramBundle) -> None:
    found = checked(bundle)

    assert {name: f.passed for name, f in found.items()} == {
        "provenance": None, "integrity": True, "artefact": True, "validity": True, "merit": None,
    }, found  # fmt: skip
    assert "result" in found["validity"].detail


def test_a_changed_program_and_a_wrong_source_are_found(bundle: ProgramBundle) -> None:
    source = bundle.evidence.program.source
    wrong = source.replace("sum += a[i][k] * b[k][j];", "sum += a[i][k] * b[k][j] + 1e-9;")
    files = {**bundle.evidence.candidate.files, bundle.evidence.program.main: wrong}
    candidate = bundle.evidence.candidate.model_copy(update={"files": files})
    evidence = bundle.evidence.model_copy(update={"candidate": candidate})
    found = checked(bundle.model_copy(update={"evidence": evidence}))

    assert {name for name, f in found.items() if f.passed is False} == {"integrity", "artefact", "validity"}
    assert "Wrong result at level exact" in found["validity"].detail


def test_a_bundle_is_known_by_its_form(bundle: ProgramBundle, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(bundle.model_dump_json(), encoding="utf-8")

    assert of_program((tmp_path / FILE).read_text(encoding="utf-8")) == bundle
    assert bundle.digest == content_id(bundle.evidence.model_dump(mode="json"), length=64)
    assert of_program("{}") is None
    assert of_program("no JSON") is None
