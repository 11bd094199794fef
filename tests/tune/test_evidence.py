"""Evidence of a user's kernel, and what `atunner verify` says of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from atunner.cli.app import run
from atunner.core.measurement import Measurement
from atunner.core.status import Status
from atunner.core.trial import Trial
from atunner.domains.user_kernels.domain import UserKernels
from atunner.operators.user.task import kernel_task
from atunner.search.formats import read_kernel
from atunner.settings import Settings
from atunner.wiring import domain_config


@pytest.fixture
def bundle(folder: Any, cache: Path, compiler: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The evidence of the untuned kernel, without a claim."""
    monkeypatch.setenv("ATUNNER_CACHE", str(cache))
    task = kernel_task(read_kernel(folder.path / "scale.yaml"))
    domain = UserKernels(domain_config(Settings(), task))
    task = domain.admit(task)
    trial = Trial(
        candidate=domain.baseline(task),
        status=Status.OK,
        measurement=Measurement(unit="us", samples=(1.0, 1.0), source="here"),
    )
    file: Path = folder.write("evidence.json", json.dumps(domain.evidence(task, trial, None, trial.candidate)))
    return file


def statements(file: Path, capfd: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    code = run(["verify", str(file)])
    lines = [line.split(None, 1) for line in capfd.readouterr().out.splitlines()]
    return code, {rest.partition(":")[0].removeprefix("told ").strip(): sign for sign, rest in lines}


def test_a_users_kernel_is_checked_again_with_its_own_reference(
    bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, found = statements(bundle, capfd)

    assert (found["integrity"], found["artefact"]) == ("ok", "ok")
    assert {"validity, revealed seeds", "validity, new seeds", "merit"} <= found.keys()


def test_another_reference_in_the_bundle_is_found_out(bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bundle.write_text(bundle.read_text().replace("3.0 * x", "4.0 * x"))

    code, found = statements(bundle, capfd)

    assert code == 1
    assert found["integrity"] == "FAILED"
    assert found["validity, new seeds"] == "FAILED"


def test_a_damaged_description_is_one_line(bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = json.loads(bundle.read_text())
    content["evidence"]["extra"]["kernel"]["arguments"] = []
    bundle.write_text(json.dumps(content))

    assert run(["verify", str(bundle)]) == 2
    assert "description of its kernel is damaged" in capfd.readouterr().err
