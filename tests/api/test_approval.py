"""A job that asks a person: it waits with what it did so far, and goes on as it is told."""

import pytest
from starlette.testclient import TestClient

JOBS = "/api/v1/jobs"
HELD = {"task": {"kind": "toy"}, "budget": {"trials": 8}, "approval": True}
ASKS = {"task": {"kind": "toy"}, "budget": {"trials": 40}, "approve": "candidate", "strategy": "expert"}


def test_a_held_job_that_is_refused_is_cancelled(http: TestClient) -> None:
    job = http.post(JOBS, json=HELD).json()["id"]
    refused = http.post(f"{JOBS}/{job}/approve", json={"approved": False})

    assert refused.json()["state"] == "cancelled"
    late = http.post(f"{JOBS}/{job}/approve", json={"approved": True})
    assert (late.status_code, late.json()["detail"]) == (409, f"Job {job} is cancelled and asks nothing.")


def test_a_held_job_that_is_approved_is_queued(http: TestClient) -> None:
    job = http.post(JOBS, json=HELD).json()["id"]

    assert http.get(f"{JOBS}/{job}/question").status_code == 409
    assert http.post(f"{JOBS}/{job}/approve").status_code == 422
    assert http.post(f"{JOBS}/{job}/approve", json={"approved": True}).json()["state"] == "queued"
    assert "approved by the user" in http.get(f"{JOBS}/{job}/logs").text


@pytest.mark.parametrize(
    "verdict",
    [{}, {"steps": ["x"] * 33}, {"steps": [""]}, {"comment": "x" * 2001}, {"approved": "perhaps"}, {"more": 1}],
)
def test_a_verdict_is_bounded(http: TestClient, verdict: dict[str, object]) -> None:
    job = http.post(JOBS, json=HELD).json()["id"]

    assert http.post(f"{JOBS}/{job}/approve", json={"approved": True} | verdict if verdict else {}).status_code == 422


def test_a_run_that_waits_makes_its_job_wait_and_goes_on(http: TestClient) -> None:
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    job = http.post(JOBS, json=ASKS).json()["id"]
    lease = here.jobs.claim("worker")
    here.jobs.attach(lease, "run-1")
    waiting = here.jobs.pause(lease, "waits for approval: a plan")

    assert (waiting.state, waiting.reason) == ("waiting", "waits for approval: a plan")
    assert here.jobs.claim("other") is None
    assert http.post(f"{JOBS}/{job}/approve", json={"approved": True}).status_code == 409
