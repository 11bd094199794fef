"""The command line with a scripted model: a kernel that it wrote is built, checked, tuned, confirmed and billed."""

import json
from pathlib import Path

import pytest
from fakes import TOY
from support import need

from atunner.cli.app import run
from atunner.core.call import ModelCall
from atunner.core.task import Budget
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.llm.unheard import unheard
from atunner.settings import Settings
from atunner.wiring import Session

ROWS = """
void matmul(const float *restrict a, const float *restrict b, float *restrict c) {
#pragma omp parallel for
    for (int i = 0; i < DIM_M; ++i) {
        float sum[DIM_N] = {0};
        for (int k0 = 0; k0 < DIM_K; k0 += STEP_K)
            for (int k = k0; k < (k0 + STEP_K < DIM_K ? k0 + STEP_K : DIM_K); ++k)
                for (int j = 0; j < DIM_N; ++j) sum[j] += a[i * DIM_K + k] * b[k * DIM_N + j];
        for (int j = 0; j < DIM_N; ++j) c[i * DIM_N + j] = sum[j];
    }
}
"""
GOOD = {"name": "rows", "summary": "rows of sums", "source": ROWS, "parameters": {"STEP_K": [16, 64]}}
PLAN = [{"steps": ["Order the loops i, k, j."]}, {"is_tuning": True}]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for data, builds and results."""
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ATUNNER_WORKERS", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("strategy", ["autonomous"])
def test_a_written_kernel_goes_all_the_way(strategy: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("gcc")
    script = home / "script.json"
    script.write_text(json.dumps({"coder": [GOOD], "planner": PLAN}))
    what = ["optimize", "--operator", "matmul", "--input-shape", "40,48,56", "--search", "random", "--budget", "10"]
    more = ["--model", f"scripted:{script}", "--strategy", strategy, "--json", "--output", str(home / "out")]
    assert run([*what, *more]) == 0
    record = json.loads(capsys.readouterr().out)
    mine = [t for t in record["trials"] if t["candidate"]["origin"].startswith("model:")]
    verified = [t for t in mine if t["status"] == "ok"]

    assert {t["candidate"]["params"]["STEP_K"] for t in verified} >= {16}
    assert all(t["measurement"] for t in verified)
    baseline = record["baseline"]["measurement"]["samples"]
    best = min(min(t["measurement"]["samples"]) for t in verified)
    assert best < sorted(baseline)[len(baseline) // 2]

    assert run(["cost", record["run"]]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert " ".join(header.split()) == "role model calls answered tokens in cached tokens out USD seconds"
    assert any(line.startswith("coder") and f"scripted:{script}" in line for line in lines)
    assert run(["show", record["run"], "--transcript"]) == 0
    assert "Order the loops" in capsys.readouterr().out


def test_a_model_that_never_answers_is_named_in_the_report(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = home / "script.json"
    script.write_text(json.dumps({"*": ["I would rather not."]}))
    monkeypatch.setenv("COLUMNS", "400")
    options = Options(search="random", slice=8)
    with Session(Settings(workers=1)) as session:
        request = Request(TOY, Budget(trials=4), options, f"scripted:{script}", "one_prompt", "inline")
        name = session.start(request).run
    assert run(["show", name]) == 0
    told = " ".join(capsys.readouterr().out.split())

    assert f"scripted:{script}: no valid answer in" in told
    assert "so the rules decided alone" in told


def test_tool_calls_are_no_answers_of_a_model() -> None:
    asked = ModelCall(key="a", model="m", outcome="failed", reason="AuthenticationError 401")
    tool = ModelCall(key="b", model="tool:device", answer="{}")

    assert unheard([asked, tool]) == (
        "no valid answer in 1 calls (1 failed; the last: AuthenticationError 401), so the rules decided alone"
    )
    assert unheard([asked, ModelCall(key="c", model="m", answer="{}")]) == ""
    assert unheard([]) == ""
