"""Figures for Prometheus: their form, their names, and that what asks for them asks for what is there."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from records import run_record
from starlette.testclient import TestClient
from support import need

from atunner.core.call import ModelCall
from atunner.core.job import Job
from atunner.core.measurement import Measurement
from atunner.core.status import Provenance
from atunner.core.trial import Comparison

ROOT = Path(__file__).parent.parent.parent
DASHBOARD = ROOT / "docker" / "grafana" / "atunner.json"
RULES = ROOT / "docker" / "prometheus" / "alerts.yml"
JOBS = "/api/v1/jobs"
TOY = {"task": {"kind": "toy", "floor": 2}, "budget": {"trials": 24}}
WORDS = {"sum", "max", "by", "rate", "increase", "histogram_quantile", "le", "and", "or", "unless"}


@pytest.fixture
def told(http: TestClient, work: Callable[[], Job]) -> str:
    """What a server with a worker tells: one job is done, one at work, one request was wrong, one model was called."""
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    here.embedded = True
    http.post(JOBS, json=TOY)
    job = work()
    http.get(f"{JOBS}/nothing")
    call = ModelCall(key="k", model="ollama:m", prompt="p", answer="a", input_tokens=7, output_tokens=3, usd=0.5)
    here.store.keep_call(job.run, call)
    http.post(JOBS, json=TOY)
    here.jobs.claim("at work")
    return http.get("/metrics").text


def samples(text: str) -> dict[str, float]:
    return {
        f"{s.name}{sorted(s.labels.items())}": s.value for f in text_string_to_metric_families(text) for s in f.samples
    }


def test_figures_are_those_of_the_database_and_of_the_server(told: str) -> None:
    found = samples(told)

    assert found["atunner_jobs[('state', 'done')]"] == found["atunner_jobs_total[('outcome', 'done')]"] == 1
    assert found["atunner_queue_wait_seconds_count[('target', 'host')]"] == 2
    assert found["atunner_queue_wait_seconds_bucket[('le', '+Inf'), ('target', 'host')]"] == 2
    assert found["atunner_candidates_total[('outcome', 'ok')]"] > 3
    assert found["atunner_best_speedup_ratio_count[]"] == 0, "what is only simulated is no speed-up"
    assert found["atunner_stage_duration_seconds_count[('stage', 'confirm')]"] >= 1
    assert found["atunner_llm_tokens_total[('direction', 'input'), ('model', 'ollama:m')]"] == 7
    assert found["atunner_llm_cost_dollars_total[('model', 'ollama:m')]"] == 0.5
    assert found["atunner_http_requests_total[('code', '422')]"] == 1


@pytest.mark.parametrize(
    ("provenance", "counted"), [(Provenance.MEASURED, 1), (Provenance.SIMULATED, 0), (Provenance.PREDICTED, 0)]
)
def test_a_gain_counts_where_it_was_measured(http: TestClient, provenance: Provenance, counted: int) -> None:
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    slow, fast = (Measurement(unit="us", samples=(us,), provenance=provenance, source="cpu") for us in (17.5, 10.0))
    gain = Comparison(ratio=1.75, low=1.6, high=1.9, minimum_gain=0.02, baseline=slow, candidate=fast)
    here.store.save_run(run_record().model_copy(update={"provenance": provenance, "confirmed": gain}))
    found = samples(http.get("/metrics").text)

    assert found["atunner_best_speedup_ratio_count[]"] == counted
    assert found["atunner_best_speedup_ratio_sum[]"] == 1.75 * counted
    assert found["atunner_best_speedup_ratio_bucket[('le', '1.5')]"] == 0
    assert found["atunner_best_speedup_ratio_bucket[('le', '2.0')]"] == counted


def test_no_label_tells_jobs_apart(told: str, http: TestClient) -> None:
    job = http.get(JOBS, params={"state": "done"}).json()["jobs"][0]

    assert job["id"] not in told
    assert job["run"] not in told


def test_names_follow_the_convention(told: str) -> None:
    need("promtool")
    done = subprocess.run(["promtool", "check", "metrics"], input=told, capture_output=True, text=True, timeout=200)

    assert done.returncode == 0, done.stdout + done.stderr


def _asked(expression: str) -> set[str]:
    """The metrics that a query names; labels, ranges and texts are not metrics."""
    plain = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)', " ", expression)
    return {word for word in re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*", plain) if word not in WORDS}


def _queries() -> list[str]:
    panels: list[Any] = json.loads(DASHBOARD.read_text())["panels"]
    shown = [t["expr"] for p in panels for t in p.get("targets", [])]
    return shown + re.findall(r"^\s*expr: (.+)$", RULES.read_text(), re.M)


def test_every_query_names_a_metric_that_the_server_tells(told: str) -> None:
    there = {s.name for f in text_string_to_metric_families(told) for s in f.samples} | {"up"}
    asked = {name for query in _queries() for name in _asked(query)}

    assert len(_queries()) >= 20
    assert asked - there == set()


def test_a_query_for_nothing_is_noticed() -> None:
    assert _asked('sum by (state) (rate(atunner_jobs{state="x"}[5m])) / atunner_gone_total') == {
        "atunner_jobs",
        "atunner_gone_total",
    }


def test_the_alert_rules_are_rules() -> None:
    need("promtool")
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, timeout=200)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_whole() -> None:
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]

    assert board["uid"] == "atunner"
    assert [v["name"] for v in board["templating"]["list"] if v["type"] == "datasource"] == ["source"]
    assert len(ids) == len(set(ids))
    assert all(p["datasource"]["uid"] == "${source}" for p in board["panels"] if p["type"] != "row")
