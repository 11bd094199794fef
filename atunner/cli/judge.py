"""`atunner judge selftest` and `atunner verify`: hold the judge, and its word, to account."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from atunner.cli.common import command
from atunner.core.errors import UserError
from atunner.domains.kernels.backends import Backend
from atunner.domains.kernels.backends.c import CBackend, Options
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.backends.opencl import OpenclBackend
from atunner.domains.kernels.backends.program import program_of
from atunner.domains.kernels.evidence import Bundle, Evidence, Finding, read, recheck, text_of
from atunner.domains.kernels.gpu.present import present, target_among
from atunner.domains.kernels.selftest import CORPORA
from atunner.domains.kernels.selftest import selftest as rows_of
from atunner.domains.kernels.selftest.hostile import attacked
from atunner.domains.kernels.selftest.problems import OPERATORS
from atunner.domains.llvm_ir.bundle import ProgramBundle, config, of_program
from atunner.domains.llvm_ir.bundle import recheck as recheck_program
from atunner.domains.llvm_ir.delivered import changed as changed_program
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.subject import Subject
from atunner.domains.user_kernels.answers import UserOracle
from atunner.domains.user_kernels.kept import operator_of
from atunner.knowledge_base.devices import device as named_device
from atunner.operators import Operator, operator
from atunner.reports.delivered import changed
from atunner.settings import Settings
from atunner.tools.compilers import here

LANGUAGES = tuple(CORPORA)
BACKENDS = {"c": "C", "cuda": "CUDA on the CPU"}
SIGNS = {True: "ok", False: "FAILED", None: "as told"}

SELFTEST = """Judge shipped exploits, honest kernels and hostile programs; exit 1 on any wrong answer.

Example: atunner judge selftest --quiet
"""
VERIFY = """Check an evidence bundle again, from scratch; exit 1 when a statement of it fails.

Example: atunner verify atunner-runs/RUN/evidence.json
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The judge itself.", no_args_is_help=True)
    app.add_typer(group, name="judge")
    command(group, "selftest", SELFTEST)(selftest)
    command(app, "verify", VERIFY)(verify)


def selftest(
    hostile: Annotated[bool, typer.Option(help="Also run hostile programs under every sandbox chain.")] = True,
    cuda: Annotated[bool, typer.Option(help="Also judge CUDA kernels, checked on the CPU.")] = True,
    quiet: Annotated[bool, typer.Option(help="Print only what went wrong, and the totals.")] = False,
) -> int:
    """Print a table of every entry and its answer."""
    cache = Settings().cache
    console = Console()
    table = Table("corpus", "backend", "category", "name", "answer", "as expected")
    good, total = Counter[str](), Counter[str]()
    for row in rows_of(cache, [name for c in LANGUAGES[: 1 + cuda] for name in CORPORA[c]]):
        kind = f"{row.corpus} on {BACKENDS[row.language]}"
        good[kind], total[kind] = good[kind] + row.good, total[kind] + 1
        answer = "yes" if row.good else f"NO: {row.expected}; {row.feedback[:200]}"
        if not (quiet and row.good):
            table.add_row(row.corpus, BACKENDS[row.language], row.category, row.name, str(row.status), answer)
    for one in attacked(cache) if hostile else ():
        kind, stopped = "hostile programs", one.result != "SUCCEEDED"
        good[kind], total[kind] = good[kind] + stopped, total[kind] + 1
        if not (quiet and stopped):
            chain = " + ".join(one.chain)
            table.add_row("hostile", "sandbox", chain, one.attack, one.result, "yes" if stopped else "NO")
    if table.rows:
        console.print(table)
    for kind in total:
        console.print(f"{kind}: {good[kind]} of {total[kind]} as expected")
    console.print(f"{good.total()} of {total.total()} as expected")
    return 0 if good == total else 1


def verify(bundle: Annotated[Path, typer.Argument(help="evidence.json, or the folder that holds it.")]) -> int:
    """Print every statement of the bundle with what was found now."""
    program = of_program(text_of(bundle))
    found = _of_program(program, bundle) if program else _of_kernel(bundle)
    for finding in found:
        typer.echo(f"{SIGNS[finding.passed]:9} {finding.name}: {finding.detail}")
    return 1 if any(finding.passed is False for finding in found) else 0


def _beside(wrong: Sequence[str], right: str) -> Finding:
    """What a folder holds beside its evidence; where only the file was named nobody looks."""
    return Finding(name="files", passed=not wrong, detail="; ".join(wrong) or right)


def _of_kernel(path: Path) -> list[Finding]:
    bundle = read(path)
    found = _findings(bundle)
    if path.is_dir():
        right = "source and launch parameters beside the evidence are those that were judged"
        found.append(_beside(changed(path, bundle.evidence.candidate), right))
    return found


def _of_program(bundle: ProgramBundle, path: Path) -> list[Finding]:
    """In a cache of its own, so that nothing from before is believed."""
    evidence, level = bundle.evidence, Settings().sandbox
    with open_folder() as cache:
        domain = LlvmIr(config(cache, named_device("host"), level))
        found = list(recheck_program(bundle, domain))
        if path.is_dir():
            subject = Subject(evidence.program, cache, level)
            wrong = [*changed(path, evidence.candidate), *changed_program(path, bundle, domain, subject)]
            found.append(_beside(wrong, "sources, IR and program beside the evidence are those that were judged"))
    return found


def _findings(bundle: Bundle) -> list[Finding]:
    evidence = bundle.evidence
    settings = Settings()
    backend = _backend(evidence, settings)
    own = operator_of(evidence, backend, settings.cache)
    if own is not None:
        return list(recheck(bundle, own, backend, UserOracle))
    named: Operator = OPERATORS.get(evidence.operator) or operator(evidence.operator)
    return list(recheck(bundle, named, backend))


def _backend(evidence: Evidence, settings: Settings) -> Backend[Any]:
    """What built the bundle's kernel, as far as it is here: the same compiler, and as many threads."""
    language, then = program_of(evidence.candidate).language, evidence.origin.environment
    if language == "c":
        threads, tool = then.extra.get("threads"), next(iter(then.toolchain), "")
        return CBackend(
            settings.cache,
            Options(
                compiler=tool if tool in here() else "gcc",
                threads=threads if isinstance(threads, int) else 1,
                sandbox=settings.sandbox,
            ),
        )
    if language == "cuda":
        device = named_device(evidence.origin.target)
        problem = evidence.artefact.built_for or evidence.validity.problem
        gpu = target_among(device, present()) if evidence.artefact.built_for is None else None
        return CudaBackend(settings.cache, device, problem, settings.sandbox, here=gpu)
    if language == "opencl":
        threads, device = then.extra.get("units"), named_device(evidence.origin.target or "host")
        return OpenclBackend(settings.cache, device, threads if isinstance(threads, int) else 1, settings.sandbox)
    raise UserError(f"This bundle holds a {language} kernel; `atunner verify` checks c, cuda and opencl here.")
