import pytest

from atunner.core.errors import Rejected
from atunner.domains.llvm_ir.program import Level
from atunner.domains.llvm_ir.shape import keep, shape_of

BASE = """declare double @sin(double)
define dso_local i32 @main(i32 noundef %0, ptr noundef %1) #0 !dbg !9 {
  call void @work(double 1.0), !dbg !19
  ret i32 0
}
define internal void @work(double noundef %0) #0 {
  %2 = load volatile double, ptr @x, align 8
  %3 = fadd double %2, %0
  br label %4, !llvm.loop !38
}
"""


def refused(text: str, level: Level = Level.EXACT) -> str:
    with pytest.raises(Rejected) as caught:
        keep(shape_of(BASE), shape_of(text), level)
    return str(caught.value)


def test_numbers_of_metadata_and_attributes_do_not_count() -> None:
    renumbered = BASE.replace("!19", "!77").replace("#0", "#5").replace("!38", "!2")

    assert renumbered != BASE
    assert shape_of(renumbered) == shape_of(BASE)
    keep(shape_of(BASE), shape_of(renumbered), Level.EXACT)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("@work(double noundef %0)", "@work(float noundef %0)", "signature of work"),
        ("declare double @sin(double)", "declare double @sin(double)\ndeclare i64 @clock()", "New calls.*clock"),
        ("load volatile", "load", "1 volatile accesses and has 0"),
        ("fadd double", "fadd fast double", "Fast-math"),
        ("fadd double %2, %0", "call double @llvm.fma.f64(double %2, double %0, double %0)", "Fused"),
        ("%3 = fadd", 'call void asm sideeffect "nop", ""()\n  %3 = fadd', "assembly"),
        ("call void @work(double 1.0)", "call void @work(double 2.0)", "main was changed"),
        ("define internal void @work", "define internal void @other", "work is gone"),
        ("declare double @sin", "@llvm.global_ctors = appending global x\ndeclare double @sin", "Constructors"),
    ],
)
def test_what_no_rewrite_may_do(old: str, new: str, message: str) -> None:
    import re

    assert re.search(message, refused(BASE.replace(old, new)))


def test_new_helpers_and_memory_are_allowed() -> None:
    more = "declare ptr @malloc(i64)\ndeclare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n"
    helper = "define internal void @helper() {\n  ret void\n}\n"
    found = shape_of(more + BASE + helper)

    assert {"work", "main", "helper"} == set(found.functions)
    keep(shape_of(BASE), found, Level.EXACT)
    assert "New calls" in refused(more.replace("malloc", "system") + BASE + helper)


def test_rounding_is_free_at_looser_levels() -> None:
    loose = BASE.replace("fadd double", "fadd fast double")

    keep(shape_of(BASE), shape_of(loose), Level.TOLERANCE)
    assert "Fast-math" in refused(loose, Level.EXACT)
