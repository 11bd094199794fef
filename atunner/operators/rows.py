"""What operators along the last axis share: the problem as rows by columns, tunables, seeded rows and tolerances."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from atunner.core.errors import UserError
from atunner.core.program import Buffer, Launch, Problem, Program, Workspace
from atunner.core.space import Parameter, Space
from atunner.operators import Arrays, KernelFamily
from atunner.operators.shapes import checked_dtype, checked_shape, checked_sizes, seeded_inputs
from atunner.operators.tiles import parameter, tile

MAX_COLS = 2**30
"""Kernels step through a row with 32-bit integers, up to one step beyond its end."""
SHARED_BYTES = 48 * 1024
"""Shared memory of a block without opt-in, on every NVIDIA device since Fermi (CUDA C++ Programming Guide)."""
WARP_ITEMS = 64
BLOCK_ITEMS = 32
"""Elements of a row that one thread keeps in registers at most; more would spill (255 registers a thread)."""
UNIT = 2.0**-24
"""Unit roundoff of float32."""

Floats = NDArray[np.float64]


def row_dims(operator: str, shape: Sequence[int], dtype: str) -> dict[str, int]:
    """Rows and columns of a shape of any rank, the last axis being the columns.

    Raises:
        UserError: an empty shape, an extent below 1, a row that is too long, or an unknown dtype.
    """
    checked_dtype(operator, dtype)
    if not shape:
        raise UserError(f"{operator} takes --input-shape of rank 1 or more, got none; the last axis is the row.")
    checked_shape(operator, shape, tuple(f"axis {i}" for i in range(len(shape))))
    if shape[-1] > MAX_COLS:
        raise UserError(f"{operator}: rows may have at most {MAX_COLS} elements, got {shape[-1]}; use a smaller shape.")
    rows = 1
    for extent in shape[:-1]:
        rows *= extent
    return {"rows": rows, "cols": shape[-1]}


def row_problem(operator: str, dims: Mapping[str, int], dtype: str, buffers: Sequence[Buffer]) -> Problem:
    """The problem. Raises UserError when a tensor is too large to index."""
    return Problem(operator=operator, dims=dict(dims), dtype=dtype, buffers=checked_sizes(operator, buffers))


def small_shapes(problem: Problem) -> tuple[tuple[int, int], ...]:
    """Rows by columns for verification: a single element, primes, and lengths with the problem's own divisibility.

    At most 16,384 elements each; long rows stay long (4,099 and 8,192 columns), so that every thread takes several
    elements, and rows end within a block.
    """
    rows, cols = problem.dims["rows"], problem.dims["cols"]
    grain = next(g for g in (8, 4, 2, 1) if cols % g == 0)
    likeness = min(cols, 1999) // grain * grain or cols
    shapes = [(1, 1), (min(rows, 5) + 2, 37), (3, likeness), (13, 8 * grain)]
    if cols > 1999:
        shapes.append((2, 4099) if grain == 1 else (2, 8192))
    return tuple(dict.fromkeys(shapes))


def nothing(_: Problem) -> Space:
    """The space of a baseline: one point."""
    return Space()


def cuda_program(
    source: str, *launches: Launch, workspaces: tuple[Workspace, ...] = (), deterministic: bool = True
) -> Program:
    """A CUDA program of these launches."""
    return Program(
        language="cuda", source=source, launches=launches, workspaces=workspaces, deterministic=deterministic
    )


def c_program(kernel: str, args: tuple[str, ...], workspaces: tuple[Workspace, ...] = ()) -> Program:
    """A C program: one call of `kernel`."""
    return Program(
        language="c", source=f"{kernel}.c", launches=(Launch(kernel=kernel, args=args),), workspaces=workspaces
    )


def baseline(operator: str, language: str, args: tuple[str, ...]) -> KernelFamily:
    """The naive family: one thread per row in CUDA, scalar loops in C."""
    if language == "cuda":
        launch = Launch(kernel=operator, grid=("cdiv(rows, 128)",), block=("128",), args=args)
        program, how = cuda_program(f"{operator}.cu", launch), "one thread per row"
    else:
        program, how = c_program(operator, args), "scalar loops, rows in parallel"
    suffix = "cu" if language == "cuda" else "c"
    return KernelFamily("naive", how, f"{operator}_naive.{suffix}", program, nothing)


def packs(cols: int) -> tuple[int, ...]:
    """Elements per access for kernels that need every row aligned: those that divide the length."""
    return tuple(v for v in (1, 2, 4) if cols % v == 0)


def _block_threads(cols: int) -> Parameter:
    return tile("THREADS", (32, 64, 128, 256, 512, 1024), cols)


def warp_space(problem: Problem) -> Space:
    """LANES, ROWS, VEC and STAGE of a kernel with a group of lanes per row."""
    cols, rows = problem.dims["cols"], problem.dims["rows"]
    return Space(
        parameters=(
            tile("LANES", (1, 2, 4, 8, 16, 32), cols),
            tile("ROWS", (1, 2, 4, 8, 16, 32, 64, 128), max(rows, 32)),
            parameter("VEC", *packs(cols)),
            parameter("STAGE", 0, 1),
        ),
        constraints=(
            "LANES * ROWS % 32 == 0 and LANES * ROWS <= 512",
            f"STAGE == 0 or cdiv({cols}, LANES) <= {WARP_ITEMS}",
            f"LANES * VEC < {cols} * 2 or VEC == 1",
        ),
    )


def block_space(problem: Problem) -> Space:
    """THREADS, VEC and STAGE of a kernel with a block per row."""
    cols = problem.dims["cols"]
    stages = [0, 1] if cols <= 1024 * BLOCK_ITEMS else [0]
    stages += [2] if 4 * cols + 1024 <= SHARED_BYTES else []
    return Space(
        parameters=(_block_threads(cols), parameter("VEC", *packs(cols)), parameter("STAGE", *stages)),
        constraints=(f"STAGE != 1 or cdiv({cols}, THREADS) <= {BLOCK_ITEMS}",),
    )


def stream_space(problem: Problem) -> Space:
    """THREADS, VEC and UNROLL of a kernel that streams a row through one block."""
    cols = problem.dims["cols"]
    return Space(
        parameters=(
            _block_threads(cols),
            tile("VEC", (1, 2, 4), cols),
            parameter("UNROLL", 1, 2, 4, 8),
        ),
        constraints=(f"UNROLL == 1 or THREADS * VEC * UNROLL < {cols} * 2", "VEC * UNROLL <= 16"),
    )


def split_space(problem: Problem) -> Space:
    """THREADS, VEC, UNROLL and SPLITS of a kernel with several blocks per row."""
    cols = problem.dims["cols"]
    return Space(
        parameters=(
            tile("THREADS", (64, 128, 256, 512), cols),
            tile("VEC", (1, 2, 4), cols),
            parameter("UNROLL", 1, 4),
            tile("SPLITS", (2, 4, 8, 16, 32, 64, 128, 256, 512), max(2, cols // 256)),
        ),
        constraints=(f"UNROLL == 1 or THREADS * VEC * UNROLL * SPLITS < {cols} * 2",),
    )


def _vectors(cols: int) -> tuple[Parameter, Parameter]:
    return tile("LANES", (4, 8, 16), cols), tile("UNROLL", (1, 2, 4, 8), -(-cols // 4))


def vector_space(problem: Problem) -> Space:
    """LANES and UNROLL of C loops along a row."""
    return Space(parameters=_vectors(problem.dims["cols"]))


def blocked_space(problem: Problem) -> Space:
    """LANES, UNROLL and BLOCK of C loops that take a row block by block."""
    cols = problem.dims["cols"]
    return Space(parameters=(*_vectors(cols), tile("BLOCK", (64, 256, 1024, 4096, 16384), cols)))


def parts_space(problem: Problem) -> Space:
    """LANES, UNROLL and SPLITS of C loops over parts of a row."""
    cols = problem.dims["cols"]
    return Space(parameters=(*_vectors(cols), tile("SPLITS", (2, 4, 8, 16, 32, 64), max(2, cols // 64))))


def blocked_parts_space(problem: Problem) -> Space:
    """LANES, UNROLL, SPLITS and BLOCK of C loops over parts of a row, block by block."""
    blocks = tile("BLOCK", (256, 1024, 4096), problem.dims["cols"])
    return Space(parameters=(*parts_space(problem).parameters, blocks))


def lanes_space(problem: Problem) -> Space:
    """LANES and TILE of C loops with one row per lane."""
    rows, cols = problem.dims["rows"], problem.dims["cols"]
    return Space(parameters=(tile("LANES", (4, 8, 16), rows), tile("TILE", (8, 16, 32, 64, 128, 256, 512), cols)))


Spaces = Callable[[Problem], Space]


def seeded_rows(problem: Problem, seed: int, scale: float) -> Arrays:
    """Normal values of magnitude `scale`; every third row lies up to 64 scales off zero, which exposes cancellation.

    The offset is smaller in long rows: were one ulp of the sum above the spread of the values, a plain float32 loop
    would round every addition the same way.
    """
    drawn = seeded_inputs(problem, seed, scale)
    flat = drawn["x"].reshape(problem.dims["rows"], problem.dims["cols"]).view(np.float32)
    flat[1::3] += np.float32(min(64.0, 2**22 / problem.dims["cols"]) * scale)
    return drawn


def sum_error(values: Floats) -> Floats:
    """Largest credible float32 error of the sum over the last axis, in any order of addition.

    Each addition errs by at most one unit roundoff of its partial sum. For partial sums of k terms in random order,
    which grow as k |mean| + sqrt(k) deviation, independent errors add up to u sqrt(n^3 mean^2 / 3 + n^2 var / 2)
    (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2); six times that is allowed.
    """
    n = values.shape[-1]
    mean = values.mean(axis=-1)
    grown = np.sqrt(n**3 * mean**2 / 3.0 + n**2 * values.var(axis=-1) / 2.0)
    return np.asarray(6.0 * UNIT * grown + 2.0 * UNIT * np.abs(mean) * n, dtype=np.float64)
