"""Sum along the last axis: y[...] = sum of x[..., i] over i; the result has one axis less."""

from collections.abc import Mapping

import numpy as np

from atunner.core.facts import Epilogue, OperatorFacts
from atunner.core.program import Buffer, Launch, Problem, Workspace
from atunner.core.space import Space
from atunner.operators import Arrays, KernelFamily, KernelSet, rows
from atunner.operators.shapes import bytes_of, checked_settings
from atunner.operators.tiles import parameter, tile

ARGS = ("x", "y")


def _warp_space(problem: Problem) -> Space:
    cols = problem.dims["cols"]
    return Space(
        parameters=(
            tile("LANES", (1, 2, 4, 8, 16, 32), cols),
            parameter("ROWS", 1, 2, 4, 8, 16, 32, 64, 128),
            parameter("VEC", *rows.packs(cols)),
            parameter("UNROLL", 1, 2, 4, 8),
        ),
        constraints=(
            "LANES * ROWS % 32 == 0 and LANES * ROWS <= 512",
            f"UNROLL == 1 or LANES * VEC * UNROLL < {cols} * 2",
            "VEC * UNROLL <= 16",
        ),
    )


def _tile_space(problem: Problem) -> Space:
    return Space(
        parameters=(
            parameter("ROWS", 32, 64, 128, 256, 512),
            tile("TILE", (1, 2, 4, 8, 16, 24, 32, 48, 64), problem.dims["cols"]),
        ),
        constraints=(f"4 * ROWS * (TILE + 1) <= {rows.SHARED_BYTES}",),
    )


def _cuda() -> KernelSet:
    source = "reduce_sum.cu"
    partial = Workspace(name="partial", elements="rows * SPLITS")
    warp = Launch(kernel="reduce_sum", grid=("cdiv(rows, ROWS)",), block=("LANES", "ROWS"), args=ARGS)
    block = Launch(kernel="reduce_sum", grid=("rows",), block=("THREADS",), args=ARGS)
    tiled = Launch(kernel="reduce_sum", grid=("cdiv(rows, ROWS)",), block=("ROWS",), args=ARGS)
    split = (
        Launch(kernel="reduce_sum_partial", grid=("rows * SPLITS",), block=("THREADS",), args=("x", "partial")),
        Launch(kernel="reduce_sum_finish", grid=("rows",), block=("32",), args=("partial", "y")),
    )
    atomic = (
        Launch(kernel="reduce_sum_clear", grid=("cdiv(rows, 128)",), block=("128",), args=("y",)),
        Launch(kernel="reduce_sum_add", grid=("rows * SPLITS",), block=("THREADS",), args=ARGS),
    )
    return KernelSet(
        baseline=rows.baseline("reduce_sum", "cuda", ARGS),
        families=(
            KernelFamily(
                "warp_per_row",
                "a group of lanes per row, several rows per block; shuffles only",
                "reduce_sum_warp.cu",
                rows.cuda_program(source, warp),
                _warp_space,
                ("warp_shuffle", "vectorized_loads", "loop_unrolling"),
            ),
            KernelFamily(
                "block_per_row",
                "a block per row; shuffles, then shared memory",
                "reduce_sum_block.cu",
                rows.cuda_program(source, block),
                rows.stream_space,
                ("block_reduction", "vectorized_loads", "loop_unrolling"),
            ),
            KernelFamily(
                "tile_per_block",
                "a thread per row over tiles staged in shared memory; for short rows",
                "reduce_sum_tile.cu",
                rows.cuda_program(source, tiled),
                _tile_space,
                ("shared_memory_staging", "coalescing", "bank_conflict_padding"),
            ),
            KernelFamily(
                "split_rows",
                "several blocks per row, added up by a second launch in fixed order; for few long rows",
                "reduce_sum_split.cu",
                rows.cuda_program(source, *split, workspaces=(partial,)),
                rows.split_space,
                ("split_reduction", "vectorized_loads", "loop_unrolling"),
            ),
            KernelFamily(
                "atomic",
                "several blocks per row, added up atomically; last bits may differ between runs",
                "reduce_sum_atomic.cu",
                rows.cuda_program(source, *atomic, deterministic=False),
                rows.split_space,
                ("atomics", "vectorized_loads", "loop_unrolling"),
            ),
        ),
    )


def _c() -> KernelSet:
    partial = Workspace(name="partial", elements="rows * SPLITS")
    plain = rows.c_program("reduce_sum", ARGS)
    return KernelSet(
        baseline=rows.baseline("reduce_sum", "c", ARGS),
        families=(
            KernelFamily(
                "vector",
                "vectors with independent running sums",
                "reduce_sum_vector.c",
                plain,
                rows.vector_space,
                ("simd", "loop_unrolling"),
            ),
            KernelFamily(
                "row_per_lane",
                "rows side by side in vector lanes, transposed in tiles; for short rows",
                "reduce_sum_lanes.c",
                plain,
                rows.lanes_space,
                ("simd", "data_layout"),
            ),
            KernelFamily(
                "split_rows",
                "parts of each row shared among the threads; for few long rows",
                "reduce_sum_split.c",
                rows.c_program("reduce_sum", ("x", "partial", "y"), (partial,)),
                rows.parts_space,
                ("simd", "split_reduction"),
            ),
        ),
    )


class ReduceSum:
    """The sum of each row; no settings."""

    name = "reduce_sum"
    summary = "sum along the last axis"
    shape_help = "any rank; summed along the last axis, which the result lacks"
    default_shape: tuple[int, ...] = (4096, 4096)

    def __init__(self) -> None:
        self.kernels: Mapping[str, KernelSet] = {"cuda": _cuda(), "c": _c()}

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """Input `x` of `shape`, output `y` without the last axis. Raises UserError on an illegal request."""
        checked_settings(self.name, settings, {}, {})
        dims = rows.row_dims(self.name, shape, dtype)
        buffers = (
            Buffer(name="x", dtype=dtype, shape=shape, role="input"),
            Buffer(name="y", dtype=dtype, shape=shape[:-1], role="output"),
        )
        return rows.row_problem(self.name, dims, dtype, buffers)

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """One addition per element; every element is read once and used once."""
        count, cols = problem.dims["rows"], problem.dims["cols"]
        return OperatorFacts(
            operator=self.name,
            dtype=problem.dtype,
            settings=(),
            tensors={b.name: b.shape for b in problem.buffers},
            flops=float(max(1, count * (cols - 1))),
            min_bytes=float(bytes_of(problem.buffers)),
            access=(
                f"x: {count} rows of {cols} contiguous values ({4 * cols} bytes), each value read once",
                f"y: one value per row, {4 * count} bytes in all",
            ),
            reuse={"x": 1.0, "y": 1.0},
            epilogues=_epilogues(problem),
            notes=("at most one addition per four bytes read: memory bandwidth is the limit on every device",),
        )

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        """Normal values, every third row far off zero."""
        return rows.seeded_rows(problem, seed, scale)

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """The sums in float64."""
        return {"y": np.asarray(inputs["x"].astype(np.float64).sum(axis=-1), dtype=np.float64)}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """The credible error of a float32 sum of this length and these magnitudes."""
        return {"y": rows.sum_error(inputs["x"].astype(np.float64)) + np.finfo(np.float32).tiny}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """Small problems: a single element, primes, ragged blocks, and a long row where rows are long."""
        return tuple(self.problem(shape, {}, problem.dtype) for shape in rows.small_shapes(problem))


def _epilogues(problem: Problem) -> tuple[Epilogue, ...]:
    x, y = bytes_of(problem.buffers[:1]), bytes_of(problem.buffers[1:])
    return (
        Epilogue(
            name="pointwise before (f(x))",
            route="prologue",
            saved_bytes=2 * x,
            legality="pointwise on x: applied as each value is loaded, and f(x) is never stored",
        ),
        Epilogue(
            name="product before (x * z)",
            route="prologue",
            saved_bytes=2 * x,
            legality="pointwise on two tensors: becomes a dot product per row, x * z is never stored",
        ),
        Epilogue(
            name="scale, bias or cast after (f(y))",
            route="epilogue",
            saved_bytes=2 * y,
            legality="the thread that holds the finished sum applies it before the store; not in an atomic kernel, "
            "where no thread knows that the sum is complete",
        ),
        Epilogue(
            name="second statistic (sum of squares) beside it",
            route="neighbour",
            saved_bytes=x,
            legality="another reduction over the same rows shares the one read of x",
        ),
    )


OPERATOR = ReduceSum()
