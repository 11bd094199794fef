"""Large copies and fills of memory that another core has just used."""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atunner.tools.runner import program

LEAST_BYTES = 1 << 18
"""Below this the caches are the better place."""


class Bulk:
    """Copy and fill. library: the shared object made of bulk.c; without it numpy does the same, only slower."""

    def __init__(self, library: Path | None = None) -> None:
        self._native = None if library is None else _loaded(library)

    @classmethod
    def native(cls, cache: Path) -> "Bulk":
        """Compiled into `cache` when it is not there yet. Raises ToolError."""
        return cls(program("bulk", cache))

    def copy(self, into: NDArray[Any], source: NDArray[Any]) -> None:
        """Write `source` over `into`: as many elements, converted where the types differ."""
        plain = into.dtype == source.dtype and into.flags.c_contiguous and source.flags.c_contiguous
        if self._native is None or not plain or into.nbytes < LEAST_BYTES or into.size != source.size:
            np.copyto(into, source)
        else:
            self._native.bulk_copy(into.ctypes.data, source.ctypes.data, into.nbytes)

    def fill(self, into: NDArray[np.uint8], byte: int) -> None:
        """Set every byte of `into`, which is contiguous."""
        if self._native is None or into.nbytes < LEAST_BYTES:
            into[:] = byte
        else:
            self._native.bulk_fill(into.ctypes.data, byte, into.nbytes)

    def spin(self, steps: int) -> None:
        """Do that many steps, each of which waits for the one before."""
        if self._native is None:
            at = 1
            for _ in range(steps):
                at = at * 6364136223846793005 & 0xFFFFFFFFFFFFFFFF
        else:
            self._native.bulk_spin(steps)


def _loaded(library: Path) -> Any:
    made = ctypes.CDLL(str(library))
    made.bulk_copy.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    made.bulk_fill.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
    made.bulk_spin.argtypes = (ctypes.c_uint,)
    made.bulk_copy.restype = made.bulk_fill.restype = made.bulk_spin.restype = None
    return made
