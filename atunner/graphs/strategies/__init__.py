"""Strategies, by name: subgraphs that propose and do nothing else."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from langgraph.graph import StateGraph

from atunner.core.errors import UserError
from atunner.core.foreign import Foreign
from atunner.core.plugins import load
from atunner.graphs.deps import Deps
from atunner.graphs.state import Proposed, TuningState

BUILT_IN = {
    "autonomous": "atunner.graphs.strategies.autonomous:autonomous",
    "evolve": "atunner.graphs.strategies.evolve:evolve",
    "expert": "atunner.graphs.strategies.expert:expert",
    "explicit": "atunner.graphs.strategies.explicit:explicit",
    "one_prompt": "atunner.graphs.strategies.one_prompt:one_prompt",
}

ASKING = frozenset(BUILT_IN) - {"expert"}
"""Those that ask a model for kernels; without one the expert proposes in their place."""


def strategy(name: str) -> Any:
    """The factory of a strategy: one of the table, of an installed package, or the user's own as module:factory.

    Raises:
        UserError: no such name, module or factory.
    """
    if ":" not in name:
        return load("strategies", name, BUILT_IN)
    module, _, factory = name.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *factory.split("."))):
        raise UserError(f"Expected module:factory as the strategy, as in my_strategy:greedy; got {name!r}.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that a file in the working folder hides nothing that is installed
    advice = "Give module:factory of an installed module or of a file in this folder."
    with Foreign(f"Cannot load the strategy {name!r}:", advice):
        return EntryPoint("own", name, "atunner.strategies").load()


def finished(graph: StateGraph[TuningState, Deps, TuningState, Proposed], settings: type) -> Any:
    """The strategy's graph, compiled, with the form of its settings, so that they are checked before a run."""
    made: Any = graph.compile()
    made.settings = settings
    return made


def strategy_graph() -> StateGraph[TuningState, Deps, TuningState, Proposed]:
    """The one legal shape of a strategy: reads the whole state, writes its proposal and its memo."""
    return StateGraph(TuningState, context_schema=Deps, input_schema=TuningState, output_schema=Proposed)
