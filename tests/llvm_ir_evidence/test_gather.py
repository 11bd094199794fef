"""Profiling on this machine, with perf, without it, and where it is refused: what cannot be had is n/a, and said."""

from pathlib import Path

import pytest
from support import need

from atunner.domains.llvm_ir.build import LINES, O3, Compiler
from atunner.domains.llvm_ir.evidence import gather, readings
from atunner.domains.llvm_ir.evidence.gather import GROUPS, Program
from atunner.domains.llvm_ir.evidence.markdown import as_markdown, as_text
from atunner.domains.llvm_ir.toolchain import toolchain
from atunner.tools.sandbox import strongest

SOURCE = Path(__file__).parent / "recorded" / "product.c"
REFUSED = """#!/bin/sh
echo "Error:"
echo "Access to performance monitoring and observability operations is limited."
echo "perf_event_paranoid setting is 4"
exit 255
"""


def compiler(clang: str, cache: Path) -> Compiler:
    need(clang)
    return Compiler(toolchain(clang), cache, strongest(cache))


@pytest.fixture
def built(tmp_path: Path) -> Program:
    return Program(compiler("clang-19", tmp_path).binary(SOURCE, tmp_path / "product", (*O3, *LINES)))


def without_perf(program: Program, folder: Path, script: str = "") -> Program:
    """The program on a machine whose only perf is that script."""
    tools = folder / "bin"
    tools.mkdir()
    if script:
        (tools / "perf").write_text(script)
        (tools / "perf").chmod(0o755)
    return Program(program.binary, env={"PATH": str(tools) if not script else f"{tools}:/usr/bin:/bin"})


@pytest.mark.parametrize("clang", ["clang-14", "clang-19"])
def test_a_profile_names_function_lines_remarks_and_loop(clang: str, tmp_path: Path) -> None:
    made = compiler(clang, tmp_path)
    binary = made.binary(SOURCE, tmp_path / "product", (*O3, *LINES))

    found = gather.profile(Program(binary), made, SOURCE, O3)
    text = as_markdown(found)

    assert found.hot.function == "kernel_gemm"
    assert found.hot.share > 0.5
    assert found.hot.lines[0].line in {12, 13}
    assert any("reorder floating-point" in remark.message for remark in found.remarks)
    assert found.ir is not None
    assert found.ir.hot_vector == 0
    assert "user time: " in text
    assert "hot function: `kernel_gemm`" in text
    assert readings.parse(as_text(found)).values.keys() == found.readings.values.keys()


def test_the_inner_loop_is_forecast(tmp_path: Path) -> None:
    made = compiler("clang-19", tmp_path)
    need("llvm-mca-19")

    found, why = gather.forecasted(made, SOURCE, O3, "kernel_gemm", {13: 0.9})

    assert found is not None, why
    assert "latency" in found.limit


def test_without_perf_there_is_user_time_and_the_reason(built: Program, tmp_path: Path) -> None:
    found = gather.counters(without_perf(built, tmp_path))

    assert found.get("user-time")
    assert set(found.missing) >= {event for group in GROUPS for event in group}
    assert all("perf is not on this machine" in why for why in found.missing.values())


def test_where_perf_is_refused_its_words_are_the_reason(built: Program, tmp_path: Path) -> None:
    found = gather.counters(without_perf(built, tmp_path, REFUSED))

    assert "perf was refused: Access to performance monitoring" in found.missing["cycles"]
    assert found.get("user-time")


@pytest.mark.parametrize("script", ["", REFUSED])
def test_hot_lines_are_counted_where_nothing_can_be_sampled(built: Program, tmp_path: Path, script: str) -> None:
    need("llvm-cov-19")

    found = gather.hottest(without_perf(built, tmp_path, script), compiler("clang-19", tmp_path), SOURCE, O3)

    assert found.function == "kernel_gemm"
    assert "not of time" in found.source
    assert {line.line for line in found.lines} == {12, 13}
