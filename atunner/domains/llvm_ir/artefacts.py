"""The files of a result: IR and programs before and after, profiles of both, and a script that builds them again."""

from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.domains.llvm_ir.build import BEFORE, LINES, O3, laid_out
from atunner.domains.llvm_ir.evidence.gather import Program as Profiled
from atunner.domains.llvm_ir.evidence.gather import profile
from atunner.domains.llvm_ir.evidence.markdown import as_markdown, as_text
from atunner.domains.llvm_ir.making import macros, main_text
from atunner.domains.llvm_ir.recipe import recipe_of
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.subject import Subject, copied

REPRO = """#!/bin/sh
# Builds both programs again with {version} and compares what they print.
set -e
cd "$(dirname "$0")"
{base}
{best}
./{name}.opt {args} {dump} > base.txt 2>&1
./{name}.opt.final {args} {dump} > final.txt 2>&1
{compare}
"""


def leave(subject: Subject, winner: Candidate | None, folder: Path) -> tuple[Path, ...]:
    """Write NAME.ll, NAME.opt, NAME.opt.ll, NAME.opt.final, profiles and repro.sh; the baseline where nothing won."""
    name, base = subject.program.name, subject.baseline
    chosen = winner or base
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        _text(folder / f"{name}.ll", subject.ir_of(base)),
        copied(subject.built(base), folder / f"{name}.opt"),
        _text(folder / f"{name}.opt.ll", subject.ir_of(chosen)),
        copied(subject.built(chosen), folder / f"{name}.opt.final"),
    ]
    sources = {f"best_{main_text(chosen)[0]}": main_text(chosen)[1], **subject.program.files}
    made += [_text(folder / file, content) for file, content in sources.items()]
    made += _profiled(subject, base, folder, f"{name}.prof")
    made += _profiled(subject, chosen, folder, f"{name}.opt.prof")[:1]
    script = _text(folder / "repro.sh", _script(subject, chosen))
    script.chmod(0o755)
    return (*made, script)


def _profiled(subject: Subject, candidate: Candidate, folder: Path, stem: str) -> list[Path]:
    """What counters, remarks and the inner loop's forecast say, as text and as Markdown."""
    name, code = main_text(candidate)
    flags = (*recipe_of(candidate).flags, *subject.program.cflags, *macros(candidate.params), "-w")
    with open_folder() as place:
        source = laid_out({**subject.program.files, name: code}, place).parent / name
        binary = place / subject.program.name
        subject.compiler.binary(source, binary, (*flags, *LINES), subject.program.ldflags)
        run = Profiled(binary, subject.program.input.args, subject.program.input.stdin)
        found = profile(run, subject.compiler, source, flags)
    return [_text(folder / f"{stem}.txt", as_text(found)), _text(folder / f"{stem}.md", as_markdown(found))]


def _script(subject: Subject, chosen: Candidate) -> str:
    program, name, clang = subject.program, subject.program.name, subject.tools.name
    libraries = " ".join(program.ldflags)
    allowed = (
        "every byte must be equal"
        if not program.level.tolerance
        else (
            f"bytes differ; level {program.level} allows an error of {program.level.tolerance:g} of the largest number"
        )
    )
    return REPRO.format(
        version=subject.tools.version,
        base=" ".join([clang, *O3, *program.cflags, "-w", program.main, "-o", f"{name}.opt", libraries]),
        best=" ".join(
            [clang, *recipe_of(chosen).flags, *BEFORE, "-w", f"{name}.opt.ll", "-o", f"{name}.opt.final", libraries]
        ),
        name=name,
        args=" ".join(program.input.args),
        dump=program.dump,
        compare=f'cmp base.txt final.txt && echo "equal" || {{ echo "{allowed}"; exit 1; }}',
    )


def _text(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path
