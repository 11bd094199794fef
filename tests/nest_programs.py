"""C programs with loop nests, for tests of their rewriting: each prints its whole result in hexadecimal floats."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from atunner.domains.llvm_ir.nests import Pick, rewritten
from atunner.domains.llvm_ir.toolchain import toolchain
from atunner.tools.process import run

FLAGS = ("-O2", "-march=native", "-ffp-contract=off")

PRODUCT = """\
static void product(int n, int m, int l, double scale, double (*out)[COLS], double (*left)[COLS], double (*right)[COLS])
{
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < m; j++)
      out[i][j] *= 0.75;
    for (int k = 0; k < l; k++)
      for (int j = 0; j < m; j++)
        out[i][j] += scale * left[i][k] * right[k][j];
  }
}
"""
SYMMETRIC = """\
static void symmetric(int n, int m, double scale, double (*out)[COLS], double (*left)[COLS], double (*right)[COLS])
{
  int i, j, k;
  for (i = 0; i < n; i++)
    for (k = 0; k < m; k++)
      for (j = 0; j <= i; j++)
        out[i][j] += left[j][k] * scale * right[i][k] + right[j][k] * scale * left[i][k];
}
"""
FACTOR = """\
static void factor(int n, double (*out)[COLS])
{
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < i; j++) {
      for (int k = 0; k < j; k++)
        out[i][j] -= out[i][k] * out[j][k];
      out[i][j] /= 3.0 + out[j][j];
    }
    for (int k = 0; k < i; k++)
      out[i][i] -= out[i][k] * out[i][k];
    out[i][i] = out[i][i] * 0.5;
  }
}
"""
SWEEP = """\
static void sweep(int steps, int n, double (*out)[COLS])
{
  for (int t = 0; t < steps; t++)
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < n - 1; j++)
        out[i][j] = (out[i - 1][j - 1] + out[i - 1][j + 1] + out[i][j - 1] + out[i][j] + out[i + 1][j]) / 5.0;
}
"""
RELAX = """\
static void relax(int steps, int n, double (*out)[COLS], double (*left)[COLS])
{
  for (int t = 0; t < steps; t++) {
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < n - 1; j++)
        left[i][j] = 0.25 * (out[i - 1][j] + out[i + 1][j] + out[i][j - 1] + out[i][j + 1]);
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < n - 1; j++)
        out[i][j] = 0.25 * (left[i - 1][j] + left[i + 1][j] + left[i][j - 1] + left[i][j + 1]);
  }
}
"""
TWICE = """\
static void twice(int n, int m, double (*out)[COLS], double (*left)[COLS], double *row, double *column)
{
  for (int i = 0; i < n; i++) {
    row[i] = 0.0;
    for (int j = 0; j < m; j++)
      row[i] = row[i] + left[i][j] * column[j];
    for (int j = 0; j < m; j++)
      out[0][j] = out[0][j] + left[i][j] * row[i];
  }
}
"""
PATHS = """\
static void paths(int n, int (*way)[COLS])
{
  for (int k = 0; k < n; k++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        way[i][j] = way[i][j] < way[i][k] + way[k][j] ? way[i][j] : way[i][k] + way[k][j];
}
"""
LOCAL = """\
static void local(int n, int m, int l, double (*out)[COLS], double (*left)[COLS], double (*right)[COLS], double *row)
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      double sum = 0.5;
      for (int k = 0; k < l; k++)
        sum += left[i][k] * right[k][j];
      out[i][j] -= sum;
    }
  for (int i = 1; i < n; i++) {
    double whole = 0;
    for (int k = 0; k < l; k++)
      whole += out[i][k] * right[0][k];
    row[i] = whole;
  }
}
"""
KERNELS = {
    "product": (PRODUCT, "product({n}, {m}, {l}, 1.5, a, b, c);"),
    "symmetric": (SYMMETRIC, "symmetric({n}, {m}, 1.5, a, b, c);"),
    "factor": (FACTOR, "factor({n}, a);"),
    "sweep": (SWEEP, "sweep(3, {n}, a);"),
    "relax": (RELAX, "relax(4, {n}, a, b);"),
    "twice": (TWICE, "twice({n}, {m}, a, b, x, y);"),
    "local": (LOCAL, "local({n}, {m}, {l}, a, b, c, x);"),
    "paths": (PATHS, "paths({n}, w);"),
}
START = """\
#include <stdio.h>
#define ROWS 71
#define COLS 73
static double a[ROWS][COLS], b[ROWS][COLS], c[ROWS][COLS], x[COLS], y[COLS];
static int w[ROWS][COLS];
"""
MAIN = """\
int main(void)
{{
  unsigned seed = 12345;
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < COLS; j++) {{
      seed = seed * 1664525u + 1013904223u;
      a[i][j] = (double)(seed >> 8) / 16777216.0 - 0.5;
      b[i][j] = (double)((seed >> 4) & 1048575u) / 1048576.0 - 0.5;
      c[i][j] = (double)((seed >> 9) & 65535u) / 65536.0;
      w[i][j] = (int)(seed >> 20);
      x[j] = a[i][j];
      y[j] = b[i][j];
    }}
  {calls}
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < COLS; j++)
      printf("%a %a %a %d %a %a\\n", a[i][j], b[i][j], c[i][j], w[i][j], x[j], y[j]);
  return 0;
}}
"""


def program(*kernels: str, n: int = 61, m: int = 67, length: int = 53) -> str:
    """Some kernels, each called once."""
    bodies = "".join(KERNELS[kernel][0] for kernel in kernels)
    calls = "\n  ".join(KERNELS[kernel][1].format(n=n, m=m, l=length) for kernel in kernels)
    return START + bodies + MAIN.format(calls=calls)


_ELEMENT = re.compile(r"\b(\w+)\[((?:[^\[\]]|\[[^\]]*\])+?)\]\[([^\]]+)\]")
_ROWS = re.compile(r"(double|int) \(\*(\w+)\)\[COLS\]")


def flat(text: str, row: str) -> str:
    """C whose arrays of rows are arrays of one dimension, with rows of that length."""
    return _ROWS.sub(r"\1 *\2", _ELEMENT.sub(rf"\1[(\2) * {row} + \3]", text))


def flat_program(*kernels: str, row: str = "COLS") -> str:
    """Some kernels over arrays of one dimension. row: how long theirs are, as a constant or a name."""
    bodies = calls = ""
    for kernel in kernels:
        body, call = KERNELS[kernel]
        bodies += flat(body, row).replace(
            f"void {kernel}(", f"void {kernel}(int {row}, " if row != "COLS" else f"void {kernel}("
        )
        call = re.sub(r"\b([abcw])\b", r"&\1[0][0]", call.format(n=61, m=67, l=53))
        calls += call.replace(f"{kernel}(", f"{kernel}(COLS, ") if row != "COLS" else call
    return START + bodies + MAIN.format(calls=calls)


def printed(source: str, flags: Sequence[str] = FLAGS) -> str:
    """What a program prints."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "program.c").write_text(source, encoding="utf-8")
        done = run(toolchain().clang, *flags, "-w", "program.c", "-o", "program", "-lm", cwd=folder, timeout_s=120)
        assert done.code == 0, done.output
        done = run(str(folder / "program"), cwd=folder, timeout_s=60)
        assert done.code == 0, done.output
        return done.output


def changed(source: str, *picks: Pick, flags: Sequence[str] = FLAGS) -> str:
    """A program after some rewrites."""
    with tempfile.TemporaryDirectory() as scratch:
        return rewritten(source, flags, Path(scratch), picks)
