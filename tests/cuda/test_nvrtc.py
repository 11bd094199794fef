"""CUDA C++ becomes machine code with no GPU, and what does not compile is told in the compiler's words."""

from pathlib import Path

import cuda_kernels
import pytest
from support import need

from atunner.core.errors import NotBuilt, TimedOut, UserError
from atunner.domains.kernels.cubin import kernels
from atunner.tools import nvrtc
from atunner.tools.nvrtc import Compiled, CompileJob, check_architecture, compile_here, shortened
from atunner.tools.nvrtc_children import compile_many

TEMPLATE = "template <typename T, int N> __global__ void scale(T* x) { x[threadIdx.x] *= N * FACTOR; }"
# Each level instantiates two of the next: some 2**24 types, far more than a second of work.
ENDLESS = """
template <int A, int B> struct Node {
    static const int value = Node<A - 1, 2 * B>::value + Node<A - 1, 2 * B + 1>::value;
};
template <int B> struct Node<0, B> { static const int value = 1; };
extern "C" __global__ void endless(int* x) { *x = Node<24, 0>::value; }
"""


@pytest.fixture(autouse=True)
def _nvrtc() -> None:
    need("nvrtc", nvrtc.available(), "the cuda extra is not installed")


def test_every_architecture_that_the_compiler_lists_compiles() -> None:
    for arch in nvrtc.architectures():
        assert compile_here(CompileJob(source=cuda_kernels.COPY, arch=arch)).cubin.startswith(b"\x7fELF")


@pytest.mark.parametrize(
    ("arch", "says"), [("sm_70", "dropped"), ("sm_999", "not known"), ("gfx90a", "not known"), ("sm_80a", "not known")]
)
def test_an_architecture_that_is_not_taken_is_the_users_error(arch: str, says: str) -> None:
    with pytest.raises(UserError, match=f"{says}.*sm_80"):
        check_architecture(arch)


def test_template_instances_are_named_as_in_cpp() -> None:
    names = ("scale<float, 4>", "scale<int, 8>")
    done = compile_here(CompileJob(source=TEMPLATE, arch="sm_80", defines={"FACTOR": "2"}, names=names))

    assert set(done.lowered) == set(names)
    assert {k.name for k in kernels(done.cubin, "sm_80")} == set(done.lowered.values())


def test_a_refusal_keeps_the_compilers_words_and_line() -> None:
    with pytest.raises(NotBuilt, match=r'kernel\.cu\(2\): error: identifier "undefined_name" is undefined'):
        compile_here(CompileJob(source='extern "C" __global__ void f(int* x) {\n*x = undefined_name; }', arch="sm_80"))


def test_a_long_log_is_cut_and_says_so() -> None:
    log = "\n".join(f"kernel.cu({n}): error: x" for n in range(100))

    assert shortened(log).splitlines()[-1] == "... 60 more lines"
    assert shortened("kernel.cu(1): warning: w\n" + log).startswith("kernel.cu(0): error")


def test_outcomes_are_kept_by_content(tmp_path: Path) -> None:
    good = CompileJob(source=cuda_kernels.COPY, arch="sm_80")
    bad = CompileJob(source="nonsense", arch="sm_80")
    first = compile_many([good, bad, good], tmp_path)
    for file in tmp_path.glob("*.cubin"):
        file.write_bytes(b"\x7fELF kept")

    second = compile_many([good, bad], tmp_path)

    assert isinstance(first[0], Compiled)
    assert first[0] == first[2]
    assert isinstance(second[0], Compiled)
    assert second[0].cubin == b"\x7fELF kept"
    assert isinstance(second[1], NotBuilt)
    assert str(second[1]) == str(first[1])


def test_other_macros_are_other_content() -> None:
    jobs = [CompileJob(source=TEMPLATE, arch="sm_80", defines={"FACTOR": value}) for value in ("1", "2")]

    assert jobs[0].id != jobs[1].id


def test_a_compile_that_runs_away_stops_alone(tmp_path: Path) -> None:
    jobs = [
        CompileJob(source=cuda_kernels.COPY, arch="sm_80"),
        CompileJob(source=ENDLESS, arch="sm_80"),
        CompileJob(source=cuda_kernels.COPY, arch="sm_90"),
    ]

    outcomes = compile_many(jobs, tmp_path, workers=1, cpu_s=1.0)

    assert [type(outcome) for outcome in outcomes] == [Compiled, TimedOut, Compiled]
