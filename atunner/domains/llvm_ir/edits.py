"""Five kinds of edit, structured, applied by the tool: flags, passes, loop metadata, one function in IR or in C."""

import json
import re
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from atunner.core.candidate import Candidate
from atunner.core.errors import Rejected
from atunner.core.value import Value
from atunner.domains.llvm_ir.evidence.ir_text import bodies
from atunner.domains.llvm_ir.making import main_text
from atunner.domains.llvm_ir.recipe import RECIPE_FILE, LoopHint, recipe_of

PASSES = frozenset(
    {
        *("default<O1>", "default<O2>", "default<O3>", "mem2reg", "sroa", "early-cse", "early-cse<memssa>", "gvn"),
        *("newgvn", "gvn-hoist", "gvn-sink", "instcombine", "aggressive-instcombine", "simplifycfg", "reassociate"),
        *("licm", "loop-rotate", "loop-simplify", "lcssa", "indvars", "loop-idiom", "loop-deletion", "loop-reduce"),
        *("loop-unroll", "loop-unroll-full", "loop-unroll-and-jam", "loop-interchange", "loop-distribute"),
        *("loop-versioning", "loop-versioning-licm", "loop-load-elim", "loop-fusion", "loop-flatten", "loop-vectorize"),
        *("simple-loop-unswitch", "slp-vectorizer", "vector-combine", "adce", "dce", "dse", "bdce", "sccp", "ipsccp"),
        *("jump-threading", "correlated-propagation", "float2int", "div-rem-pairs", "sink", "mldst-motion"),
        *("inline", "always-inline", "globalopt", "globaldce", "deadargelim", "argpromotion", "function-attrs"),
        *("tailcallelim", "memcpyopt", "speculative-execution", "infer-alignment", "constraint-elimination"),
    }
)
"""Passes and pipelines of clang 14 to 19 that transform: none that prints, instruments or loads anything."""
NESTS = frozenset({"module", "cgscc", "function", "loop", "loop-mssa"})
_NAME = re.compile(r"[a-z][\w-]*(?:<[\w;=-]+>)?")
_HEAD = re.compile(r"^[A-Za-z_][\w\s*]*?\b([A-Za-z_]\w*)\s*\(", re.MULTILINE)


class FlagsEdit(Value):
    """Other compiler flags in place of the parent's."""

    kind: Literal["flags"]
    flags: tuple[str, ...] = Field(min_length=1, max_length=40)


class PipelineEdit(Value):
    """Passes for `opt`, in its own notation, on the IR before any pass."""

    kind: Literal["pipeline"]
    passes: str = Field(min_length=1, max_length=2000)


class MetadataEdit(Value):
    """Properties of loops, named by function and line."""

    kind: Literal["metadata"]
    loops: tuple[LoopHint, ...] = Field(min_length=1, max_length=20)


class IrFunctionEdit(Value):
    """One `define` that takes the place of the function of the same name in the parent's IR."""

    kind: Literal["ir-function"]
    define: str


class SourceFunctionEdit(Value):
    """One function in C that takes the place of the one of the same name."""

    kind: Literal["source-function"]
    function: str


Edit = Annotated[
    FlagsEdit | PipelineEdit | MetadataEdit | IrFunctionEdit | SourceFunctionEdit, Field(discriminator="kind")
]
EDIT: TypeAdapter[Edit] = TypeAdapter(Edit)


def read(answer: str) -> Edit | None:
    """The edit that an answer is: JSON, a `define`, or one C function; None for a whole source.

    Raises:
        Rejected: JSON that is no edit; says what is wrong.
    """
    text = _bare(answer)
    if text.startswith("{"):
        try:
            return EDIT.validate_python(json.loads(text))
        except (ValidationError, ValueError) as error:
            said = error.errors()[0] if isinstance(error, ValidationError) else None
            what = f"{'.'.join(map(str, said['loc']))}: {said['msg']}" if said else str(error)
            raise Rejected(f"The answer is JSON but no edit: {what}.") from error
    if re.search(r"^define\b", text, re.MULTILINE):
        return IrFunctionEdit(kind="ir-function", define=text)
    if not re.search(r"\bmain\s*\(", text) and _HEAD.search(text):
        return SourceFunctionEdit(kind="source-function", function=text)
    return None


def applied(parent: Candidate, ir: str, edit: Edit) -> dict[str, str]:
    """The files of the parent after an edit. ir: the parent's IR after all passes, for edits of it.

    Raises:
        Rejected: the edit does not fit the parent.
    """
    recipe = recipe_of(parent)
    name, text = main_text(parent)
    match edit:
        case FlagsEdit():
            changed = recipe.model_copy(update={"flags": edit.flags})
        case PipelineEdit():
            check_passes(edit.passes)
            changed = recipe.model_copy(update={"passes": edit.passes})
        case MetadataEdit():
            changed = recipe.model_copy(update={"loops": (*recipe.loops, *edit.loops)})
        case IrFunctionEdit():
            file = name if name.endswith(".ll") else f"{name.rpartition('.')[0]}.ll"
            return {file: with_define(ir, edit.define), RECIPE_FILE: recipe.model_dump_json(indent=1)}
        case SourceFunctionEdit():
            return {**parent.files, name: with_function(text, edit.function)}
    if name.endswith(".ll") and not isinstance(edit, FlagsEdit):
        raise Rejected(f"A {edit.kind} edit needs C, and its parent is IR already.")
    return {**parent.files, RECIPE_FILE: changed.model_dump_json(indent=1)}


def check_passes(text: str) -> None:
    """Only passes that transform, whatever their nesting. Raises Rejected with the first other name."""
    for name in _NAME.findall(text):
        bare = name.partition("<")[0]
        if name not in PASSES and bare not in PASSES and name not in NESTS:
            raise Rejected(f"No pass {name!r} here. Known: {', '.join(sorted(PASSES))}.")
    if not re.fullmatch(r"[\w<>;=,()-]+", text):
        raise Rejected(f"{text!r} is not a pipeline: names, commas and parentheses make one.")


def with_define(ir: str, define: str) -> str:
    """A module whose function is replaced by the `define` of the same name. Raises Rejected."""
    found = dict(bodies(_bare(define)))
    if len(found) != 1:
        raise Rejected(f"Exactly one complete define is expected, got {len(found)}: is the answer cut off?")
    ((name, lines),) = found.items()
    own = dict(bodies(ir))
    if name not in own:
        raise Rejected(f"The IR has no function {name!r}. It has: {', '.join(own)}.")
    return ir.replace("\n".join(own[name]), "\n".join(lines), 1)


def with_function(source: str, function: str) -> str:
    """A source whose function is replaced by the one of the same name. Raises Rejected."""
    text = _bare(function)
    head = _HEAD.search(text)
    if head is None:
        raise Rejected("No function definition in the answer: a result type, a name and arguments are expected.")
    defined = [name for name in _HEAD.findall(text) if span(text, name)]
    name = next((n for n in defined if span(source, n)), "")
    if not name:
        raise Rejected(f"The source defines no function {' or '.join(defined) or head[1]!r}.")
    begin, end = span(source, name) or (0, 0)
    return f"{source[:begin]}{text}\n{source[end:].lstrip()}"


def span(source: str, name: str) -> tuple[int, int] | None:
    """Where a function's definition begins and ends in a C source; None when it is not defined there."""
    blank = _blanked(source)
    for found in re.finditer(rf"^[A-Za-z_][^;{{}}#]*?\b{re.escape(name)}\s*\(", blank, re.MULTILINE):
        close = _closing(blank, found.end() - 1, "()")
        after = re.match(r"\s*(?:__attribute__\s*\(\(.*?\)\)\s*)*\{", blank[close:]) if close else None
        if after and close:
            end = _closing(blank, close + after.end() - 1, "{}")
            return (found.start(), end) if end else None
    return None


def _closing(text: str, at: int, pair: str) -> int | None:
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] == pair[0]) - (text[place] == pair[1])
        if depth == 0:
            return place + 1
    return None


def _blanked(source: str) -> str:
    """The source with comments, strings and characters blanked out, every place kept."""
    pattern = r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), source, flags=re.DOTALL)


def _bare(text: str) -> str:
    """The text without a Markdown fence around it."""
    fenced = re.fullmatch(r"\s*```\w*\n(.*?)\n?```\s*", text, re.DOTALL)
    return (fenced[1] if fenced else text).strip()
