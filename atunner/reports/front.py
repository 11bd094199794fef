"""Several objectives: the configurations that no other one beats in all of them."""

from matplotlib.axes import Axes

from atunner.core.candidate import Params
from atunner.core.metric import goals, quantities, unit_of
from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.core.value import Value
from atunner.reports import wording
from atunner.reports.palette import Colours
from atunner.search.pareto import front as unbeaten

NOISE = "Told apart by their medians: neighbours on the front may be equal within noise. The first objective ranks."


class Compromise(Value):
    """A verified configuration with its figure in each objective, in their order."""

    candidate: str
    params: Params
    figures: tuple[float, ...]


class Front(Value):
    """What no configuration beats in all objectives, best in the first one first. others: the rest that was judged."""

    names: tuple[str, ...]
    minimise: tuple[bool, ...]
    points: tuple[Compromise, ...]
    others: tuple[Compromise, ...]

    @property
    def title(self) -> str:
        """What is traded for what."""
        return f"Pareto front: {', '.join(self.names)}"

    @property
    def headings(self) -> tuple[str, ...]:
        """The objectives with their directions."""
        sides = zip(self.names, self.minimise, strict=True)
        return tuple(f"{name} ({'least' if least else 'most'})" for name, least in sides)

    def cells(self, point: Compromise) -> tuple[str, ...]:
        """The figures in words."""
        return tuple(quantity(n, v) for n, v in zip(self.names, point.figures, strict=True))

    @property
    def summary(self) -> str:
        """One sentence."""
        total = len(self.points) + len(self.others)
        return f"{len(self.points)} of {total} verified configurations are on the front of {' and '.join(self.names)}."


def quantity(name: str, value: float) -> str:
    """A figure with its unit."""
    return wording.duration(value, unit_of(name))


def front(record: RunRecord) -> Front | None:
    """The front of a record; None with one objective, or where nothing has all figures."""
    wanted = goals(record.task)
    if len(wanted) < 2:
        return None
    judged = {t.candidate.id: t for t in (*([record.baseline] if record.baseline else ()), *record.trials)}
    found = []
    for trial in judged.values():
        told = quantities(trial) if trial.status is Status.OK else {}
        if all(g.metric in told for g in wanted):
            figures = tuple(told[g.metric] for g in wanted)
            found.append(Compromise(candidate=trial.candidate.id, params=trial.candidate.params, figures=figures))
    if not found:
        return None
    signs = [1 if g.minimise else -1 for g in wanted]
    kept = unbeaten([tuple(s * v for s, v in zip(signs, one.figures, strict=True)) for one in found])
    return Front(
        names=tuple(g.metric for g in wanted),
        minimise=tuple(g.minimise for g in wanted),
        points=tuple(found[place] for place in kept),
        others=tuple(one for place, one in enumerate(found) if place not in kept),
    )


def plot(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """The first two objectives of every verified configuration, with the front as a line."""
    found = front(record)
    if found is None:
        return None
    for points, tint, size in ((found.others, colours.muted, 14), (found.points, colours.first, 26)):
        axes.scatter([p.figures[0] for p in points], [p.figures[1] for p in points], s=size, color=tint, zorder=3)
    if len(found.names) == 2:
        steps = [p.figures for p in found.points]
        axes.step([x for x, _ in steps], [y for _, y in steps], where="post", color=colours.first, linewidth=1.4)
    units = [unit_of(name) for name in found.names[:2]]
    labels = [f"{h} {u}".rstrip() for h, u in zip(found.headings[:2], units, strict=True)]
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return found.summary
