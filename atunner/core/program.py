"""How a candidate's source is launched: data, so that a bundle, a model and a checker can all use it."""

from collections.abc import Mapping

from pydantic import Field

from atunner.core.expression import evaluate
from atunner.core.value import Value

PROGRAM_FILE = "program.json"


class Buffer(Value):
    """A tensor in row-major order. role: input, output, inout, or workspace for scratch memory."""

    name: str
    dtype: str = "float32"
    shape: tuple[int, ...]
    role: str

    @property
    def elements(self) -> int:
        """Number of elements."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count


class Workspace(Value):
    """Scratch memory a program needs between launches; `elements` is an expression. Never zeroed by the host."""

    name: str
    dtype: str = "float32"
    elements: str


class Launch(Value):
    """One kernel start, in stream order. Expressions are over problem dimensions (n, c, ...) and parameters.

    args: buffer or workspace names in the kernel's order; `int32:EXPR`, `float32:EXPR` pass a scalar.
    For C, grid and block are ("1",) and the function is called once.
    """

    kernel: str
    grid: tuple[str, ...] = ("1",)
    block: tuple[str, ...] = ("1",)
    shared_bytes: str = "0"
    args: tuple[str, ...]


class Geometry(Value):
    """A launch with its expressions evaluated."""

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_bytes: int
    args: tuple[str, ...]

    @property
    def threads(self) -> int:
        """Threads in one block."""
        return self.block[0] * self.block[1] * self.block[2]

    @property
    def blocks(self) -> int:
        """Blocks in the grid."""
        return self.grid[0] * self.grid[1] * self.grid[2]


class Program(Value):
    """The launches of one candidate; travels in its files as program.json.

    language: cuda, hip, opencl or c. source: the name of the file to compile. Every parameter P is the macro P
    and every problem dimension d is the macro DIM_D when the source is compiled. deterministic: False declares
    that results may differ in rounding between runs (atomics).
    """

    language: str
    source: str
    launches: tuple[Launch, ...]
    workspaces: tuple[Workspace, ...] = ()
    flags: tuple[str, ...] = ()
    deterministic: bool = True

    def geometry(self, names: Mapping[str, object]) -> tuple[Geometry, ...]:
        """Grid, block and dynamic shared memory of each launch for these dimensions and parameters."""
        return tuple(
            Geometry(
                kernel=launch.kernel,
                grid=_three(launch.grid, names),
                block=_three(launch.block, names),
                shared_bytes=int(evaluate(launch.shared_bytes, names)),
                args=launch.args,
            )
            for launch in self.launches
        )


def _three(expressions: tuple[str, ...], names: Mapping[str, object]) -> tuple[int, int, int]:
    x, y, z, *_ = (*(int(evaluate(e, names)) for e in expressions), 1, 1)
    return (x, y, z)


class Problem(Value):
    """One concrete problem of one operator: dimensions by lower-case name, tensors in argument order."""

    operator: str
    dims: dict[str, int]
    dtype: str = "float32"
    buffers: tuple[Buffer, ...] = Field(min_length=1)

    def macros(self, params: Mapping[str, object]) -> dict[str, str]:
        """All -D definitions for this problem and these parameters."""
        dims = {f"DIM_{name.upper()}": str(value) for name, value in self.dims.items()}
        return dims | {name: str(value) for name, value in params.items()}
