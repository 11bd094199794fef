"""Memory that is shared with a run worker, and used again where nobody else can still reach it."""

import fcntl
import mmap
import os

import numpy as np
from numpy.typing import NDArray

from atunner.tools.runner.bulk import Bulk

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
LEAST_BYTES = 16 << 20
MOST_KEPT_BYTES = 64 << 20
MOST_KEPT = 2
UNUSED = 0xFF


class Arena:
    """Anonymous shared memory whose size can never change, or our next read could be made to fail.

    used: bytes that its worker could reach.
    """

    def __init__(self, size: int) -> None:
        self.descriptor = os.memfd_create("arena", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, size)
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, SEALS)
        self.memory: NDArray[np.uint8] = np.frombuffer(mmap.mmap(self.descriptor, size), np.uint8)
        self.used = 0

    def __del__(self) -> None:
        os.close(self.descriptor)


class Arenas:
    """Arenas that were given back, for the next worker: fresh pages cost a microsecond each, those at hand nothing.

    An arena is kept only when no process can still have it mapped, and it is wiped before its next worker sees it, so
    that no candidate reads the answers of another.
    """

    def __init__(self, bulk: Bulk | None = None) -> None:
        self.bulk = bulk or Bulk()
        self._spare: list[Arena] = []

    def take(self, size: int) -> Arena:
        """An arena of at least `size` bytes that holds nothing of earlier use."""
        found = self._fitting(size) or Arena(max(size, LEAST_BYTES))
        self.bulk.fill(found.memory[: found.used], UNUSED)
        found.used = size
        return found

    def give(self, arena: Arena, *, alone: bool) -> None:
        """Hand an arena back. alone: nobody else can have it mapped any more; else it is dropped."""
        if alone and arena.memory.size <= MOST_KEPT_BYTES and len(self._spare) < MOST_KEPT:
            self._spare.append(arena)

    def _fitting(self, size: int) -> Arena | None:
        for index, arena in enumerate(self._spare):
            if arena.memory.size >= size:
                return self._spare.pop(index)
        return None
