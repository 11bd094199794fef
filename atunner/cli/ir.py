"""`atunner ir`: the single steps of tuning a C program, each on files, as editors and scripts call them."""

import threading
from pathlib import Path

import typer

from atunner.cli import ir_tables
from atunner.cli.common import command, print_json, words
from atunner.cli.ir_report import Tuned, finish
from atunner.cli.show import progress
from atunner.cli.tune_ir import task_of
from atunner.core.errors import UserError
from atunner.core.task import Budget
from atunner.domains.llvm_ir.evidence import steps
from atunner.domains.llvm_ir.evidence.markdown import as_markdown
from atunner.domains.llvm_ir.program import Input, read_program
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.settings import Settings
from atunner.tools.text import text_of
from atunner.wiring import Session

CLANG = "Which clang; left out: the newest here."
CFLAGS = "Flags that the program needs to compile, such as -DN=400."
OUT = "Folder for the files; default NAME-ir."
EVALS_A_STEP = 4
"""What one step judges, unless it is told otherwise."""

BUILD = """Build the base program and its IR from C, or the final program from IR.

FILE.c gives NAME.ll (IR after -O3) and NAME.opt (the program). NAME.opt.ll gives NAME.opt.final: verified, then code
generation alone, so that no pass undoes an edit.

Example: atunner ir build gemm.c --out gemm-ir
"""
PROFILE = """Profile a program: counters, hot function and lines, remarks, the inner loop's forecast.

FILE.c or FILE.ll is built and run: NAME.prof.txt, NAME.prof.md. With a file of `perf stat` counters nothing is run: it
becomes a bullet list. What this machine cannot count is n/a with the reason.

Example: atunner ir profile gemm.c --out gemm-ir
"""
OPTIMIZE = """One step of optimising: propose, verify, time and keep what is faster for sure, else the baseline.

The same loop as `atunner tune ir` on a small budget; leaves NAME.opt.ll, NAME.opt.final and the tables.

Example: atunner ir optimize gemm.c --iterations 1 --out gemm-ir
"""
SELFTEST = """Plant edits that must not be accepted, of all five kinds, and print what became of each; exit 1 if one is.

Example: atunner ir selftest --quiet
"""


def register(app: typer.Typer) -> None:
    """Add `ir` with its commands."""
    room = typer.Typer(
        help="Single steps on C programs and their LLVM IR.", no_args_is_help=True, rich_markup_mode=None
    )
    app.add_typer(room, name="ir")
    command(room, "build", BUILD)(build)
    command(room, "profile", PROFILE)(profile)
    command(room, "optimize", OPTIMIZE)(optimize)
    ir_tables.register(room)
    command(room, "selftest", SELFTEST)(ir_tables.selftest)


def build(
    file: Path = typer.Argument(..., help="FILE.c or FILE.ll."),
    out: Path = typer.Option(Path(), "--out", show_default=False, help=OUT),
    flags: str = typer.Option("", "--flags", help="Flags in place of -O3, or of those of NAME.build.json."),
    cflags: str = typer.Option("", "--cflags", help=CFLAGS),
    ldflags: str = typer.Option("", "--ldflags", help="Libraries that it needs, such as -lz."),
    clang: str = typer.Option("", "--clang", help=CLANG),
) -> int:
    """Translate, build, and name the files."""
    bench = steps.bench(clang, Settings().cache, words(cflags, "--cflags"), words(ldflags, "--ldflags"))
    folder = _folder(file, out)
    given = words(flags, "--flags")
    if _kind(file, ".c", ".ll") == ".ll":
        made = steps.final(bench, file, folder, given)
    else:
        made = steps.baseline(bench, file, folder, given or ("-O3",))
    for path in made.files:
        typer.echo(str(path))
    for note in made.notes:
        typer.echo(f"note: {note}", err=True)
    return 0


def profile(
    file: Path = typer.Argument(Path(), show_default=False, help="FILE.c, FILE.ll, or counters that perf wrote."),
    given: Path = typer.Option(Path(), "--input", show_default=False, help="The same as FILE, in the seed's words."),
    output: Path = typer.Option(
        Path(), "--output", show_default=False, help="Markdown file; left out: NAME.prof.md, or printed."
    ),
    out: Path = typer.Option(Path(), "--out", show_default=False, help=OUT),
    args: str = typer.Option("", "--args", help="The program's arguments."),
    stdin: Path = typer.Option(Path(), "--stdin", show_default=False, help="File that the program reads."),
    cflags: str = typer.Option("", "--cflags", help=CFLAGS),
    clang: str = typer.Option("", "--clang", help=CLANG),
    as_json: bool = typer.Option(False, "--json", help="Print the profile as JSON."),
) -> int:
    """Translate, profile, and print the Markdown."""
    named = file if file != Path() else given
    if named == Path():
        raise UserError("What should be profiled? Give FILE.c, FILE.ll, or a file that `perf stat -o` wrote.")
    if named.suffix not in {".c", ".ll"}:
        return _shown(steps.as_bullets(named), output)
    bench = steps.bench(clang, Settings().cache, words(cflags, "--cflags"))
    folder = _folder(named, out)
    found = steps.profiled(bench, named, folder, words(args, "--args"), _read(stdin))
    if as_json:
        print_json(found)
        return 0
    return _shown(as_markdown(found), output)


def optimize(
    file: Path = typer.Argument(..., help="FILE.c."),
    iterations: int = typer.Option(1, "--iterations", min=1, help="Rounds of proposals."),
    evals: int = typer.Option(0, "--evals", min=0, help=f"Candidates judged at most; 0: {EVALS_A_STEP} a round."),
    level: str = typer.Option("exact", "--level", help="exact, tolerance or fast."),
    args: str = typer.Option("", "--args", help="The program's arguments."),
    stdin: Path = typer.Option(Path(), "--stdin", show_default=False, help="File that the program reads."),
    cflags: str = typer.Option("", "--cflags", help=CFLAGS),
    ldflags: str = typer.Option("", "--ldflags", help="Libraries that it needs, such as -lz."),
    clang: str = typer.Option("", "--clang", help=CLANG),
    model: str = typer.Option("none", "--model", help="none, openai:NAME, ollama:NAME or URL#NAME."),
    seed: int = typer.Option(0, "--seed", help="Seed of the search."),
    out: Path = typer.Option(Path(), "--out", "--output", show_default=False, help=OUT),
    as_json: bool = typer.Option(False, "--json", help="Print the run's record as JSON."),
) -> int:
    """Translate, run the loop on a small budget, and show the record."""
    if _kind(file, ".c", ".ll") == ".ll":
        raise UserError(f"Give the C source of {file.name}: a result can be checked on other inputs only with it.")
    inputs = (Input(args=words(args, "--args"), stdin=_read(stdin)),)
    program = read_program(file, level, words(cflags, "--cflags"), words(ldflags, "--ldflags"), inputs)
    task = task_of(program.model_copy(update={"clang": clang}))
    budget = Budget(trials=evals or EVALS_A_STEP * iterations)
    options = Options(seed=seed, rounds=iterations, slice=-(-(budget.trials or 1) // iterations), patience=iterations)
    request = Request(task, budget, options, model, "expert" if model == "none" else "one_prompt")
    with Session(Settings()) as session, progress(as_json) as watch:
        record = session.start(request, watch, threading.Event())
    return finish([Tuned(file, record, seed)], _folder(file, out), as_json, False)


def _kind(file: Path, *suffixes: str) -> str:
    if file.suffix not in suffixes:
        raise UserError(f"A file ending in {' or '.join(suffixes)} is expected, got {file}.")
    if not file.is_file():
        raise UserError(f"Cannot read {file}: no such file.")
    return file.suffix


def _folder(file: Path, out: Path) -> Path:
    """--out, else the folder of IR itself, or NAME-ir for a C file."""
    if out != Path():
        return out
    return file.parent if file.suffix == ".ll" else Path(f"{file.stem}-ir")


def _shown(text: str, output: Path) -> int:
    if output == Path():
        typer.echo(text, nl=False)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot write --output {output}: {error.strerror}.") from error
    return 0


def _read(stdin: Path) -> str:
    return text_of(stdin, f"--stdin {stdin}") if stdin != Path() else ""
