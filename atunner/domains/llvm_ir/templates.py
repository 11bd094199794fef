"""The rewrites that a program's loop nests admit, as one family: for each place a template and its numbers; flags."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import product

from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import UserError
from atunner.core.space import Family, Parameter, Space
from atunner.core.value import Value
from atunner.domains.llvm_ir import flags
from atunner.domains.llvm_ir.build import laid_out
from atunner.domains.llvm_ir.nests import Pick, Rewrite, rewrites, rewritten
from atunner.domains.llvm_ir.program import Level, Program
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.subject import Subject

FAMILY = "nests"
BUILD = "build"
AS_IS = "as it is"
LEAST_SHARE = 0.02
MOST_PLACES = 8
MOST_POINTS = 64
"""Numbers of one rewrite that become values, those nearest to its default first."""

BUILDS: dict[str, Mapping[str, str]] = {
    "strict": {},
    "errno not set": {"errno": "not set"},
    "512": {"width": "512"},
    "256": {"width": "256"},
    "not unrolled": {"unroll": "off"},
    "interleave 1": {"interleave": "1"},
    "no slp": {"slp": "off"},
    "polly": {"polly": "on"},
}
LOOSE_BUILDS: dict[str, Mapping[str, str]] = {
    "fast": {"math": "fast"},
    "contract": {"math": "contract"},
    "fast 512": {"math": "fast", "width": "512"},
    "fast polly": {"math": "fast", "polly": "on"},
}


class Place(Value):
    """A loop nest and what can be made of it, the most promising rewrite first."""

    function: str
    line: int
    rewrites: tuple[Rewrite, ...]

    @property
    def name(self) -> str:
        """The name of its parameter."""
        return f"{self.function}_{self.line}"

    @property
    def values(self) -> tuple[str, ...]:
        """Every choice for this place; each rewrite's default comes before its other numbers."""
        return (AS_IS, *(value_of(r, p) for r in self.rewrites for p in points_of(r)))


class Templates:
    """The rewrites of one program, found once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._made: dict[str, str] = {}

    @cached_property
    def found(self) -> tuple[Rewrite, ...]:
        """Every rewrite that the level allows, in order of promise."""
        with open_folder() as folder:
            laid_out(self.program.files, folder)
            every = rewrites(self.program.source, self.program.cflags, folder)
        return tuple(r for r in every if r.exact or self.program.level is not Level.EXACT)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """One for each loop nest that takes time, the hottest first; by promise where no time is known."""
        grouped: dict[tuple[str, int], list[Rewrite]] = {}
        for one in self.found:
            grouped.setdefault((one.function, one.line), []).append(one)
        made = [Place(function=f, line=n, rewrites=tuple(rs)) for (f, n), rs in grouped.items()]
        shares = self._shares([p.line for p in made])
        hot = [p for p in made if not self.program.hot or shares[p.line] >= LEAST_SHARE]
        return tuple(sorted(hot, key=lambda p: -shares[p.line])[:MOST_PLACES])

    def _shares(self, starts: Sequence[int]) -> dict[int, float]:
        """The share of the time of each nest by its first line: a line belongs to the last nest that begins before."""
        shares = dict.fromkeys(starts, 0.0)
        for hot in self.program.hot:
            before = [start for start in starts if start <= hot.line]
            if before:
                shares[max(before)] += hot.share
        return shares

    @property
    def builds(self) -> tuple[str, ...]:
        """The names of the flag sets that rewrites are combined with."""
        loose = () if self.program.level is Level.EXACT else tuple(LOOSE_BUILDS)
        return (*BUILDS, *loose)

    def described(self) -> tuple[str, ...]:
        """One line a rewrite: where, what and why."""
        return tuple(f"{r.name}: {r.reason}" for r in self.found)

    def families(self) -> tuple[Family, ...]:
        """The one family, where any place was recognised."""
        if not self.places:
            return ()
        parameters = [Parameter(name=BUILD, values=self.builds)]
        parameters += [Parameter(name=p.name, values=p.values) for p in self.places]
        return (
            Family(
                name=FAMILY,
                summary="loop nests rewritten by templates, with flags",
                space=Space(parameters=tuple(parameters)),
                techniques=("register_blocking", "cache_blocking", "vectorization", "loop_unrolling"),
            ),
        )

    def untouched(self, build: str = "strict") -> Params:
        """The point that leaves every place as it is."""
        return {BUILD: build, **{p.name: AS_IS for p in self.places}}

    def realise(self, subject: Subject, family: str, params: Params) -> Candidate:
        """The program with these rewrites and flags. Raises UserError: no such family, or no such rewrite."""
        if family != FAMILY:
            raise UserError(f"No family named {family!r} in this program. Known: {flags.FAMILY}, {FAMILY}.")
        source = self._source(tuple(self._picks(params)))
        build = {**BUILDS, **LOOSE_BUILDS}[str(params.get(BUILD, "strict"))]
        recipe = flags.recipe({**build})
        return subject.candidate(source, recipe, family).model_copy(update={"params": params})

    def _source(self, picks: tuple[Pick, ...]) -> str:
        """The program after these rewrites; each set of them is made once."""
        if not picks:
            return self.program.source
        key = ";".join(pick.model_dump_json() for pick in picks)
        if key not in self._made:
            with open_folder() as folder:
                laid_out(self.program.files, folder)
                self._made[key] = rewritten(self.program.source, self.program.cflags, folder, picks)
        return self._made[key]

    def _picks(self, params: Params) -> Iterator[Pick]:
        for place in self.places:
            value = str(params.get(place.name, AS_IS))
            if value != AS_IS:
                yield self._pick(place, value)

    def _pick(self, place: Place, value: str) -> Pick:
        for one in place.rewrites:
            for point in points_of(one):
                if value_of(one, point) == value:
                    return Pick(rewrite=one.name, params=point)
        raise UserError(f"{place.name} has no rewrite {value!r}.")


def value_of(one: Rewrite, params: Params) -> str:
    """A rewrite with its numbers as one value of its place's parameter."""
    return " ".join([one.name.partition("@")[0], *(f"{k}={v}" for k, v in params.items())])


def points_of(one: Rewrite) -> tuple[Params, ...]:
    """The rewrite's legal points, its default first, then those that differ least from it."""
    return tuple(dict(point) for point in _points(one.model_dump_json()))


@lru_cache(maxsize=256)
def _points(text: str) -> tuple[Params, ...]:
    one = Rewrite.model_validate_json(text)
    names = list(one.parameters)
    every = [dict(zip(names, values, strict=True)) for values in product(*one.parameters.values())]
    legal = sorted((p for p in every if one.space.holds(p)), key=lambda p: _distance(one, p))
    return tuple(legal[:MOST_POINTS])


def _distance(one: Rewrite, params: Params) -> tuple[int, int]:
    steps = [_step(one.parameters[name], one.default.get(name), value) for name, value in params.items()]
    return sum(steps), max(steps, default=0)


def _step(values: Sequence[JsonValue], default: JsonValue, value: JsonValue) -> int:
    order = list(values)
    return abs(order.index(value) - order.index(default)) if default in order else order.index(value)
