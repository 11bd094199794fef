"""A candidate in a varied program: the same rewrite, where other sizes or other numbers are set up."""

from functools import lru_cache

from atunner.core.candidate import Candidate
from atunner.domains.llvm_ir.edits import with_define
from atunner.domains.llvm_ir.evidence.ir_text import bodies
from atunner.domains.llvm_ir.making import main_text
from atunner.domains.llvm_ir.program import Change, Program
from atunner.domains.llvm_ir.recipe import recipe_of
from atunner.domains.llvm_ir.subject import Subject
from atunner.domains.llvm_ir.templates import FAMILY, Templates


def varied(subject: Subject, candidate: Candidate, change: Change) -> Candidate | None:
    """The candidate with the change; None where it does not fit.

    A template is applied to the varied source. C is changed line by line. In IR the functions that the candidate
    changed are put into the varied program's IR, if that has them as the program itself does.

    Raises:
        NotBuilt: the varied program does not compile by the candidate's recipe.
    """
    name, text = main_text(candidate)
    source = change.applied(subject.program.source)
    if candidate.family == FAMILY:
        if not source:
            return None
        other = subject.program.model_copy(update={"files": subject.program.with_source(source)})
        return _templates(other.model_dump_json()).realise(subject, FAMILY, candidate.params)
    if name.endswith(".ll") and not source:
        return None
    made = _in_ir(subject, candidate, str(source)) if name.endswith(".ll") else change.applied(text)
    return candidate.model_copy(update={"files": {**candidate.files, name: made}}) if made else None


@lru_cache(maxsize=16)
def _templates(program: str) -> Templates:
    """Of a varied program, as JSON; its nests are looked for once, not for each candidate."""
    return Templates(Program.model_validate_json(program))


def _in_ir(subject: Subject, candidate: Candidate, source: str) -> str | None:
    recipe = recipe_of(candidate)
    base, other = subject.ir(recipe), subject.ir(recipe, source)
    own = {name: "\n".join(lines) for name, lines in bodies(main_text(candidate)[1])}
    plain = {name: "\n".join(lines) for name, lines in bodies(base)}
    there = {name: "\n".join(lines) for name, lines in bodies(other)}
    changed = [name for name, body in own.items() if plain.get(name) != body]
    if any(there.get(name) != plain.get(name) for name in changed):
        return None
    for name in changed:
        other = with_define(other, own[name])
    return other
