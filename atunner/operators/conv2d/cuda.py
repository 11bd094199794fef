"""CUDA families of conv2d and their spaces. Tile sizes are powers of two; the kernels rely on that."""

from atunner.core.program import Launch, Problem, Program, Workspace
from atunner.core.space import Space
from atunner.operators import KernelFamily, KernelSet
from atunner.operators.shapes import MAX_ELEMENTS
from atunner.operators.tiles import NOWHERE, largest, parameter, tile

ARGS = ("x", "weight", "y")
SHARED = 48 * 1024
REGISTERS = 65536
"""32-bit registers of one block at most, on every compute capability since 5.0 (CUDA C++ Programming Guide)."""


def _program(source: str, *launches: Launch, workspaces: tuple[Workspace, ...] = ()) -> Program:
    return Program(language="cuda", source=source, launches=launches, workspaces=workspaces)


def _channels(problem: Problem) -> tuple[int, int]:
    """Input and output channels of one group."""
    d = problem.dims
    return d["c"] // d["groups"], d["k"] // d["groups"]


def _no_parameters(_: Problem) -> Space:
    return Space()


def _direct_tile(problem: Problem) -> Space:
    d = problem.dims
    channels, outputs = _channels(problem)
    reach = (d["r"] - 1) * d["dilation"] + 1
    height = f"((BLOCK_Y * ROWS - 1) * {d['stride']} + {reach})"
    width = f"((BLOCK_X - 1) * {d['stride']} + {reach} + PAD)"
    weights = f"C_TILE * {d['r'] ** 2} * (K_TILE + 4)"
    across = tile("BLOCK_X", (8, 16, 32, 64), d["q"])
    down = tile("BLOCK_Y", (1, 2, 4, 8, 16), d["p"])
    return Space(
        parameters=(
            across,
            down,
            tile("ROWS", (1, 2, 4), d["p"]),
            tile("K_TILE", (1, 2, 4, 8, 16, 32, 64), outputs),
            tile("C_TILE", (1, 2, 4, 8), channels),
            parameter("PAD", 0, 1),
            parameter("UNROLL", 1, 2),
        ),
        constraints=(
            f"{min(32, largest(across) * largest(down))} <= BLOCK_X * BLOCK_Y <= 1024",
            f"4 * (C_TILE * {height} * {width} + {weights}) <= {SHARED}",
            f"BLOCK_X * BLOCK_Y * (ROWS * K_TILE + 40) <= {REGISTERS}",
            "ROWS * K_TILE <= 128",
            "UNROLL <= C_TILE",
        ),
    )


def _register_block(problem: Problem) -> Space:
    d = problem.dims
    channels, outputs = _channels(problem)
    reach = (d["r"] - 1) * d["dilation"] + 1
    window = f"((PIXELS - 1) * {d['stride']} + {reach})"
    # A window longer than the register file allows is not a window in registers.
    if reach > 64:
        return NOWHERE
    return Space(
        parameters=(
            parameter("THREADS", 64, 128, 256),
            tile("PIXELS", (1, 2, 4, 8), d["q"]),
            tile("CHANNELS", (1, 2, 4, 8, 16, 32), outputs),
            tile("C_TILE", (1, 2, 4, 8, 16), channels),
        ),
        constraints=(
            "PIXELS * CHANNELS <= 128",
            f"PIXELS * CHANNELS + {window} <= 168",
            f"4 * C_TILE * {d['r'] ** 2} * (CHANNELS + 4) <= {SHARED}",
        ),
    )


def _gemm_tiles(problem: Problem) -> Space:
    d = problem.dims
    channels, outputs = _channels(problem)
    return Space(
        parameters=(
            tile("TILE_K", (8, 16, 32, 64, 128), outputs),
            tile("TILE_P", (16, 32, 64, 128, 256), d["n"] * d["p"] * d["q"]),
            tile("TILE_D", (4, 8, 16, 32), channels * d["r"] ** 2),
            tile("THREAD_K", (1, 2, 4, 8), outputs),
            parameter("THREAD_P", 1, 2, 4, 8),
            parameter("PAD", 0, 4),
            parameter("UNROLL", 1, 4),
        ),
        constraints=(
            "min(64, TILE_K * TILE_P // 4) <= (TILE_K // THREAD_K) * (TILE_P // THREAD_P) <= 512",
            "THREAD_K <= TILE_K",
            "THREAD_P <= TILE_P",
            "TILE_D * max(TILE_K, TILE_P) * THREAD_K * THREAD_P <= 16 * TILE_K * TILE_P",
            "THREAD_K * THREAD_P >= 4",
        ),
    )


def _implicit_gemm(problem: Problem) -> Space:
    tiles = _gemm_tiles(problem)
    return Space(
        parameters=(*tiles.parameters, parameter("STAGES", 1, 2)),
        constraints=(*tiles.constraints, f"4 * STAGES * TILE_D * (TILE_K + PAD + TILE_P) <= {SHARED}"),
    )


def _split_depth(problem: Problem) -> Space:
    d = problem.dims
    depth = d["c"] // d["groups"] * d["r"] ** 2
    results = d["n"] * d["k"] * d["p"] * d["q"]
    splits = [s for s in (2, 4, 8, 16, 32) if 8 * s <= depth and s * results <= MAX_ELEMENTS]
    if not splits:
        return NOWHERE
    tiles = _gemm_tiles(problem)
    return Space(
        parameters=(*tiles.parameters, parameter("SPLITS", *splits)),
        constraints=(
            *tiles.constraints,
            f"8 * TILE_D * (TILE_K + PAD + TILE_P) <= {SHARED}",
            f"TILE_D * (SPLITS - 1) < {depth}",
        ),
    )


def _winograd(problem: Problem) -> Space:
    d = problem.dims
    tiles = d["n"] * ((d["p"] + 1) // 2) * ((d["q"] + 1) // 2)
    fits = 16 * max(d["c"] * tiles, d["k"] * tiles, d["c"] * d["k"]) <= MAX_ELEMENTS
    if (d["r"], d["stride"], d["dilation"], d["groups"]) != (3, 1, 1, 1) or not fits:
        return NOWHERE
    return Space(
        parameters=(
            tile("TILE_K", (16, 32, 64, 128), d["k"]),
            tile("TILE_T", (16, 32, 64, 128), tiles),
            tile("TILE_C", (4, 8, 16), d["c"]),
            parameter("THREAD_K", 2, 4, 8),
            parameter("THREAD_T", 2, 4, 8),
            parameter("BLOCK", 128, 256),
        ),
        constraints=(
            "64 <= (TILE_K // THREAD_K) * (TILE_T // THREAD_T) <= 512",
            "TILE_C * max(TILE_K, TILE_T) * THREAD_K * THREAD_T <= 16 * TILE_K * TILE_T",
            f"4 * TILE_C * (TILE_K + TILE_T) <= {SHARED}",
        ),
    )


_GEMM_BLOCKS = "groups * cdiv(k // groups, TILE_K) * cdiv(n * p * q, TILE_P)"
_GEMM_THREADS = "(TILE_K // THREAD_K) * (TILE_P // THREAD_P)"
# A thread adds four results where they come in fours.
_ADDING_BLOCKS = "cdiv(n * k * p * q, 256 if n * k * p * q % 4 else 1024)"
_WINOGRAD_TILES = "n * cdiv(p, 2) * cdiv(q, 2)"

NAIVE = KernelFamily(
    name="naive",
    summary="one thread for each output element, everything from global memory",
    source="conv2d_naive.cu",
    program=_program(
        "conv2d.cu", Launch(kernel="conv2d", grid=("cdiv(n * k * p * q, 256)",), block=("256",), args=ARGS)
    ),
    space=_no_parameters,
)

DIRECT_TILE = KernelFamily(
    name="direct_tile",
    summary="input tile with halo and weights in shared memory; a thread sums many channels of a few pixels",
    source="conv2d_direct_tile.cu",
    program=_program(
        "conv2d.cu",
        Launch(
            kernel="conv2d",
            grid=("n * groups * cdiv(k // groups, K_TILE) * cdiv(p, BLOCK_Y * ROWS) * cdiv(q, BLOCK_X)",),
            block=("BLOCK_X * BLOCK_Y",),
            args=ARGS,
        ),
    ),
    space=_direct_tile,
    techniques=("shared_memory_tiling", "halo_tiling", "register_blocking", "loop_unrolling", "bank_conflict_padding"),
)

REGISTER_BLOCK = KernelFamily(
    name="register_block",
    summary="a window of each input row slides through registers; only the weights are in shared memory",
    source="conv2d_register_block.cu",
    program=_program(
        "conv2d.cu",
        Launch(
            kernel="conv2d",
            grid=("groups * cdiv(k // groups, CHANNELS) * cdiv(n * p * cdiv(q, PIXELS), THREADS)",),
            block=("THREADS",),
            args=ARGS,
        ),
    ),
    space=_register_block,
    techniques=("register_blocking", "sliding_window", "loop_unrolling"),
)

IMPLICIT_GEMM = KernelFamily(
    name="implicit_gemm",
    summary="matrix product of weights and patches; patches exist only as tiles in shared memory",
    source="conv2d_implicit_gemm.cu",
    program=_program("conv2d.cu", Launch(kernel="conv2d", grid=(_GEMM_BLOCKS,), block=(_GEMM_THREADS,), args=ARGS)),
    space=_implicit_gemm,
    techniques=("implicit_gemm", "shared_memory_tiling", "register_blocking", "double_buffering", "software_prefetch"),
)

SPLIT_DEPTH = KernelFamily(
    name="split_depth",
    summary="implicit GEMM whose depth is shared by several blocks; a second kernel adds the parts in a fixed order",
    source="conv2d_split_depth.cu",
    program=_program(
        "conv2d.cu",
        Launch(
            kernel="conv2d_part",
            grid=(f"SPLITS * {_GEMM_BLOCKS}",),
            block=(_GEMM_THREADS,),
            args=("x", "weight", "parts"),
        ),
        Launch(kernel="add_parts", grid=(_ADDING_BLOCKS,), block=("256",), args=("parts", "y")),
        workspaces=(Workspace(name="parts", elements="SPLITS * n * k * p * q"),),
    ),
    space=_split_depth,
    techniques=("implicit_gemm", "split_k", "double_buffering", "register_blocking"),
)

WINOGRAD = KernelFamily(
    name="winograd",
    summary="F(2x2, 3x3): transforms around 16 matrix products, 2.25 times fewer multiplications",
    source="conv2d_winograd.cu",
    program=_program(
        "conv2d.cu",
        Launch(kernel="transform_filter", grid=("cdiv(k * c, BLOCK)",), block=("BLOCK",), args=("weight", "filters")),
        Launch(
            kernel="transform_input",
            grid=(f"cdiv(c * {_WINOGRAD_TILES}, BLOCK)",),
            block=("BLOCK",),
            args=("x", "patches"),
        ),
        Launch(
            kernel="multiply",
            grid=(f"16 * cdiv(k, TILE_K) * cdiv({_WINOGRAD_TILES}, TILE_T)",),
            block=("(TILE_K // THREAD_K) * (TILE_T // THREAD_T)",),
            args=("filters", "patches", "products"),
        ),
        Launch(
            kernel="transform_output",
            grid=(f"cdiv(k * {_WINOGRAD_TILES}, BLOCK)",),
            block=("BLOCK",),
            args=("products", "y"),
        ),
        workspaces=(
            Workspace(name="filters", elements="16 * c * k"),
            Workspace(name="patches", elements=f"16 * c * {_WINOGRAD_TILES}"),
            Workspace(name="products", elements=f"16 * k * {_WINOGRAD_TILES}"),
        ),
    ),
    space=_winograd,
    techniques=("winograd", "shared_memory_tiling", "register_blocking", "software_prefetch"),
)

KERNELS = KernelSet(baseline=NAIVE, families=(DIRECT_TILE, REGISTER_BLOCK, IMPLICIT_GEMM, SPLIT_DEPTH, WINOGRAD))
