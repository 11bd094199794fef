"""Work in this process, one item after another: for tests and for debugging a domain."""

from collections.abc import Sequence

from pydantic import JsonValue

from atunner.core.ports import Outcome, WorkItem
from atunner.executors.work import do, resolve


class InlineExecutor:
    """No processes, no time limit."""

    def __init__(self, path: str, config: dict[str, JsonValue], workers: int = 1, limit_s: float = 0.0) -> None:
        self.domain = resolve(path, config)

    def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """One outcome for each item, in order."""
        return [do(self.domain, item) for item in items]

    def close(self) -> None:
        """Nothing to end."""
