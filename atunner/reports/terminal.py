"""The report on a terminal: rich renderables, one for each part, and all of them in order."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from atunner.core.record import AgentNote, RunRecord, RunState
from atunner.core.status import Provenance, Status
from atunner.reports import wording
from atunner.reports.front import NOISE, Front, front
from atunner.reports.roof import BOUND_BY, roofline
from atunner.reports.rows import Row, baseline, failures, leaderboard, screened
from atunner.reports.tuned_text import explained

SHOWN = 12
"""Lines of the leaderboard that fit a screen; the page and the CSV have all."""


def show(record: RunRecord, places: Sequence[Path], console: Console) -> None:
    """Print the whole report; `places` are the files that were written."""
    for part in parts(record, places):
        console.print(part)


def parts(record: RunRecord, places: Sequence[Path] = ()) -> Iterator[RenderableType]:
    """Every part that the record has something for, in reading order."""
    if record.facts is not None:
        yield from _titled("Operator", operator(record))
    if record.device is not None:
        yield from _titled("Hardware", hardware(record))
    if record.notes:
        yield from _titled("Agents", agents(record.notes))
    yield from _titled(f"Leaderboard: {wording.stamp(record)}", board(record))
    if (found := front(record)) is not None:
        yield from _titled(f"{found.title}: {wording.stamp(record)}", compromises(found))
    if record.trials:
        yield from _titled("Not on the board", rest(record))
    if lines := explained(record):
        yield from _titled("Why the winner won", Group(*(Text(line) for line in lines)))
    yield from _titled("Result", result(record))
    if places:
        yield from _titled("Where everything lies", where(places))


def _titled(title: str, body: RenderableType) -> tuple[RenderableType, RenderableType]:
    return Rule(Text(title, style="bold"), align="left", style="dim"), Padding(body, (0, 0, 1, 2))


def _pairs() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def operator(record: RunRecord) -> RenderableType:
    """The problem in numbers, and which settings were assumed."""
    facts, table = record.facts, _pairs()
    if facts is None:
        return Text("No facts were recorded.")
    table.add_row("operator", f"{facts.operator}, {facts.dtype}")
    for name, extents in facts.tensors.items():
        table.add_row(f"  {escape(name)}", wording.shape(extents))
    for setting in facts.settings:
        assumed = f"[yellow]assumed[/]; set it with [bold]{escape(setting.how)}[/]" if setting.assumed else "as given"
        table.add_row(f"  {escape(setting.name)}", f"{escape(str(setting.value))}  {assumed}")
    if facts.counted:
        table.add_row("work", wording.scaled(facts.flops, "FLOP"))
        table.add_row("minimal traffic", f"{wording.size(facts.min_bytes)} (every tensor moved once)")
        table.add_row("intensity", f"{wording.number(facts.intensity)} FLOP/byte")
    for line in facts.access:
        table.add_row("access", escape(line))
    if facts.reuse:
        table.add_row("reuse", ", ".join(f"{escape(n)} {wording.number(v)} times" for n, v in facts.reuse.items()))
    for line in facts.notes:
        table.add_row("note", escape(line))
    return table


def hardware(record: RunRecord) -> RenderableType:
    """The device's figures, each with its source."""
    device = record.device
    if device is None:
        return Text("No device was recorded.")
    table = Table(
        box=None, padding=(0, 2), title=f"{escape(device.name)} ({escape(device.arch)})", title_justify="left"
    )
    table.add_column("fact", style="dim", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("source", justify="right", no_wrap=True)
    table.add_column("", overflow="fold", style="dim")
    sources: dict[str, int] = {}
    for name, fact in device.facts.items():
        mark = sources.setdefault(fact.source, len(sources) + 1)
        value = f"{wording.number(fact.value, 4)} {escape(fact.unit)}"
        table.add_row(escape(name), value, f"({mark})", escape(fact.note))
    named = [Text(f"({mark}) {source}", style="dim") for source, mark in sources.items()]
    return Group(table, *named, *(Text(note) for note in device.notes))


def agents(notes: Sequence[AgentNote]) -> RenderableType:
    """What each agent said, by round; the words of a model are marked as such."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    previous = -1
    for note in notes:
        label = f"round {note.round}" if note.round != previous else ""
        previous = note.round
        table.add_row(label, f"[bold]{escape(note.agent)}[/]", _said(note))
        for point in note.points:
            table.add_row("", "", Text(f"- {point}", style="dim"))
    return table


def _said(note: AgentNote) -> Text:
    speaker = model_words(note)
    text = Text(note.summary)
    return Text.assemble((f"[{speaker}] ", "magenta"), text) if speaker else text


def model_words(note: AgentNote) -> str:
    """The mark of a sentence that a model wrote; "" for computed ones."""
    return f"words of {note.by}" if note.by.startswith("model:") else ""


def board(record: RunRecord) -> RenderableType:
    """The ranked candidates; columns follow the provenance."""
    rows = leaderboard(record)
    if not rows:
        return Text("No candidate was verified, so there is no leaderboard.")
    base = baseline(record)
    lines = [*([base] if base else []), *rows[:SHOWN]]
    metric = record.task.objective.metric
    table = _measured(lines, metric) if record.provenance is Provenance.MEASURED else _scored(lines)
    return Group(table, *(Text(line, style="dim") for line in under_the_board(record, len(rows))))


def under_the_board(record: RunRecord, count: int, shown: int = SHOWN) -> Iterator[str]:
    """What must be known to read the board: provenance, error of the model, roofline bound, what was left out."""
    yield f"Every figure {wording.stamp(record)}."
    if record.provenance is Provenance.PREDICTED:
        error = wording.model_error(record)
        over = wording.base_cost(record).removesuffix(" cost")
        yield f"Score: predicted cost over {over}. Known error of the model: {error or 'not stated'}."
    roof = roofline(record)
    if roof is not None:
        yield f"Roofline bound on {wording.target(record)}: {wording.duration(roof.bound_us, 'us')} ({BOUND_BY})."
    looked, built = screened(record)
    if looked and record.provenance is Provenance.PREDICTED:
        yield f"{looked} configurations were compiled and scored first ({built} usable); {count} entered the board."
    if count > shown:
        yield f"{count - shown} more lines are in report.html and trials.csv."


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name, side in columns:
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    return table


def _scored(rows: Sequence[Row]) -> Table:
    others = beside(rows)
    table = _table(
        ("#", "right"),
        ("family", "left"),
        ("parameters", "left"),
        ("regs", "right"),
        ("shared", "right"),
        ("spills", "right"),
        ("occupancy", "right"),
        ("limiter", "left"),
        ("score", "right"),
        *((name, "right") for name in others),
        ("inputs", "right"),
    )
    for row in rows:
        table.add_row(
            _rank(row),
            escape(row.family),
            escape(wording.parameters(row.params)),
            *takes(row),
            score(row),
            *(row.beside.get(name, wording.NO_FIGURE) for name in others),
            checked(row),
        )
    return table


def _measured(rows: Sequence[Row], metric: str) -> Table:
    others = beside(rows)
    threads = sorted({n for row in rows for n in row.times})
    counts = [(f"{n} thread{'s' if n > 1 else ''}", "right") for n in threads]
    gpu = any(row.resources for row in rows)
    takes_columns = [
        ("regs", "right"),
        ("shared", "right"),
        ("spills", "right"),
        ("occupancy", "right"),
        ("limiter", "left"),
    ]
    table = _table(
        ("#", "right"),
        ("family", "left"),
        ("parameters", "left"),
        *(takes_columns if gpu else []),
        (metric, "right"),
        *((name, "right") for name in others),
        *counts,
        (f"against {rows[0].base}", "left"),
        ("inputs", "right"),
    )
    for row in rows:
        at = [wording.duration(row.times[n], "us") if n in row.times else wording.NO_FIGURE for n in threads]
        middle = takes(row) if gpu else ()
        name = escape(row.family), escape(wording.parameters(row.params))
        figures = wording.duration(row.value, row.unit), *(row.beside.get(n, wording.NO_FIGURE) for n in others)
        table.add_row(_rank(row), *name, *middle, *figures, *at, ratio(row), checked(row))
    return table


def beside(rows: Sequence[Row]) -> tuple[str, ...]:
    """The names of what stands beside the objective."""
    return tuple(dict.fromkeys(name for row in rows for name in row.beside))


def compromises(found: Front) -> RenderableType:
    """The front, and what is to be known to read it."""
    table = _table(("parameters", "left"), *((name, "right") for name in found.headings))
    for point in found.points:
        table.add_row(escape(wording.parameters(point.params)), *found.cells(point))
    return Group(table, Text(found.summary, style="dim"), Text(NOISE, style="dim"))


def _rank(row: Row) -> str:
    return row.base if row.rank == 0 else str(row.rank)


def takes(row: Row) -> tuple[str, str, str, str, str]:
    """Registers, shared memory, spills, occupancy and its limiter, as cells."""
    found = row.resources
    if found is None:
        return (wording.NO_FIGURE,) * 5
    occupancy = found.occupancy
    share = f"{occupancy.fraction:.0%}" if occupancy else wording.NO_FIGURE
    limiter = occupancy.limiter.replace("_", " ") if occupancy else wording.NO_FIGURE
    shared = wording.size(found.static_shared + found.dynamic_shared)
    return str(found.registers), shared, wording.size(found.spill_bytes), share, limiter


def score(row: Row) -> str:
    """The figure relative to the naive baseline's."""
    return wording.number(row.relative) if row.relative is not None else wording.NO_FIGURE


def ratio(row: Row) -> str:
    """The measured ratio to the naive baseline as the statistics have it."""
    if row.rank == 0:
        return "1"
    return wording.interval(row.comparison) if row.comparison else "not compared"


def checked(row: Row) -> str:
    """On how many inputs the results were right."""
    return str(row.checked) if row.checked is not None else wording.NO_FIGURE


def rest(record: RunRecord) -> RenderableType:
    """What did not enter the board: counts by status with the commonest reason; unverified ones apart."""
    found = failures(record)
    if not found:
        judged = any(t.candidate.id != record.baseline.candidate.id for t in record.trials if record.baseline)
        return Text("Every candidate judged was verified." if judged else "Only the baseline was judged so far.")
    table = _table(("status", "left"), ("count", "right"), ("commonest reason", "left"))
    unverified = [f for f in found if f.status is Status.NOT_VERIFIED]
    for failure in [*(f for f in found if f.status is not Status.NOT_VERIFIED), *unverified]:
        word = failure.status.value.replace("_", " ")
        table.add_row(word, str(failure.count), escape(f"{failure.reason} ({failure.share:.0%})"))
    if not unverified:
        return table
    return Group(table, Text("not verified: the checker cannot run them, so nothing is known of their results.", "dim"))


def result(record: RunRecord) -> RenderableType:
    """The headline, why the run ended, and what it cost."""
    table = _pairs()
    table.add_row("result", escape(wording.headline(record)))
    ended = f"{record.state.value}: {record.stop_reason}" if record.stop_reason else record.state.value
    table.add_row("run", f"{escape(record.run)}, {escape(ended)}")
    if record.state is RunState.WAITING:
        table.add_row("next", f"atunner approve {escape(record.run)}, then: atunner resume {escape(record.run)}")
    for name, text in cost(record):
        table.add_row(name, escape(text))
    return table


def cost(record: RunRecord) -> Iterator[tuple[str, str]]:
    """Spent against the budget, one line for each resource that was bounded or used."""
    spent, budget = record.spent, record.budget
    yield "trials", _of(str(spent.trials), None if budget.trials is None else str(budget.trials))
    bound = None if budget.seconds is None else wording.elapsed(budget.seconds)
    yield "time", _of(wording.elapsed(spent.seconds), bound)
    if spent.tokens or budget.tokens is not None:
        yield "tokens", _of(str(spent.tokens), None if budget.tokens is None else str(budget.tokens))
    if spent.usd or budget.usd is not None:
        yield "cost", _of(f"${spent.usd:.2f}", None if budget.usd is None else f"${budget.usd:.2f}")
    unheard = next((n.summary for n in record.notes if n.agent == "model"), "")
    yield "model", f"{record.model}: {unheard}" if unheard else record.model


def _of(used: str, bound: str | None) -> str:
    return f"{used} of {bound}" if bound is not None else used


def where(places: Sequence[Path]) -> RenderableType:
    """The files that were written, and what each is for."""
    table = _pairs()
    for place in places:
        label, hint = PURPOSES.get(place.name, ("file", ""))
        table.add_row(label, escape(f"{place}{hint}"))
    return table


PURPOSES = {
    "best.cu": ("winning kernel", ""),
    "best.c": ("winning kernel", ""),
    "launch.json": ("launch parameters", ""),
    "report.html": ("report with plots", ""),
    "run.json": ("whole record", ""),
    "trials.csv": ("all trials", ""),
    "results.t4.json": ("results as T4", ""),
    "evidence.json": ("evidence", ": `atunner verify` on this folder checks it again"),
    "plots": ("plots as files", ""),
    "bundle": ("bundle", ": `python3 run.py` there measures the best kernels on a real GPU"),
}
"""What each file is for, and what to do with it."""
