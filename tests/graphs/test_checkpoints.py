"""What a checkpoint holds: our values and nothing else, and little of it."""

import asyncio
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from fakes import ToyRun
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from atunner.core.errors import ToolError
from atunner.core.task import Budget
from atunner.graphs.checkpoints import checkpoint_file, serializer
from atunner.graphs.state import Proposed, TuningState
from atunner.graphs.strategies import BUILT_IN
from atunner.graphs.strategies.expert import expert
from atunner.graphs.tuning import tuning_graph


async def _saved(folder: Path) -> dict[str, Any]:
    async with aiosqlite.connect(checkpoint_file(folder)) as connection:
        saver = AsyncSqliteSaver(connection, serde=serializer())
        graph = tuning_graph(expert()).compile(checkpointer=saver)
        return (await graph.aget_state({"configurable": {"thread_id": "toy-run"}})).values


def test_a_checkpoint_reads_back_as_our_types_under_the_strict_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    run = ToyRun(tmp_path)
    run.drive()
    values = asyncio.run(_saved(tmp_path))

    state = TuningState.model_validate(values)
    assert state.task == run.task
    for name in ("operator", "hardware", "diagnosis", "fusion", "proposal", "verdict", "spent", "budget"):
        assert type(values[name]) is type(getattr(state, name)), name
    assert not [r.message for r in caplog.records if "msgpack" in r.message.lower()]


def test_the_state_does_not_grow_with_the_number_of_trials(tmp_path: Path) -> None:
    sizes = []
    for trials in (30, 240):
        run = ToyRun(tmp_path / str(trials), budget=Budget(trials=trials))
        run.change(patience=100, slice=12, rounds=100)
        run.drive()
        sizes.append(len(TuningState.model_validate(asyncio.run(_saved(run.folder))).model_dump_json()))

    assert sizes[1] < 6000
    assert sizes[1] < 1.3 * sizes[0]


def test_checkpoints_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    run = ToyRun(tmp_path)
    checkpoint_file(run.folder).write_bytes(b"no database" * 1000)

    with pytest.raises(ToolError, match=r"checkpoints\.sqlite: file is not a database\. .*atunner resume toy-run"):
        run.drive()


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_strategy_hands_back_its_proposal_and_memo_only(name: str) -> None:
    from atunner.core.plugins import load

    strategy = load("strategies", name, BUILT_IN)()

    assert set(strategy.get_output_jsonschema()["properties"]) == set(Proposed.model_fields)
