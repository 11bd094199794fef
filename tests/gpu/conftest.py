from collections.abc import Callable
from pathlib import Path

import pytest
from support import need

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.program import PROGRAM_FILE, Launch, Problem, Program
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.gpu.present import Here, present
from atunner.operators import operator
from atunner.tools import nvrtc
from atunner.tools.process import run

STAND_IN = Path(__file__).parent / "stand_in.c"
FAKE = Device(name="Fake GPU", vendor="nvidia", kind="gpu", arch="sm_80")
SOURCE = """extern "C" __global__ void NAME(const float* a, const float* b, float* c, int m, int n, int k) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= m * n) return;
    float sum = 0.0f;
    for (int i = 0; i < k; ++i) sum += a[index / n * k + i] * b[i * n + index % n];
    c[index] = sum;
}
"""


def kernel(name: str = "matmul", block: str = "128", shared: str = "0", source: str = SOURCE) -> Candidate:
    """A matmul that gets its extents as arguments, as the stand-in wants it."""
    launch = Launch(
        kernel=name,
        grid=("cdiv(m * n, 128)",),
        block=(block,),
        shared_bytes=shared,
        args=("a", "b", "c", "int32:m", "int32:n", "int32:k"),
    )
    program = Program(language="cuda", source="k.cu", launches=(launch,))
    return Candidate(files={"k.cu": source.replace("NAME", name), PROGRAM_FILE: program.model_dump_json()})


def matmul() -> Problem:
    return operator("matmul").problem((9, 11, 13), {}, "float32")


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> str:
    need("gcc")
    need("NVRTC", nvrtc.available())
    library = tmp_path_factory.mktemp("stand-in") / "libstandin.so"
    done = run("gcc", "-O2", "-shared", "-fPIC", str(STAND_IN), "-o", str(library), timeout_s=60)
    assert done.code == 0, done.output
    return str(library)


@pytest.fixture(scope="session")
def here(driver: str) -> Here:
    (found,) = present(driver)
    return found


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def backend(here: Here, cache: Path) -> CudaBackend:
    made = CudaBackend(cache, FAKE, matmul(), here=here)
    made.case_s = 2.0
    return made


Make = Callable[..., Candidate]
