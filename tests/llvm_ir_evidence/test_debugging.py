"""A breakpoint in the final program stops at the user's line, also where the code around it was rewritten."""

import shutil
from pathlib import Path

import pytest
from support import need

from atunner.domains.llvm_ir.evidence.debugging import maps, with_lines
from atunner.tools.process import run

SOURCE = """\
#include <stdio.h>
#define N 64
double a[N];
__attribute__((noinline)) void kernel(double f) {
  for (int i = 0; i < N; i++)
    a[i] = a[i] * f;
}
int main(void) {
  a[3] = 5;
  kernel(3);
  printf("%a\\n", a[3]);
  return 0;
}
"""
LINE = SOURCE.splitlines().index("  kernel(3);") + 1


def preprocessed() -> str:
    """As the rewriting of loop nests leaves a source: preprocessed, with markers, and a function in between."""
    lines = SOURCE.splitlines()
    own = "static void fast(double f) {\n  for (int i = 0; i < 64; i++)\n    a[i] *= f;\n}"
    body = lines[2].replace("N", "64")
    rest = "\n".join(lines[7:])
    return (
        'typedef double wide;\n# 1 "program.c"\nint printf(const char *, ...);\n# 3 "program.c"\n'
        f'{body}\n{own}\n# 4 "program.c"\n__attribute__((noinline)) void kernel(double f) {{\nfast(f);\n'
        f'# 7 "program.c"\n}}\n{rest}\n'
    )


@pytest.mark.parametrize(
    ("after", "inside"),
    [
        (SOURCE, 6),
        (SOURCE.replace("    a[i] = a[i] * f;\n", "    {\n    double x = a[i];\n    a[i] = x * f;\n    }\n"), 0),
        (preprocessed(), 0),
    ],
)
def test_a_breakpoint_has_the_line_of_the_source(tmp_path: Path, after: str, inside: int) -> None:
    need("clang-19")
    need("gdb")
    source, rewritten, built = tmp_path / "k.c", tmp_path / "best_k.c", tmp_path / "elsewhere" / "k.c"
    built.parent.mkdir()
    source.write_text(SOURCE)
    rewritten.write_text(after)
    built.write_text(with_lines(SOURCE, after, source, rewritten))
    flags = ("-O3", "-g", "-w", *maps(built.parent, source))
    run("clang-19", *flags, str(built), "-o", str(tmp_path / "k"), timeout_s=60)
    shutil.rmtree(built.parent)

    said = run(
        "gdb", "-q", "-nx", "-batch", "-ex", f"break k.c:{LINE}", "-ex", "run", str(tmp_path / "k"),
        timeout_s=60, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    ).output  # fmt: skip

    assert f"Breakpoint 1, main () at {source}:{LINE}" in said
    assert "kernel(3);" in said
    if inside:
        assert f'Line {inside} of "{source}"' in _line(tmp_path / "k", f"k.c:{inside}")


def test_a_rewritten_line_leads_to_the_rewritten_file(tmp_path: Path) -> None:
    need("clang-19")
    need("gdb")
    source, rewritten, built = tmp_path / "k.c", tmp_path / "best_k.c", tmp_path / "built.c"
    rewritten.write_text(preprocessed())
    built.write_text(with_lines(SOURCE, preprocessed(), source, rewritten))
    run("clang-19", "-O1", "-g", "-w", str(built), "-o", str(tmp_path / "k"), timeout_s=60)
    line = preprocessed().splitlines().index("    a[i] *= f;") + 1

    assert f'Line {line} of "{rewritten}"' in _line(tmp_path / "k", f"best_k.c:{line}")


def _line(program: Path, place: str) -> str:
    return run("gdb", "-q", "-nx", "-batch", "-ex", f"info line {place}", str(program), timeout_s=60).output
