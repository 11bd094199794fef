import sys
from pathlib import Path

import pytest
from reports.records import predicted
from support import need

from atunner.core.status import Status
from atunner.domains.kernels.bundle import write_bundle
from atunner.domains.kernels.bundle_result import as_measured, read_result
from atunner.domains.kernels.bundle_runner.driver import Driver, NoDevice
from atunner.tools.process import run

pytestmark = pytest.mark.gpu


def gpu() -> bool:
    try:
        Driver()
    except NoDevice:
        return False
    return True


def test_the_bundle_measures_on_a_real_gpu(tmp_path: Path) -> None:
    need("gpu", gpu(), "there is no NVIDIA GPU on this machine")
    folder = write_bundle(predicted(), tmp_path / "bundle")

    done = run(sys.executable, str(folder / "run.py"), "--seconds", "2", timeout_s=280)
    record = as_measured(predicted(), read_result(folder / "result.json"))

    assert done.code == 0, done.output
    assert [t.status for t in record.trials[:3]] == [Status.OK] * 3
    assert record.confirmed is not None
    assert record.confirmed.candidate.value > 0.5
