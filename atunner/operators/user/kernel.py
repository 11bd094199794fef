"""The description of a user's kernel, whatever file it was read from: values only, and whole."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from atunner.core.candidate import Params
from atunner.core.errors import UnknownName
from atunner.core.program import Launch
from atunner.core.space import Space
from atunner.core.value import Value
from atunner.operators.user.cases import GivenTest

READS = ("input", "inout")
WRITES = ("output", "inout")


DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint64", "uint32")
"""Types that elements commonly have; numpy's other names are taken, too."""


def _known(dtype: str) -> str:
    """The type's own name. Raises UnknownName: numpy does not know it."""
    if dtype not in DTYPES:
        try:
            np.dtype(dtype)
        except TypeError as error:
            raise UnknownName("element type", dtype, DTYPES) from error
    return dtype


class Argument(Value):
    """One argument in the kernel's order.

    role: input, output, inout or scalar. shape: an expression over the sizes for each extent. value: of a scalar, an
    expression over sizes and parameters. fill: random (normal for floating types, from `low` to `high` for integers),
    constant (`value`) or file. file, digest: a .npy file or raw little-endian numbers, and its SHA-256.
    """

    name: str
    dtype: Annotated[str, AfterValidator(_known)] = "float32"
    role: Literal["input", "output", "inout", "scalar"]
    shape: tuple[str, ...] = ()
    value: str = "0"
    fill: Literal["random", "constant", "file"] = "random"
    low: int = 0
    high: int = 100
    file: str = ""
    digest: str = ""


class Answer(Value):
    """What says which results are right.

    kind: kernel (the untuned kernel itself), file (`files`: argument -> .npy with `digests`) or python (`text`: a
    module with `function`, which takes the read arguments and sizes by name).
    """

    kind: Literal["kernel", "file", "python"] = "kernel"
    files: dict[str, str] = Field(default_factory=dict)
    digests: dict[str, str] = Field(default_factory=dict)
    text: str = ""
    function: str = ""


class Tolerance(Value):
    """Largest allowed error: relative, of the larger of the element and the root mean square of the tensor, plus
    absolute. None: by the type (see `operator.RELATIVE`).
    """

    relative: float | None = Field(default=None, ge=0)
    absolute: float = Field(default=0.0, ge=0)


class UserKernel(Value):
    """A kernel to tune. sizes: the problem's numbers by name; check: smaller ones for the check on the CPU.

    launch: grid, block and shared memory over sizes and parameters; its args are made from `arguments`.
    starts: valid configurations to take the baseline from, the default first. flops, bytes: expressions over the
    sizes, "" if unknown. tests: the user's own inputs, with what is right where that is known; generated: random
    inputs are drawn beside them.
    """

    name: str
    language: str
    file: str
    source: str
    arguments: tuple[Argument, ...] = Field(min_length=1)
    sizes: dict[str, int] = Field(default_factory=dict)
    check: dict[str, int] = Field(default_factory=dict)
    launch: Launch
    flags: tuple[str, ...] = ()
    deterministic: bool = True
    space: Space
    default: Params = Field(default_factory=dict)
    starts: tuple[Params, ...] = ()
    answer: Answer = Answer()
    tolerance: Tolerance = Tolerance()
    flops: str = ""
    bytes: str = ""
    tests: tuple[GivenTest, ...] = ()
    generated: bool = True
