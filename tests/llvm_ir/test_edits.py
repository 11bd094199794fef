import pytest

from atunner.core.candidate import Candidate
from atunner.core.errors import Rejected
from atunner.domains.llvm_ir import edits
from atunner.domains.llvm_ir.recipe import RECIPE_FILE, LoopHint, Recipe, recipe_of

SOURCE = """static int twice(int x)
{
    return "}"[0] ? x * 2 : 0; /* } */
}
int main(void) { return twice(1); }
"""
IR = """define i32 @main() {
  %1 = call i32 @twice(i32 1)
  ret i32 %1
}

define internal i32 @twice(i32 %0) {
  %2 = mul i32 %0, 2
  ret i32 %2
}
"""
PARENT = Candidate(files={"p.c": SOURCE, RECIPE_FILE: Recipe().model_dump_json()})


def applied(answer: str) -> Candidate:
    edit = edits.read(answer)
    assert edit is not None
    return Candidate(files=edits.applied(PARENT, IR, edit))


def test_flags_take_the_place_of_the_parents() -> None:
    found = applied('{"kind": "flags", "flags": ["-O2"]}')

    assert recipe_of(found).flags == ("-O2",)
    assert found.files["p.c"] == SOURCE


def test_a_pipeline_has_known_passes_only() -> None:
    assert recipe_of(applied('{"kind": "pipeline", "passes": "function(sroa),default<O3>"}')).passes
    with pytest.raises(Rejected, match="No pass 'print'"):
        applied('{"kind": "pipeline", "passes": "default<O3>,print"}')
    with pytest.raises(Rejected):
        applied('{"kind": "pipeline", "passes": "default<O3> -load=x"}')


def test_metadata_is_added_to_what_the_parent_has() -> None:
    answer = '{"kind": "metadata", "loops": [{"function": "f", "line": 3, "properties": [["unroll.count", 4]]}]}'

    assert recipe_of(applied(answer)).loops == (LoopHint(function="f", line=3, properties=(("unroll.count", 4),)),)


def test_one_function_of_the_source_is_replaced_and_the_rest_stays() -> None:
    found = applied("```c\nstatic int twice(int x)\n{\n    return x + x;\n}\n```")

    assert "x + x" in found.files["p.c"]
    assert "x * 2" not in found.files["p.c"]
    assert found.files["p.c"].endswith("int main(void) { return twice(1); }\n")


def test_one_define_is_replaced_in_the_parents_ir() -> None:
    found = applied("define internal i32 @twice(i32 %0) {\n  %2 = shl i32 %0, 1\n  ret i32 %2\n}")

    assert next(iter(found.files)) == "p.ll"
    assert "shl" in found.files["p.ll"]
    assert "mul" not in found.files["p.ll"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('{"kind": "magic"}', "no edit"),
        ("{not json", "no edit"),
        ("define i32 @other() {\n  ret i32 0\n}", "no function 'other'"),
        ("define i32 @twice(i32 %0) {\n  %2 = mul", "cut off"),
        ("static int thrice(int x) { return x; }", "defines no function"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(answer: str, message: str) -> None:
    with pytest.raises(Rejected, match=message):
        applied(answer)


def test_a_whole_source_is_no_edit() -> None:
    assert edits.read(SOURCE) is None
