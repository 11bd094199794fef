"""A strategy, made and its settings checked before anything is spent."""

from contextlib import nullcontext
from typing import Any

from pydantic import JsonValue

from atunner.agents.rewrite import main_file
from atunner.core.candidate import Candidate
from atunner.core.errors import UserError
from atunner.core.foreign import Foreign
from atunner.core.record import AgentNote, RunRecord
from atunner.graphs.deps import RunMemory
from atunner.graphs.events import Event, Watch
from atunner.graphs.strategies import ASKING, BUILT_IN, strategy
from atunner.graphs.strategies.explicit import Explicit, must_be_for
from atunner.graphs.strategies.steps import known


def prepared(name: str, settings: dict[str, JsonValue]) -> Any:
    """The strategy of that name.

    Raises:
        UserError: there is none, it cannot be made, it is no strategy, or a setting is unknown or wrong.
    """
    factory = strategy(name)
    with nullcontext() if name in BUILT_IN else Foreign(f"The strategy {name!r} could not be made:"):
        made = factory()
    if not hasattr(made, "ainvoke"):
        raise UserError(
            f"The strategy {name!r} is of type {type(made).__name__}: its factory must return a compiled graph."
        )
    kind = getattr(made, "settings", None)
    if isinstance(kind, type):
        known(settings, kind)
    return made


def must_suit(name: str, settings: dict[str, JsonValue], start: Candidate) -> None:
    """Refuse settings that are not for what is tuned. start: what it begins with. Raises UserError."""
    if name == "explicit":
        must_be_for(known(settings, Explicit), main_file(start))


def without_model(memory: RunMemory, record: RunRecord, strategy: str, watch: Watch) -> None:
    """Say it when a strategy that asks a model for kernels has none."""
    if strategy in ASKING and record.model == "none":
        said = f"{strategy} asks a model and none is named (--model): the built-in expert proposes instead"
        memory.note(record.run, AgentNote(round=0, agent="strategy", by="rules", summary=said))
        watch(Event(run=record.run, kind="note", round=0, stage="strategy", message=said))
