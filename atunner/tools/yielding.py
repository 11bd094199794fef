"""Programs that give way: they stand still while something is timed."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Yielding:
    """The process groups of programs that give way. One may join at any time; it is held at once while others are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._still = 0

    @contextmanager
    def joined(self, group: int) -> Iterator[None]:
        """For as long as the block runs the group gives way; whoever leaves must not have been waited for yet."""
        with self._lock:
            self._groups.add(group)
            if self._still:
                _told(group, signal.SIGSTOP)
        try:
            yield
        finally:
            with self._lock:
                self._groups.discard(group)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Every group stands still while the block runs."""
        with self._lock:
            self._still += 1
            for group in self._groups:
                _told(group, signal.SIGSTOP)
        try:
            yield
        finally:
            with self._lock:
                self._still -= 1
                if not self._still:
                    for group in self._groups:
                        _told(group, signal.SIGCONT)


def _told(group: int, what: signal.Signals) -> None:
    """Send a signal; a group that has ended needs none."""
    try:
        os.killpg(group, what)
    except ProcessLookupError:
        return
