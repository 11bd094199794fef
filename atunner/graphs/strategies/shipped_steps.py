"""The steps that ship with `explicit`, by language."""

from typing import Any

_END = " Work on {kernel_string}. Parameters now: {tune_params}."


def _step(name: str, text: str, *needs: str, prepares: bool = False) -> dict[str, Any]:
    return {"id": name, "prompt_template": text + _END, "depends_on": needs, "skip_evaluation": prepares}


_GPU = (
    _step(
        "block_size",
        "Make the work-group size of every dimension a parameter (BLOCK_X, BLOCK_Y) and let grid and block follow it.",
        prepares=True,
    ),
    _step(
        "work_per_thread_x",
        "Let each thread compute WORK_X results next to each other along x, with a loop over WORK_X.",
        "block_size",
    ),
    _step(
        "work_per_thread_y",
        "Let each thread compute WORK_Y results along y, with a loop over WORK_Y, so that values loaded once serve "
        "several results.",
        "block_size",
    ),
    _step("unrolling", "Unroll the innermost loop by the parameter UNROLL, with a remainder that is correct."),
)

SHIPPED: dict[str, tuple[dict[str, Any], ...]] = {
    "cuda": (
        *_GPU,
        _step(
            "shared_memory",
            "Stage what the threads of a block read more than once in __shared__ memory, tile by tile along the "
            "reduction, with __syncthreads() before and after each use and bounds checked. Tile depth is TILE_K.",
            "block_size",
        ),
        _step(
            "padding",
            "Pad the rows of the __shared__ tiles by PAD elements so that a warp's accesses fall in different banks.",
            "shared_memory",
        ),
        _step("vector_loads", "Read global memory in vectors of VECTOR floats where alignment and bounds allow it."),
    ),
    "opencl": (
        *_GPU,
        _step(
            "local_memory",
            "Stage what the work-items of a group read more than once in __local memory, tile by tile, with "
            "barrier(CLK_LOCAL_MEM_FENCE) before and after each use. Tile depth is TILE_K.",
            "block_size",
        ),
        _step("vector_loads", "Read global memory with vloadN of VECTOR floats where bounds allow it."),
    ),
    "c": (
        _step(
            "loop_order",
            "Order the loops so that the innermost one walks contiguous memory and can be vectorised; "
            "keep the outermost in parallel with OpenMP.",
        ),
        _step(
            "cache_blocking",
            "Block the loops so that what is reused stays in the first two levels of cache; block sizes are "
            "TILE_M, TILE_N and TILE_K, with remainders that are correct.",
            "loop_order",
        ),
        _step(
            "register_blocking",
            "Keep a small block of results (ROWS by COLUMNS) in local variables over the whole reduction.",
            "loop_order",
        ),
        _step("unrolling", "Unroll the loop of the reduction by the parameter UNROLL, with a correct remainder."),
        _step(
            "packing",
            "Copy the operand that is read with a stride into a contiguous local buffer before it is used.",
            "cache_blocking",
        ),
    ),
    "llvm_ir": (
        _step(
            "vectorise",
            "Rewrite the hot loop with vector types <WIDTH x float>, with a scalar remainder; keep the data layout.",
        ),
        _step("unroll", "Unroll the hot loop by UNROLL and give each copy an accumulator of its own."),
        _step(
            "hoist",
            "Move loads and address arithmetic that do not change out of the hot loop; do not change what is computed.",
        ),
    ),
}
