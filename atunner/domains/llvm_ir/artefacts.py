"""The files of a result: IR and programs before and after, profiles of both, and a script that builds them again."""

from dataclasses import dataclass
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.errors import CandidateError
from atunner.domains.llvm_ir.build import BEFORE, O3, laid_out
from atunner.domains.llvm_ir.evidence.debugging import maps, with_lines
from atunner.domains.llvm_ir.evidence.gather import Program as Profiled
from atunner.domains.llvm_ir.evidence.gather import profile
from atunner.domains.llvm_ir.evidence.markdown import as_markdown, as_text
from atunner.domains.llvm_ir.evidence.program_profile import ProgramProfile
from atunner.domains.llvm_ir.making import IR_FILE, macros, main_text
from atunner.domains.llvm_ir.pages import linked
from atunner.domains.llvm_ir.recipe import RECIPE_FILE, recipe_of
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


@dataclass(frozen=True)
class Left:
    """What was written, and the profiles of both builds. paths: of every file."""

    paths: tuple[Path, ...]
    before: ProgramProfile
    after: ProgramProfile


def leave(subject: Subject, winner: Candidate | None, folder: Path, source: Path | None = None) -> Left:
    """Write NAME.ll, NAME.opt, NAME.opt.ll, NAME.opt.final, profiles and repro.sh; the baseline where nothing won.

    Both programs carry debug information. source: where the user's source lies, so that it leads there.
    """
    name, base = subject.program.name, subject.baseline
    chosen = winner or base
    folder.mkdir(parents=True, exist_ok=True)
    sources = {f"best_{main_text(chosen)[0]}": main_text(chosen)[1], **subject.program.files}
    made = [_text(folder / file, content) for file, content in sources.items()]
    places = (source or folder / subject.program.main, folder / f"best_{main_text(chosen)[0]}")
    made += [
        _text(folder / f"{name}.ll", subject.ir_of(base)),
        _text(folder / f"{name}.build.json", recipe_of(chosen).model_dump_json(indent=1)),
    ]
    with open_folder() as first, open_folder() as last:
        debuggable(subject, base, first, places)
        debuggable(subject, chosen, last, places)
        made += [
            copied(first / "program", folder / f"{name}.opt"),
            _text(folder / f"{name}.opt.ll", (last / IR_FILE).read_text(encoding="utf-8")),
            copied(last / "program", folder / f"{name}.opt.final"),
        ]
        before = _profiled(subject, base, first / "program", places)
        after = _profiled(subject, chosen, last / "program", places)
    for stem, found in ((f"{name}.prof", before), (f"{name}.opt.prof", after)):
        made += [_text(folder / f"{stem}.txt", as_text(found)), _text(folder / f"{stem}.md", as_markdown(found))]
    script = _text(folder / "repro.sh", _script(subject, chosen, folder))
    script.chmod(0o755)
    return Left((*made, script), before, after)


def debuggable(subject: Subject, candidate: Candidate, folder: Path, places: tuple[Path, Path]) -> None:
    """Build with debug information of the user's source and of what was rewritten; it must print the same.

    IR that was edited has none to keep, and what does not build with it is built as it was measured.
    """
    name, text = main_text(candidate)
    if not name.endswith(".ll"):
        recipe = recipe_of(candidate)
        lined = with_lines(subject.program.source, text, *places)
        changed = recipe.model_copy(update={"flags": (*recipe.flags, "-g", *maps(folder, places[0]))})
        files = {**candidate.files, name: lined, RECIPE_FILE: changed.model_dump_json()}
        try:
            subject.fresh_build(candidate.model_copy(update={"files": files, "family": "debug"}), folder)
            subject.agrees(folder / "program", 0)
        except CandidateError:
            pass
        else:
            return
    subject.fresh_build(candidate, folder)


def _profiled(subject: Subject, candidate: Candidate, binary: Path, places: tuple[Path, Path]) -> ProgramProfile:
    """Counters, hot lines, remarks and the inner loop's forecast of a build, run in the sandbox."""
    name, code = main_text(candidate)
    flags = (*recipe_of(candidate).flags, *subject.program.cflags, *macros(candidate.params), "-w")
    with open_folder() as place:
        text = code if name.endswith(".ll") else with_lines(subject.program.source, code, *places)
        source = laid_out({**subject.program.files, name: text}, place).parent / name
        program = copied(binary, place / subject.program.name)
        given = subject.program.input
        wrapper = subject.runner.wrapper(place, 10 * subject.limit_s)
        return profile(Profiled(program, given.args, given.stdin, wrapper), subject.compiler, source, flags)


def _script(subject: Subject, chosen: Candidate, folder: Path) -> str:
    program, name, clang = subject.program, subject.program.name, subject.tools.name
    libraries = " ".join(program.ldflags)
    memory = [part.removeprefix(f"{folder}/") for part in linked(recipe_of(chosen).pages, folder)]
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
            [
                clang,
                *recipe_of(chosen).flags,
                *BEFORE,
                "-w",
                f"{name}.opt.ll",
                "-o",
                f"{name}.opt.final",
                *memory,
                libraries,
            ]
        ),
        name=name,
        args=" ".join(program.input.args),
        dump=program.dump,
        compare=f'cmp base.txt final.txt && echo "equal" || {{ echo "{allowed}"; exit 1; }}',
    )


def _text(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path
