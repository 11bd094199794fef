"""Strategies, by name: subgraphs that propose and do nothing else."""

from langgraph.graph import StateGraph

from atunner.graphs.deps import Deps
from atunner.graphs.state import Proposed, TuningState

BUILT_IN = {"expert": "atunner.graphs.strategies.expert:expert"}


def strategy_graph() -> StateGraph[TuningState, Deps, TuningState, Proposed]:
    """The one legal shape of a strategy: reads the whole state, writes its proposal and its memo."""
    return StateGraph(TuningState, context_schema=Deps, input_schema=TuningState, output_schema=Proposed)
