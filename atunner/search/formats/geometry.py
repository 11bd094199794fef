"""Grid and block from a problem size and its divisors, as tuners of GPU kernels know them."""

from collections.abc import Collection, Mapping, Sequence

from atunner.core.errors import UserError
from atunner.core.program import Launch

AXES = ("x", "y", "z")
GPU = ("cuda", "hip", "opencl")


def problem_sizes(extents: Sequence[int]) -> dict[str, int]:
    """The sizes problem_size_x, _y and _z of a problem of up to three axes."""
    return {f"problem_size_{axis}": extent for axis, extent in zip(AXES, extents, strict=False)}


def launch(
    kernel: str,
    language: str,
    parameters: Collection[str],
    problem: Sequence[str] = (),
    divisors: Mapping[str, Sequence[str]] | None = None,
    block: Sequence[str] = (),
) -> Launch:
    """How the kernel is started: as many blocks as the problem needs when each does the product of the divisors.

    Without divisors an axis is divided by its block_size; without a block, block_size_x, _y and _z are the block.

    Raises:
        UserError: a GPU kernel whose block is not known.
    """
    if language not in GPU:
        return Launch(kernel=kernel, args=())
    threads = tuple(block) or tuple(f"block_size_{a}" if f"block_size_{a}" in parameters else "1" for a in AXES)
    if all(t == "1" for t in threads) and not block:
        raise UserError(f"{kernel}: the block is not known. Give block, or a parameter named block_size_x.")
    grid = []
    for axis, extent in zip(AXES, problem, strict=False):
        default = [f"block_size_{axis}"] if f"block_size_{axis}" in parameters else []
        by = list((divisors or {}).get(axis, default))
        grid.append(f"cdiv({extent}, {' * '.join(f'({d})' for d in by)})" if by else str(extent))
    return Launch(kernel=kernel, grid=tuple(grid) or ("1",), block=threads, args=())
