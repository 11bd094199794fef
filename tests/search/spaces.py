"""Small spaces with a known cost, recorded for these tests."""

from atunner.core.candidate import Params
from atunner.core.space import Parameter, Space

TILES = Space(
    parameters=(
        Parameter(name="block_x", values=(16, 32, 64, 128, 256)),
        Parameter(name="block_y", values=(1, 2, 4, 8, 16)),
        Parameter(name="tile", values=(1, 2, 3, 4)),
        Parameter(name="unroll", values=(0, 1)),
        Parameter(name="layout", values=("row", "column", "swizzled")),
    ),
    constraints=("block_x * block_y <= 1024", "block_x * block_y % 32 == 0", "tile < 4 or unroll == 0"),
)
"""Made to resemble a tiled kernel: 5 parameters, 600 points before constraints."""


def cost(params: Params) -> float | None:
    """Milliseconds of an imagined kernel: a valley at 128 threads, tile 3, swizzled; spills fail."""
    x, y, tile = (int(str(params[n])) for n in ("block_x", "block_y", "tile"))
    if tile == 4 and x * y == 1024:
        return None
    threads = abs(x * y - 128) / 128
    layout = {"row": 0.4, "column": 1.0, "swizzled": 0.0}[str(params["layout"])]
    return 1 + threads * 0.3 + abs(tile - 3) * 0.5 + layout - 0.1 * int(str(params["unroll"])) + 0.01 * y
