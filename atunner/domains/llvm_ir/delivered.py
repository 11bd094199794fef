"""The files beside the evidence of a C program: whether what a user takes away is what was judged."""

import re
from collections.abc import Iterator
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.errors import CandidateError
from atunner.domains.llvm_ir.artefacts import debuggable
from atunner.domains.llvm_ir.bundle import ProgramBundle, task_of
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.making import IR_FILE, main_text
from atunner.domains.llvm_ir.program import Program
from atunner.domains.llvm_ir.recipe import recipe_of
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.subject import Subject
from atunner.tools.text import text_of

_FILE = re.compile(r'!DIFile\(filename: "([^"]*)", directory: "([^"]*)"')
_PLACE = re.compile(r"^(?:; ModuleID = |source_filename = ).*$", re.MULTILINE)


def changed(folder: Path, bundle: ProgramBundle, domain: LlvmIr, subject: Subject) -> tuple[str, ...]:
    """What is not as the evidence has it, one line for each file; programs only where the toolchain is the same.

    Raises:
        UserError: a file cannot be read.
    """
    evidence = bundle.evidence
    found = list(changed_texts(folder, evidence.program, evidence.candidate))
    same = domain.environment(task_of(evidence.program)).toolchain == evidence.origin.environment.toolchain
    return (*found, *(changed_builds(folder, subject, evidence.candidate) if same else ()))


def changed_texts(folder: Path, program: Program, candidate: Candidate) -> Iterator[str]:
    """The source and the recipe that are not the candidate's, one line each; a file that is not there is no fault.

    Raises:
        UserError: a file cannot be read.
    """
    file, text = main_text(candidate)
    recipe = recipe_of(candidate).model_dump_json(indent=1)
    for name, judged in ((f"best_{file}", text), (f"{program.name}.build.json", recipe)):
        path = folder / name
        if path.is_file() and text_of(path, name) != judged:
            yield f"{name}: it is not what was judged"


def changed_builds(folder: Path, subject: Subject, candidate: Candidate) -> Iterator[str]:
    """The IR and the program that are not what the candidate gives when it is built once more, as `leave` builds it."""
    ir, program = (folder / f"{subject.program.name}.opt.{kind}" for kind in ("ll", "final"))
    told = text_of(ir, ir.name) if ir.is_file() else ""
    with open_folder() as fresh:
        try:
            debuggable(subject, candidate, fresh, _places(told, folder, subject, candidate))
        except CandidateError as error:
            yield f"{program.name}: what was judged cannot be built: {error}"
            return
        if told and _code(told) != _code((fresh / IR_FILE).read_text(encoding="utf-8")):
            yield f"{ir.name}: building what was judged gives another"
        if program.is_file() and program.read_bytes() != (fresh / "program").read_bytes():
            yield f"{program.name}: building what was judged gives another"


def _places(ir: str, folder: Path, subject: Subject, candidate: Candidate) -> tuple[Path, Path]:
    """Where the user's source and the rewritten one lay when the files were written, by the debug information."""
    found = {Path(name).name: Path(place) / name for name, place in reversed(_FILE.findall(ir))}
    names = subject.program.main, f"best_{main_text(candidate)[0]}"
    first, second = (found.get(Path(name).name, folder / name) for name in names)
    return first, second


def _code(ir: str) -> str:
    """Without the folder in which it was compiled."""
    return _PLACE.sub("", ir)
