"""Arrays of one dimension that hold rows are rewritten as arrays of rows are, or left alone."""

from pathlib import Path

import pytest
from nest_programs import FLAGS, KERNELS, MAIN, START, changed, flat_program, printed, program
from support import need

from atunner.domains.llvm_ir.nests import Pick, refusals, rewrites

pytestmark = pytest.mark.usefixtures("clang")


@pytest.fixture
def clang() -> None:
    need("clang-19")


@pytest.mark.parametrize("row", ["COLS", "ld"])
def test_the_same_templates_suit_flat_arrays(row: str, tmp_path: Path) -> None:
    names = sorted(KERNELS)
    ours, theirs = rewrites(flat_program(*names, row=row), FLAGS, tmp_path), rewrites(program(*names), FLAGS, tmp_path)

    assert [(r.name, r.default) for r in ours] == [(r.name, r.default) for r in theirs]


@pytest.mark.parametrize("row", ["COLS", "ld"])
def test_flat_arrays_keep_every_bit(row: str) -> None:
    source = flat_program("product", "twice", "local", row=row)
    new = changed(source, Pick(rewrite="register_block@program", params={"pack": 1, "apart": 1}))

    assert "double (*restrict out)[" in new
    assert printed(new) == printed(source)


CUBE = """\
static void cube(int n, int m, long l, double *to, const double *from)
{
  for (int i = 1; i < n; i++)
    for (int j = 0; j < m; j++)
      for (int k = 0; k < l; k++)
        to[(i * m + j) * l + k] += from[((i - 1) * m + m - 1 - j) * l + l - 1 - k] * from[i * (m * l) + j * l + k];
}
"""


def test_three_dimensions_may_be_flat_and_run_backwards() -> None:
    source = START + CUBE + MAIN.format(calls="cube(7, 11, 13, a[0], b[0]); cube(5, 9, 17, c[0], c[20]);")
    new = changed(source, Pick(rewrite="register_block@program"))

    assert "(*restrict to)[1*m + 0][1*l + 0]" in new
    assert printed(new) == printed(source)


OVER = """\
static void over(int n, int row, double *to, double *from)
{
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++)
      for (int j = 0; j < 2 * n; j++)
        to[i * row + j] += 0.5 * from[i * row + k] * from[k * row + j];
}
"""


@pytest.mark.parametrize("call", ["over(20, 20, a[0], b[0]);", "over(20, 41, a[0], b[0]); over(9, 3, a[0], a[0] + 1);"])
def test_rows_that_run_into_the_next_take_the_loops_as_they_were(call: str) -> None:
    source = START + OVER + MAIN.format(calls=call)
    new = changed(source, Pick(rewrite="register_block@program"))

    assert printed(new) == printed(source)


@pytest.mark.parametrize(
    "subscript", ["i * i", "(i * (i + 1)) / 2 + j", "i * n + j * m", "i % n", "(short)(i * n) + j"]
)
def test_what_has_no_rows_is_left_alone(subscript: str, tmp_path: Path) -> None:
    source = (
        "void f(int n, int m, double *out)\n{\n  for (int i = 0; i < n; i++)\n    for (int j = 0; j < m; j++)\n"
        f"      out[{subscript}] = 1;\n}}\n"
    )

    assert rewrites(source, FLAGS, tmp_path) == ()
    assert any("not affine" in refusal.reason for refusal in refusals(source, FLAGS, tmp_path))
