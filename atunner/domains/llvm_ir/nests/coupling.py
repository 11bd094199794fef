"""Statements that need each other's results inside their loops: one schedule for all, found by isl's scheduler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import islpy as isl
from pydantic import JsonValue, TypeAdapter

from atunner.domains.llvm_ir.nests.expressions import Affine
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra
from atunner.tools.bounded import Endless, answer

LIMIT_S = 3
"""Seconds of processor time for one schedule. isl's own limit does not reach into its integer programs."""


@dataclass(frozen=True)
class Coupled:
    """Rows of time for each statement of a group. band: how many of the first rows may be tiled and interchanged."""

    rows: Mapping[str, tuple[Affine, ...]]
    band: int


@lru_cache(maxsize=256)
def coupled(polyhedra: Polyhedra, statements: tuple[Statement, ...]) -> Coupled | None:
    """A schedule whose outermost rows can be tiled; None when there is none of at least two rows, or none in time.

    No size of a plan has a say in it, so that it is looked for once.
    """
    try:
        found = answer(lambda: _told(_schedule(polyhedra, statements)), LIMIT_S)
    except Endless:
        return None
    return _read(found)


def _told(found: Coupled | None) -> JsonValue:
    if found is None:
        return None
    rows = {name: [[dict(row.terms), row.constant] for row in rows] for name, rows in found.rows.items()}
    return {"rows": rows, "band": found.band}  # type: ignore[dict-item]  # nested JSON


def _read(told: JsonValue) -> Coupled | None:
    match told:
        case {"rows": dict(rows), "band": int(band)}:
            return Coupled({name: _forms(forms) for name, forms in rows.items()}, band)
    return None


def _forms(told: JsonValue) -> tuple[Affine, ...]:
    read = TypeAdapter(tuple[tuple[dict[str, int], int], ...]).validate_python(told)
    return tuple(Affine(terms, constant) for terms, constant in read)


def _schedule(polyhedra: Polyhedra, statements: Sequence[Statement]) -> Coupled | None:
    names = {statement.name for statement in statements}
    domain, links = isl.UnionSet("{ }"), isl.UnionMap("{ }")
    for statement in statements:
        domain = domain.union(isl.UnionSet.from_set(polyhedra.domains[statement.name]))
    for dependence in polyhedra.dependences:
        if {dependence.before.statement.name, dependence.after.statement.name} <= names:
            links = links.union(isl.UnionMap.from_map(dependence.pairs))
    wanted = isl.ScheduleConstraints.on_domain(domain).set_validity(links).set_proximity(links)
    schedule = wanted.compute_schedule()
    top = schedule.get_root().child(0)
    if isl.schedule_node_type(top.get_type()).name != "band" or top.band_n_member() < 2:
        return None
    flat = schedule.get_map()
    rows: dict[str, tuple[Affine, ...]] = {}
    for statement in statements:
        own = flat.intersect_domain(isl.UnionSet.from_set(polyhedra.domains[statement.name]))
        read = _rows(isl.Map.from_union_map(own))
        if read is None:
            return None
        rows[statement.name] = read
    return Coupled(rows, top.band_n_member() if top.band_get_permutable() else 1)


def _rows(times: isl.Map) -> tuple[Affine, ...] | None:
    pieces: list[isl.MultiAff] = []
    isl.PwMultiAff.from_map(times).foreach_piece(lambda _, form: pieces.append(form))
    if len(pieces) != 1:
        return None
    rows = []
    for place in range(times.dim(isl.dim_type.out)):
        row = _affine(pieces[0].get_aff(place))
        if row is None:
            return None
        rows.append(row)
    return tuple(rows)


def _affine(aff: isl.Aff) -> Affine | None:
    if aff.dim(isl.dim_type.div):
        return None
    terms: dict[str, int] = {}
    for kind, letter in ((isl.dim_type.in_, "i"), (isl.dim_type.param, "p")):
        for place in range(aff.dim(kind)):
            value = aff.get_coefficient_val(kind, place)
            if not value.is_int():
                return None
            if not value.is_zero():
                name = str(aff.get_dim_name(kind, place)) if letter == "p" else f"i{place}"
                terms[name] = int(value.to_python())
    constant = aff.get_constant_val()
    return Affine(terms, int(constant.to_python())) if constant.is_int() else None
