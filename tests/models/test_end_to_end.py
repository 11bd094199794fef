"""The command line with a scripted model: a kernel that it wrote is built, checked, tuned, confirmed and billed."""

import json
from pathlib import Path

import pytest
from support import need

from atunner.cli.app import run

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
    assert "coder" in capsys.readouterr().out
    assert run(["show", record["run"], "--transcript"]) == 0
    assert "Order the loops" in capsys.readouterr().out
