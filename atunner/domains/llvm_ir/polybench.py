"""PolyBench/C as its authors ship it: every kernel as a program that prints its whole result in full precision."""

import re
from collections.abc import Iterator, Mapping
from math import sqrt
from pathlib import Path

from atunner.core.errors import UserError
from atunner.domains.llvm_ir.program import Level, Program

SUPPORT = ("polybench.h", "polybench.c")
_PRECISION = re.compile(r'"%0\.2l?f ?"')
_LEFT_OUT = re.compile(r'argc > 42 && ! ?strcmp\(argv\[0\], ""\)')
_TARGET = re.compile(r"(define POLYBENCH_DUMP_TARGET\s+)stderr")
_SET = re.compile(r"ifdef (MEDIUM|LARGE|EXTRALARGE)_DATASET(.*?)endif", re.DOTALL)
_SIZE = re.compile(r"define\s+(\w+)\s+(\d+)")


def kernels(folder: Path, level: str = "exact", cflags: tuple[str, ...] = ()) -> Iterator[tuple[Program, ...]]:
    """Each kernel at a size between MEDIUM and LARGE, at LARGE and at EXTRALARGE, for those that are too short before.

    The kernels' printing is theirs, with two changes that checking needs: full precision in place of two decimals, and
    the argument `dump` in place of the condition that never holds.

    Raises:
        UserError: the folder is not a PolyBench/C.
    """
    support = {name: folder / "utilities" / name for name in SUPPORT}
    if not all(path.is_file() for path in support.values()):
        raise UserError(f"{folder} is not PolyBench/C: utilities/polybench.h and polybench.c are expected in it.")
    shared = {name: _mended(path.read_text(encoding="utf-8")) for name, path in support.items()}
    for source in sorted(folder.rglob("*.c")):
        header = source.with_suffix(".h")
        if source.parent.name == "utilities" or not header.is_file():
            continue
        sizes = _sizes(header.read_text(encoding="utf-8"))
        files = {
            source.name: _mended(source.read_text(encoding="utf-8")) + '\n#include "polybench.c"\n',
            header.name: _mended(header.read_text(encoding="utf-8")),
            **shared,
        }
        plain = Program(name=source.stem, files=files, level=Level(level))
        yield tuple(
            plain.model_copy(update={"cflags": (*cflags, *(f"-D{name}={size[which]}" for name, size in sizes.items()))})
            for which in ("between", "large", "extra large")
        )


def _mended(text: str) -> str:
    text = text.replace("#include <polybench.h>", '#include "polybench.h"')
    text = _PRECISION.sub('"%a "', text)
    text = _TARGET.sub(r"\1stdout", text)
    return _LEFT_OUT.sub('argc > 1 && !strcmp(argv[1], "dump")', text)


def _sizes(header: str) -> Mapping[str, Mapping[str, int]]:
    sets: dict[str, dict[str, str]] = {name: dict(_SIZE.findall(body)) for name, body in _SET.findall(header)}
    if not {"MEDIUM", "LARGE"} <= sets.keys():
        return {}
    return {
        name: {
            "between": round(sqrt(int(sets["MEDIUM"].get(name, large)) * int(large))),
            "large": int(large),
            "extra large": int(sets.get("EXTRALARGE", {}).get(name, large)),
        }
        for name, large in sets["LARGE"].items()
    }
