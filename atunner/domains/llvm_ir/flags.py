"""The space of compiler flags, and the portfolio: a dozen fixed builds, as points of it."""

from collections.abc import Mapping

from atunner.core.candidate import Params
from atunner.core.space import Family, Parameter, Space
from atunner.domains.llvm_ir import pages
from atunner.domains.llvm_ir.program import Level
from atunner.domains.llvm_ir.recipe import Recipe
from atunner.domains.llvm_ir.toolchain import Toolchain

FAMILY = "flags"

CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "opt": {"O3": ("-O3",), "O2": ("-O2",)},
    "machine": {"native": ("-march=native",), "generic": ()},
    "math": {
        "strict": ("-ffp-contract=off",),
        "contract": ("-ffp-contract=fast",),
        "fast": ("-ffast-math", "-ffp-contract=fast"),
    },
    "errno": {"kept": (), "not set": ("-fno-math-errno", "-fno-trapping-math")},
    "width": {
        "auto": (),
        "128": ("-mprefer-vector-width=128",),
        "256": ("-mprefer-vector-width=256",),
        "512": ("-mprefer-vector-width=512",),
    },
    "interleave": {"auto": (), **{str(n): ("-mllvm", f"-force-vector-interleave={n}") for n in (1, 2, 4, 8)}},
    "unroll": {
        "auto": (),
        "off": ("-fno-unroll-loops",),
        "on": ("-funroll-loops",),
        "4": ("-mllvm", "-unroll-count=4"),
    },
    "slp": {"on": (), "off": ("-fno-slp-vectorize",)},
    "interchange": {"off": (), "on": ("-mllvm", "-enable-loopinterchange")},
    "jam": {"off": (), "on": ("-mllvm", "-enable-unroll-and-jam", "-mllvm", "-allow-unroll-and-jam")},
    "polly": {
        "off": (),
        "on": ("-mllvm", "-polly"),
        "tiles 16": ("-mllvm", "-polly", "-mllvm", "-polly-default-tile-size=16"),
        "tiles 64": ("-mllvm", "-polly", "-mllvm", "-polly-default-tile-size=64"),
        "no tiles": ("-mllvm", "-polly", "-mllvm", "-polly-tiling=false"),
        "strips": ("-mllvm", "-polly", "-mllvm", "-polly-vectorizer=stripmine"),
    },
    "pages": {pages.USUAL: (), pages.HUGE: ()},
}
"""Parameter -> value -> flags; the first value of each is the usual one, all first ones together are strict native."""

MATH = {Level.EXACT: ("strict",), Level.TOLERANCE: ("fast", "contract", "strict"), Level.FAST: ("fast", "strict")}

FIXED: tuple[Mapping[str, str], ...] = (
    {},
    {"polly": "on"},
    {"pages": "huge"},
    {"errno": "not set"},
    {"width": "512"},
    {"unroll": "off"},
    {"polly": "strips", "errno": "not set"},
    {"interleave": "4"},
    {"width": "128"},
    {"interleave": "1"},
    {"opt": "O2"},
    {"slp": "off"},
    {"machine": "generic", "polly": "on"},
)
LOOSER: tuple[Mapping[str, str], ...] = (
    {"math": "fast"},
    {"math": "fast", "polly": "on"},
    {"math": "fast", "width": "512"},
    {"math": "fast", "interleave": "4"},
    {"math": "contract"},
    {"math": "fast", "machine": "generic"},
)


def family(level: Level, tools: Toolchain) -> Family:
    """The flags that this level and this clang allow."""
    values = {name: tuple(choices) for name, choices in CHOICES.items()}
    values["math"] = MATH[level]
    values["pages"] = pages.choices()
    if not tools.polly:
        values["polly"] = ("off",)
    return Family(
        name=FAMILY,
        summary="the program as it is, with other compiler flags",
        space=Space(
            parameters=tuple(Parameter(name=name, values=found) for name, found in values.items()),
            constraints=("polly == 'off' or (interchange == 'off' and jam == 'off')",),
        ),
        techniques=("vectorization", "loop_unrolling"),
    )


def strict() -> Params:
    """The fastest common flags that change no bit."""
    return {name: next(iter(choices)) for name, choices in CHOICES.items()}


def portfolio(level: Level, tools: Toolchain) -> tuple[Params, ...]:
    """The fixed builds that are worth trying first, the most promising first; each a point of the flags' space."""
    usual = strict()
    points = [{**usual, **one} for one in FIXED]
    if level is not Level.EXACT:
        loose = [{**usual, **one} for one in LOOSER]
        points = [points[0], loose[0], loose[1], *points[1:4], *loose[2:], *points[4:]]
    space = family(level, tools).space
    return tuple(p for p in points if space.holds(p))


def recipe(params: Params) -> Recipe:
    """The recipe at a point; parameters that are not given are the usual ones."""
    usual = strict()
    flags: list[str] = []
    for name, choices in CHOICES.items():
        flags += choices[str(params.get(name, usual[name]))]
    return Recipe(flags=tuple(flags), pages=params.get("pages", pages.USUAL))
