"""Layer normalisation along the last axis: y = (x - mean) / sqrt(variance + eps) * gamma + beta.

Dimensions: rows, cols, and eps_pico, which is eps in units of 1e-12.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import numpy as np

from atunner.core.errors import UserError
from atunner.core.facts import Epilogue, OperatorFacts, Setting
from atunner.core.program import Buffer, Launch, Problem, Workspace
from atunner.operators import Arrays, KernelFamily, KernelSet, rows
from atunner.operators.shapes import bytes_of, checked_settings

ARGS = ("x", "gamma", "beta", "y")
PICO = 10**12
DEFAULT_EPS = "1e-5"


def _cuda() -> KernelSet:
    source = "layer_norm.cu"
    partial = Workspace(name="partial", elements="rows * SPLITS * 3")
    per_row = Launch(kernel="layer_norm", grid=("rows",), block=("THREADS",), args=ARGS)
    warp = Launch(kernel="layer_norm", grid=("cdiv(rows, ROWS)",), block=("LANES", "ROWS"), args=ARGS)
    block = per_row.model_copy(update={"shared_bytes": "16 * cdiv(cols, 4) if STAGE == 2 else 0"})
    split = tuple(
        Launch(kernel=kernel, grid=("rows * SPLITS",), block=("THREADS",), args=args)
        for kernel, args in (
            ("layer_norm_partial", ("x", "partial")),
            ("layer_norm_write", ("x", "gamma", "beta", "partial", "y")),
        )
    )
    return KernelSet(
        baseline=rows.baseline("layer_norm", "cuda", ARGS),
        families=(
            KernelFamily(
                "warp_per_row",
                "a group of lanes per row, several rows per block; shuffles only",
                "layer_norm_warp.cu",
                rows.cuda_program(source, warp),
                rows.warp_space,
                ("warp_shuffle", "vectorized_loads", "register_staging"),
            ),
            KernelFamily(
                "block_per_row",
                "a block per row, mean then variance; the row waits in registers or shared memory",
                "layer_norm_block.cu",
                rows.cuda_program(source, block),
                rows.block_space,
                ("shared_memory_staging", "vectorized_loads", "register_staging"),
            ),
            KernelFamily(
                "welford",
                "a block per row, mean and variance in one pass; any length",
                "layer_norm_welford.cu",
                rows.cuda_program(source, per_row),
                rows.stream_space,
                ("welford", "vectorized_loads", "loop_unrolling"),
            ),
            KernelFamily(
                "split_rows",
                "several blocks per row, merged by a second launch; for few long rows",
                "layer_norm_split.cu",
                rows.cuda_program(source, *split, workspaces=(partial,)),
                rows.split_space,
                ("split_reduction", "welford", "vectorized_loads"),
            ),
        ),
    )


def _c() -> KernelSet:
    partial = Workspace(name="partial", elements="rows * SPLITS * 3")
    plain = rows.c_program("layer_norm", ARGS)
    split = rows.c_program("layer_norm", ("x", "gamma", "beta", "partial", "y"), (partial,))
    return KernelSet(
        baseline=rows.baseline("layer_norm", "c", ARGS),
        families=(
            KernelFamily(
                "vector",
                "three passes in vectors",
                "layer_norm_vector.c",
                plain,
                rows.vector_space,
                ("simd", "loop_unrolling"),
            ),
            KernelFamily(
                "welford",
                "one fused pass in cache blocks and one that writes",
                "layer_norm_welford.c",
                plain,
                rows.blocked_space,
                ("simd", "welford", "cache_blocking"),
            ),
            KernelFamily(
                "row_per_lane",
                "rows side by side in vector lanes, transposed in tiles; for short rows",
                "layer_norm_lanes.c",
                plain,
                rows.lanes_space,
                ("simd", "data_layout"),
            ),
            KernelFamily(
                "split_rows",
                "parts of each row shared among the threads; for few long rows",
                "layer_norm_split.c",
                split,
                rows.blocked_parts_space,
                ("simd", "split_reduction", "cache_blocking"),
            ),
        ),
    )


class LayerNorm:
    """Layer normalisation over rows, with weights gamma and beta; setting: eps."""

    name = "layer_norm"
    summary = "layer normalisation along the last axis, with gamma and beta"
    shape_help = f"any rank; normalised along the last axis; --set eps={DEFAULT_EPS}"
    default_shape: tuple[int, ...] = (4096, 1024)

    def __init__(self) -> None:
        self.kernels: Mapping[str, KernelSet] = {"cuda": _cuda(), "c": _c()}

    def problem(self, shape: tuple[int, ...], settings: Mapping[str, int | str], dtype: str) -> Problem:
        """Inputs `x` (of `shape`), `gamma`, `beta` (of one row) and output `y`.

        Raises:
            UserError: an illegal shape, setting or dtype, or an eps that is not a positive multiple of 1e-12.
        """
        checked_settings(self.name, {n: 1 for n in settings if n != "eps"}, {}, {})
        dims = rows.row_dims(self.name, shape, dtype) | {"eps_pico": _pico(settings.get("eps", DEFAULT_EPS))}
        buffers = (
            Buffer(name="x", dtype=dtype, shape=shape, role="input"),
            Buffer(name="gamma", dtype=dtype, shape=shape[-1:], role="input"),
            Buffer(name="beta", dtype=dtype, shape=shape[-1:], role="input"),
            Buffer(name="y", dtype=dtype, shape=shape, role="output"),
        )
        return rows.row_problem(self.name, dims, dtype, buffers)

    def facts(self, problem: Problem, given: frozenset[str]) -> OperatorFacts:
        """An element costs an addition, a difference and its squared sum, and a difference, two products and a sum."""
        cols, elements = problem.dims["cols"], problem.buffers[0].elements
        assumed = "eps" not in given
        eps = _text(problem.dims["eps_pico"])
        return OperatorFacts(
            operator=self.name,
            dtype=problem.dtype,
            settings=(Setting(name="eps", value=eps, assumed=assumed, how=f"--set eps={eps}" if assumed else ""),),
            tensors={b.name: b.shape for b in problem.buffers},
            flops=8.0 * elements,
            min_bytes=float(bytes_of(problem.buffers)),
            access=(
                f"x: {problem.dims['rows']} rows of {cols} contiguous values ({4 * cols} bytes); every value is needed "
                "for the mean, for the variance and for its own result",
                "gamma, beta: contiguous, the same for all rows, so they stay in cache",
                "y: written once, contiguous",
            ),
            reuse={"x": 3.0, "gamma": float(problem.dims["rows"]), "beta": float(problem.dims["rows"]), "y": 1.0},
            epilogues=_epilogues(problem),
            notes=(
                "the input is read once only if a row waits in registers or shared memory, twice when mean and "
                "variance share a pass, else three times",
            ),
        )

    def inputs(self, problem: Problem, seed: int, scale: float) -> Arrays:
        """Normal values, every third row far off zero; gamma and beta normal."""
        return rows.seeded_rows(problem, seed, scale)

    def reference(self, problem: Problem, inputs: Arrays) -> Arrays:
        """Layer normalisation in float64, with the biased variance."""
        x, gamma, beta = (inputs[n].astype(np.float64) for n in ARGS[:3])
        apart = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((apart**2).mean(axis=-1, keepdims=True) + problem.dims["eps_pico"] / PICO)
        return {"y": apart / spread * gamma + beta}

    def tolerance(self, problem: Problem, inputs: Arrays, reference: Arrays) -> Arrays:
        """Errors of the mean, of the variance about it, and of each element's own arithmetic."""
        x, gamma, beta = (inputs[n].astype(np.float64) for n in ARGS[:3])
        cols = problem.dims["cols"]
        mean = x.mean(axis=-1, keepdims=True)
        variance = x.var(axis=-1, keepdims=True)
        total = variance + problem.dims["eps_pico"] / PICO
        mean_error = rows.sum_error(x)[..., None] / cols + 4.0 * rows.UNIT * np.abs(mean)
        variance_error = mean_error**2 + variance * rows.UNIT * (8.0 + 6.0 * np.sqrt(cols))
        scaled = np.abs(gamma) / np.sqrt(total)
        apart = np.abs(x - mean) * (4.0 * rows.UNIT + variance_error / (2.0 * total)) + mean_error
        stored = 4.0 * rows.UNIT * (np.abs(reference["y"]) + np.abs(beta))
        return {"y": apart * scaled + stored + np.finfo(np.float32).tiny}

    def derived(self, problem: Problem) -> tuple[Problem, ...]:
        """Small problems: a single element, primes, ragged blocks, and a long row where rows are long."""
        settings = {"eps": _text(problem.dims["eps_pico"])}
        return tuple(self.problem(shape, settings, problem.dtype) for shape in rows.small_shapes(problem))


def _pico(value: int | str) -> int:
    try:
        scaled = Decimal(str(value)) * PICO
        whole = int(scaled) if scaled.is_finite() else 0
    except InvalidOperation as error:
        raise UserError(f"layer_norm: eps must be a number, got {value!r}; use --set eps={DEFAULT_EPS}.") from error
    if whole != scaled or not 1 <= whole <= PICO:
        raise UserError(f"layer_norm: eps must be a multiple of 1e-12 from 1e-12 to 1, got {value}; mend --set eps.")
    return whole


def _text(pico: int) -> str:
    return f"{Decimal(pico) / PICO:f}".rstrip("0") if pico % PICO else str(pico // PICO)


def _epilogues(problem: Problem) -> tuple[Epilogue, ...]:
    tensor = bytes_of(problem.buffers[:1])
    return (
        Epilogue(
            name="residual add before (x + residual)",
            route="prologue",
            saved_bytes=tensor,
            legality="pointwise on x: added as values are loaded; one tensor less to read, the sum is still stored for "
            "the next residual",
        ),
        Epilogue(
            name="bias add before (x + bias)",
            route="prologue",
            saved_bytes=2 * tensor,
            legality="pointwise on x, the bias is one row long and stays in cache",
        ),
        Epilogue(
            name="pointwise or cast after (f(y))",
            route="epilogue",
            saved_bytes=2 * tensor,
            legality="each result is final in a register before it is stored; no other value is needed",
        ),
        Epilogue(
            name="matmul after (y @ w)",
            route="neighbour",
            saved_bytes=2 * tensor,
            legality="legal when a row's mean and variance are known before its products are scaled",
            blocker="needs a kernel that tiles both operators together",
        ),
    )


OPERATOR = LayerNorm()
