"""What a search is told of a trial: its figure, or one cost of the several that it is judged by."""

from collections.abc import Iterable

from atunner.core.metric import goals, quantities
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Trial
from atunner.search.pareto import Costs, Scale, weights

PIECE = 8
"""Configurations that are searched towards the same weights of several objectives."""


class Aim:
    """Lower is better. With several objectives it turns from piece to piece, so that their whole front is met.

    raced: the search goes by the times of races, in microseconds, whatever figure of them the objective is.
    """

    def __init__(self, task: Task, raced: bool = False) -> None:
        self._goals, self._sign = goals(task), 1 if task.objective.minimise else -1
        self._raced = raced
        self._scale = Scale((), (1.0,) * len(self._goals))

    @property
    def several(self) -> bool:
        """Whether there is more than one objective."""
        return len(self._goals) > 1

    def turn(self, trials: Iterable[Trial], done: int) -> int:
        """Weigh the objectives for the piece that comes after `done` configurations; where that piece ends."""
        points = [point for trial in trials if (point := self._point(trial)) is not None]
        self._scale = Scale(points, weights(done // PIECE, len(self._goals)))
        return (done // PIECE + 1) * PIECE

    def told(self, trial: Trial) -> float | None:
        """The cost of a trial, None where it has no figure."""
        if self._raced and trial.measurement is not None and (told := quantities(trial)):
            return told["time"] * 1e3
        if not self.several:
            return None if trial.measurement is None else self._sign * trial.measurement.value
        point = self._point(trial)
        return None if point is None else self._scale.cost(point)

    def _point(self, trial: Trial) -> Costs | None:
        found = quantities(trial) if trial.status is Status.OK else {}
        if any(g.metric not in found for g in self._goals):
            return None
        return tuple(found[g.metric] if g.minimise else -found[g.metric] for g in self._goals)
