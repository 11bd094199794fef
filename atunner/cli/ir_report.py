"""What `atunner tune ir` leaves behind: programs, IR, profiles, tables, pictures; and what it says."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from atunner.cli.common import print_json
from atunner.cli.show import evidence_beside, folder_of
from atunner.core.record import RunRecord
from atunner.domains.llvm_ir.artefacts import leave
from atunner.domains.llvm_ir.program import Program, program_of
from atunner.domains.llvm_ir.subject import Subject
from atunner.domains.llvm_ir.templates import told
from atunner.reports import ir, ir_files, ir_tables, ir_vscode
from atunner.reports.write import write
from atunner.settings import Settings


@dataclass(frozen=True)
class Tuned:
    """A run with the source that it was about, as the user named it, and the seed of its search."""

    source: Path
    record: RunRecord
    seed: int | None = None


def finish(tuned: Sequence[Tuned], output: Path, as_json: bool, emit_vscode: bool) -> int:
    """Write everything, then print one line a program, or the records as JSON."""
    settings = Settings()
    written = []
    for one in tuned:
        program = program_of(one.record.task)
        folder = folder_of(one.record, part(output, program, len(tuned) > 1))
        subject = Subject(program, settings.cache, settings.sandbox)
        winner = one.record.winner if ir.kept(one.record) else None
        source = one.source.resolve() if one.source.is_file() else None
        left = leave(subject, winner.candidate if winner else None, folder, source)
        record = ir.with_profiles(one.record, left.before.as_profile(), left.after.as_profile())
        written.append(ir.kernel(record, one.seed))
        write(record, folder)
        ir_files.write(written[-1:], folder)
        if winner:
            evidence_beside(one.record, folder)
        if emit_vscode:
            _editor(one, folder)
        if not as_json:
            typer.echo(said(one.record))
            typer.echo(f"  everything is in {folder}")
    if len(tuned) > 1:
        _suite(written, Path("atunner-runs") / "suite" if output == Path() else output, as_json)
    if as_json:
        print_json([one.record for one in tuned] if len(tuned) > 1 else tuned[0].record)
    return 0


def _suite(written: Sequence[ir.Kernel], folder: Path, as_json: bool) -> None:
    """All programs in one table and one chart."""
    ir_files.write(written, folder)
    if not as_json:
        typer.echo(ir_files.suite_table([ir_tables.row_of(one) for one in written]), nl=False)
        typer.echo(f"all programs in one chart: {folder / ir_files.SPEEDUP}")


def said(record: RunRecord) -> str:
    """One line: what was found, or that the baseline is kept."""
    name, confirmed, winner = record.task.name, record.confirmed, record.winner
    level = record.task.spec.get("level")
    if confirmed is None or winner is None or not ir.kept(record):
        return (
            f"{name}: no improvement found at level {level}; the -O3 build is kept ({record.spent.trials} evaluations)."
        )
    chosen = told(winner.candidate.family, winner.candidate.params)
    return (
        f"{name}: {confirmed.ratio:.2f}x over clang -O3, {record.provenance}, 95 % interval {confirmed.low:.2f} to "
        f"{confirmed.high:.2f}, level {level}, {record.spent.trials} evaluations; {winner.candidate.family}: {chosen}"
    )


def part(output: Path, program: Program, several: bool) -> Path:
    """Where the files of one program go: a folder of its own below the one that was named for all of a suite."""
    return output / program.name if several and output != Path() else output


def _editor(one: Tuned, folder: Path) -> None:
    """Editor files whose tasks work on a copy of the result, so that the run's own files stay as they are."""
    program = program_of(one.record.task)
    mine = folder / "editor"
    mine.mkdir(parents=True, exist_ok=True)
    for file in (*folder.glob("*.opt.ll"), *folder.glob("*.build.json")):
        shutil.copy(file, mine / file.name)
    editor = ir_vscode.Editor(
        name=program.name,
        source=str(one.source),
        out=str(mine),
        args=program.input.args,
        clang=program.clang,
        level=str(program.level),
        command=_command(),
    )
    for written in ir_vscode.emit(editor, Path()):
        typer.echo(f"  {written.path}{': ' + written.note if written.note else ''}")


def _command() -> str:
    """This atunner by its path where it lies beside the interpreter, else by its name."""
    beside = Path(sys.executable).with_name("atunner")
    return str(beside) if beside.is_file() else "atunner"
