"""Hot functions, lines, remarks and the inner loop, from recorded outputs of perf and LLVM's tools."""

from pathlib import Path

from atunner.domains.llvm_ir.evidence import hot, inner_loop, remarks

RECORDED = Path(__file__).parent / "recorded"
SOURCE = (RECORDED / "product.c").read_text().splitlines()
SHARES = {12: 0.32, 13: 0.67}
PLACES = {("gemm.c", line): share for line, share in SHARES.items()}


def text(name: str) -> str:
    return (RECORDED / name).read_text()


def test_the_hottest_function_is_the_program_s_own() -> None:
    found = hot.functions(text("report.txt"))

    assert (found.event, found.samples) == ("task-clock:u", 109)
    assert [f.name for f in found.functions] == ["kernel_gemm", "__lll_elision_init"]
    assert hot.hottest(found.functions, "gemm") == "kernel_gemm"
    assert hot.hottest(found.functions[1:], "gemm") == ""


def test_lines_that_the_compiler_merged_belong_to_the_line_before() -> None:
    code = hot.instructions(text("annotate.txt"))
    places = ["product.c:13" if n % 2 else "product.c:?" for n in range(len(code))]

    lines = hot.lines(hot.placed(code, places), 0.99, lambda path: SOURCE if path == "product.c" else [])

    assert sum(one.share for one in code) > 0.95
    assert [(line.line, line.text) for line in lines] == [(13, SOURCE[12].strip())]
    assert lines[0].share > 0.9


def test_executed_lines_stand_in_where_nothing_can_be_sampled() -> None:
    found = hot.counted(text("lines.lcov"), SOURCE)

    assert found.function == "kernel_gemm"
    assert "not of time" in found.source
    assert {line.line for line in found.lines} == {12, 13}  # the macro's own line is not among them


def test_only_telling_remarks_of_hot_lines_are_kept() -> None:
    every = remarks.parse(text("remarks.yaml"))
    kept = remarks.telling(every, "kernel_gemm", PLACES)

    assert len(every) == text("remarks.yaml").count("--- !")
    assert kept[0].kind == "AnalysisFPCommute"
    assert "reorder floating-point" in kept[0].said
    assert {r.line for r in kept} <= {12, 13}
    assert {r.function for r in kept} == {"kernel_gemm"}
    assert not remarks.telling(every, "nowhere", PLACES)


def test_a_remark_said_often_is_kept_once() -> None:
    every = remarks.parse(text("remarks.yaml") * 3)
    kept = remarks.telling(every, "kernel_gemm", PLACES)

    assert all(r.times % 3 == 0 for r in kept)


def test_a_message_over_several_lines_is_whole() -> None:
    yaml = (
        "--- !Analysis\nPass:            loop-vectorize\nName:            UnsafeDep\n"
        "DebugLoc:        { File: 'a b.c', Line: 7,\n                   Column: 3 }\n"
        "Function:        f\nArgs:\n  - String:          'loop not vectorized: '\n"
        "  - String:          'it''s unsafe\n      to go on'\n...\n"
    )

    (found,) = remarks.parse(yaml)

    assert (found.file, found.line, found.column) == ("a b.c", 7, 3)
    assert found.message == "loop not vectorized: it's unsafe to go on"


def test_the_inner_loop_is_found_with_its_lines() -> None:
    loop = inner_loop.inner_loop(text("product.asm"), "kernel_gemm", SHARES)

    assert loop is not None
    assert loop.label == ".LBB0_3"
    assert set(loop.lines) == {12, 13}
    assert loop.jumps == 0
    assert loop.code[-1].startswith("jne")
    assert len(loop.code) == 16


def test_a_chain_of_sums_is_told_from_busy_ports() -> None:
    loop = inner_loop.inner_loop(text("product.asm"), "kernel_gemm", SHARES)
    assert loop is not None

    found = inner_loop.forecast(loop, text("mca.txt"))

    assert found is not None
    assert found.cycles > 3 * found.throughput
    assert "latency" in found.limit
    assert inner_loop.forecast(loop, "error: unsupported target") is None


def test_a_function_without_a_loop_has_no_inner_loop() -> None:
    assert inner_loop.inner_loop("f:\n\tretq\n.Lfunc_end0:\n", "f", {}) is None
    assert inner_loop.inner_loop("f:\n\tretq\n.Lfunc_end0:\n", "g", {}) is None
