"""CUDA families of matmul and their spaces. Tile sizes are powers of two; the kernels rely on that."""

from pydantic import JsonValue

from atunner.core.program import Launch, Problem, Program, Workspace
from atunner.core.space import Parameter, Space
from atunner.operators import KernelFamily, KernelSet
from atunner.operators.shapes import MAX_ELEMENTS
from atunner.operators.tiles import NOWHERE, fitting, largest, parameter, tile

ARGS = ("a", "b", "c")
SHARED = 48 * 1024
REGISTERS = 65536
"""32-bit registers of one block at most, on every compute capability since 5.0 (CUDA C++ Programming Guide)."""


def _program(*launches: Launch, workspaces: tuple[Workspace, ...] = ()) -> Program:
    return Program(language="cuda", source="matmul.cu", launches=launches, workspaces=workspaces)


def _no_parameters(_: Problem) -> Space:
    return Space()


def _blocks(extent: int) -> tuple[JsonValue, ...]:
    """Tile sizes for one extent: small ones only where the extent itself is small."""
    return fitting((1, 2, 4, 8), extent) if extent < 8 else fitting((8, 16, 32, 64, 128), extent)


def _vectors(problem: Problem) -> Parameter:
    """Floats of one global load: wide ones where the rows of at least one matrix are whole vectors."""
    widths = [v for v in (1, 2, 4) if problem.dims["n"] % v == 0 or problem.dims["k"] % v == 0]
    return parameter("VECTOR", *widths)


def _shared_tile(problem: Problem) -> Space:
    d = problem.dims
    across = tile("BLOCK_X", (8, 16, 32, 64, 128), d["n"])
    down = tile("BLOCK_Y", (1, 2, 4, 8, 16, 32), d["m"])
    return Space(
        parameters=(
            across,
            down,
            tile("ROWS", (1, 2, 4, 8, 16), d["m"]),
            tile("TILE_K", (8, 16, 32, 64), d["k"]),
            parameter("PAD", 0, 1),
            parameter("UNROLL", 1, 4, 8),
        ),
        constraints=(
            f"{min(32, largest(across) * largest(down))} <= BLOCK_X * BLOCK_Y <= 1024",
            f"4 * (BLOCK_Y * ROWS * (TILE_K + PAD) + TILE_K * BLOCK_X) <= {SHARED}",
            "BLOCK_Y * ROWS <= 128",
            # Loads of one step that a thread has in flight.
            "ROWS * TILE_K <= 32 * BLOCK_X",
            "TILE_K <= 32 * BLOCK_Y",
            f"BLOCK_X * BLOCK_Y * (3 * ROWS + 32) <= {REGISTERS}",
        ),
    )


def _tiles(problem: Problem) -> Space:
    d = problem.dims
    return Space(
        parameters=(
            Parameter(name="TILE_M", values=_blocks(d["m"])),
            Parameter(name="TILE_N", values=_blocks(d["n"])),
            tile("TILE_K", (4, 8, 16, 32), d["k"]),
            tile("THREAD_M", (1, 2, 4, 8), d["m"]),
            tile("THREAD_N", (1, 2, 4, 8), d["n"]),
            _vectors(problem),
        ),
        constraints=(
            "THREAD_M <= TILE_M",
            "THREAD_N <= TILE_N",
            # A block of few threads is legal only where the tile itself is small.
            "min(32, TILE_M * TILE_N) <= (TILE_M // THREAD_M) * (TILE_N // THREAD_N) <= 512",
            # Loads of one step that a thread has in flight: 32 at most.
            "TILE_K * (TILE_M + TILE_N) * THREAD_M * THREAD_N <= 32 * TILE_M * TILE_N",
        ),
    )


def _register_block(problem: Problem) -> Space:
    tiles = _tiles(problem)
    return Space(
        parameters=(*tiles.parameters, parameter("PAD", 0, 4), parameter("UNROLL", 1, 4)),
        constraints=(*tiles.constraints, f"4 * TILE_K * (TILE_M + PAD + TILE_N) <= {SHARED}"),
    )


def _split_k(problem: Problem) -> Space:
    d = problem.dims
    splits = [s for s in (2, 4, 8, 16, 32, 64) if 8 * s <= d["k"] and s * d["m"] * d["n"] <= MAX_ELEMENTS]
    if not splits:
        return NOWHERE
    tiles = _tiles(problem)
    return Space(
        parameters=(*tiles.parameters, parameter("SPLITS", *splits)),
        constraints=(
            *tiles.constraints,
            f"4 * TILE_K * (TILE_M + 4 + TILE_N) <= {SHARED}",
            f"TILE_K * (SPLITS - 1) < {d['k']}",
        ),
    )


def _double_buffer(problem: Problem) -> Space:
    d = problem.dims
    threads = "(32 * WARPS_M * WARPS_N)"
    return Space(
        parameters=(
            tile("WARPS_M", (1, 2, 4, 8), -(-d["m"] // 4)),
            tile("WARPS_N", (1, 2, 4, 8), -(-d["n"] // 8)),
            tile("THREAD_M", (1, 2, 4, 8, 16), d["m"]),
            tile("THREAD_N", (1, 2, 4, 8), d["n"]),
            tile("TILE_K", (4, 8, 16, 32), d["k"]),
            _vectors(problem),
            parameter("PAD", 0, 4),
        ),
        constraints=(
            "WARPS_M * WARPS_N <= 16",
            f"8 * TILE_K * (4 * WARPS_M * THREAD_M + PAD + 8 * WARPS_N * THREAD_N) <= {SHARED}",
            "THREAD_M * THREAD_N <= 128",
            f"TILE_K * (4 * WARPS_M * THREAD_M + 8 * WARPS_N * THREAD_N) <= 32 * {threads}",
            f"{threads} * (THREAD_M * THREAD_N + 2 * (THREAD_M + THREAD_N) + 40) <= {REGISTERS}",
        ),
    )


NAIVE = KernelFamily(
    name="naive",
    summary="one thread for each element of the product, everything from global memory",
    source="matmul_naive.cu",
    program=_program(Launch(kernel="matmul", grid=("cdiv(m * n, 256)",), block=("256",), args=ARGS)),
    space=_no_parameters,
)

SHARED_TILE = KernelFamily(
    name="shared_tile",
    summary="tiles of both matrices in shared memory; a thread sums a few rows of one column",
    source="matmul_shared_tile.cu",
    program=_program(
        Launch(
            kernel="matmul",
            grid=("cdiv(n, BLOCK_X) * cdiv(m, BLOCK_Y * ROWS)",),
            block=("BLOCK_X * BLOCK_Y",),
            args=ARGS,
        )
    ),
    space=_shared_tile,
    techniques=("shared_memory_tiling", "loop_unrolling", "bank_conflict_padding"),
)

REGISTER_BLOCK = KernelFamily(
    name="register_block",
    summary="a rectangle of results in the registers of each thread, vector loads, transposed tile of a",
    source="matmul_register_block.cu",
    program=_program(
        Launch(
            kernel="matmul",
            grid=("cdiv(m, TILE_M) * cdiv(n, TILE_N)",),
            block=("(TILE_M // THREAD_M) * (TILE_N // THREAD_N)",),
            args=ARGS,
        )
    ),
    space=_register_block,
    techniques=("shared_memory_tiling", "register_blocking", "vectorized_loads", "bank_conflict_padding"),
)

DOUBLE_BUFFER = KernelFamily(
    name="double_buffer",
    summary="warp tiles; the next tile is loaded into the other half of shared memory while this one is multiplied",
    source="matmul_double_buffer.cu",
    program=_program(
        Launch(
            kernel="matmul",
            grid=("cdiv(m, 4 * WARPS_M * THREAD_M) * cdiv(n, 8 * WARPS_N * THREAD_N)",),
            block=("32 * WARPS_M * WARPS_N",),
            args=ARGS,
        )
    ),
    space=_double_buffer,
    techniques=("double_buffering", "warp_tiling", "software_prefetch", "register_blocking", "vectorized_loads"),
)

SPLIT_K = KernelFamily(
    name="split_k",
    summary="several blocks share the sums of one tile; a second kernel adds the parts in a fixed order",
    source="matmul_split_k.cu",
    program=_program(
        Launch(
            kernel="matmul_part",
            grid=("SPLITS * cdiv(m, TILE_M) * cdiv(n, TILE_N)",),
            block=("(TILE_M // THREAD_M) * (TILE_N // THREAD_N)",),
            args=("a", "b", "parts"),
        ),
        # A thread adds four results where they come in fours.
        Launch(
            kernel="add_parts", grid=("cdiv(m * n, 256 if m * n % 4 else 1024)",), block=("256",), args=("parts", "c")
        ),
        workspaces=(Workspace(name="parts", elements="SPLITS * m * n"),),
    ),
    space=_split_k,
    techniques=("split_k", "register_blocking", "vectorized_loads"),
)

KERNELS = KernelSet(baseline=NAIVE, families=(SHARED_TILE, REGISTER_BLOCK, DOUBLE_BUFFER, SPLIT_K))
