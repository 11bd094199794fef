"""A program that is too long for a brief is shown by its hot functions."""

import pytest
from ir_programs import PRODUCT, Asked

from atunner.core.tokens import count
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.excerpt import SHOWN, excerpt, hottest
from atunner.domains.llvm_ir.program import HotLine, program_of

PADDING = "".join(f"static int padding{n}(int x)\n{{\n    return x * {n} + 1;\n}}\n" for n in range(400))
LONG = PRODUCT.replace("int main(", f"{PADDING}int main(")
WORK = LONG[: LONG.index("sum +=")].count("\n") + 1
HOT = [HotLine(line=WORK, share=0.9), HotLine(line=WORK + 2, share=0.05), HotLine(line=11, share=0.04)]


def test_a_short_program_is_shown_whole() -> None:
    assert excerpt("product.c", PRODUCT, ("multiply",)) == PRODUCT


def test_the_functions_where_time_goes_are_shown_of_a_long_program() -> None:
    names = hottest(LONG, ["fill", "multiply", "main", "padding3"], HOT)
    text = excerpt("product.c", LONG, names)

    assert names == ("multiply", "fill")
    assert "sum += a[i][k] * b[k][j];" in text
    assert "static void fill(void)" in text
    assert "padding" not in text
    assert text.startswith(f"// {len(LONG.splitlines())} lines in all")
    assert count(text) <= SHOWN


@pytest.mark.parametrize("names", [("multiply",), (), ("gone",)])
def test_what_is_still_too_long_is_cut_and_says_so(names: tuple[str, ...]) -> None:
    text = excerpt("product.c", LONG, names, limit=60)

    assert "more lines left out" in text
    assert count(text) <= 120


def test_of_ir_the_loops_of_the_hot_function_are_shown() -> None:
    body = "".join(f"  %{n} = add i32 %x, {n}\n" for n in range(2000))
    loop = "loop:\n  %i = phi i32 [ 0, %entry ], [ %next, %loop ]\n  %next = add i32 %i, 1\n"
    loop += "  %more = icmp slt i32 %next, %x\n  br i1 %more, label %loop, label %done\n"
    ir = f"define i32 @work(i32 %x) {{\nentry:\n{body}  br label %loop\n{loop}done:\n  ret i32 %next\n}}\n"
    text = excerpt("program.ll", ir, ("work",))

    assert "define i32 @work" in text
    assert "%next = add i32 %i, 1" in text
    assert "%7 = add" not in text


def test_a_brief_of_a_long_program_holds_its_hot_function(domain: LlvmIr, asked: Asked) -> None:
    task = domain.admit(asked(LONG))
    text = domain.shown(task, domain.baseline(task))

    assert program_of(task).hot
    assert "sum += a[i][k] * b[k][j];" in text
    assert "padding" not in text
