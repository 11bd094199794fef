"""Orders of passes as a space: loop transforms before clang's pipeline, others behind it."""

from atunner.core.candidate import Params
from atunner.core.space import Family, Parameter, Space
from atunner.domains.llvm_ir.recipe import Recipe

FAMILY = "passes"
NONE = "none"

_CANONICAL = "sroa,early-cse,simplifycfg,instcombine,loop-simplify,lcssa,loop-mssa(loop-rotate,licm),loop(indvars)"
FIRST = {
    NONE: "",
    "interchange": f"function({_CANONICAL},loop(loop-interchange))",
    "distribute": f"function({_CANONICAL},loop-distribute)",
    "jam": f"function({_CANONICAL},loop(loop-unroll-and-jam))",
    "flatten": f"function({_CANONICAL},loop(loop-flatten))",
    "fusion": f"function({_CANONICAL},loop-fusion)",
    "versioning": f"function({_CANONICAL},loop-mssa(loop-versioning-licm))",
    "inline": "cgscc(inline)",
}
"""Before clang's own pipeline, on loops in the form that these passes expect."""
LAST = {
    NONE: "",
    **{name: f"function({name})" for name in ("gvn", "newgvn", "gvn-hoist", "gvn-sink", "reassociate", "dse", "sink")},
    **{name: f"function({name})" for name in ("instcombine", "jump-threading", "slp-vectorizer", "loop-vectorize")},
    "licm": "function(loop-mssa(licm))",
    "unroll": "function(loop-unroll)",
    "load-elim": "function(loop-load-elim)",
    "unswitch": "function(loop-mssa(simple-loop-unswitch))",
}
"""Behind it."""


def family(opt: bool) -> tuple[Family, ...]:
    """The space; none where `opt` is not on this machine."""
    if not opt:
        return ()
    parameters = (
        Parameter(name="first", values=tuple(FIRST)),
        Parameter(name="second", values=tuple(FIRST)),
        Parameter(name="pipeline", values=("default<O3>", "default<O2>")),
        Parameter(name="next", values=tuple(LAST)),
        Parameter(name="last", values=tuple(LAST)),
    )
    constraints = ("first != second or first == 'none'", "next != last or last == 'none'")
    space = Space(parameters=parameters, constraints=constraints)
    summary = "the program as it is, with passes before and behind those of clang"
    return (Family(name=FAMILY, summary=summary, space=space, techniques=("loop_unrolling",)),)


def recipe(params: Params) -> Recipe:
    """The recipe at a point."""
    before = [FIRST[str(params[name])] for name in ("first", "second")]
    behind = [LAST[str(params[name])] for name in ("next", "last")]
    return Recipe(passes=",".join(part for part in (*before, str(params["pipeline"]), *behind) if part))
