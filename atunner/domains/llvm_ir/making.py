"""A candidate's files and recipe become a binary."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from atunner.core.candidate import Candidate, Params
from atunner.domains.llvm_ir.build import BEFORE, LINES, Compiler, laid_out
from atunner.domains.llvm_ir.loops import hinted
from atunner.domains.llvm_ir.pages import linked
from atunner.domains.llvm_ir.program import Program
from atunner.domains.llvm_ir.recipe import MACRO, RECIPE_FILE, Recipe, recipe_of

SANITIZE = (
    "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize=null,object-size,pointer-overflow",
    "-fno-sanitize-recover=undefined", "-ffp-contract=off", "-ftrivial-auto-var-init=pattern",
)  # fmt: skip
"""Sanitizers, and a pattern in every local that is not set, so that using one shows in the result.

Left out is what AddressSanitizer sees at the access itself: with it, rewritten loops take up to ten times as long to
compile.
"""
IR_FILE = "program.ll"

_DEFINE_LINE = re.compile(
    r"^(define\b[^\n]*?)( #\d+)?((?: !dbg !\d+)?(?: !\w+ !\d+)*(?: personality [^{]*)? \{)$", re.MULTILINE
)


def macros(params: Params) -> tuple[str, ...]:
    """-D definitions of the numbers that a rewrite leaves open: parameters with names in capitals."""
    return tuple(f"-D{name}={value}" for name, value in params.items() if MACRO.fullmatch(name))


def main_text(candidate: Candidate) -> tuple[str, str]:
    """Name and text of what is compiled: the first file that is no recipe."""
    return next((name, text) for name, text in candidate.files.items() if name != RECIPE_FILE)


def make(compiler: Compiler, program: Program, candidate: Candidate, folder: Path) -> Path:
    """Build a candidate in `folder` by its recipe: `program.ll` after all passes, then `program` by code generation.

    Raises:
        NotBuilt: refused or too slow. Rejected: it has no readable recipe.
    """
    recipe = recipe_of(candidate)
    name, text = main_text(candidate)
    ir = folder / IR_FILE
    if name.endswith(".ll"):
        laid_out({IR_FILE: text}, folder)
    else:
        source = laid_out({**_headers(program), name: text}, folder).parent / name
        flags = (*recipe.flags, *program.cflags, *macros(candidate.params), "-w")
        if recipe.loops or recipe.passes:
            _by_passes(compiler, recipe, source, flags)
        else:
            compiler.ir(source, ir, flags)
    libraries = (*linked(recipe.pages, folder), *program.ldflags)
    return compiler.native(ir, folder / "program", recipe.flags, libraries)


def _by_passes(compiler: Compiler, recipe: Recipe, source: Path, flags: Sequence[str]) -> None:
    """IR before any pass, with loop metadata; then the recipe's passes, or clang's own."""
    folder = source.parent
    before = compiler.ir(source, folder / "before.ll", (*flags, *BEFORE, *LINES))
    if recipe.loops:
        before.write_text(hinted(before.read_text(encoding="utf-8"), recipe.loops), encoding="utf-8")
        compiler.verified(before)
    if recipe.passes:
        compiler.optimised(before, folder / IR_FILE, recipe.passes)
    else:
        compiler.ir(before, folder / IR_FILE, (*recipe.flags, "-w"))


def make_sanitized(compiler: Compiler, program: Program, candidate: Candidate, folder: Path) -> Path:
    """Build with AddressSanitizer and UndefinedBehaviorSanitizer; IR gets the attribute without which nothing is seen.

    Raises:
        NotBuilt: refused or too slow.
    """
    recipe = recipe_of(candidate)
    name, text = main_text(candidate)
    machine = [flag for flag in recipe.flags if flag.startswith("-m") and flag != "-mllvm"]
    if name.endswith(".ll"):
        source = laid_out({name: sanitizable(text)}, folder)
        return compiler.binary(source, folder / "program", ("-O1", "-fsanitize=address", *machine), program.ldflags)
    source = laid_out({**_headers(program), name: text}, folder).parent / name
    flags = (*SANITIZE, *machine, *program.cflags, *macros(candidate.params))
    return compiler.binary(source, folder / "program", flags, program.ldflags)


def sanitizable(text: str) -> str:
    """IR whose every function carries `sanitize_address`: AddressSanitizer instruments no other."""
    return _DEFINE_LINE.sub(lambda m: f"{m[1]} sanitize_address{m[2] or ''}{m[3]}", text)


def _headers(program: Program) -> Mapping[str, str]:
    return {name: text for name, text in program.files.items() if name != program.main}
