"""`atunner cost`: what a run's models cost, call by call and in all, and for each percent that was kept."""

from collections.abc import Sequence

import typer

from atunner.cli.common import command, print_json
from atunner.cli.tables import show_table
from atunner.core.call import ModelCall
from atunner.core.record import RunRecord
from atunner.core.value import Value
from atunner.wiring import Session

COLUMNS = ("role", "model", "calls", "answered", "tokens in", "cached", "tokens out", "USD", "seconds")


class Line(Value):
    """One row: calls of one role to one model. usd: None when some call's price is unknown."""

    role: str
    model: str
    calls: int
    answered: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    estimated: int
    usd: float | None
    seconds: float


class Bill(Value):
    """What a run's models cost. kept_percent: less time (or more of the figure) confirmed, else of the best trial.

    usd_a_percent, tokens_a_percent: None when nothing was kept or the price is unknown.
    """

    run: str
    lines: tuple[Line, ...]
    total: Line
    outcomes: dict[str, int]
    kept_percent: float
    usd_a_percent: float | None
    tokens_a_percent: float | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "cost")(cost)


def cost(
    run: str = typer.Argument(help="A run's name from `atunner list`."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Show what a run's model calls cost: tokens, dollars, time, and the cost of each percent kept.

    Example: atunner cost conv2d-a100-20260101-120000-1a2b
    """
    with Session() as session:
        found = bill(session.store.load(run), session.store.calls(run))
    if as_json:
        print_json(found)
        return
    _show(found)


def bill(record: RunRecord, calls: Sequence[ModelCall]) -> Bill:
    """Add up the calls of a run."""
    groups: dict[tuple[str, str], list[ModelCall]] = {}
    for call in calls:
        groups.setdefault((call.role, call.model), []).append(call)
    outcomes: dict[str, int] = {}
    for call in calls:
        outcomes[call.outcome] = outcomes.get(call.outcome, 0) + 1
    total, kept = _line("all", "", calls), kept_percent(record)
    tokens = total.input_tokens + total.output_tokens
    return Bill(
        run=record.run,
        lines=tuple(_line(role, model, group) for (role, model), group in groups.items()),
        total=total,
        outcomes=outcomes,
        kept_percent=kept,
        usd_a_percent=total.usd / kept if kept > 0 and total.usd is not None else None,
        tokens_a_percent=tokens / kept if kept > 0 else None,
    )


def _line(role: str, model: str, calls: Sequence[ModelCall]) -> Line:
    sent = [c for c in calls if c.input_tokens + c.output_tokens > 0]
    known = all(c.usd is not None for c in sent)
    return Line(
        role=role,
        model=model,
        calls=len(calls),
        answered=sum(c.outcome == "ok" for c in calls),
        input_tokens=sum(c.input_tokens for c in calls),
        output_tokens=sum(c.output_tokens for c in calls),
        cached_tokens=sum(c.cached_tokens for c in calls),
        estimated=sum(c.estimated for c in calls),
        usd=sum(c.usd or 0.0 for c in sent) if known else None,
        seconds=sum(c.seconds for c in calls),
    )


def kept_percent(record: RunRecord) -> float:
    """Percent of the baseline's time saved: the confirmed figure only where it is better; predicted ones count as 0."""
    if record.confirmed is None or not record.confirmed.better:
        return 0.0
    return 100.0 * (1.0 - 1.0 / record.confirmed.ratio)


def _show(found: Bill) -> None:
    if not found.lines:
        typer.echo("No model was asked in this run.")
        return
    rows = []
    for line in (*found.lines, found.total):
        usd = "price unknown" if line.usd is None else f"{line.usd:.4f}"
        about = "about " if line.estimated else ""
        tokens = (f"{about}{line.input_tokens}", str(line.cached_tokens), f"{about}{line.output_tokens}")
        rows.append((line.role, line.model, str(line.calls), str(line.answered), *tokens, usd, f"{line.seconds:.1f}"))
    show_table(COLUMNS, rows)
    typer.echo(f"outcomes: {', '.join(f'{n} {outcome}' for outcome, n in sorted(found.outcomes.items()))}")
    typer.echo(_percent(found))


def _percent(found: Bill) -> str:
    if found.tokens_a_percent is None:
        return "kept: no confirmed gain, so there is no cost of a percent"
    usd = "price unknown" if found.usd_a_percent is None else f"{found.usd_a_percent:.4f} USD"
    return f"kept: {found.kept_percent:.1f} % less time, {found.tokens_a_percent:.0f} tokens and {usd} a percent"
