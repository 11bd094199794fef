"""The optimise graph: one loop for every domain.

operator | hardware -> baseline
-> [ performance -> fusion -> codegen -> approval -> admission -> evaluation ]* -> confirm
"""

from typing import Any, Literal

from langgraph.graph import END, START, StateGraph

from atunner.agents.evaluation import Decision
from atunner.graphs.admission import admit
from atunner.graphs.approval import agreed, approve
from atunner.graphs.confirm import confirm
from atunner.graphs.deps import Deps
from atunner.graphs.nodes import (
    analyse,
    diagnose,
    evaluate,
    examine_hardware,
    examine_operator,
    fuse,
    take_baseline,
)
from atunner.graphs.state import TuningState


def go_on(state: TuningState) -> Literal["performance", "confirm"]:
    """Another round, or the end."""
    return "confirm" if state.verdict and state.verdict.decision is Decision.CONFIRM else "performance"


def gate(state: TuningState) -> dict[str, Any]:
    """Where operator and hardware meet."""
    return {}


def reachable(state: TuningState) -> Literal["baseline", "analysis"]:
    """Tune, or only analyse."""
    return "analysis" if state.blocked else "baseline"


def tuning_graph(strategy: Any) -> StateGraph[TuningState, Deps, TuningState, TuningState]:
    """The loop around a strategy: a compiled subgraph that fills `proposal` (see `strategies.strategy_graph`)."""
    graph = StateGraph(TuningState, context_schema=Deps)
    graph.add_node("operator", examine_operator)
    graph.add_node("hardware", examine_hardware)
    graph.add_node("gate", gate)
    graph.add_node("analysis", analyse)
    graph.add_node("baseline", take_baseline)
    graph.add_node("performance", diagnose)
    graph.add_node("fusion", fuse)
    graph.add_node("codegen", strategy)
    graph.add_node("approval", approve)
    graph.add_node("admission", admit)
    graph.add_node("evaluation", evaluate)
    graph.add_node("confirm", confirm)
    graph.add_edge(START, "operator")
    graph.add_edge(START, "hardware")
    graph.add_edge(["operator", "hardware"], "gate")
    graph.add_conditional_edges("gate", reachable)
    graph.add_edge("baseline", "performance")
    graph.add_edge("performance", "fusion")
    graph.add_edge("fusion", "codegen")
    graph.add_edge("codegen", "approval")
    graph.add_conditional_edges("approval", agreed)
    graph.add_edge("admission", "evaluation")
    graph.add_conditional_edges("evaluation", go_on)
    graph.add_edge("analysis", END)
    graph.add_edge("confirm", END)
    return graph
