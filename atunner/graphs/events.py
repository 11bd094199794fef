"""What a run says while it works."""

import inspect
from typing import Any, Protocol

from atunner.core.errors import UserError
from atunner.core.foreign import Foreign
from atunner.core.status import Provenance
from atunner.core.value import Value


class Event(Value):
    """One step of progress. stage: the node at work. best, baseline: figures in `unit`; eta_s: None while unknown.

    done and budget count trials. kind: stage, trial, verified (right, not timed yet), note or end. base: what the
    baseline is called. compiled, raced_out, failed: of those done, what was built, what a race left behind, and what
    did not build or was wrong.
    """

    run: str
    kind: str
    round: int
    stage: str
    message: str = ""
    best: float | None = None
    baseline: float | None = None
    unit: str = ""
    provenance: Provenance = Provenance.MEASURED
    done: int = 0
    base: str = "naive"
    compiled: int = 0
    raced_out: int = 0
    failed: int = 0
    budget: int | None = None
    seconds: float = 0.0
    budget_s: float | None = None
    eta_s: float | None = None


class Watch(Protocol):
    """Takes events as they come; must not raise and must not block."""

    def __call__(self, event: Event) -> None:
        """Show or store one event."""
        ...


def ignore(event: Event) -> None:
    """A watch that looks away."""


def guarded(watch: Any, name: str) -> Watch:
    """A watch of the caller's: what it raises ends the run as a wrong request does, so that the run can be resumed.

    Raises:
        UserError: it cannot be called, or only awaited.
    """
    called(watch, name)
    if inspect.iscoroutinefunction(watch) or inspect.iscoroutinefunction(type(watch).__call__):
        raise UserError(
            f"{name} is a coroutine function, which nobody awaits here: give a plain one, or call in a loop."
        )
    return told_of(watch, name)


def called(watch: Any, name: str) -> None:
    """Refuse what cannot be called. Raises UserError."""
    if not callable(watch):
        raise UserError(f"{name} takes a function that is called with each event; got {type(watch).__name__}.")


def told_of(watch: Watch, name: str) -> Watch:
    """The same watch; what it raises becomes a UserError that says how to go on."""

    def call(event: Event) -> None:
        with Foreign(f"{name} raised", f"Mend it, then go on with: atunner resume {event.run}"):
            watch(event)

    return call
