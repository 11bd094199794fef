"""The report as one page: no scripts, no other file, readable on a phone, on paper and in the dark."""

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from atunner.core.record import AgentNote, RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.value import Value
from atunner.reports import difference, ir_page, palette, plots, terminal, wording
from atunner.reports.difference import Line
from atunner.reports.front import NOISE, front
from atunner.reports.roof import BOUND_BY, roofline
from atunner.reports.rows import Row, baseline, failures, leaderboard, screened, status_counts


class Picture(Value):
    """An inline drawing and the sentence that says what is seen."""

    title: str
    svg: str
    caption: str


class Round(Value):
    """What the agents said in one round."""

    number: int
    notes: tuple[AgentNote, ...]


def page(record: RunRecord) -> str:
    """The whole page as text."""
    best = record.winner
    return _template().render(
        record=record,
        stamp=wording.stamp(record),
        predicted=record.provenance is Provenance.PREDICTED,
        measured=record.provenance is Provenance.MEASURED,
        headline=wording.headline(record),
        cards=tuple(cards(record)),
        rows=leaderboard(record),
        baseline=baseline(record),
        taken=any(row.resources for row in leaderboard(record)),
        threads=sorted({n for row in leaderboard(record) for n in row.times}),
        beside=terminal.beside(leaderboard(record)),
        front=front(record),
        noise=NOISE,
        under=tuple(terminal.under_the_board(record, len(leaderboard(record)), shown=len(record.trials))),
        failures=sorted(failures(record), key=lambda f: f.status is Status.NOT_VERIFIED),
        pictures=tuple(pictures(record)),
        evidence=ir_page.evidence(record),
        diff=_diff(record),
        source=difference.source(best.candidate) if best else ("", ""),
        rounds=rounds(record),
        cost=tuple(terminal.cost(record)),
        css=Markup(_asset("report.css")),
    )


def cards(record: RunRecord) -> Iterator[tuple[str, str, str]]:
    """The few figures to read first: name, figure, and what it means."""
    rows = leaderboard(record)
    if record.confirmed is not None:
        meaning = "confirmed in a new process" if record.confirmed.better else "not better (within noise)"
        text = f"{record.confirmed.low:.2f} to {record.confirmed.high:.2f}, {meaning}"
        yield "ratio to naive", f"{record.confirmed.ratio:.2f}x", text
    elif rows and rows[0].relative is not None and record.provenance is not Provenance.MEASURED:
        yield (
            "best score over naive",
            wording.number(rows[0].relative),
            f"{wording.stamp(record)}; nothing was measured",
        )
    roof = roofline(record)
    if roof is not None:
        yield "roofline bound", wording.duration(roof.bound_us, "us"), f"on {wording.target(record)}"
    counts = status_counts(record)
    if counts:
        looked, _ = screened(record)
        extra = f", {looked} configurations compiled and scored first" if looked else ""
        yield "verified", f"{counts.get(Status.OK, 0)} of {sum(counts.values())}", f"trials{extra}"
    yield (
        "took",
        wording.elapsed(record.spent.seconds),
        f"{record.state.value}: {record.stop_reason or 'no reason given'}",
    )


def pictures(record: RunRecord) -> Iterator[Picture]:
    """Every plot that the record has something for."""
    for name, (title, _) in plots.PLOTS.items():
        drawn = plots.drawn(record, name, palette.SCREEN)
        if drawn is not None:
            figure, caption = drawn
            yield Picture(title=title, svg=palette.themed(plots.svg(figure, name), name), caption=caption)


def rounds(record: RunRecord) -> tuple[Round, ...]:
    """The agents' notes by round, in the order said."""
    numbers = sorted({note.round for note in record.notes})
    return tuple(Round(number=n, notes=tuple(note for note in record.notes if note.round == n)) for n in numbers)


def _diff(record: RunRecord) -> tuple[Line, ...]:
    if record.winner is None or record.baseline is None:
        return ()
    before, after = (ir_page.shown(record, t.candidate) for t in (record.baseline, record.winner))
    return difference.lines(before, after)


def _mark(row: Row) -> str:
    return row.base if row.rank == 0 else str(row.rank)


def _figure(row: Row) -> str:
    return wording.duration(row.value, row.unit) if row.provenance is Provenance.MEASURED else terminal.score(row)


def _asset(name: str) -> str:
    return (files("atunner.reports") / "templates" / name).read_text(encoding="utf-8")


@lru_cache
def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {
        "mark": _mark,
        "figure": _figure,
        "takes": terminal.takes,
        "ratio": terminal.ratio,
        "checked": terminal.checked,
        "model_words": terminal.model_words,
        "words": wording,
        "bound_by": BOUND_BY,
        "safe_svg": Markup,
    }
    return environment


@lru_cache
def _template() -> Template:
    return _environment().from_string(_asset("report.html.j2"))
