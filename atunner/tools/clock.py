"""The clock of a real run."""

import time


class WallClock:
    """Real time."""

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()
