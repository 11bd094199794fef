"""How much a run's models hold: kept with the run, so that a resumed or replayed one is told the same."""

from atunner.agents.rewrite import Rewrite
from atunner.core.errors import UserError
from atunner.core.ports import Holding
from atunner.graphs.briefs import Briefing
from atunner.graphs.deps import RunMemory

CONTEXTS = "contexts"


def keep_contexts(memory: RunMemory, run: str, contexts: dict[str, int]) -> None:
    """Keep what each model holds, by its name; a second time changes nothing."""
    memory.event(run, CONTEXTS, dict(contexts), key=CONTEXTS)


def contexts_then(memory: RunMemory, run: str) -> dict[str, int] | None:
    """What each model of a run held when it began; None where that was not kept."""
    kept = [e.body for e in memory.events(run) if e.kind == CONTEXTS]
    return {n: int(str(v)) for n, v in kept[0].items()} if kept and isinstance(kept[0], dict) else None


def must_fit(model: Holding | None, briefing: Briefing) -> None:
    """Refuse a task whose smallest brief for the coder is more than a model has room for.

    Raises:
        UserError
    """
    room = model.room("coder", Rewrite) if model is not None else None
    if room is None or (least := briefing.least("coder")) <= room.tokens:
        return
    raise UserError(
        f"{room.model} holds {room.context} tokens and has room for a brief of {room.tokens}; the smallest of this "
        f"task takes about {least}: give it a larger context, take a smaller source, or --strategy expert."
    )
