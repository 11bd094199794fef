"""A run as it happens: a live panel on a terminal, plain lines in a pipe, JSON lines for a program."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from atunner.core.status import Provenance
from atunner.graphs.events import Event
from atunner.reports import wording


class View(Protocol):
    """Shows events as they come."""

    def __call__(self, event: Event) -> None:
        """Show one event."""
        ...

    def close(self) -> None:
        """Leave the terminal as it should stay."""
        ...


class Progress:
    """The watch of a run: chooses the view once, then only forwards.

    Lives as a context manager, so that the terminal is restored also after a crash.
    """

    def __init__(self, view: View) -> None:
        self.view = view

    @classmethod
    def on(cls, console: Console) -> Self:
        """A live panel where `console` is a terminal, plain lines otherwise."""
        return cls(Panel(console) if console.is_terminal else Lines(console))

    @classmethod
    def json(cls, stream: IO[str]) -> Self:
        """One JSON object a line, flushed at once."""
        return cls(JsonLines(stream))

    def __call__(self, event: Event) -> None:
        """Show one event."""
        self.view(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.view.close()


def best(event: Event) -> str:
    """The best figure so far in words that fit its provenance; milliseconds only for measured ones."""
    if event.best is None:
        return "none yet"
    share = event.best / event.baseline if event.baseline else None
    if event.provenance is not Provenance.MEASURED:
        text = f"{wording.number(share)} of {event.base}" if share is not None else wording.number(event.best)
        return f"{text} ({event.provenance.value})"
    text = wording.duration(event.best, event.unit)
    return f"{text} ({event.base} {wording.duration(event.baseline, event.unit)})" if event.baseline else text


def shares(event: Event) -> str:
    """What became of those done: compiled, raced out and failed; "" while nothing is."""
    if not event.done:
        return ""
    parts = ((event.compiled, "compiled"), (event.raced_out, "raced out"), (event.failed, "failed"))
    return ", ".join(f"{count / event.done:.0%} {name}" for count, name in parts if count)


def left(event: Event) -> str:
    """What is left of the budget."""
    trials = f"{max(event.budget - event.done, 0)} of {event.budget} trials" if event.budget is not None else ""
    seconds = wording.elapsed(max(event.budget_s - event.seconds, 0)) if event.budget_s is not None else ""
    return " and ".join(part for part in (trials, seconds) if part) or "no bound"


def eta(event: Event) -> str:
    """When the run will end at this pace."""
    return wording.elapsed(event.eta_s) if event.eta_s is not None else "unknown"


def share_done(event: Event) -> float:
    """The part of the tightest budget that is used, from 0 to 1."""
    trials = event.done / event.budget if event.budget else 0.0
    seconds = event.seconds / event.budget_s if event.budget_s else 0.0
    return min(1.0, max(trials, seconds))


class Panel:
    """Redraws in place; what agents say scrolls by above it."""

    def __init__(self, console: Console) -> None:
        self.live = Live(console=console, refresh_per_second=8, transient=True)
        self.figures: Event | None = None
        self.live.start()

    def __call__(self, event: Event) -> None:
        """Redraw; a note or the end is also printed above."""
        if event.message and event.kind in {"note", "end"}:
            self.live.console.print(Text.assemble((f"{event.stage:>12}  ", "bold cyan"), event.message))
        self.live.update(self.drawn(event))

    def drawn(self, event: Event) -> Table:
        """The panel of one event; what an agent says has no figures, so the last ones stay."""
        if event.budget is not None or event.budget_s is not None or event.done:
            self.figures = event
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="ellipsis", no_wrap=True)
        table.add_row(f"round {event.round}", Text(event.stage, style="bold cyan"))
        if (figures := self.figures) is None:
            return table
        table.add_row("done", ProgressBar(total=1.0, completed=share_done(figures), width=32))
        table.add_row("best so far", Text(best(figures), style="bold"))
        table.add_row("budget left", left(figures))
        if told := shares(figures):
            table.add_row("of those done", told)
        table.add_row("time", f"{wording.elapsed(figures.seconds)}, to go {eta(figures)}")
        return table

    def close(self) -> None:
        """Take the panel away and give the cursor back."""
        self.live.stop()


class Lines:
    """One line for each change of stage, note, new best and end; at most one every `quiet_s` in between."""

    def __init__(self, console: Console, quiet_s: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.quiet_s, self.clock = console, quiet_s, clock
        self.stage: tuple[int, str] = (-1, "")
        self.best: float | None = None
        self.last = float("-inf")

    def __call__(self, event: Event) -> None:
        """Print the event if it says something new."""
        told = event.kind in {"note", "end"} and event.message
        moved = (event.round, event.stage) != self.stage or event.best != self.best
        if not (told or moved or self.clock() - self.last >= self.quiet_s):
            return
        self.stage, self.best, self.last = (event.round, event.stage), event.best, self.clock()
        self.console.print(line(event), soft_wrap=True, highlight=False, markup=False)

    def close(self) -> None:
        """Nothing is held."""


def line(event: Event) -> str:
    """One event as one line."""
    head = f"round {event.round} {event.stage}"
    if event.message and (event.kind in {"note", "end"} or not event.done):
        return f"{head}: {event.message}"
    done = f"{event.done} done" + (f" ({told})" if (told := shares(event)) else "")
    figures = f"best {best(event)}; {done}; left {left(event)}; to go {eta(event)}"
    return f"{head}: {event.message}; {figures}" if event.message else f"{head}: {figures}"


class JsonLines:
    """Every event, whole."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def __call__(self, event: Event) -> None:
        """Write and flush one line."""
        self.stream.write(event.model_dump_json() + "\n")
        self.stream.flush()

    def close(self) -> None:
        """The stream is the caller's."""
