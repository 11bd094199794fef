"""PolyBench/C as its authors ship it, made into programs."""

from pathlib import Path

from atunner.domains.llvm_ir.polybench import kernels

HEADER = """\
# ifdef MEDIUM_DATASET
#  define N 100
# endif
# ifdef LARGE_DATASET
#  define N 400
# endif
# ifdef EXTRALARGE_DATASET
#  define N 900
# endif
"""
SOURCE = """\
#include <polybench.h>
#include "line.h"
int main(int argc, char **argv) { if (argc > 42 && ! strcmp(argv[0], "")) fprintf(stderr, "%0.2lf ", 1.0); return 0; }
"""


def test_each_kernel_comes_at_three_sizes_and_prints_in_full(tmp_path: Path) -> None:
    for name, text in {
        "utilities/polybench.h": "#define POLYBENCH_DUMP_TARGET stderr\n",
        "utilities/polybench.c": "int polybench;\n",
        "medley/line/line.c": SOURCE,
        "medley/line/line.h": HEADER,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (sizes,) = kernels(tmp_path)
    source = sizes[0].source

    assert [program.cflags for program in sizes] == [("-DN=200",), ("-DN=400",), ("-DN=900",)]
    assert all(mended in source for mended in ('#include "polybench.h"', '"%a "', '!strcmp(argv[1], "dump")'))
    assert sizes[0].files["polybench.h"] == "#define POLYBENCH_DUMP_TARGET stdout\n"
