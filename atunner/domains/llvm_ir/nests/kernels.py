"""Innermost blocks as functions of their own: the compiler gives their accumulators the registers that it likes best.

Inside a large function the sums of a block end up in registers with longer encodings, which costs up to a fifth of the
speed where sixteen registers would do.
"""

import re
from collections.abc import Mapping, Sequence

from atunner.domains.llvm_ir.nests.nest import Array, Nest

_WORD = re.compile(r"[A-Za-z_]\w*")
_COUNTER = re.compile(r"at_t\d+")
_SET = re.compile(r"const long (at_t\d+) =|for \(long (at_t\d+) =")


class Kernels:
    """The functions split off from one nest.

    names: key -> C name of what the nest takes from outside. pragma: how their sums may be taken, "" for as written.
    """

    def __init__(self, prefix: str, nest: Nest, names: Mapping[str, str], pragma: str = "") -> None:
        self._prefix, self._nest, self._names, self._pragma = prefix, nest, names, pragma
        self._made: dict[str, str] = {}

    @property
    def functions(self) -> tuple[str, ...]:
        """Their text."""
        return tuple(self._made.values())

    def call(self, lines: Sequence[str], registers: Mapping[str, str], panels: Mapping[str, str]) -> str | None:
        """A call in place of some lines; None where they set what others need.

        registers: accumulators, with their types. panels: arrays by name, as they are declared.
        """
        text = "\n".join(lines)
        words = set(_WORD.findall(text))
        if any(self._names[a.key] in words for a in self._nest.arrays if not a.dims or a.folded):
            return None
        set_here = {word for found in _SET.findall(text) for word in found if word}
        counters = sorted({word for word in words if _COUNTER.fullmatch(word)} - set_here)
        outer = (*self._nest.parameters, *self._nest.scalars)
        given = [(f"{item.type} {self._names[item.key]}", self._names[item.key]) for item in outer]
        given += [(f"long {word}", word) for word in counters]
        arrays = [array for array in self._nest.arrays if array.dims]
        given += [(declared(array, self._names), self._names[array.key]) for array in arrays]
        given += [(f"const {kind.partition(' ')[0]} *restrict {word}", word) for word, kind in panels.items()]
        sizes = {self._names[key] for array in arrays for extent in array.dims if extent for key in extent.terms}
        given = [(kind, word) for kind, word in given if word in words | sizes]
        inside = [f"  {kind} {word};" for word, kind in registers.items() if word in words]
        key = "\n".join([*(kind for kind, _ in given), *inside, text])
        name = f"{self._prefix}_{len(self._made)}"
        if key not in self._made:
            head = f"static __attribute__((noinline)) void {name}({', '.join(kind for kind, _ in given)}) {{"
            self._made[key] = "\n".join([head, self._pragma, *inside, *lines, "}"])
        else:
            name = f"{self._prefix}_{list(self._made).index(key)}"
        return f"{name}({', '.join(word for _, word in given)});"


def declared(array: Array, names: Mapping[str, str]) -> str:
    """An array as a parameter of a function."""
    word = names[array.key]
    return f"{array.element} *restrict {word}" if len(array.dims) == 1 else rows_of(array, f"(*restrict {word})", names)


def rows_of(array: Array, middle: str, names: Mapping[str, str]) -> str:
    """The type of a pointer to its rows, round what is declared."""
    extents = [extent.text(names) for extent in array.dims[1:] if extent]
    return f"{array.element} {middle}" + "".join(f"[{extent}]" for extent in extents)
