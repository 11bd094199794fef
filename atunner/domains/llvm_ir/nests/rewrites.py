"""The public face: which rewrites a program allows, and the program after some of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydantic import Field, JsonValue

from atunner.core.errors import UnknownName, UserError
from atunner.core.value import Value
from atunner.domains.llvm_ir.nests.constants import fixed, known
from atunner.domains.llvm_ir.nests.effort import WHOLE, limited
from atunner.domains.llvm_ir.nests.generating import HELPERS
from atunner.domains.llvm_ir.nests.nest import Nest
from atunner.domains.llvm_ir.nests.offers import EVERY, Rewrite, Template, promise, suits, templates
from atunner.domains.llvm_ir.nests.outlining import Outlined, outlined
from atunner.domains.llvm_ir.nests.planning import plan
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra
from atunner.domains.llvm_ir.nests.printing import typedefs
from atunner.domains.llvm_ir.nests.regions import Refusal, found
from atunner.domains.llvm_ir.nests.syntax import Unit, parsed, vector_bytes
from atunner.domains.llvm_ir.program import HEADERS


class Pick(Value):
    """A rewrite by name, with its parameters; those left out keep their defaults."""

    rewrite: str
    params: dict[str, JsonValue] = Field(default_factory=dict)


class Offer:
    """One program: its nests, and the templates that suit each."""

    def __init__(self, unit: Unit, bytes_: int) -> None:
        self.unit = unit
        sizes = known(unit.functions)
        self.polyhedra = sorted(
            (Polyhedra(fixed(nest, sizes)) for nest in found(unit).nests),
            key=lambda p: (-promise(p)[0], -promise(p)[1], p.nest.line),
        )
        self.templates = templates(bytes_)
        self.suited = {t.name: [p for p in self.polyhedra if suits(t, p)] for t in self.templates}

    @property
    def rewrites(self) -> tuple[Rewrite, ...]:
        """The most promising first: each template for the whole program, then for one nest after the other."""
        exact_first = [t for t in self.templates if self.suited[t.name]]
        whole = [t.at("", 0) for t in exact_first]
        single = [t.at(p.nest.function, p.nest.line) for p in self.polyhedra for t in exact_first if self.suits(t, p)]
        return (*whole, *single)

    def suits(self, template: Template, polyhedra: Polyhedra) -> bool:
        """Whether a template suits a nest."""
        return any(p is polyhedra for p in self.suited[template.name])

    def places(self, rewrite: Rewrite) -> tuple[Template, list[Polyhedra]]:
        """The template of a rewrite, and where it applies: for the whole program, wherever something is blocked."""
        template = next(t for t in self.templates if rewrite.name.startswith(f"{t.name}@"))
        if rewrite.line:
            return template, [p for p in self.suited[template.name] if _place(p.nest) == rewrite.name.partition("@")[2]]
        first = self.templates[0]
        return template, [p for p in self.polyhedra if self.suits(template, p) or self.suits(first, p)]


def rewrites(source: str, flags: Sequence[str], folder: Path) -> tuple[Rewrite, ...]:
    """What can be done to the loop nests of a C program, the most promising first.

    flags: as it is compiled. folder: where its own headers lie.

    Raises:
        UserError: the program does not compile.
    """
    return _offer(Text(source, tuple(flags), folder)).rewrites


def refusals(source: str, flags: Sequence[str], folder: Path) -> tuple[Refusal, ...]:
    """The loops that no template is tried on, and why. Raises UserError."""
    return tuple(found(parsed(source, tuple(flags), folder)).refusals)


def rewritten(source: str, flags: Sequence[str], folder: Path, picks: Sequence[Pick]) -> str:
    """The whole program after these rewrites: preprocessed C that keeps the lines of the source.

    Raises:
        UserError: no such rewrite, a value outside its space, or two rewrites of one nest.
    """
    offer = _offer(Text(source, tuple(flags), folder))
    known = {rewrite.name: rewrite for rewrite in offer.rewrites}
    changed: dict[str, tuple[Nest, Outlined]] = {}
    for pick in picks:
        if pick.rewrite not in known:
            raise UnknownName("rewrite", pick.rewrite, known)
        rewrite = known[pick.rewrite]
        params = {**rewrite.default, **pick.params}
        if not rewrite.space.holds(params):
            raise UserError(
                f"{pick.rewrite} takes {rewrite.parameters} with {rewrite.space.constraints}, got {params}."
            )
        template, places = offer.places(rewrite)
        for polyhedra in places:
            place = _place(polyhedra.nest)
            if place in changed:
                raise UserError(f"Two rewrites of the nest {place}: {pick.rewrite} is the second; give one.")
            numbers = template.numbers(params)
            with limited(WHOLE):
                made = plan(polyhedra, numbers)
            changed[place] = (polyhedra.nest, outlined(made, loose=numbers.loose))
    return _spliced(offer.unit, list(changed.values()))


@dataclass(frozen=True)
class Text:
    """A program to be read; two with equal headers are equal, wherever these lie."""

    source: str
    flags: tuple[str, ...]
    folder: Path = field(compare=False)
    headers: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        """Look at the headers once."""
        found = sorted(p for p in self.folder.iterdir() if p.suffix in HEADERS and p.is_file())
        object.__setattr__(self, "headers", tuple((p.name, p.read_text(encoding="utf-8")) for p in found))


@lru_cache(maxsize=8)
def _offer(text: Text) -> Offer:
    return Offer(parsed(text.source, text.flags, text.folder), vector_bytes(text.flags, text.folder))


def _place(nest: Nest) -> str:
    return f"{nest.function}:{nest.line}"


def _spliced(unit: Unit, changed: Sequence[tuple[Nest, Outlined]]) -> str:
    """The program with each function before the one that calls it, and lines counted as in the source."""
    edits: list[tuple[int, int, str]] = []
    for nest, made in changed:
        again = unit.text[nest.begin : nest.end].decode()
        guarded = f"if ({made.guard})\n  {made.call}\nelse {{\n{_line(unit, nest.begin)}{again}\n}}\n"
        edits.append((nest.begin, nest.end, guarded + _line(unit, nest.end)))
        edits.append((nest.head, nest.head, f"\n{made.function}\n{_line(unit, nest.head)}"))
    text = unit.text
    for begin, end, new in sorted(edits, key=lambda edit: -edit[0]):
        text = text[:begin] + new.encode() + text[end:]
    code = text.decode()
    return f"{typedefs(code)}\n{HELPERS}{code}"


def _line(unit: Unit, offset: int) -> str:
    return f'# {unit.line(offset)} "{unit.file}"\n'


__all__ = ["EVERY", "Pick", "Rewrite", "refusals", "rewrites", "rewritten"]
