"""Two to five runs side by side, with everything said that keeps their figures from being compared."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from atunner.core.errors import UserError
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.value import Value
from atunner.reports import wording
from atunner.reports.rows import leaderboard, status_counts

FEWEST, MOST = 2, 5


class Compared(Value):
    """Named lines with one cell for each run. warnings: why figures must not be compared; empty when they may be."""

    runs: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]
    warnings: tuple[str, ...]


Counts = Mapping[str, Mapping[Status, int]]


def compare(records: Sequence[RunRecord], counts: Counts | None = None) -> Compared:
    """The runs in the order given.

    counts: trials by status of each run, where the records hold their winners only.

    Raises:
        UserError: fewer than two or more than five runs, or one run twice.
    """
    if not FEWEST <= len(records) <= MOST:
        raise UserError(f"compare takes {FEWEST} to {MOST} runs, got {len(records)}.")
    names = tuple(r.run for r in records)
    if len(set(names)) < len(names):
        raise UserError("compare takes different runs, got one of them twice.")
    by_status = counts or {r.run: status_counts(r) for r in records}
    return Compared(runs=names, lines=tuple(_lines(records, by_status)), warnings=tuple(warnings(records)))


def warnings(records: Sequence[RunRecord]) -> Iterator[str]:
    """Every reason why these figures are not comparable as numbers."""
    stamps = {wording.stamp(r) for r in records}
    if len({r.provenance for r in records}) > 1:
        yield "Different provenance (" + "; ".join(sorted(stamps)) + "): the figures are not comparable."
    measured = [r for r in records if r.provenance is Provenance.MEASURED]
    environments = {r.environment.id if r.environment else "unknown" for r in measured}
    if len(environments) > 1:
        told = "; ".join(f"{r.run}: {_environment(r)}" for r in measured)
        yield f"Different environments ({told}): times are not comparable; each ratio holds in its own."
    predicted = {wording.target(r) for r in records if r.provenance is Provenance.PREDICTED}
    if len(predicted) > 1:
        yield f"Predicted for different devices ({', '.join(sorted(predicted))}): scores are not comparable."
    problems = {(r.task.domain, str(sorted(r.task.spec.items(), key=str))) for r in records}
    if len(problems) > 1:
        yield "Different problems: figures are not comparable; each ratio is to its own baseline."
    if len({r.task.objective for r in records}) > 1:
        yield "Different objectives: figures are not comparable."


def _environment(record: RunRecord) -> str:
    found = record.environment
    return f"{found.device} {found.id}" if found else "unknown environment"


def _lines(records: Sequence[RunRecord], counts: Counts) -> Iterator[tuple[str, tuple[str, ...]]]:
    def line(name: str, cells: Iterator[str]) -> tuple[str, tuple[str, ...]]:
        return name, tuple(cells)

    yield line("task", (r.task.name for r in records))
    yield line("tensors", (_tensors(r) for r in records))
    yield line("figures", (wording.stamp(r) for r in records))
    yield line("environment", (_environment(r) for r in records))
    yield line("state", (f"{r.state.value}: {r.stop_reason}" if r.stop_reason else r.state.value for r in records))
    yield line("model", (r.model for r in records))
    yield line("best", (_best(r) for r in records))
    yield line("figure of best", (_figure(r) for r in records))
    yield line("against naive", (_ratio(r) for r in records))
    yield line("trials", (_trials(counts[r.run]) for r in records))
    yield line("took", (wording.elapsed(r.spent.seconds) for r in records))
    yield line("tokens", (str(r.spent.tokens) for r in records))
    yield line("cost", (f"${r.spent.usd:.2f}" for r in records))


def _tensors(record: RunRecord) -> str:
    facts = record.facts
    return ", ".join(f"{n} {wording.shape(s)}" for n, s in facts.tensors.items()) if facts else wording.NO_FIGURE


def _best(record: RunRecord) -> str:
    winner = record.winner
    if winner is None:
        return "nothing verified"
    return f"{winner.candidate.family} {wording.parameters(winner.candidate.params)}".strip()


def _figure(record: RunRecord) -> str:
    rows = leaderboard(record)
    best = next((r for r in rows if r.candidate == record.best), None)
    if best is None:
        return wording.NO_FIGURE
    if record.provenance is Provenance.MEASURED:
        return wording.duration(best.value, best.unit)
    return f"{wording.number(best.relative)} of naive" if best.relative is not None else wording.NO_FIGURE


def _ratio(record: RunRecord) -> str:
    if record.provenance is not Provenance.MEASURED:
        return f"not measured ({record.provenance.value})"
    return wording.interval(record.confirmed) if record.confirmed else "not confirmed"


def _trials(counts: Mapping[Status, int]) -> str:
    return f"{counts.get(Status.OK, 0)} verified of {sum(counts.values())}"


def shown(compared: Compared) -> RenderableType:
    """The comparison for a terminal; warnings first."""
    table = Table(box=None, padding=(0, 2), header_style="bold")
    table.add_column("")
    for run in compared.runs:
        table.add_column(escape(run), overflow="fold")
    for name, cells in compared.lines:
        table.add_row(f"[dim]{name}[/]", *(escape(cell) for cell in cells))
    return Group(*(Text(f"! {w}", style="yellow") for w in compared.warnings), table)
