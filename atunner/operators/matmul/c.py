"""C families of matmul and their spaces. Every function runs its own OpenMP parallel loops."""

from atunner.core.program import Launch, Problem, Program, Workspace
from atunner.core.space import Space
from atunner.operators import KernelFamily, KernelSet
from atunner.operators.tiles import parameter, tile

ARGS = ("a", "b", "c")
LANES = (4, 8, 16)
"""Floats of one vector: 128, 256 and 512 bits; a compiler splits what the processor does not have."""


def _program(*args: str, workspaces: tuple[Workspace, ...] = ()) -> Program:
    launch = Launch(kernel="matmul", args=args)
    return Program(language="c", source="matmul.c", launches=(launch,), workspaces=workspaces)


def _no_parameters(_: Problem) -> Space:
    return Space()


def _row_update(problem: Problem) -> Space:
    d = problem.dims
    return Space(
        parameters=(
            tile("TILE_M", (1, 4, 8, 16, 32, 64), d["m"]),
            tile("TILE_N", (32, 64, 128, 256, 512), d["n"]),
            tile("TILE_K", (16, 32, 64, 128), d["k"]),
            tile("UNROLL", (1, 2, 4, 8), d["k"]),
        ),
        constraints=("TILE_M * TILE_N <= 16384",),
    )


def _register_tile(problem: Problem) -> Space:
    d = problem.dims
    return Space(
        parameters=(
            tile("LANES", LANES, d["n"]),
            parameter("VECTORS", 1, 2, 3, 4),
            tile("ROWS", (1, 2, 4, 6, 8, 12), d["m"]),
            tile("SHARE", (1, 4, 16, 64), d["m"]),
            parameter("UNROLL", 1, 4),
        ),
        constraints=("ROWS * VECTORS <= 28", f"LANES * VECTORS < {d['n']} + 16"),
    )


def _packed(problem: Problem) -> Space:
    d = problem.dims
    return Space(
        parameters=(
            tile("LANES", LANES, d["n"]),
            parameter("VECTORS", 1, 2, 3, 4),
            tile("ROWS", (1, 2, 4, 6, 8, 12, 14), d["m"]),
            tile("TILE_M", (32, 64, 128, 256), d["m"]),
            tile("TILE_N", (64, 128, 256, 512), d["n"]),
            tile("TILE_K", (64, 128, 256, 512), d["k"]),
            parameter("UNROLL", 1, 4),
        ),
        constraints=(
            "ROWS * VECTORS <= 28",
            f"LANES * VECTORS < {d['n']} + 16",
            "LANES * VECTORS <= TILE_N",
        ),
    )


NAIVE = KernelFamily(
    name="naive",
    summary="the definition, outer loops in parallel",
    source="matmul_naive.c",
    program=_program(*ARGS),
    space=_no_parameters,
)

ROW_UPDATE = KernelFamily(
    name="row_update",
    summary="loop order i, k, j over a cached block of the product: contiguous, vectorised row updates",
    source="matmul_row_update.c",
    program=_program(*ARGS),
    space=_row_update,
    techniques=("loop_interchange", "cache_blocking", "loop_unrolling", "vectorization"),
)

REGISTER_TILE = KernelFamily(
    name="register_tile",
    summary="vectors of the product stay in registers; both matrices are read in place",
    source="matmul_register_tile.c",
    program=_program(*ARGS),
    space=_register_tile,
    techniques=("register_blocking", "vectorization", "loop_unrolling"),
)

PACKED = KernelFamily(
    name="packed",
    summary="both matrices packed for a register micro-kernel, blocked for each level of cache",
    source="matmul_packed.c",
    program=_program(
        *ARGS,
        "strips",
        "panels",
        workspaces=(
            Workspace(name="strips", elements="cdiv(m, ROWS) * ROWS * k"),
            Workspace(name="panels", elements="cdiv(n, LANES * VECTORS) * LANES * VECTORS * k"),
        ),
    ),
    space=_packed,
    techniques=("packing", "cache_blocking", "register_blocking", "vectorization"),
)

KERNELS = KernelSet(baseline=NAIVE, families=(ROW_UPDATE, REGISTER_TILE, PACKED))
