"""The rewrites that a program's loop nests admit, as one family: for each place a template and its numbers; flags."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import UserError
from atunner.core.space import Family, Parameter, Space
from atunner.core.value import Value
from atunner.domains.llvm_ir import flags, pages
from atunner.domains.llvm_ir.build import laid_out
from atunner.domains.llvm_ir.nests import Pick, Rewrite, rewrites, rewritten
from atunner.domains.llvm_ir.program import Level, Program
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.subject import Subject

FAMILY = "nests"
BUILD = "build"
PAGES = "pages"
AS_IS = "as it is"
EVERYWHERE = "everywhere"
"""The parameter of rewrites of every nest; while it has one, those of single nests count for nothing."""
LEAST_SHARE = 0.02
MOST_PLACES = 8
KEPT = 256
"""Rewritten sources that are kept for one program."""

MATHS = re.compile(r"\b(?:sqrt|exp|log|pow|sin|cos|tan|atan|hypot|cbrt|SQRT_FUN|EXP_FUN|POW_FUN)\w*\s*\(")
"""Calls that set errno, so that promising not to look at it may free them."""

BUILDS: dict[str, Mapping[str, str]] = {
    "strict": {},
    "not unrolled": {"unroll": "off"},
    "errno not set": {"errno": "not set"},
    "no slp": {"slp": "off"},
    "512": {"width": "512"},
    "interleave 1": {"interleave": "1"},
    "256": {"width": "256"},
}
"""Without Polly: it takes up to a minute over a rewritten nest, and finds nothing left to block."""
LOOSE_BUILDS: dict[str, Mapping[str, str]] = {
    "fast": {"math": "fast"},
    "contract": {"math": "contract"},
    "fast 512": {"math": "fast", "width": "512"},
}


class Place(Value):
    """A loop nest and what can be made of it, the most promising rewrite first; line 0: all nests at once."""

    function: str
    line: int
    rewrites: tuple[Rewrite, ...]

    @property
    def name(self) -> str:
        """The name of its parameter."""
        return f"{self.function}_{self.line}" if self.line else EVERYWHERE

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Which rewrite, then the numbers of each."""
        kinds = Parameter(name=self.name, values=(AS_IS, *(kind_of(r) for r in self.rewrites)))
        numbers = (
            Parameter(name=self.number(r, p.name), values=p.values) for r in self.rewrites for p in r.space.parameters
        )
        return (kinds, *numbers)

    @property
    def constraints(self) -> tuple[str, ...]:
        """The rewrites' own constraints, over the names that their numbers have here."""
        return tuple(
            re.sub(r"[A-Za-z_]\w*", lambda m, r=r: self.number(r, m[0]) if m[0] in r.parameters else m[0], text)  # type: ignore[misc]  # default argument
            for r in self.rewrites
            for text in r.space.constraints
        )

    def number(self, rewrite: Rewrite, name: str) -> str:
        """The name of a rewrite's number among the family's parameters."""
        return f"{self.name}_{kind_of(rewrite)}_{name}"

    def defaults(self) -> Params:
        """Every rewrite's numbers as they begin."""
        return {self.number(r, name): value for r in self.rewrites for name, value in r.default.items()}

    def chosen(self, params: Params) -> Rewrite | None:
        """The rewrite that a point picks here."""
        return next((r for r in self.rewrites if kind_of(r) == params.get(self.name)), None)


class Templates:
    """The rewrites of one program, found once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.flags = ("-march=native", *program.cflags)
        self._made: dict[str, str] = {}

    @cached_property
    def found(self) -> tuple[Rewrite, ...]:
        """Every rewrite that the level allows, in order of promise."""
        with open_folder() as folder:
            laid_out(self.program.files, folder)
            every = rewrites(self.program.source, self.flags, folder)
        if self.program.level is Level.EXACT:
            return tuple(r for r in every if r.exact)
        return tuple(sorted(every, key=lambda r: r.exact))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """One for each loop nest that takes time, the hottest first; by promise where no time is known."""
        grouped: dict[tuple[str, int], list[Rewrite]] = {}
        for one in self.found:
            grouped.setdefault((one.function, one.line), []).append(one)
        made = [Place(function=f, line=n, rewrites=tuple(rs)) for (f, n), rs in grouped.items()]
        if self.program.kernel:
            made = [p for p in made if p.function == self.program.kernel]
        shares = self._shares([p.line for p in made])
        hot = [p for p in made if not p.line or not self.program.hot or shares[p.line] >= LEAST_SHARE]
        return tuple(sorted(hot, key=lambda p: (p.line > 0, -shares[p.line]))[:MOST_PLACES])

    def _shares(self, starts: Sequence[int]) -> dict[int, float]:
        """The share of the time of each nest by its first line: a line belongs to the last nest that begins before."""
        shares = dict.fromkeys(starts, 0.0)
        for hot in self.program.hot:
            before = [start for start in starts if 0 < start <= hot.line]
            if before:
                shares[max(before)] += hot.share
        return shares

    @property
    def builds(self) -> tuple[str, ...]:
        """The names of the flag sets that rewrites are combined with."""
        loose = () if self.program.level is Level.EXACT else tuple(LOOSE_BUILDS)
        maths = MATHS.search(self.program.source)
        return tuple(name for name in (*loose, *BUILDS) if maths or name != "errno not set")

    def described(self) -> tuple[str, ...]:
        """One line a rewrite: where, what and why."""
        return tuple(f"{r.name}: {r.reason}" for r in self.found)

    def families(self) -> tuple[Family, ...]:
        """The one family, where any place was recognised."""
        if not self.places:
            return ()
        own = (Parameter(name=BUILD, values=self.builds), Parameter(name=PAGES, values=pages.choices()))
        parameters = [*own, *(q for p in self.places for q in p.parameters)]
        constraints = tuple(text for p in self.places for text in p.constraints)
        return (
            Family(
                name=FAMILY,
                summary="loop nests rewritten by templates, with flags",
                space=Space(parameters=tuple(parameters), constraints=constraints),
                techniques=("register_blocking", "cache_blocking", "vectorization", "loop_unrolling"),
            ),
        )

    def holds(self, family: str, params: Params) -> bool:
        """Whether a point of the rewrites keeps their constraints; points of other families do not concern it."""
        return family != FAMILY or self._space.holds(params)

    @cached_property
    def _space(self) -> Space:
        return self.families()[0].space

    def untouched(self) -> Params:
        """The point that leaves every place as it is, with the first build."""
        numbers = {name: value for p in self.places for name, value in p.defaults().items()}
        return {BUILD: self.builds[0], PAGES: pages.USUAL, **{p.name: AS_IS for p in self.places}, **numbers}

    def spread(self, params: Params) -> Params:
        """The same with the rewrite of every nest told nest by nest, so that one of them can be changed."""
        whole = next((p for p in self.places if not p.line), None)
        one = whole.chosen(params) if whole else None
        if whole is None or one is None:
            return params
        told = {**params, whole.name: AS_IS}
        for place in self.places:
            for own in place.rewrites if place.line else ():
                if kind_of(own) == kind_of(one):
                    told[place.name] = kind_of(one)
                    told |= {place.number(own, n): params[whole.number(one, n)] for n in one.parameters}
        return told

    def realise(self, subject: Subject, family: str, params: Params) -> Candidate:
        """The program with these rewrites and flags. Raises UserError: no such family, or no such rewrite."""
        if family != FAMILY:
            raise UserError(f"No family named {family!r} in this program. Known: {flags.FAMILY}, {FAMILY}.")
        source = self._source(tuple(self._picks(params)))
        build = {**BUILDS, **LOOSE_BUILDS}[str(params.get(BUILD, "strict"))]
        recipe = flags.recipe({**build, PAGES: params.get(PAGES, pages.USUAL)})
        return subject.candidate(source, recipe, family).model_copy(update={"params": params})

    def _source(self, picks: tuple[Pick, ...]) -> str:
        """The program after these rewrites; the latest sets of them are kept."""
        if not picks:
            return self.program.source
        key = ";".join(pick.model_dump_json() for pick in picks)
        if key not in self._made:
            if len(self._made) >= KEPT:
                self._made.pop(next(iter(self._made)), None)
            with open_folder() as folder:
                laid_out(self.program.files, folder)
                self._made[key] = rewritten(self.program.source, self.flags, folder, picks)
        return self._made[key]

    def _picks(self, params: Params) -> Iterator[Pick]:
        for place in self.places:
            one = place.chosen(params)
            if one is not None:
                names = {name: place.number(one, name) for name in one.parameters}
                yield Pick(rewrite=one.name, params={n: params.get(full, one.default[n]) for n, full in names.items()})
                if not place.line:
                    return


def kind_of(rewrite: Rewrite) -> str:
    """The template's name without its place."""
    return rewrite.name.partition("@")[0]


def told(family: str, params: Params) -> str:
    """A point in words: what it has beyond the usual, without the numbers of places that it leaves as they are."""
    usual = {**flags.strict(), BUILD: "strict"}
    kept = {name: value for name, value in params.items() if usual.get(name) != value and value != AS_IS}
    if family == FAMILY:
        places = {k: v for k, v in kept.items() if isinstance(v, str) and k not in {BUILD, PAGES}}
        places = {EVERYWHERE: places[EVERYWHERE]} if EVERYWHERE in places else places
        starts = tuple(f"{place}_{kind}_" for place, kind in places.items())
        kept = {k: v for k, v in kept.items() if k in {BUILD, PAGES, *places} or k.startswith(starts)}
        if len(starts) == 1:
            kept = {name.removeprefix(starts[0]): value for name, value in kept.items()}
    return ", ".join(f"{name} {value}" for name, value in kept.items()) or "strict native"
