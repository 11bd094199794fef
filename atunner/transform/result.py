"""What `make_kernel` returns: the best source with its parameters, and the history of how it was found."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atunner.agents.rewrite import main_file
from atunner.core.candidate import Candidate, Params
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Trial
from atunner.reports.wording import headline
from atunner.reports.write import Paths, write


@dataclass(frozen=True)
class Improvement:
    """One candidate that was the best of the run when it was judged. old, new: figures in `unit`.

    gain: what it took off the time before it, 0.25 for a quarter; figures of the search, not yet confirmed.
    """

    description: str
    source: str
    parameters: Params
    old: float
    new: float
    unit: str

    @property
    def gain(self) -> float:
        """The share of the time that is gone."""
        return 1.0 - self.new / self.old if self.old else 0.0


class TunedKernel:
    """The best kernel of a run. record: everything that is known of it."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record

    @property
    def best(self) -> Candidate | None:
        """The best verified candidate; the original where nothing was better, None where nothing was verified."""
        trial = self.record.winner or self.record.baseline
        return trial.candidate if trial else None

    @property
    def source(self) -> str:
        """The best source."""
        return self.best.files[main_file(self.best)] if self.best else ""

    @property
    def parameters(self) -> Params:
        """The best values of its parameters, to be given to the compiler as macros."""
        return dict(self.best.params) if self.best else {}

    @property
    def speedup(self) -> float | None:
        """Original time over best time, measured beside each other at the end; None where nothing was measured."""
        return self.record.confirmed.ratio if self.record.confirmed else None

    @property
    def improved(self) -> bool:
        """Whether it is faster than the original beyond noise, as measured."""
        return self.record.confirmed is not None and self.record.confirmed.better

    @property
    def provenance(self) -> Provenance:
        """Whether figures are measured, predicted or simulated."""
        return self.record.provenance

    @property
    def summary(self) -> str:
        """One computed sentence."""
        return headline(self.record)

    @property
    def history(self) -> tuple[Improvement, ...]:
        """Each candidate that was better than all before it, in the order judged.

        The winner is the last of them, unless it and the last were alike within noise and met once more at the end.
        """
        return tuple(_improvements(self.record))

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All that was judged, with status and feedback."""
        return self.record.trials

    def save(self, folder: str | Path) -> Paths:
        """Write source, launch parameters, report, record and plots; says where they lie."""
        return write(self.record, Path(folder))

    def __repr__(self) -> str:
        return f"TunedKernel({self.record.run!r}: {self.summary})"


def _improvements(record: RunRecord) -> Iterator[Improvement]:
    base = record.baseline
    figure = base.measurement.value if base and base.measurement else None
    for trial in record.trials:
        measured = trial.measurement
        if trial.status is not Status.OK or measured is None or figure is None:
            continue
        if measured.provenance is not record.provenance or not record.task.objective.better(measured.value, figure):
            continue
        made = trial.candidate
        told = made.note or f"{made.family} by {made.origin}"
        source = made.files[main_file(made)]
        yield Improvement(told, source, dict(made.params), figure, measured.value, measured.unit)
        figure = measured.value
