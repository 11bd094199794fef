"""Single steps on files: the base program and its IR, a program from IR, a profile of either."""

from dataclasses import dataclass
from pathlib import Path

from atunner.core.errors import NotBuilt, UserError
from atunner.core.value import Value
from atunner.domains.llvm_ir.build import O3, Compiler
from atunner.domains.llvm_ir.evidence import ir_text, readings
from atunner.domains.llvm_ir.evidence.gather import Program, profile
from atunner.domains.llvm_ir.evidence.ir_text import Module
from atunner.domains.llvm_ir.evidence.markdown import as_markdown, as_text, bullets
from atunner.domains.llvm_ir.evidence.program_profile import ProgramProfile
from atunner.domains.llvm_ir.evidence.readings import Readings
from atunner.domains.llvm_ir.pages import linked
from atunner.domains.llvm_ir.recipe import Recipe
from atunner.domains.llvm_ir.toolchain import toolchain
from atunner.tools.sandbox import strongest

DEBUG = ("-g",)


@dataclass(frozen=True)
class Bench:
    """A compiler with what the program needs. cflags: to compile it at all; libraries: to link it."""

    compiler: Compiler
    cflags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ("-lm",)


class Made(Value):
    """Files of one step, and what was said on the way."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def bench(clang: str, cache: Path, cflags: tuple[str, ...] = (), libraries: tuple[str, ...] = ()) -> Bench:
    """The compiler of that name, or the newest one, in the strongest sandbox here. Raises ToolError, UserError."""
    return Bench(Compiler(toolchain(clang), cache, strongest(cache)), cflags, ("-lm", *libraries))


def baseline(bench: Bench, source: Path, folder: Path, flags: tuple[str, ...] = O3) -> Made:
    """NAME.ll and NAME.opt: the IR after the flags' passes, and the program with line tables.

    Raises:
        UserError: it does not compile.
    """
    source, folder = _readable(source).resolve(), _made(folder)
    name = source.stem
    ir, program = folder / f"{name}.ll", folder / f"{name}.opt"
    try:
        bench.compiler.ir(source, ir, (*flags, *bench.cflags, "-w"))
        bench.compiler.binary(source, program, (*flags, *DEBUG, *bench.cflags), bench.libraries)
    except NotBuilt as error:
        raise UserError(f"{source} does not compile: {_first(error)}") from error
    return Made(files=(ir, program))


def final(bench: Bench, ir: Path, folder: Path, flags: tuple[str, ...] = ()) -> Made:
    """NAME.opt.final from NAME.opt.ll by code generation alone, so that no pass undoes an edit; verified first.

    flags: left out, those of NAME.build.json beside it, else -O3.

    Raises:
        UserError: the IR does not parse or verify, in the parser's words.
    """
    ir, folder = _readable(ir).resolve(), _made(folder)
    beside = ir.with_name(f"{ir.name.split('.')[0]}.build.json")
    note, memory = "", tuple[str, ...]()
    if not flags:
        recipe, note = (_recipe(beside), f"flags of {beside.name}") if beside.is_file() else (Recipe(flags=O3), "")
        flags, memory = recipe.flags, linked(recipe.pages, folder)
    out = folder / f"{ir.name.removesuffix('.ll')}.final"
    try:
        bench.compiler.verified(ir)
        bench.compiler.native(ir, out, (*flags, *bench.cflags), (*memory, *bench.libraries))
    except NotBuilt as error:
        raise UserError(f"{ir} is not valid IR for {bench.compiler.toolchain.name}: {_first(error)}") from error
    return Made(files=(out,), notes=(note,) if note else ())


def profiled(bench: Bench, source: Path, folder: Path, args: tuple[str, ...], stdin: str) -> ProgramProfile:
    """Build a C file with -O3, or IR by code generation alone, and profile it; the files are left in `folder`.

    Raises:
        UserError: it does not compile.
    """
    if source.suffix == ".ll":
        built, stem = final(bench, source, folder).files[0], source.name.removesuffix(".ll")
    else:
        built, stem = baseline(bench, source, folder).files[1], source.stem
    source = source.resolve()
    program = Program(built, args, stdin)
    try:
        found = profile(program, bench.compiler, source, (*O3, *bench.cflags))
    except NotBuilt as error:
        raise UserError(f"{source} does not compile: {_first(error)}") from error
    (folder / f"{stem}.prof.txt").write_text(as_text(found), encoding="utf-8")
    (folder / f"{stem}.prof.md").write_text(as_markdown(found), encoding="utf-8")
    return found


def counted(path: Path) -> Readings:
    """Counters from what perf wrote: CSV, JSON or text. Raises UserError when there is none in it."""
    found = readings.parse(_text(path))
    if not found.readings:
        raise UserError(f"{path} has no counters: give what `perf stat -o FILE` wrote (perf prints to standard error).")
    return found


def as_bullets(path: Path) -> str:
    """The seed's Markdown of a file of counters. Raises UserError."""
    return "\n".join([f"# Profile from {path.name}", "", *bullets(counted(path))]) + "\n"


def module(path: Path) -> Module:
    """The functions and opcodes of an IR file. Raises UserError when there is no function in it."""
    found = ir_text.parse(_text(path))
    if not found.functions:
        raise UserError(f"{path} has no function: give textual LLVM IR (.ll), as `clang -S -emit-llvm` writes it.")
    return found


def _recipe(path: Path) -> Recipe:
    try:
        return Recipe.model_validate_json(_text(path))
    except ValueError as error:
        raise UserError(f"{path} is not a recipe: {str(error).splitlines()[0]}. Remove it, or give --flags.") from error


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"Cannot read {path}: no such file.")
    return path


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot make {folder}: {error.strerror}. Give another folder with --out.") from error
    return folder.resolve()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"Cannot read {path}: {reason}.") from error


def _first(error: NotBuilt) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "the compiler said nothing")
