"""From a kernel's source to its description: name, arguments, outputs, sizes and launch, with what is left to ask."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atunner.core.errors import UserError
from atunner.search.formats import source
from atunner.search.formats.geometry import AXES, GPU
from atunner.search.formats.source import Declared
from atunner.transform.body import Body
from atunner.transform.polynomial import Unclear, exact, names_in, text

BLOCK: dict[int, dict[str, tuple[int, ...]]] = {
    1: {"x": (32, 64, 128, 256, 512)},
    2: {"x": (8, 16, 32, 64), "y": (2, 4, 8, 16)},
    3: {"x": (8, 16, 32)},
}
"""Work-group sizes to try for a kernel that takes whatever it is started with, by the number of its axes."""
FIRST: dict[int, dict[str, int]] = {1: {"x": 256}, 2: {"x": 16, "y": 16}, 3: {"x": 32}}
SCALAR = "0.75"
"""What a floating scalar is given where nobody says otherwise: no power of two, so that rounding shows."""


@dataclass(frozen=True)
class Said:
    """What the user said of the kernel beside its source; everything may be left out.

    arguments: as in YAML, `float32[n, m] input`. sizes: numbers by name. problem_size: elements along x, y and z.
    """

    name: str = ""
    language: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    outputs: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    constraints: Sequence[str] = ()
    problem_size: Sequence[int | str] = ()
    grid: Sequence[str] = ()
    block: Sequence[str] = ()
    flags: Sequence[str] = ()
    tolerance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Gap:
    """What the source does not say. keyword: what the user gives to fill it. why: in words."""

    keyword: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} is not clear: {self.why}. Give {self.keyword}."


@dataclass(frozen=True)
class Reading:
    """What was understood. guessed: outputs that were taken for written only; notes: in words, for people."""

    name: str
    language: str
    source: str
    declared: tuple[Declared, ...]
    arguments: dict[str, str]
    sizes: tuple[str, ...]
    said: Said
    grid: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Sizes without a number."""
        return tuple(n for n in self.sizes if n not in self.said.sizes)

    def content(self, sizes: Mapping[str, int]) -> dict[str, Any]:
        """As the YAML description of a kernel has it."""
        said = self.said
        made: dict[str, Any] = {
            "name": self.name,
            "language": self.language,
            "sizes": {**sizes},
            "arguments": dict(self.arguments),
            "constraints": list(said.constraints) + self._threads(),
            "flags": list(said.flags),
            "tolerance": dict(said.tolerance),
        }
        return made | {
            key: value
            for key, value in {"parameters": self.parameters, "grid": self.grid, "block": self.block}.items()
            if value
        }

    def _threads(self) -> list[str]:
        own = [b for b in self.block if b in self.parameters and b not in self.said.parameters]
        return [f"{' * '.join(own)} <= 1024"] if len(own) > 1 else []


def read(text_: str, said: Said, language: str, called: str) -> Reading:
    """Understand a kernel. called: how messages call the source.

    Raises:
        UserError: it has no such function, several without a name, an argument of unknown type, or it does not end.
    """
    found = source.functions(text_)
    chosen = source.kernel_name(text_, called, said.name)
    declared = found.get(chosen, ())
    for one in declared:
        if not one.dtype and one.name not in said.arguments:
            raise UserError(
                f"The type of the argument {one.name!r} of {chosen} is not known here. "
                f"Give arguments={{{one.name!r}: 'float32[n]'}}."
            )
    integers = frozenset(d.name for d in declared if not d.pointer and d.dtype.startswith(("int", "uint")))
    _known(said, chosen, declared)
    _check_sizes(said, chosen, text_, declared, integers)
    _check_launch(said, chosen, language)
    tuned = frozenset(p.name for p in source.tunables(text_).parameters) | frozenset(said.parameters)
    return _Reader(text_, said, language, chosen, declared, Body(text_, chosen, integers, tuned)).reading()


def _known(said: Said, kernel: str, declared: Sequence[Declared]) -> None:
    names, pointers = [d.name for d in declared], [d.name for d in declared if d.pointer]
    for one in said.outputs:
        if one in names and one not in pointers:
            raise UserError(f"outputs names {one!r}, which is one number. Outputs are among {', '.join(pointers)}.")
    for keyword, given in (("outputs", said.outputs), ("arguments", said.arguments)):
        for one in given:
            if one not in names:
                raise UserError(f"{keyword} names {one!r}, which {kernel} does not take. It takes {', '.join(names)}.")


def _check_sizes(said: Said, kernel: str, text_: str, declared: Sequence[Declared], integers: frozenset[str]) -> None:
    """Refuse a size that neither the source nor anything else that was said speaks of."""
    others = {d.name for d in declared} - integers
    told = [*said.arguments.values(), *said.problem_size, *said.grid, *said.block, *said.constraints]
    spoken = set(re.findall(r"[A-Za-z_]\w*", " ".join([text_, *map(str, told)]))) - others
    for one in said.sizes:
        if one not in spoken:
            known = ", ".join(sorted(integers)) or "none by itself"
            raise UserError(f"sizes names {one!r}, which is no size of {kernel}. Its sizes: {known}.")


def _check_launch(said: Said, kernel: str, language: str) -> None:
    """Refuse what a language or the axes of a grid have no use for."""
    for keyword, given in (("grid", said.grid), ("block", said.block)):
        if given and language not in GPU:
            raise UserError(f"{keyword} is for kernels of GPUs, and {kernel} is {language}; leave it out.")
    extents: dict[str, Sequence[object]] = {"problem_size": said.problem_size, "grid": said.grid, "block": said.block}
    for keyword, many in extents.items():
        if len(many) > len(AXES):
            raise UserError(f"{keyword} takes at most {len(AXES)} extents, x, y and z; got {len(many)}.")
    for one in said.problem_size:
        if isinstance(one, bool) or not str(one).isdigit() or int(one) < 1:
            raise UserError(f"problem_size takes whole numbers above 0, got {one!r}.")


class _Reader:
    """One kernel, read piece by piece."""

    def __init__(
        self, text_: str, said: Said, language: str, kernel: str, declared: tuple[Declared, ...], body: Body
    ) -> None:
        self._text, self._said, self._language, self._kernel = text_, said, language, kernel
        self._declared, self._body = declared, body
        self._gaps: list[Gap] = []
        self._notes: list[str] = []
        self._guessed: list[str] = []

    def reading(self) -> Reading:
        """Arguments, then the launch."""
        tuned = source.tunables(self._text)
        own = {p.name: list(p.values) for p in tuned.parameters} | dict(self._said.parameters)
        axes = self._axes()
        sizes = [d.name for d in self._declared if d.name in self._body.sizes and not self._fixed(d.name)]
        sizes += [n for n in axes.values() if n.isidentifier() and n not in sizes]
        sizes += [n for n in self._said.sizes if n not in sizes]
        grid, block, more = self._launch(axes, own) if self._language in GPU else ((), (), {})
        self._body.threads = {a: b for a, b in zip(AXES, block, strict=False) if b.isalnum()}
        arguments = {d.name: self._argument(d, axes) for d in self._declared}
        return Reading(
            name=self._kernel,
            language=self._language,
            source=self._text,
            declared=self._declared,
            arguments=arguments,
            sizes=tuple(sizes),
            said=self._said,
            grid=grid,
            block=block,
            parameters={**dict(self._said.parameters), **more},
            guessed=tuple(self._guessed),
            gaps=tuple(self._gaps),
            notes=tuple(self._notes),
        )

    def _fixed(self, name: str) -> bool:
        return name in self._said.arguments

    def _axes(self) -> dict[str, str]:
        """Extent of each axis of the grid, as the user gave it."""
        given = self._said.problem_size
        return {axis: f"problem_size_{axis}" for axis, _ in zip(AXES, given, strict=False)}

    def _argument(self, declared: Declared, axes: dict[str, str]) -> str:
        if declared.name in self._said.arguments:
            return self._said.arguments[declared.name]
        if not declared.pointer:
            integer = declared.name in self._body.sizes
            if not integer:
                self._notes.append(f"{declared.name} = {SCALAR}, since nothing says otherwise")
            return f"{declared.dtype} = {declared.name if integer else SCALAR}"
        return f"{declared.dtype}[{self._shape(declared.name, axes)}] {self._role(declared)}"

    def _role(self, declared: Declared) -> str:
        uses = self._body.uses(declared.name)
        role = "input" if declared.constant else uses.role
        if declared.name in self._said.outputs:
            return "inout" if role == "inout" else "output"
        if role == "output":
            self._guessed.append(declared.name)
        return role if not self._said.outputs else "input" if role == "input" else "inout"

    def _shape(self, name: str, axes: dict[str, str]) -> str:
        uses, found, why = self._body.uses(name), dict[str, None](), ""
        for index in uses.indices:
            try:
                extent = self._body.extent(index, axes)
            except Unclear as error:
                why = str(error)
                continue
            unknown = names_in(extent) - self._body.sizes - set(axes.values()) - set(self._said.sizes)
            if any(n.isidentifier() for n in unknown):
                why = f"its index needs {', '.join(sorted(unknown))}"
                continue
            found[text(extent)] = None
        if found and not why and not uses.bare:
            return next(iter(found)) if len(found) == 1 else f"max({', '.join(found)})"
        why = why or ("it is used without an index" if uses.bare else "it is not used")
        keyword = f"arguments={{{name!r}: 'float32[{', '.join(sorted(self._body.sizes)) or 'n'}]'}}"
        self._gaps.append(Gap(keyword, f"The size of {name!r}", why))
        return "1"

    def _launch(
        self, axes: dict[str, str], own: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Any]]:
        """Grid and block, and the parameters that only the launch needs."""
        if self._said.grid and self._said.block:
            return tuple(map(str, self._said.grid)), tuple(map(str, self._said.block)), {}
        found = self._walked(axes)
        if not found:
            keyword = "grid=('cdiv(n, 256)',) and block=('256',), or problem_size=(n,)"
            self._gaps.append(Gap(keyword, "How many threads are started", "no thread index is bounded by a size"))
            return ("1",), ("1",), {}
        count, more, grid, block = len(found), dict[str, Any](), [], []
        for axis in AXES[: max(AXES.index(a) for a in found) + 1]:
            extent, items = found.get(axis, ("1", ""))
            size = f"block_size_{axis}"
            if items and size not in own and size not in items.split(" * "):
                size = items
            elif size not in own:
                values = BLOCK[count].get(axis, (1, 2, 4))
                more[size] = {"values": list(values), "default": FIRST[count].get(axis, 1)}
            block.append(size)
            grid.append(f"cdiv({extent}, {items or size})")
        shown = f"grid {' x '.join(grid)} of blocks {' x '.join(block)}"
        self._notes.append(f"started as {shown}")
        given = tuple(map(str, self._said.grid)), tuple(map(str, self._said.block))
        return given[0] or tuple(grid), given[1] or tuple(block), {} if given[1] else more

    def _walked(self, axes: dict[str, str]) -> dict[str, tuple[str, str]]:
        """For each axis that the kernel runs along: its extent, and how many of it one block does."""
        found: dict[str, tuple[str, str]] = {}
        for variable, node in self._body.definitions.items():
            axis = self._body.axis(variable)
            if not axis or axis in found:
                continue
            try:
                items = self._items(node, axis)
                extent = axes.get(axis) or text(self._body.limit(variable, axes))
            except Unclear:
                continue
            found[axis] = extent, items
        return found

    def _items(self, node: Any, axis: str) -> str:
        """What one block moves along: the factor of the block's number. Raises Unclear."""
        whole = exact(node, self._body.definitions)
        place = "xyz".index(axis)
        block, everywhere = {f"blockIdx_{axis}", f"get_group_id_{place}"}, f"get_global_id_{place}"
        found = {}
        for term, factor in whole.items():
            if block & set(term) or everywhere in term:
                rest = [n for n in term if n not in block and n != everywhere]
                rest += [f"block_size_{axis}"] if everywhere in term else []
                found[tuple(sorted(map(self._renamed, rest)))] = factor
        return text(found) if found else ""

    def _renamed(self, name: str) -> str:
        for place, axis in enumerate(AXES):
            if name in (f"blockDim_{axis}", f"get_local_size_{place}"):
                return f"block_size_{axis}"
        macros = self._body.macros
        return str(macros[name]) if name in macros and name not in self._body.tuned else name
