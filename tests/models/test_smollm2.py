"""A real model of 135 million parameters: its answers are poor, and the run ends well despite it."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fetch import model
from support import need

from atunner.cli.app import run
from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.knowledge_base.store import Store
from atunner.llm.embedded import serve

HOW = ["optimize", "--operator", "matmul", "--input-shape", "48,48,48", "--search", "random", "--budget", "6"]
BOUNDS = ["--strategy-option", "brief_tokens=500", "--json", "--max-tokens"]


@pytest.fixture(scope="module")
def url() -> str:
    """The model behind an OpenAI-compatible port of this process, one thread."""
    need("xllamacpp", find_spec("xllamacpp") is not None, "the extra local-llm is not installed")
    file = model(Path(sys.prefix) / "models")
    need("xllamacpp", file is not None, "no model: python tests/models/fetch.py .venv/models")
    assert file is not None
    return serve(file, context=4096).url


@pytest.mark.parametrize(
    ("strategy", "role", "tokens"),
    [
        ("one_prompt", "", 1400),
        ("one_prompt", "coder", 1700),
        pytest.param("autonomous", "planner", 4000, marks=pytest.mark.slow),
    ],
)
@pytest.mark.timeout(900)
def test_a_run_with_a_poor_model_ends_well(
    strategy: str,
    role: str,
    tokens: int,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    need("gcc")
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ATUNNER_WORKERS", "1")
    monkeypatch.chdir(tmp_path)

    spec = f"{role}={url}#smollm2" if role else f"{url}#smollm2"
    assert run([*HOW, *BOUNDS, str(tokens), "--model", spec, "--strategy", strategy]) == 0
    record = RunRecord.model_validate_json(capsys.readouterr().out)
    assert record.winner is not None
    assert record.winner.status is Status.OK
    assert record.ranked[0].candidate.id == record.best or record.confirmed is not None
    assert len(record.trials) <= 6

    with Store(tmp_path / "data" / "atunner.sqlite") as store:
        calls = store.calls(record.run)
    assert {c.role for c in calls} >= ({role} if role else {"operator", "hardware"})
    assert sum(c.input_tokens + c.output_tokens for c in calls) <= tokens
    assert all(c.outcome == "ok" or c.reason for c in calls)
    assert any(c.mode in ("json_schema", "tools") and c.output_tokens for c in calls)
    assert run(["cost", record.run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["calls"] == len(calls)
