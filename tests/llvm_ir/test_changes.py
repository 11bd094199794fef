from atunner.domains.llvm_ir.changes import other_inputs, proposals, tried
from atunner.domains.llvm_ir.program import Change, Input, Program

SOURCE = "#define N 100\n#define EPS 1e-3\nx[i] = (i * 3 + 1) / 7.5;\nfor (int i = 0; i < N; i++)\n"
PROGRAM = Program(name="p", files={"p.c": SOURCE})


def test_sizes_come_first_then_numbers_of_lines_that_set_up() -> None:
    found = list(proposals(PROGRAM))

    assert found[0].lines == (("#define N 100", "#define N 37"),)
    assert found[-1].lines == (("x[i] = (i * 3 + 1) / 7.5;", "x[i] = (i * 3 + 1) / 9.375;"),)
    assert all("for" not in old for change in found for old, _ in change.lines)


def test_a_change_that_does_not_hold_is_passed_over() -> None:
    kept = tried(PROGRAM, lambda change: "smaller" not in change.name)

    assert [c.name.split()[0] for c in kept] == ["odd", "other"]


def test_a_change_fits_only_where_its_line_stands_once() -> None:
    change = Change(name="c", lines=(("a", "b"),))

    assert change.applied("x\na\ny") == "x\nb\ny"
    assert change.applied("x\ny") is None
    assert change.applied("a\na") is None


def test_arguments_that_are_numbers_are_varied() -> None:
    assert [i.args for i in other_inputs(Input(args=("100", "-v")))] == [("37", "-v"), ("61", "-v")]
    assert not list(other_inputs(Input(args=("-v",))))
