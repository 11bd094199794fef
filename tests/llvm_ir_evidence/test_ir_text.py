"""IR is read as text: opcodes are counted, and nothing else is."""

import re
from pathlib import Path

import pytest
from support import need

from atunner.domains.llvm_ir.evidence.ir_difference import difference
from atunner.domains.llvm_ir.evidence.ir_text import OPCODES, parse
from atunner.tools.process import run

RECORDED = Path(__file__).parent / "recorded"
ODD = """\
; a comment that says add, fmul and store
declare void @other(ptr)
define i32 @"odd name"(i32 %0, ptr %add) personality ptr @p {
entry:
  %"my value" = add nsw i32 %0, 1 ; sub mul
  switch i32 %0, label %store [
    i32 0, label %call
    i32 1, label %load
  ]

store:                                            ; preds = %entry
    #dbg_value(i32 0, !39, !DIExpression(), !50)
  tail call void @llvm.dbg.value(metadata i32 0, metadata !1, metadata !DIExpression()), !dbg !2
  store <4 x float> zeroinitializer, ptr %add, align 16
  br label %call
call:
  %x = invoke i32 @f(i32 1)
          to label %load unwind label %bad
load:
  %y = musttail call i32 @f(i32 2)
  ret i32 %y
bad:
  %z = landingpad { ptr, i32 }
          cleanup
          catch ptr null
  resume { ptr, i32 } %z
}
"""


def test_labels_comments_cases_and_debug_lines_are_no_opcodes() -> None:
    module = parse(ODD)

    assert [f.name for f in module.functions] == ["odd name"]
    assert module.opcodes == {
        "add": 1, "br": 1, "call": 1, "invoke": 1, "landingpad": 1, "resume": 1, "ret": 1, "store": 1, "switch": 1,
    }  # fmt: skip
    assert module.functions[0].vector == 1


@pytest.mark.parametrize("version", ["14", "19"])
def test_what_two_clangs_print_is_read_alike(version: str) -> None:
    module = parse((RECORDED / f"product.clang{version}.ll").read_text())
    kernel = module.function("kernel_gemm")

    assert kernel is not None
    assert {f.name for f in module.functions} == {"kernel_gemm", "main"}
    assert kernel.opcodes["fmul"] == 4
    assert kernel.opcodes["br"] == 6
    assert set(module.opcodes) <= OPCODES


@pytest.mark.parametrize("version", ["14", "19"])
def test_counts_are_the_ones_that_llvm_itself_gives(version: str, tmp_path: Path) -> None:
    need(f"clang-{version}")
    need(f"opt-{version}")
    ir = tmp_path / "product.ll"
    source = str(RECORDED / "product.c")
    run(f"clang-{version}", "-O3", "-S", "-emit-llvm", source, "-o", str(ir), timeout_s=60)

    said = run(f"opt-{version}", "-passes=print<func-properties>", "-disable-output", str(ir), timeout_s=60).output
    loads, stores = (sum(map(int, re.findall(rf"{name}InstCount: (\d+)", said))) for name in ("Load", "Store"))
    module = parse(ir.read_text())

    assert (module.opcodes["load"], module.opcodes["store"]) == (loads, stores)
    totals = re.findall(r"TotalInstructionCount: (\d+)", said)
    assert not totals or sum(map(int, totals)) == module.instructions


def test_debug_information_does_not_change_the_counts(tmp_path: Path) -> None:
    need("clang-19")
    plain, debug = tmp_path / "plain.ll", tmp_path / "debug.ll"
    for out, flags in ((plain, ()), (debug, ("-g",))):
        source = str(RECORDED / "product.c")
        run("clang-19", "-O3", "-S", "-emit-llvm", *flags, source, "-o", str(out), timeout_s=60)

    assert parse(plain.read_text()) == parse(debug.read_text())


def test_a_difference_names_what_changed_and_by_how_much() -> None:
    before = parse(ODD)
    after = parse(ODD.replace("add nsw i32 %0, 1", "fmul float 1.0, 2.0").replace("  br label %call\n", "", 1))

    found = difference(before, after)

    assert {c.name: (c.before, c.after) for c in found.opcodes} == {"add": (1, 0), "fmul": (0, 1), "br": (1, 0)}
    assert found.lines.after == found.lines.before - 1
    assert [c.name for c in found.functions] == ["odd name"]
    assert found.opcodes[0].percent == -100.0
    assert next(c for c in found.opcodes if c.name == "fmul").percent is None


def test_equal_modules_do_not_differ() -> None:
    found = difference(parse(ODD), parse(ODD))

    assert not found.opcodes
    assert not found.functions
    assert found.lines.percent == 0.0
