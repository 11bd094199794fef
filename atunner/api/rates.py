"""How often each key may ask: a bucket that fills with time, kept in this process."""

import time
from collections.abc import Callable


class Rates:
    """One bucket for each name. now: seconds from any start."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, name: str, per_s: int) -> float:
        """Take one request of `name` out of its bucket; 0 when it was there, else the seconds until one will be.

        per_s: how fast the bucket fills; it holds twice as many. 0 lets all pass.
        """
        if not per_s:
            return 0.0
        now = self._now()
        held, seen = self._buckets.get(name, (2.0 * per_s, now))
        held = min(2.0 * per_s, held + (now - seen) * per_s)
        enough = held >= 1.0
        self._buckets[name] = (held - 1.0 if enough else held, now)
        return 0.0 if enough else (1.0 - held) / per_s
