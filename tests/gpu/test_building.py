from pathlib import Path

import pytest
from gpu.conftest import FAKE, SOURCE, kernel, matmul
from support import need

from atunner.core.candidate import Candidate
from atunner.core.errors import NotBuilt
from atunner.core.task import Task
from atunner.domains.kernels.backends.cuda import CudaBackend, CudaBuilt
from atunner.domains.kernels.domain import Kernels
from atunner.knowledge_base.devices import named
from atunner.tools import nvcc, nvrtc


@pytest.fixture(scope="module")
def kernels(cache: Path) -> tuple[Kernels, Task]:
    need("NVRTC", nvrtc.available())
    domain = Kernels({"cache": str(cache), "device": named("A100").model_dump(mode="json"), "workers": 2})
    task = Task(name="matmul", target="A100", spec={"operator": "matmul", "shape": [64, 64, 64]})
    return domain, domain.admit(task)


def candidates() -> list[Candidate]:
    """Good ones, equal ones, and one for each way to fail before anything runs."""
    return [
        kernel(),
        kernel(source="nonsense"),
        kernel("second"),
        kernel(shared="200000"),
        kernel(),
        kernel(
            source=SOURCE + "\n// clock64();\nextern long long now; __device__ long long t() { return clock64(); }\n"
        ),
        Candidate(files={"k.cu": SOURCE}),
        kernel(source=SOURCE.replace("NAME", "other")),
    ]


def test_a_list_is_screened_as_its_members_are(kernels: tuple[Kernels, Task]) -> None:
    domain, task = kernels
    together = domain.screen(task, candidates())
    alone = [domain.screen(task, [one])[0] for one in candidates()]

    assert together == alone
    assert [s.score is not None for s in together] == [True, False, True, False, True, False, False, False]
    said = [s.reason for s in together]
    assert "nonsense" in said[1]
    assert "200000 bytes of shared memory" in said[3]
    assert said[5].startswith("rejected")
    assert "program.json" in said[6]
    assert said[7].startswith("not_built")


def test_an_empty_list_is_screened(kernels: tuple[Kernels, Task]) -> None:
    assert kernels[0].screen(kernels[1], []) == []


@pytest.fixture
def by_nvcc(cache: Path) -> CudaBackend:
    need("nvcc")
    return CudaBackend(cache, FAKE, matmul(), compiler="nvcc")


def test_nvcc_compiles_what_nvrtc_does(by_nvcc: CudaBackend, cache: Path) -> None:
    need("NVRTC", nvrtc.available())
    plain = kernel(source=SOURCE.replace('extern "C" ', ""))
    with_nvrtc = CudaBackend(cache, FAKE, matmul()).build(matmul(), plain)
    with_nvcc = by_nvcc.build(matmul(), plain)

    assert with_nvcc.loaded.compiled.lowered == with_nvrtc.loaded.compiled.lowered
    first, second = by_nvcc.facts(with_nvcc)[0], by_nvcc.facts(with_nvrtc)[0]
    assert first.kernel == second.kernel
    assert first.threads_per_block == second.threads_per_block == 128
    assert first.mix["ffma"] > 0
    assert nvcc.version() in by_nvcc.environment().toolchain["nvcc"]


def test_nvcc_compiles_a_list_and_keeps_each_error(by_nvcc: CudaBackend) -> None:
    good, bad, other = by_nvcc.build_all(
        matmul(), [kernel(), kernel(source="nonsense"), kernel(source=SOURCE.replace("NAME", "other"))], 2
    )

    assert isinstance(good, CudaBuilt)
    assert isinstance(bad, NotBuilt)
    assert "nonsense" in str(bad)
    assert "There is no kernel 'matmul' in the machine code; it has other." in str(other)
