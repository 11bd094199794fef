"""One prompt: the whole optimisation in one rewrite; asked again, with the reasons, while rewrites are refused."""

from typing import Any

from langgraph.graph import START
from langgraph.runtime import Runtime
from pydantic import Field

from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import finished, strategy_graph
from atunner.graphs.strategies.steps import Settings, drafted, known, propose, reckon, rewrite

ORDER = (
    "Rewrite the kernel as fast as you can make it on this device in one go, treating the bottleneck named above. "
    "Turn every number that could be tuned into a parameter."
)


class OnePrompt(Settings):
    """tries: how often it is asked at most."""

    tries: int = Field(default=3, ge=1)


async def ask(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Ask until one rewrite is verified; then only search goes on."""
    deps = runtime.context
    settings: OnePrompt = known(deps.options.strategy, OnePrompt)
    tries = state.memo.get("tries")
    asked = tries if isinstance(tries, int) else 0
    verified = bool(state.memo.get("verified")) or (asked > 0 and bool(reckon(deps, state).family))
    if verified or asked >= settings.tries:
        return await propose(deps, state, {**state.memo, "verified": verified}, (), "search goes on")
    answer = await rewrite(deps, state, ORDER, settings)
    memo = {**state.memo, "tries": asked + 1}
    said = f"one rewrite asked for, try {asked + 1}" + ("" if answer else ": no valid answer")
    return await propose(deps, state, memo, drafted(deps, answer), said)


def one_prompt() -> Any:
    """The strategy."""
    graph = strategy_graph()
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    return finished(graph, OnePrompt)
