"""Softmax along the last axis: y = exp(x - max) / sum(exp(x - max))."""

from collections.abc import Mapping

import numpy as np

from atunner.core.facts import Epilogue, OperatorFacts
from atunner.core.program import Buffer, Launch, Problem, Workspace
from atunner.operators import Arrays, KernelFamily, KernelSet, rows
from atunner.operators.shapes import bytes_of, checked_settings, seeded_inputs

ARGS = ("x", "y")
LOW = -1.0e4
"""A masked score as attention kernels write it: far below all others, and its exponential is 0."""


def _cuda() -> KernelSet:
    source = "softmax.cu"
    partial = Workspace(name="partial", elements="rows * SPLITS * 2")
    per_row = Launch(kernel="softmax", grid=("rows",), block=("THREADS",), args=ARGS)
    warp = Launch(kernel="softmax", grid=("cdiv(rows, ROWS)",), block=("LANES", "ROWS"), args=ARGS)
    block = per_row.model_copy(update={"shared_bytes": "16 * cdiv(cols, 4) if STAGE == 2 else 0"})
    split = (
        Launch(kernel="softmax_partial", grid=("rows * SPLITS",), block=("THREADS",), args=("x", "partial")),
        Launch(kernel="softmax_write", grid=("rows * SPLITS",), block=("THREADS",), args=("x", "partial", "y")),
    )
    return KernelSet(
        baseline=rows.baseline("softmax", "cuda", ARGS),
        families=(
            KernelFamily(
                "warp_per_row",
                "a group of lanes per row, several rows per block; shuffles only",
                "softmax_warp.cu",
                rows.cuda_program(source, warp),
                rows.warp_space,
                ("warp_shuffle", "vectorized_loads", "register_staging"),
            ),
            KernelFamily(
                "block_per_row",
                "a block per row, maximum then sum; the row waits in registers or shared memory",
                "softmax_block.cu",
                rows.cuda_program(source, block),
                rows.block_space,
                ("shared_memory_staging", "vectorized_loads", "register_staging"),
            ),
            KernelFamily(
                "online",
                "a block per row, maximum and sum in one pass; any length",
                "softmax_online.cu",
                rows.cuda_program(source, per_row),
                rows.stream_space,
                ("online_softmax", "vectorized_loads", "loop_unrolling"),
            ),
            KernelFamily(
                "split_rows",
                "several blocks per row, merged by a second launch; for few long rows",
                "softmax_split.cu",
                rows.cuda_program(source, *split, workspaces=(partial,)),
                rows.split_space,
                ("split_reduction", "online_softmax", "vectorized_loads"),
            ),
        ),
    )


def _c() -> KernelSet:
    partial = Workspace(name="partial", elements="rows * SPLITS * 2")
    plain = rows.c_program("softmax", ARGS)
    return KernelSet(
        baseline=rows.baseline("softmax", "c", ARGS),
        families=(
            KernelFamily(
                "vector",
                "three passes in vectors with a polynomial exponential",
                "softmax_vector.c",
                plain,
                rows.vector_space,
                ("simd", "polynomial_exponential", "loop_unrolling"),
            ),
            KernelFamily(
                "online",
                "one fused pass in cache blocks and one that writes",
                "softmax_online.c",
                plain,
                rows.blocked_space,
                ("simd", "online_softmax", "cache_blocking"),
            ),
            KernelFamily(
                "row_per_lane",
                "rows side by side in vector lanes, transposed in tiles; for short rows",
                "softmax_lanes.c",
                plain,
                rows.lanes_space,
                ("simd", "data_layout"),
            ),
            KernelFamily(
                "split_rows",
                "parts of each row shared among the threads; for few long rows",
                "softmax_split.c",
                rows.c_program("softmax", ("x", "partial", "y"), (partial,)),
                rows.blocked_parts_space,
                ("simd", "split_reduction", "cache_blocking"),
            ),
        ),
    )


class Softmax:
    """Softmax over rows; no settings."""

    name = "softmax"
    summary = "softmax along the last axis"
    shape_help = "any rank; softmax along the last axis"
    default_shape: tuple[int, ...] = (4096, 1024)

    def __init__(self) -> None:
        self.kernels: Mapping[str, KernelSet] = {"cuda": _cuda(), "c": _c()}

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """Input `x` and output `y` of `shape`. Raises UserError on an illegal shape, setting or dtype."""
        checked_settings(self.name, settings, {}, {})
        dims = rows.row_dims(self.name, shape, dtype)
        buffers = (
            Buffer(name="x", dtype=dtype, shape=shape, role="input"),
            Buffer(name="y", dtype=dtype, shape=shape, role="output"),
        )
        return rows.row_problem(self.name, dims, dtype, buffers)

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """An element costs a comparison, a subtraction, an exponential (counted as one), an addition and a product."""
        cols, elements = problem.dims["cols"], problem.buffers[0].elements
        return OperatorFacts(
            operator=self.name,
            dtype=problem.dtype,
            settings=(),
            tensors={b.name: b.shape for b in problem.buffers},
            flops=5.0 * elements,
            min_bytes=float(bytes_of(problem.buffers)),
            access=(
                f"x: {problem.dims['rows']} rows of {cols} contiguous values ({4 * cols} bytes); every value is needed "
                "for the maximum, for the sum and for its own result",
                "y: written once, contiguous",
            ),
            reuse={"x": 3.0, "y": 1.0},
            epilogues=_epilogues(problem),
            notes=(
                "the input is read once only if a row waits in registers or shared memory, twice online, else three "
                "times",
            ),
        )

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        """Normal values; in turn rows with a tied maximum, masked entries, and an offset of a thousand scales."""
        drawn = seeded_inputs(problem, seed, scale)
        flat = drawn["x"].reshape(problem.dims["rows"], problem.dims["cols"]).view(np.float32)
        flat[1::4, ::3] = flat[1::4].max(axis=1, keepdims=True)
        flat[2::4, 1::5] = LOW
        flat[3::4] += np.float32(1000.0 * scale)
        return drawn

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """Softmax in float64."""
        x = inputs["x"].astype(np.float64)
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return {"y": e / e.sum(axis=-1, keepdims=True)}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Errors of the exponential (which grow with its argument), of the sum, and what is below normal numbers."""
        x = inputs["x"].astype(np.float64)
        apart = x.max(axis=-1, keepdims=True) - x
        e = np.exp(-apart)
        total = e.sum(axis=-1)
        argument = (e * apart).sum(axis=-1) / total
        relative = rows.sum_error(e) / total + 2.0 * rows.UNIT * argument
        allowed = reference["y"] * (8.0 * rows.UNIT + 3.0 * rows.UNIT * apart + relative[..., None])
        return {"y": allowed + 2.0 * np.finfo(np.float32).tiny}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """Small problems: a single element, primes, ragged blocks, and a long row where rows are long."""
        return tuple(self.problem(shape, {}, problem.dtype) for shape in rows.small_shapes(problem))


def _epilogues(problem: Problem) -> tuple[Epilogue, ...]:
    tensor = bytes_of(problem.buffers[:1])
    return (
        Epilogue(
            name="scale before (x * factor)",
            route="prologue",
            saved_bytes=2 * tensor,
            legality="pointwise on x: applied as each value is loaded",
        ),
        Epilogue(
            name="mask before (x + mask)",
            route="prologue",
            saved_bytes=2 * tensor,
            legality="pointwise on x: the mask is read beside it; a row must keep one finite value",
        ),
        Epilogue(
            name="pointwise or cast after (f(y))",
            route="epilogue",
            saved_bytes=2 * tensor,
            legality="each result is final in a register before it is stored; no other value is needed",
        ),
        Epilogue(
            name="matmul after (y @ v)",
            route="neighbour",
            saved_bytes=2 * tensor,
            legality="legal only online: the product's partial sums are rescaled as the running maximum grows",
            blocker="needs a kernel that tiles both operators together",
        ),
    )


OPERATOR = Softmax()
