"""Several turns of an outer loop at once, row by row of what they sweep over, each a little behind the last."""

from atunner.domains.llvm_ir.nests.blocking import Blocking, Tile
from atunner.domains.llvm_ir.nests.coupling import Coupled
from atunner.domains.llvm_ir.nests.distribution import Cluster, loop_row
from atunner.domains.llvm_ir.nests.expressions import Affine
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC
from atunner.domains.llvm_ir.nests.sizes import Numbers
from atunner.domains.llvm_ir.nests.vectors import offset, vectorizable


def swept(cluster: Cluster, statement: Statement, schedule: Coupled, numbers: Numbers) -> Blocking:
    """Rows of time: piece of steps, how far the sweep is, step, statement; then the loops of one row as they are."""
    first, second = schedule.rows[statement.name][:2]
    lanes = numbers.bytes // ARITHMETIC[statement.target.type]
    deep = range(2, len(statement.loops))
    own = Tile(Affine({}, cluster.statements.index(statement)), 1)
    tiles = [
        Tile(first, numbers.steps),
        Tile(second, 1),
        Tile(first, 1),
        own,
        *(Tile(loop_row(statement, d), 1) for d in deep),
    ]
    last = len(statement.loops) - 1
    wide = last >= 2 and lanes > 1 and vectorizable(statement, last, lanes)
    if wide:
        width = lanes * numbers.vectors
        tiles[-1] = Tile(loop_row(statement, last), width, offset(statement, last), unrolled=True, vector=True)
    rest = (loop_row(statement, last),)
    return Blocking(statement, cluster.heads[statement.name], tuple(tiles), (), rest, lanes if wide else 1)
