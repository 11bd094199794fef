"""A strategy of the user's own at work: what goes wrong in it is one line, and what was judged is kept."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime
from pydantic import ValidationError

from atunner.core.errors import UserError
from atunner.core.foreign import Foreign
from atunner.graphs.deps import Deps
from atunner.graphs.state import Proposed, TuningState
from atunner.graphs.strategies import BUILT_IN


class NoProposal(UserError):
    """What a strategy of the user's own handed back is no proposal."""


def guarded(made: Any, name: str, run: str) -> Any:
    """The strategy `made`; one that does not ship here tells in one line what it raised or proposed wrongly."""
    if name in BUILT_IN:
        return made

    async def codegen(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
        with _raised(name, run):
            found = _proposed(await made.ainvoke(state), name, run)
        families = [f.name for f in runtime.context.domain.families(state.task)]
        for move in found["proposal"].moves if found.get("proposal") else ():
            if move.family not in families:
                known = f"{move.family!r} is no family of {state.task.name}, which has {', '.join(families)}"
                raise NoProposal(f"The strategy {name!r} proposed no good move: {known}. {_advice(run)}")
        return found

    return codegen


@contextmanager
def exits(name: str, run: str) -> Iterator[None]:
    """Tells of a call of sys.exit(): it ends the event loop from inside a task, past every `with` in there."""
    try:
        yield
    except SystemExit:
        with _raised(name, run):
            raise


def _raised(name: str, run: str) -> AbstractContextManager[None]:
    """Tells what the strategy raises, and how to go on; what the graph itself stops with passes."""
    if name in BUILT_IN:
        return nullcontext()
    return Foreign(f"The strategy {name!r} raised", _advice(run), (GraphBubbleUp,))


def _proposed(answer: Any, name: str, run: str) -> dict[str, Any]:
    """What the strategy handed back, checked here: the next node would not know whose it was."""
    try:
        found = Proposed.model_validate(answer)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its answer"
        raise NoProposal(f"The strategy {name!r} proposed no good {where}: {first['msg']}. {_advice(run)}") from error
    return {field: getattr(found, field) for field in found.model_fields_set}


def _advice(run: str) -> str:
    return f"Mend it, then go on with: atunner resume {run}"
