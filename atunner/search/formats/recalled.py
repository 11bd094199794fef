"""What a task's recordings bring to its searches: history as a prior, and the points that a replay has."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from atunner.core.ports import Searcher
from atunner.core.space import Space
from atunner.core.task import Task
from atunner.search import SearchSpace, searcher
from atunner.search.formats.kernel_tuner_cache import history
from atunner.tools.recording import Recording, read_recording


def searching(task: Task, rules: Sequence[Callable[..., object]] = ()) -> Callable[[str, Space, int], Searcher]:
    """How this task's searchers are made: with `spec.history` (cache files), over the points of `spec.recording`.

    rules: constraints as functions, beside those of the space.
    """
    told = task.spec.get("history")
    files = [str(f) for f in told] if isinstance(told, list) else []
    replayed = str(task.spec["recording"]) if task.domain == "replay" and "recording" in task.spec else ""

    def make(name: str, space: Space, seed: int) -> Searcher:
        sources = [history(_recording(f)) for f in files]
        built = recorded_space(_recording(replayed), space) if replayed else SearchSpace(space, rules)
        return searcher(name, built, seed, history=sources)

    return make


def recorded_space(recording: Recording, space: Space) -> SearchSpace:
    """The points of the recording that lie in `space`. Raises UserError: none does."""
    return SearchSpace.of_points(space, [dict(e.params) for e in recording.entries if space.holds(e.params)])


@lru_cache(maxsize=16)
def _recording(file: str) -> Recording:
    return read_recording(Path(file))
