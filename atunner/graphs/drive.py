"""Running the graph to its end, or to where it was stopped; resuming is running again from the last checkpoint."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from atunner.core.errors import ToolError
from atunner.core.record import RunState
from atunner.graphs.approval import pending
from atunner.graphs.checkpoints import checkpoint_file, forget_proposals, serializer
from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState
from atunner.graphs.strategies.own import NoProposal
from atunner.graphs.tuning import tuning_graph
from atunner.graphs.written import Extended

STEPS_A_ROUND = 7
STEPS_AROUND = 12
BUSY_S = 10.0
"""How long to wait for checkpoints that another run writes."""


async def drive(deps: Deps, start: TuningState, strategy: Any, folder: Path) -> None:
    """Go on from the last checkpoint of `deps.run`; run from `start` when there is none yet.

    Checkpoints are written before the next node begins (durability "sync"), so a killed process loses at most the node
    at work, and that node finds its recorded trials by content. Where a person is asked, the run is left waiting; it
    goes on when it is driven again and the answer is on record.
    """
    deps = replace(deps, domain=Extended(deps.domain, deps.memory, deps.run))
    file = checkpoint_file(folder)
    with _told(file, deps.run):
        await _driven(deps, start, strategy, file)


@contextmanager
def _told(file: Path, run: str) -> Iterator[None]:
    """What keeps the checkpoints from being read or written, in one line."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ToolError(f"The checkpoints in {file}: {error}. Mend that, then: atunner resume {run}") from error


async def _driven(deps: Deps, start: TuningState, strategy: Any, file: Path) -> None:
    async with aiosqlite.connect(file, timeout=BUSY_S) as connection:
        saver = AsyncSqliteSaver(connection, serde=serializer())
        graph = tuning_graph(strategy).compile(checkpointer=saver)
        limit = STEPS_AROUND + STEPS_A_ROUND * (deps.options.rounds + 1)
        config: Any = {"configurable": {"thread_id": deps.run}, "recursion_limit": limit}
        begun = bool((await graph.aget_state(config)).values)
        try:
            await graph.ainvoke(None if begun else start, config, context=deps, durability="sync")
        except NoProposal:
            await forget_proposals(connection, deps.run)
            raise
        question = pending(deps.memory, deps.run) if deps.options.approve else None
        if question is not None:
            deps.memory.set_state(deps.run, RunState.WAITING, f"waits for approval: {question.title}")
