"""What is told while a search runs: how many were compiled, raced out and failed, and when it will end."""

import json
from pathlib import Path
from typing import Any

import pytest

from atunner.graphs.events import Event
from atunner.reports.progress import line, shares

FAILED = {(16, 1): 4.0, (16, 2): "RuntimeFailedConfig", (32, 1): 2.0, (32, 2): "CompilationFailedConfig"}


def recorded(folder: Path) -> Path:
    cache = {f"{b},{u}": {"block": b, "unroll": u, "time": t} for (b, u), t in FAILED.items()}
    content = {"tune_params_keys": ["block", "unroll"], "tune_params": {"block": [16, 32], "unroll": [1, 2]}}
    (folder / "copy.json").write_text(json.dumps({**content, "cache": cache}))
    return folder / "copy.json"


def test_events_count_what_was_compiled_and_what_failed(
    tmp_path: Path, tune: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    assert tune("--simulate", recorded(tmp_path), "--budget", "4", "--json") == 0
    events = [Event.model_validate_json(t) for t in capfd.readouterr().err.splitlines() if t.startswith("{")]

    last = [e for e in events if e.done][-1]
    assert (last.done, last.compiled, last.failed) == (4, 3, 2)
    assert all(e.compiled <= e.done and e.failed <= e.done for e in events)
    assert last.best == 2.0
    assert last.eta_s == 0.0


def test_the_shares_are_of_those_done() -> None:
    event = Event(run="r", kind="stage", round=0, stage="evaluation", done=8, compiled=6, raced_out=4, failed=2)
    told = event.model_copy(update={"budget": 16, "best": 5.0, "unit": "ms", "eta_s": 70.0})

    assert shares(event) == "75% compiled, 50% raced out, 25% failed"
    assert shares(event.model_copy(update={"done": 0})) == ""
    assert line(told) == (
        "round 0 evaluation: best 5 ms; 8 done (75% compiled, 50% raced out, 25% failed); left 8 of 16 trials; "
        "to go 1 min 10 s"
    )
