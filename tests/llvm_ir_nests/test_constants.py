"""Sizes that a program sets once and hands down are planned with; the code tests them where it runs."""

from pathlib import Path

import pytest
from nest_programs import FLAGS, MAIN, PRODUCT, START, changed, printed
from support import need

from atunner.domains.llvm_ir.nests import Pick, rewrites
from atunner.domains.llvm_ir.nests.constants import known
from atunner.domains.llvm_ir.nests.syntax import parsed

pytestmark = pytest.mark.usefixtures("clang")

ONE = "product(40, 36, 50, 1.5, a, b, c);"
SKEWED = """\
static void skewed(int n, double (*a)[COLS], double (*b)[COLS], double (*c)[COLS])
{
  for (int i = n - 1; i >= 3; i--) {
    for (int j = 3; j < n; j++) {
      a[i - 2][j + 2] = 0.25 * (b[j + 2][i] * b[i + 2][j + 2] * b[i + 2][i + 1]);
      b[j][j + 2] -= 0.25 * (c[j + 2][j + 1] + 0.5 * c[j + 2][i + 1]);
    }
    c[i - 1][i + 1] = 0.25 * a[i - 1][i - 2];
  }
}
"""


@pytest.fixture
def clang() -> None:
    need("clang-19")


def sizes(body: str, tmp_path: Path) -> set[int]:
    return set(known(parsed(body, FLAGS, tmp_path).functions).values())


def test_a_size_of_every_call_is_planned_with_and_tested() -> None:
    source = START + PRODUCT + MAIN.format(calls=ONE)
    new = changed(source, Pick(rewrite="register_block@program", params={"pack": 1, "apart": 1}))

    assert "if (n == 40 && m == 36 && l == 50" in new
    assert "static __attribute__((noinline)) void atunner_product" in new
    assert printed(new) == printed(source)


def test_sizes_that_differ_from_call_to_call_stay_open() -> None:
    source = START + PRODUCT + MAIN.format(calls=f"{ONE} product(30, 36, 50, 1.5, b, a, c);")
    new = changed(source, Pick(rewrite="register_block@program"))

    assert "n ==" not in new
    assert "m == 36" in new
    assert printed(new) == printed(source)


def test_a_size_is_followed_from_call_to_call(tmp_path: Path) -> None:
    text = "static int f(int k) { return k; } static int g(int m) { return f(2 * m); } int main(void) { return g(8); }"

    assert sizes(text, tmp_path) == {8, 16}


@pytest.mark.parametrize(
    "text",
    [
        "int main(void) { int n = 4; n++; return n; }",
        "int main(void) { int n = 4; int *p = &n; return *p; }",
        "static int f(int k) { k = 3; return k; } int main(void) { return f(4); }",
        "static int f(int k) { return k; } int main(int argc, char **argv) { return f(argc); }",
    ],
)
def test_what_may_change_is_no_size(text: str, tmp_path: Path) -> None:
    assert not sizes(text, tmp_path)


@pytest.mark.parametrize("template", ["register_block", "strip_rows"])
def test_a_sum_stays_in_a_register_only_where_its_element_stays_the_same(template: str, tmp_path: Path) -> None:
    source = START + SKEWED + MAIN.format(calls="skewed(31, a, b, c);")
    name = f"{template}@program"
    assert name in {rewrite.name for rewrite in rewrites(source, FLAGS, tmp_path)}

    new = changed(source, Pick(rewrite=name, params={"bytes": 16, "rows": 2, "vectors": 1, "jam": 2}))

    assert printed(new) == printed(source)
