"""A kernel that a model wrote: its answer's form, and the repair that keeps parameters and source consistent."""

import difflib
import re
from collections.abc import Iterable, Mapping
from itertools import chain, islice, product

from pydantic import ConfigDict, Field

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import UserError
from atunner.core.expression import compiled
from atunner.core.program import PROGRAM_FILE, Launch, Program, Workspace
from atunner.core.space import Family, Parameter, Space
from atunner.core.value import Value, content_id

MOST_VALUES = 12
MOST_PARAMETERS = 8
MOST_SOURCE = 60_000
MOST_POINTS = 4096
_MACRO = re.compile(r"\b[A-Z][A-Z0-9_]*[A-Z0-9]\b")
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(?![\w(])[ \t]*(.*)$", re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_ENUM = re.compile(r"\b(?:const(?:expr)?\s+\w+\s+|enum\s*\{[^}]*?)\b([A-Z][A-Z0-9_]*)\s*=")


class Rewrite(Value):
    """A model's answer: the whole source, with NAMES where a search shall find the number.

    parameters: legal values of each NAME, the first one is tried first. launches, workspaces: left out, those of the
    kernel that it was derived from stay. Fields that are not known are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(default="rewrite", max_length=80)
    summary: str = Field(default="", max_length=400)
    source: str = Field(min_length=1, max_length=MOST_SOURCE)
    parameters: dict[str, tuple[int | str, ...]] = Field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    launches: tuple[Launch, ...] = ()
    workspaces: tuple[Workspace, ...] | None = None
    techniques: tuple[str, ...] = ()


class Written(Value):
    """A family that a model wrote for one run. start: the point that is judged first; notes: what was repaired."""

    family: Family
    files: dict[str, str]
    start: Params
    origin: str
    parent: str | None = None
    notes: tuple[str, ...] = ()

    def realise(self, params: Params) -> Candidate:
        """The candidate at one point of its space."""
        return Candidate(
            files=self.files,
            params=params,
            family=self.family.name,
            origin=self.origin,
            parent=self.parent,
            note=self.family.summary,
        )


class Inconsistent(ValueError):
    """The answer cannot be made consistent; the text says why, for the model."""


def main_file(candidate: Candidate) -> str:
    """The file that a model rewrites: the program's source, else the candidate's only file."""
    if PROGRAM_FILE in candidate.files:
        return Program.model_validate_json(candidate.files[PROGRAM_FILE]).source
    return next(iter(candidate.files))


def written(
    answer: Rewrite,
    parent: Candidate,
    known: Mapping[str, tuple[int | str, ...]],
    by: str,
    made: Mapping[str, str] | None = None,
) -> Written:
    """The family that an answer describes, its parameters made consistent with its source.

    known: the values of the parameters that the parent's family has. made: the files that the domain made of the
    answer, where that is more than to put the source in the place of the parent's.

    Raises:
        Inconsistent: no values are given for a NAME that the source uses, or no point is legal.
    """
    answer, notes = repair(answer, parent, known)
    name = main_file(parent)
    files = dict(made) if made is not None else {**parent.files, name: answer.source}
    if PROGRAM_FILE in files:
        files[PROGRAM_FILE] = _program(answer, Program.model_validate_json(files[PROGRAM_FILE])).model_dump_json(
            indent=1
        )
    space = Space(
        parameters=tuple(Parameter(name=n, values=tuple(v)) for n, v in answer.parameters.items()),
        constraints=_legal(answer),
    )
    start = _start(space, parent.params)
    slug = re.sub(r"[^a-z0-9]+", "_", answer.name.lower()).strip("_")[:40] or "rewrite"
    mark = content_id([dict(files), space.model_dump(mode="json")], 6)
    family = Family(name=f"{slug}_{mark}", summary=answer.summary[:200], space=space, techniques=answer.techniques[:8])
    return Written(family=family, files=files, start=start, origin=by, parent=parent.id, notes=notes)


def repair(
    answer: Rewrite, parent: Candidate, known: Mapping[str, tuple[int | str, ...]]
) -> tuple[Rewrite, tuple[str, ...]]:
    """Make names and values agree with the source, and say what was changed; nothing is dropped in silence.

    A declared name that the source has #defined loses the #define; one that is misspelt is matched to the name that
    the source uses; a parent's parameter that is used but not declared gets the parent's values; one that is used
    nowhere is taken out, since a number without effect only multiplies the search.
    """
    notes: list[str] = []
    values = _declared(answer.parameters, parent, known, notes)
    source = _without_defines(answer.source, values, notes)
    used = _used(source) | _used(" ".join(_expressions(answer)))
    undeclared = sorted(n for n in used & (known.keys() | set(parent.params)) if n not in values)
    for name in undeclared:
        near = difflib.get_close_matches(name, [n for n in values if n not in used], n=1, cutoff=0.6)
        if near:
            values[name] = values.pop(near[0])
            notes.append(f"{near[0]} was renamed to {name}, which the source uses")
        else:
            values[name] = _values(known.get(name) or (parent.params[name],))  # type: ignore[arg-type]  # ints and texts
            notes.append(f"{name} was missing and has its parent's values")
    for name in [n for n in values if n not in used]:
        spelt = difflib.get_close_matches(name, _unknown(source, values, parent), n=1, cutoff=0.75)
        if spelt:
            values[spelt[0]] = values.pop(name)
            notes.append(f"{name} was renamed to {spelt[0]}, which the source uses")
        else:
            del values[name]
            notes.append(f"{name} has no effect: the source does not use it, so it was taken out")
    return answer.model_copy(update={"source": source, "parameters": values}), tuple(notes)


def _declared(
    parameters: Mapping[str, tuple[int | str, ...]],
    parent: Candidate,
    known: Mapping[str, tuple[int | str, ...]],
    notes: list[str],
) -> dict[str, tuple[int | str, ...]]:
    """The declared values, bounded: what is too many is held at its first value or left out, and that is said.

    Raises:
        Inconsistent: a NAME without values that its parent has none for either.
    """
    found: dict[str, tuple[int | str, ...]] = {}
    for name, given in parameters.items():
        values = given or known.get(name) or ((parent.params[name],) if name in parent.params else ())
        if not values:
            raise Inconsistent(f"parameter {name} has no values: list those that it may take")
        if not given:
            notes.append(f"{name} had no values and has its parent's")
        distinct = dict.fromkeys(values)
        if len(distinct) > MOST_VALUES:
            notes.append(f"{len(distinct) - MOST_VALUES} of {name}'s values were left out: at most {MOST_VALUES}")
        found[name] = _values(values)  # type: ignore[arg-type]  # a parent's values are ints and texts
        if len(found) > MOST_PARAMETERS and len(found[name]) > 1:
            found[name] = found[name][:1]
            notes.append(f"{name} is held at {found[name][0]}: at most {MOST_PARAMETERS} parameters are searched")
    return found


def _values(values: Iterable[int | str]) -> tuple[int | str, ...]:
    numbers = (int(v) if isinstance(v, str) and re.fullmatch(r"-?\d+", v) else v for v in values)
    return tuple(dict.fromkeys(numbers))[:MOST_VALUES]


def _without_defines(source: str, values: dict[str, tuple[int | str, ...]], notes: list[str]) -> str:
    for name, value in _DEFINE.findall(source):
        if name in values:
            first = _values([value.strip()])
            values[name] = tuple(dict.fromkeys((*first, *values[name]))) if isinstance(first[0], int) else values[name]
            source = re.sub(rf"^[ \t]*#[ \t]*define[ \t]+{name}\b.*\n?", "", source, flags=re.MULTILINE)
            notes.append(f"the #define of {name} was taken out, since the search sets it")
    return source


def _used(text: str) -> set[str]:
    return set(re.findall(r"\b[A-Za-z_]\w*\b", _COMMENT.sub(" ", text)))


def _unknown(source: str, values: Mapping[str, object], parent: Candidate) -> list[str]:
    """Names in capitals that the source uses and nobody defines."""
    plain = _COMMENT.sub(" ", source)
    own = {name for name, _ in _DEFINE.findall(plain)} | set(_ENUM.findall(plain))
    found = set(_MACRO.findall(plain)) - own - values.keys() - set(parent.params)
    return sorted(n for n in found if not n.startswith("DIM_"))


def _expressions(answer: Rewrite) -> list[str]:
    launch = [e for one in answer.launches for e in (*one.grid, *one.block, one.shared_bytes)]
    return [*answer.constraints, *launch, *(w.elements for w in answer.workspaces or ())]


def _program(answer: Rewrite, parent: Program) -> Program:
    update: dict[str, object] = {}
    if answer.launches:
        update["launches"] = answer.launches
    if answer.workspaces is not None:
        update["workspaces"] = answer.workspaces
    return parent.model_copy(update=update)


def _legal(answer: Rewrite) -> tuple[str, ...]:
    """The constraints, each an expression over declared names only. Raises Inconsistent."""
    for text in answer.constraints:
        try:
            names = compiled(text)[1]
        except UserError as error:
            raise Inconsistent(f"constraint {text!r}: {error}") from error
        if names - answer.parameters.keys():
            raise Inconsistent(f"constraint {text!r} uses {', '.join(sorted(names - answer.parameters.keys()))}")
    return answer.constraints


def _start(space: Space, preferred: Params) -> Params:
    """The parent's values where they are legal, else the first of each parameter, else the first legal point."""
    first = {p.name: p.values[0] for p in space.parameters}
    kept = {p.name: preferred[p.name] for p in space.parameters if preferred.get(p.name) in p.values}
    every = product(*(p.values for p in space.parameters))
    points = ({p.name: v for p, v in zip(space.parameters, values, strict=True)} for values in every)
    for point in chain([{**first, **kept}, first], islice(points, MOST_POINTS)):
        try:
            if space.holds(point):
                return point
        except UserError as error:
            raise Inconsistent(f"a constraint fails: {error}") from error
    raise Inconsistent(f"none of the first {MOST_POINTS} points keeps every constraint")
