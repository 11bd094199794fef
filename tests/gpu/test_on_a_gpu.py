from pathlib import Path

import pytest
from support import need

from atunner.core.device import Device
from atunner.core.errors import UnknownName
from atunner.core.judge import judge
from atunner.core.status import Provenance, Status
from atunner.core.task import Task
from atunner.domains.kernels.domain import Kernels
from atunner.domains.kernels.gpu.present import present
from atunner.knowledge_base.devices import named

pytestmark = pytest.mark.gpu


def known() -> Device | None:
    for gpu in present():
        try:
            return named(gpu.name)
        except UnknownName:
            continue
    return None


def test_the_naive_kernel_is_judged_on_a_real_gpu(tmp_path: Path) -> None:
    device = known()
    need("gpu", device is not None, "there is no NVIDIA GPU that the knowledge base knows on this machine")
    assert device is not None
    domain = Kernels({"cache": str(tmp_path), "device": device.model_dump(mode="json")})
    task = domain.admit(Task(name="matmul", target=device.name, spec={"operator": "matmul", "shape": [512, 512, 512]}))

    trial = judge(domain, task, domain.baseline(task))

    assert trial.status is Status.OK, trial.feedback
    assert trial.measurement is not None
    assert trial.measurement.provenance is Provenance.MEASURED
    assert trial.measurement.value > 1.0
