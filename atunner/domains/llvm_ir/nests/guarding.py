"""What must hold at run time for the sets to describe the program: subscripts inside their extents, arrays apart."""

from collections.abc import Mapping

import islpy as isl

from atunner.domains.llvm_ir.nests.generating import expression_text
from atunner.domains.llvm_ir.nests.kernels import rows_of
from atunner.domains.llvm_ir.nests.nest import Array
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra, subscript


def within(polyhedra: Polyhedra) -> isl.Set:
    """Parameter values for which every subscript but the first stays inside its extent, so that rows do not overlap."""
    good = isl.Set(f"{polyhedra.prefix}{{ : }}")
    extents = [extent for array in polyhedra.nest.arrays for extent in array.dims[1:]]
    for extent in extents:
        if extent is not None and extent.terms:
            good = good.intersect(isl.Set(f"{polyhedra.prefix}{{ : {extent.text(polyhedra.parameters)} >= 1 }}"))
    for reference in polyhedra.references:
        array = polyhedra.nest.array(reference.access.array)
        if array.folded:
            continue
        spelled = polyhedra.spelled(reference.statement)
        point = polyhedra.point(reference.statement)
        for place, (sub, extent) in enumerate(zip(reference.access.subscripts, array.dims, strict=True)):
            if extent is None or place == 0:
                continue
            text = subscript(sub).text(spelled)
            outside = polyhedra.points(f"{point} : {text} < 0 or {text} >= {extent.text(spelled)}")
            bad = polyhedra.domains[reference.statement.name].intersect(outside).params()
            good = good.subtract(bad)
    return good.coalesce()


def condition(good: isl.Set, names: Mapping[str, str]) -> str:
    """The parameter test as C."""
    build = isl.AstBuild.from_context(isl.Set.universe(good.get_space()))
    return expression_text(build.expr_from_set(good), names)


def apart(polyhedra: Polyhedra, names: Mapping[str, str], spelled: Mapping[str, str]) -> list[str]:
    """C tests that no array that is written overlaps another one; arrays that are surely distinct need none."""
    nest = polyhedra.nest
    tests = []
    for place, first in enumerate(nest.arrays):
        for second in nest.arrays[place + 1 :]:
            touched = {first.key, second.key} & nest.written
            private = first.private or second.private
            if touched and first.dims and second.dims and not (first.distinct and second.distinct) and not private:
                low, high = _range(polyhedra, first, names, spelled), _range(polyhedra, second, names, spelled)
                tests.append(f"({low[1]} <= {high[0]} || {high[1]} <= {low[0]})")
    return tests


def _range(polyhedra: Polyhedra, array: Array, names: Mapping[str, str], spelled: Mapping[str, str]) -> tuple[str, str]:
    """First byte and the byte behind the last one that the nest uses, as C."""
    name = spelled[array.key]
    if len(array.dims) > 1:
        name = f"(({rows_of(array, '(*)', spelled)}){name})"
    used = None
    for reference in polyhedra.references:
        if reference.access.array == array.key:
            part = polyhedra.touched(reference).range()
            used = part if used is None else used.union(part)
    assert used is not None
    build = isl.AstBuild.from_context(isl.Set(f"{polyhedra.prefix}{{ : }}"))
    zero = isl.PwAff(f"{polyhedra.prefix}{{ [(0)] }}")
    low, high = used.dim_min(0), used.dim_max(0).add_constant_val(isl.Val(1))
    texts = [
        expression_text(
            build.expr_from_pw_aff(bound.union_max(zero.intersect_params(used.params().complement()))), names
        )
        for bound in (low, high)
    ]
    return f"(char *)({name} + {texts[0]})", f"(char *)({name} + {texts[1]})"
