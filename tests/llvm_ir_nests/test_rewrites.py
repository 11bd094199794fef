"""What is rewritten computes the same bits, and what is not understood is left alone."""

import re
from pathlib import Path

import pytest
from nest_programs import FLAGS, KERNELS, MAIN, PRODUCT, START, changed, printed, program
from support import need

from atunner.core.errors import UserError
from atunner.domains.llvm_ir.nests import Pick, refusals, rewrites

pytestmark = pytest.mark.usefixtures("clang")

PARAMS: tuple[dict[str, int], ...] = (
    {"bytes": 32, "rows": 4, "vectors": 2, "jam": 8, "apart": 1},
    {"bytes": 16, "rows": 3, "vectors": 1, "jam": 2, "depth": 64, "pack": 1},
)


@pytest.fixture
def clang() -> None:
    need("clang-19")


@pytest.fixture(scope="module")
def everything() -> str:
    """All kernels in one program, and what it prints."""
    return program(*KERNELS)


@pytest.mark.parametrize("template", ["register_block", "strip_rows", "sweep_steps"])
def test_every_exact_template_keeps_every_bit(everything: str, template: str) -> None:
    new = changed(everything, Pick(rewrite=f"{template}@program", params=dict(PARAMS[0])))

    assert new.count("if (") > everything.count("if (")
    assert printed(new) == printed(everything)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_odd_numbers_keep_every_bit_of_each_kernel(kernel: str, tmp_path: Path) -> None:
    source = program(kernel)
    for rewrite in rewrites(source, FLAGS, tmp_path):
        if rewrite.exact and not rewrite.line:
            assert printed(changed(source, Pick(rewrite=rewrite.name, params=dict(PARAMS[1])))) == printed(source)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (8, 33, 5), (0, 9, 0)])
def test_blocks_have_tails(sizes: tuple[int, int, int]) -> None:
    n, m, length = sizes
    source = program("product", n=n, m=m, length=length)

    assert printed(changed(source, Pick(rewrite="register_block@program"))) == printed(source)


def test_overlapping_arrays_take_the_loops_as_they_were() -> None:
    calls = "product(40, 40, 40, 1.5, a, b, a + 3); product(30, 30, 30, 0.5, b, b, c);"
    source = START + PRODUCT + MAIN.format(calls=calls)
    new = changed(source, Pick(rewrite="register_block@program"))

    assert "else {" in new
    assert printed(new) == printed(source)


def test_rows_that_run_into_each_other_take_the_loops_as_they_were() -> None:
    source = program("product", n=20, m=75, length=20)

    assert printed(changed(source, Pick(rewrite="register_block@program"))) == printed(source)


def test_names_mean_nothing(everything: str, tmp_path: Path) -> None:
    source = everything
    bodies = "".join(body for body, _ in KERNELS.values())
    words = [w for w in re.findall(r"[a-zA-Z_]\w*", bodies + START) if w not in KEPT]
    table = {word: f"q{number}_" for number, word in enumerate(dict.fromkeys(words))}

    def renamed(text: str) -> str:
        return re.sub(r"[a-zA-Z_]\w*", lambda found: table.get(found[0], found[0]), text)

    other = re.sub(r"(?m)^(?!#include).*$", lambda line: renamed(line[0]), source)
    ours, theirs = rewrites(source, FLAGS, tmp_path), rewrites(other, FLAGS, tmp_path)

    assert [(r.name.split("@")[0], r.line, r.space, r.default) for r in ours] == [
        (r.name.split("@")[0], r.line, r.space, r.default) for r in theirs
    ]
    for mine, its in zip(ours[:1], theirs[:1], strict=True):
        assert loops(renamed(changed(source, Pick(rewrite=mine.name)))) == loops(changed(other, Pick(rewrite=its.name)))


KEPT = frozenset(
    [
        "static",
        "void",
        "int",
        "double",
        "unsigned",
        "for",
        "return",
        "include",
        "define",
        "stdio",
        "h",
        "main",
        "printf",
        "seed",
        "char",
        "long",
    ]
)


def loops(text: str) -> list[str]:
    """The lines of the new functions, without the names that they are called by."""
    lines = [line for line in text.splitlines() if "at_t" in line or "at_s" in line]
    return [re.sub(r"atunner_\w+_(\d+)\(", r"f_\1(", line) for line in lines]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("for (i = 0; i < n; i++) out[0][i] = i; out[1][0] = i;", "used behind its loop"),
        ("for (i = 0; i < n; i++) { if (out[0][i] > 0) out[1][i] = 1; }", "depends on data"),
        ("for (i = 0; i < n; i++) out[0][i * i] = 1;", "not affine"),
        ("for (i = 0; i < n; i++) { out[0][i] = 1; n -= 1; }", "not affine"),
        ("for (i = 0; i < n; i *= 2) out[0][i] = 1;", "constant"),
        ("for (i = 0; i < n; i++) out[0][i] = getchar();", "may have effects"),
        ("for (i = 0; i < n; i++) { out[0][i] = 1; if (i > 3) break; }", "BreakStmt"),
        ("for (i = 0; i < n; i++) rows[i][0] = 1;", "double **"),
        ("for (i = 0; i < n; i++) seen[i] = 1;", "volatile"),
    ],
)
def test_a_nest_that_is_not_understood_is_refused_by_reason(body: str, reason: str, tmp_path: Path) -> None:
    source = (
        "#include <stdio.h>\nvolatile double seen[9];\n"
        f"void f(int n, double (*out)[9], double **rows)\n{{\n  int i;\n  {body}\n}}\n"
    )

    assert rewrites(source, FLAGS, tmp_path) == ()
    assert any(reason in refusal.reason for refusal in refusals(source, FLAGS, tmp_path))


def test_lines_of_the_source_are_kept() -> None:
    source = program("product")
    new = changed(source, Pick(rewrite="register_block@program"))
    place = source.splitlines().index("int main(void)") + 1

    assert re.search(r'# (\d+) "program.c"\n(?:(?!\n#).)*int main\(void\)', new, re.DOTALL)
    assert f'# {START.count(chr(10)) + 1} "program.c"' in new
    assert place > 1


@pytest.mark.parametrize(
    ("picks", "text"),
    [
        ([Pick(rewrite="nothing@here:1")], "No rewrite named"),
        ([Pick(rewrite="register_block@program", params={"rows": 5})], "takes"),
        ([Pick(rewrite="register_block@program"), Pick(rewrite="register_block@product:8")], "Two rewrites"),
    ],
)
def test_a_bad_pick_is_told(picks: list[Pick], text: str) -> None:
    with pytest.raises(UserError, match=text):
        changed(program("product"), *picks)


def test_a_program_that_does_not_compile_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="error"):
        rewrites("int main(void) { return x; }\n", FLAGS, tmp_path)


def test_an_element_behind_a_choice_is_not_read_early() -> None:
    kernel = """\
static void choose(int n, double (*out)[COLS], double *row)
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      out[i][j] = out[i][j] > 0.0 ? row[j + 1000000 * (n - 40)] : out[i][j];
}
"""
    source = START + kernel + MAIN.format(calls="choose(40, a, x);")
    new = changed(source, Pick(rewrite="register_block@program")) if "choose" in offered(source) else source

    assert "atunner_f64x4 *)&row" not in new


def offered(source: str) -> str:
    return " ".join(rewrite.name for rewrite in rewrites(source, FLAGS, Path.cwd()))
