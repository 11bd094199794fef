"""The optimise graph with the built-in expert, for LangGraph's own tools (see langgraph.json)."""

from atunner.graphs.strategies.expert import expert
from atunner.graphs.tuning import tuning_graph

graph = tuning_graph(expert()).compile()
