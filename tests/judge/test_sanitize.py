"""A winner is run under its compiler's sanitizers before its figure is published."""

from pathlib import Path

import pytest
from support import need

from atunner.core.errors import Wrong
from atunner.core.judge import judge
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.domains.kernels.backends.c import CBackend, Options
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import QUICK, Entry, corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM
from atunner.domains.kernels.stages import Stages, Terms
from atunner.tools.compilers import refusal

PROBLEM = ROW_SUM.problem((9, 21), {}, "float32")
HONEST = {e.name: e for e in corpus("honest")}
EXPLOITS = {e.name: e for e in corpus("exploits")}
SHIFTS = "int far = 31 + rows; for (int i = 0; i < rows; i++) y[i] = x[i] + (1 << far);"


def sanitize(backend: CBackend, entry: Entry) -> list[str]:
    feed = Feed(Oracle(ROW_SUM), PROBLEM, seed=1)
    return [check.detail for check in backend.sanitize(backend.build(PROBLEM, entry.candidate), feed)]


@pytest.mark.parametrize("name", ["naive", "vector-types", "split-k", "heap-scratch"])
def test_honest_kernels_are_clean(name: str, backend: CBackend) -> None:
    assert all("nothing found on row_sum" in detail for detail in sanitize(backend, HONEST[name]))


def test_a_read_that_no_result_shows_is_found_with_its_line(backend: CBackend) -> None:
    body = HONEST["naive"].body + "\nvolatile float beyond = w[columns]; (void)beyond;"
    with pytest.raises(Wrong, match=r"bad address: read of 4 bytes, heap-buffer-overflow in row_sum at kernel\.c:4"):
        sanitize(backend, HONEST["naive"].model_copy(update={"body": body}))


def test_a_write_beyond_the_end_is_found(backend: CBackend) -> None:
    with pytest.raises(Wrong, match="write of 4 bytes"):
        sanitize(backend, EXPLOITS["writes-behind-its-output"])


def test_undefined_behaviour_is_told_with_its_line(backend: CBackend) -> None:
    with pytest.raises(Wrong, match=r"Undefined behaviour at kernel\.c:3: .*shift exponent"):
        sanitize(backend, HONEST["naive"].model_copy(update={"body": SHIFTS}))


@pytest.mark.parametrize("compiler", ["clang-14", "clang-19"])
def test_clang_has_sanitizers_too(compiler: str, cache: Path) -> None:
    need(compiler)
    backend = CBackend(cache, Options(compiler=compiler))

    assert sanitize(backend, HONEST["naive"])
    with pytest.raises(Wrong, match="bad address"):
        sanitize(backend, EXPLOITS["writes-behind-its-output"])


@pytest.mark.parametrize("name", ["threads", "atomics-declared"])
def test_threads_work_with_clang_too(name: str, cache: Path) -> None:
    need("clang-19")
    need("libomp-19", bool(list(Path("/usr/lib").glob("**/libomp.so.5"))), "clang-19 has no OpenMP runtime here")
    backend = CBackend(cache, Options(compiler="clang-19", threads=2))
    stages = Stages(backend, Terms(Oracle(ROW_SUM), PROBLEM, timing=QUICK))
    trial = judge(stages, Task(name="clang"), HONEST[name].candidate)

    assert trial.status in (Status.OK, Status.NOT_MEASURED), trial.feedback


def test_without_its_runtime_clang_refuses_threads_in_one_line() -> None:
    said = "/usr/bin/ld: cannot find -lomp: No such file or directory\nclang: error: linker command failed"

    assert refusal(("/usr/bin/clang-14", "k.c"), said, Path()) == (
        "clang-14 has no OpenMP runtime here; install libomp-14-dev, or take gcc: --compiler gcc."
    )
    assert "undeclared" in refusal(("/usr/bin/clang-14", "k.c"), "k.c:1:2: error: undeclared x", Path())
