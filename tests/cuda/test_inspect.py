"""`inspect` reads any kernel of the user's and says one clear line about what is wrong with the request."""

import json
from collections.abc import Sequence
from pathlib import Path

import cuda_kernels
import pytest
import typer
from support import need
from typer.testing import CliRunner

from atunner.cli.inspect import register
from atunner.core.device import Device
from atunner.core.errors import UserError
from atunner.domains.kernels.inspect import Gates, Request, declared, inspect
from atunner.tools import cuobjdump, nvrtc

A100 = Device(name="A100", vendor="NVIDIA", kind="gpu", arch="sm_80")
TWO = "__global__ void one(float* x) { *x = 1; }\n__global__ void two(float* x) { *x = 2; }\n"


@pytest.fixture(autouse=True)
def _toolchain() -> None:
    need("cuda-toolchain", nvrtc.available() and cuobjdump.available(), "the cuda extra is not installed")


def request(source: str, **more: object) -> Request:
    return Request(file="k.cu", source=source, targets=(A100,)).model_copy(update=more)


def test_kernels_are_found_whatever_is_written_around_them() -> None:
    source = """
    // __global__ void ghost();
    namespace n { template <typename T, int N>
    __global__ void __launch_bounds__(N * 2, (1 + 1))
    scaled(T* x) {} }
    static __global__ __launch_bounds__(64) void plain(float*) {}
    extern "C" __global__ void c_name(float*) {}
    """

    assert declared(source) == (("scaled", True), ("plain", False), ("c_name", False))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (request("int x;"), "No kernel in k.cu"),
        (request(TWO), "2 kernels: one, two. Choose one with --kernel"),
        (request(TWO, kernel="three"), "No kernel named 'three' in k.cu. It has: one, two"),
        (request("template <int N> __global__ void t(int* x) { *x = N; }"), "t is a template. Name an instance"),
        (request(TWO, kernel="one", block=(32, 33, 1)), "1056 threads. Expected at most 1024"),
        (request(TWO, kernel="one", block=(1, 1, 128)), "1024,1024,64"),
        (request(TWO, kernel="one", shared=200_000), "needs 200000 B of shared memory per block; A100 has 166912 B"),
        (
            request(TWO, kernel="one", targets=(A100.model_copy(update={"arch": "sm_70"}),)),
            "'sm_70' was dropped by NVRTC",
        ),
        (request(TWO, kernel="one", targets=(A100.model_copy(update={"arch": "gfx90a"}),)), "Name an NVIDIA GPU"),
        (request("#include <vector>\n" + TWO, kernel="one"), "add --compiler nvcc"),
        (
            request("__global__ void __launch_bounds__(64) b(float* x) { *x = 1; }", block=(128, 1, 1)),
            "bounded to 64 threads",
        ),
    ],
)
def test_a_wrong_request_gets_one_clear_line(wrong: Request, says: str) -> None:
    with pytest.raises(UserError) as caught:
        inspect(wrong)

    assert says in str(caught.value).replace("\n", " ")


def test_spills_come_first_and_fail_their_gate() -> None:
    found = inspect(request(cuda_kernels.SPILLS), Gates(no_spills=True, max_registers=32, min_occupancy=0.99))[0]

    assert "register spills" in found.look_at[0]
    assert any("spilled" in line for line in found.failed)
    assert any("64 registers > 32" in line for line in found.failed)
    assert any("occupancy 0.50 < 0.99" in line for line in found.failed)


def test_each_target_gets_its_own_facts() -> None:
    hopper = Device(name="H100", vendor="NVIDIA", kind="gpu", arch="sm_90")
    found = inspect(request(cuda_kernels.COPY, targets=(A100, hopper)))

    assert [(r.target, r.facts.arch) for r in found] == [("A100", "sm_80"), ("H100", "sm_90")]
    assert any("unknown number of times" in line for line in found[0].look_at)


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    done = CliRunner().invoke(app, ["inspect", *arguments])
    return done.exit_code, done.stdout


def test_the_command_prints_json_and_its_exit_code_is_the_gates(tmp_path: Path) -> None:
    file = tmp_path / "k.cu"
    file.write_text(cuda_kernels.GUARDED)
    common: Sequence[str] = (str(file), "--arch", "sm_80", "-D", "N=64", "--block", "16,16", "--json")

    code, text = run(*common)
    failed, _ = run(*common, "--max-registers", "8")

    assert (code, failed) == (0, 1)
    assert json.loads(text)[0]["facts"]["mix"]["ffma"] == 64


def test_a_whole_program_is_read_through_nvcc() -> None:
    need("nvcc")
    whole = "#include <cstdio>\n" + cuda_kernels.GUARDED + "int main() { puts(__DATE__); return 0; }\n"
    asked = request(whole, compiler="nvcc", defines={"N": "64"}, block=(16, 16, 1))

    found = inspect(asked)[0]

    assert found.facts.mix["ffma"] == 64
    assert found.facts.occupancy is not None
    assert found.facts.occupancy.fraction == 1.0
