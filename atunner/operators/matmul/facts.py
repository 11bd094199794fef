"""What a matrix product costs, how it walks its tensors, and what could be fused with it: all computed."""

from atunner.core.facts import Epilogue, OperatorFacts
from atunner.core.program import Problem
from atunner.operators.shapes import bytes_of

FLOAT = 4
WARP_COLUMNS = 32


def facts_of(problem: Problem) -> OperatorFacts:
    """FLOPs, minimal bytes, access, reuse and fusion candidates of one problem."""
    d = problem.dims
    products = d["m"] * d["n"] * d["k"]
    return OperatorFacts(
        operator=problem.operator,
        dtype=problem.dtype,
        settings=(),
        tensors={b.name: b.shape for b in problem.buffers},
        flops=2.0 * products,
        min_bytes=float(bytes_of(problem.buffers)),
        access=_access(d),
        reuse={b.name: products / b.elements for b in problem.buffers},
        epilogues=_epilogues(d),
        notes=_notes(d),
    )


def _access(d: dict[str, int]) -> tuple[str, ...]:
    lines = -(-min(WARP_COLUMNS, d["n"]) * FLOAT // WARP_COLUMNS)
    return (
        f"a: rows of {d['k']} contiguous values; a whole row is needed by each of the {d['n']} results of a row of c",
        f"b: walked down columns, {d['n'] * FLOAT} bytes from one k to the next; neighbouring columns are contiguous, "
        f"{min(WARP_COLUMNS, d['n'])} of them are {lines} sectors of 32 bytes",
        f"c: written once, rows of {d['n']} contiguous values; each sums {d['k']} products",
    )


def _notes(d: dict[str, int]) -> tuple[str, ...]:
    notes = []
    if d["m"] == 1 or d["n"] == 1:
        notes.append("a matrix-vector product: the matrix is read once and never reused, so bandwidth limits it")
    if d["k"] >= 8 * max(d["m"], d["n"]):
        notes.append("k is long against m and n: splitting the sum gives more parallel work than the tiles of c")
    odd = [name for name in ("n", "k") if d[name] % 4]
    if odd:
        notes.append(f"{' and '.join(odd)} no multiple of 4: rows are not aligned for 16-byte loads")
    return tuple(notes)


def _epilogues(d: dict[str, int]) -> tuple[Epilogue, ...]:
    result = d["m"] * d["n"] * FLOAT
    pointwise = "element by element on the result, which is still in registers"
    return (
        Epilogue(name="bias", route="epilogue", saved_bytes=2 * result, legality=f"one value a column, {pointwise}"),
        Epilogue(name="relu", route="epilogue", saved_bytes=2 * result, legality=pointwise),
        Epilogue(name="gelu", route="epilogue", saved_bytes=2 * result, legality=pointwise),
        Epilogue(
            name="residual_add",
            route="epilogue",
            saved_bytes=2 * result,
            legality=f"{pointwise}; the other operand has the shape of c and is read once either way",
        ),
        Epilogue(
            name="scale_inputs",
            route="prologue",
            saved_bytes=2 * d["m"] * d["k"] * FLOAT,
            legality="a factor on a (row or scalar) commutes with the sum or is applied at the load",
        ),
        _row_reduction(d, result),
    )


def _row_reduction(d: dict[str, int], result: int) -> Epilogue:
    """A following softmax or layer norm needs whole rows of c in one block: 16 rows, in 48 KiB of shared memory."""
    needed = 16 * d["n"] * FLOAT
    return Epilogue(
        name="row_reduction",
        route="neighbour",
        saved_bytes=2 * result,
        legality=f"softmax or layer norm over n needs whole rows: 16 of them take {needed} bytes of shared memory",
        blocker="" if needed <= 48 * 1024 else f"{needed} bytes exceed the 49152 of a block",
    )
