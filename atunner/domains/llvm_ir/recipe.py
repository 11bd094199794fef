"""How a candidate's files become a binary: data that travels in the candidate beside its source or IR."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import Rejected
from atunner.core.value import Value
from atunner.domains.llvm_ir.build import STRICT
from atunner.domains.llvm_ir.program import Level

RECIPE_FILE = "build.json"
MACRO = re.compile(r"[A-Z][A-Z0-9_]*")
"""Parameters with such names are macros of the rewritten source."""
_FLAG = re.compile(
    r"-O[0-3]|-m(?:no-)?[a-z0-9.-]+(?:=[a-z0-9.-]+)?|-f(?:no-)?[a-z0-9-]+(?:=[a-z0-9,.-]+)?|-ffast-math|-Ofast"
)
_NEVER = re.compile(
    r"-f(?:no-)?(?:plugin|profile|sanitize|instrument|use-ld|lto|pass|auto-profile|save|record|xray|embed|split|"
    r"offload|module|visibility|pie|pic|debug|working|file|coverage|cs-|crash|diagnostics|syntax|"
    r"signed-char|unsigned-char|short-|single-precision|excess-precision|pack-struct|char8|trapping-math=)"
    r"|-mllvm|-mrelax-all|-m(?:16|32|x32|abi|cmodel|long-double|regparm|stackrealign|soft-float|fpmath|no-(?:sse|x87|mmx)\w*)\b.*"
)
"""Flags that do more than generate code, or give the program another meaning."""
LOOSE = re.compile(
    r"-ffast-math|-Ofast|-funsafe-math-optimizations|-fassociative-math|-freciprocal-math|-fno-signed-zeros"
    r"|-ffinite-math-only|-fno-honor-nans|-fno-honor-infinities|-fapprox-func|-ffp-contract=(?:fast|on).*|-ffp-model=.*"
    r"|-mdaz-ftz|-fdenormal-fp-math.*|-ffp-eval-method=.*|-mrecip.*|-frounding-math|-fno-strict-float-cast-overflow"
)
"""Flags that let the compiler round otherwise: never at level exact."""
_INTERNAL = re.compile(r"-[a-z][a-z0-9-]*(?:=[A-Za-z0-9_,.-]+)?")
_FORBIDDEN = re.compile(
    r"-(?:load|print|debug|stats|time|view|dump|write|read|filter|profile|pgo|pass-remarks|info|o)\b"
)


class LoopHint(Value):
    """Metadata for the loop that begins at a line of a function: llvm.loop properties by name, e.g. unroll.count."""

    function: str
    line: int
    properties: tuple[tuple[str, int | bool], ...]


class Recipe(Value):
    """flags: clang's, for C and IR. passes: for `opt` in place of clang's own pipeline, "" for clang's own.

    loops: metadata added before any pass runs. Where the candidate's first file is IR, it is compiled by code
    generation alone, so that no pass undoes what was written. pages: those of large memory, see `pages`.
    """

    flags: tuple[str, ...] = STRICT
    passes: str = ""
    loops: tuple[LoopHint, ...] = ()
    pages: Literal["usual", "huge"] = "usual"


def recipe_of(candidate: Candidate) -> Recipe:
    """The recipe in a candidate's files; the strict native build where it has none. Raises Rejected."""
    text = candidate.files.get(RECIPE_FILE)
    if text is None:
        return Recipe()
    try:
        return Recipe.model_validate_json(text)
    except ValueError as error:
        raise Rejected(f"{RECIPE_FILE} is not a recipe: {str(error).splitlines()[0]}") from error


def check_flags(flags: Sequence[str], level: Level) -> None:
    """Every flag generates code and nothing else, and none is looser than the level.

    -march=native alone is looser than exact: where the processor has a fused multiply-add, clang contracts a*b+c.

    Raises:
        Rejected: with the flag and what is wrong with it.
    """
    rest = list(flags)
    while rest:
        flag = rest.pop(0)
        if flag == "-mllvm":
            _check_internal(rest.pop(0) if rest else "")
        elif not _FLAG.fullmatch(flag) or _NEVER.match(flag):
            raise Rejected(f"The flag {flag!r} is not allowed: -O, -m, -f and -mllvm flags for code generation are.")
        elif level is Level.EXACT and LOOSE.fullmatch(flag):
            raise Rejected(f"The flag {flag} lets the compiler round otherwise; level exact does not.")
    fused = any(flag.startswith(("-march=", "-mfma", "-mavx512", "-mcpu=")) for flag in flags)
    if level is Level.EXACT and fused and "-ffp-contract=off" not in flags:
        raise Rejected("-march without -ffp-contract=off is not exact: a*b+c would be rounded once in place of twice.")


def check_loops(loops: Sequence[LoopHint], level: Level) -> None:
    """No hint lets the compiler take a sum in another order at level exact.

    Raises:
        Rejected: with the property. Vectors that are asked for by name may reorder what vectors of clang's own may not.
    """
    asked = [name for hint in loops for name, value in hint.properties if name.startswith("vectorize.") and value > 1]
    asked += [n for hint in loops for n, value in hint.properties if n == "vectorize.enable" and value]
    if asked and level is Level.EXACT:
        raise Rejected(f"The loop property {asked[0]} lets the compiler take a sum in any order; level exact does not.")


def check_macros(params: Params, texts: Iterable[str]) -> None:
    """Every macro among the parameters is a number, and none is a name that the program uses itself.

    Raises:
        Rejected: with the macro.
    """
    for name, value in params.items():
        if not MACRO.fullmatch(name):
            continue
        if not isinstance(value, int | float):
            raise Rejected(f"The parameter {name} must be a number, got {value!r}.")
        if any(re.search(rf"\b{name}\b", text) for text in texts):
            raise Rejected(f"The parameter {name} is a name of the program itself; its problem must stay as it is.")


@lru_cache
def _check_internal(flag: str) -> None:
    if not _INTERNAL.fullmatch(flag) or _FORBIDDEN.match(flag):
        raise Rejected(f"-mllvm {flag!r} is not allowed: options of passes are.")
    if "fp-contract" in flag or "enable-unsafe-fp" in flag or "reassociate" in flag:
        raise Rejected(f"-mllvm {flag} can change how numbers are rounded; use -ffp-contract or -ffast-math.")
