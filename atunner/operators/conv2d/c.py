"""C families of conv2d and their spaces. Every function runs its own OpenMP parallel loops."""

from atunner.core.program import Launch, Problem, Program, Workspace
from atunner.core.space import Space
from atunner.operators import KernelFamily, KernelSet
from atunner.operators.tiles import parameter, tile

ARGS = ("x", "weight", "y")
LANES = (4, 8, 16)
"""Floats of one vector: 128, 256 and 512 bits; a compiler splits what the processor does not have."""


def _program(*args: str, workspaces: tuple[Workspace, ...] = ()) -> Program:
    launch = Launch(kernel="conv2d", args=args)
    return Program(language="c", source="conv2d.c", launches=(launch,), workspaces=workspaces)


def _no_parameters(_: Problem) -> Space:
    return Space()


def _width_block(problem: Problem) -> Space:
    d = problem.dims
    return Space(
        parameters=(
            tile("LANES", LANES, d["q"]),
            parameter("VECTORS", 1, 2, 3, 4),
            tile("CHANNELS", (1, 2, 4, 6, 8, 12), d["k"] // d["groups"]),
        ),
        constraints=("CHANNELS * VECTORS <= 28", f"LANES * VECTORS < {d['q']} + 16"),
    )


def _channel_block(problem: Problem) -> Space:
    d = problem.dims
    return Space(
        parameters=(
            tile("LANES", LANES, d["k"] // d["groups"]),
            parameter("VECTORS", 1, 2, 3, 4),
            tile("PIXELS", (1, 2, 4, 6, 8, 12, 14), d["q"]),
        ),
        constraints=("PIXELS * VECTORS <= 28", f"LANES * VECTORS < {d['k'] // d['groups']} + 16"),
    )


def _patch_gemm(problem: Problem) -> Space:
    d = problem.dims
    outputs = d["k"] // d["groups"]
    return Space(
        parameters=(
            tile("LANES", LANES, d["p"] * d["q"]),
            parameter("VECTORS", 1, 2, 3, 4),
            tile("CHANNELS", (1, 2, 4, 6, 8, 12), outputs),
            tile("PANEL", (48, 96, 192, 384), d["p"] * d["q"]),
            tile("DEPTH", (32, 64, 128, 256), d["c"] // d["groups"] * d["r"] ** 2),
            tile("SHARE", (4, 16, 64), outputs),
        ),
        constraints=("CHANNELS * VECTORS <= 28", "PANEL % (LANES * VECTORS) == 0", "DEPTH * PANEL <= 65536"),
    )


_HEIGHT = "((p - 1) * stride + (r - 1) * dilation + 1)"

NAIVE = KernelFamily(
    name="naive",
    summary="the definition, outer loops in parallel",
    source="conv2d_naive.c",
    program=_program(*ARGS),
    space=_no_parameters,
)

WIDTH_BLOCK = KernelFamily(
    name="width_block",
    summary="vectors along the output row, register blocks of pixels and channels, padded copy of the input",
    source="conv2d_width_block.c",
    program=_program(
        *ARGS,
        "padded",
        "packed",
        workspaces=(
            Workspace(
                name="padded",
                elements=f"n * c * {_HEIGHT} * stride"
                " * (cdiv(q, LANES * VECTORS) * LANES * VECTORS + (r - 1) * dilation // stride)",
            ),
            Workspace(
                name="packed", elements="groups * cdiv(k // groups, CHANNELS) * CHANNELS * (c // groups) * r * r"
            ),
        ),
    ),
    space=_width_block,
    techniques=("vectorization", "register_blocking", "packing"),
)

CHANNEL_BLOCK = KernelFamily(
    name="channel_block",
    summary="vectors along the output channels, packed weights, each input value broadcast",
    source="conv2d_channel_block.c",
    program=_program(
        *ARGS,
        "padded",
        "packed",
        workspaces=(
            Workspace(
                name="padded",
                elements=f"n * c * {_HEIGHT} * ((cdiv(q, PIXELS) * PIXELS - 1) * stride + (r - 1) * dilation + 1)",
            ),
            Workspace(
                name="packed",
                elements="groups * cdiv(k // groups, LANES * VECTORS) * LANES * VECTORS * (c // groups) * r * r",
            ),
        ),
    ),
    space=_channel_block,
    techniques=("vectorization", "register_blocking", "packing", "data_layout"),
)

PATCH_GEMM = KernelFamily(
    name="patch_gemm",
    summary="patches gathered panel by panel into cache, then a blocked matrix product",
    source="conv2d_patch_gemm.c",
    program=_program(
        *ARGS,
        "packed",
        workspaces=(
            Workspace(
                name="packed", elements="groups * cdiv(k // groups, CHANNELS) * CHANNELS * (c // groups) * r * r"
            ),
        ),
    ),
    space=_patch_gemm,
    techniques=("im2col", "cache_blocking", "vectorization", "register_blocking", "packing"),
)

KERNELS = KernelSet(baseline=NAIVE, families=(WIDTH_BLOCK, CHANNEL_BLOCK, PATCH_GEMM))
