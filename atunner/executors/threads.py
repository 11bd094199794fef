"""Work in this process: builds side by side in threads, everything else one after the other in the caller's.

For domains whose compilers and candidates run in processes of their own anyway: there is nothing to start and nothing
is known twice. Builds that were started ahead stand still while their domain times something.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from pydantic import JsonValue

from atunner.core.ports import Outcome, WorkItem
from atunner.executors.work import do, resolve


class ThreadExecutor:
    """workers: builds at once. A hung compiler is stopped by its domain's own limit."""

    def __init__(self, path: str, config: dict[str, JsonValue], workers: int = 2, limit_s: float = 0.0) -> None:
        self.domain = resolve(path, config)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="build")

    def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """One outcome for each item, in order."""
        building = len(items) > 1 and all(item.action == "screen" for item in items)
        if building:
            return list(self._pool.map(lambda item: do(self.domain, item), items))
        return [do(self.domain, item) for item in items]

    def start(self, item: WorkItem) -> Future[Outcome]:
        """Begin one item beside whatever the caller does."""
        return self._pool.submit(do, self.domain, item)

    def close(self) -> None:
        """Wait for the builds at work."""
        self._pool.shutdown(cancel_futures=True)
