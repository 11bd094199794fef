"""A job that asks a person: it waits with what it did so far, and goes on as it is told."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from atunner.core.job import Job

JOBS = "/api/v1/jobs"
HELD = {"task": {"kind": "toy"}, "budget": {"trials": 8}, "approval": True}
PLANS = {"task": {"kind": "toy"}, "budget": {"trials": 200}, "approve": "plan"}
SAME = {"accept": "text/html", "origin": "http://127.0.0.1"}
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


@pytest.fixture
def asking(http: TestClient, work: Callable[[], Job]) -> str:
    """A job that waits at its first question."""
    job = str(http.post(JOBS, json=PLANS).json()["id"])
    assert work().state == "waiting"
    return job


def answer(http: TestClient, job: str, question: str, approved: bool = True) -> tuple[int, str]:
    found = http.post(f"{JOBS}/{job}/approve", json={"approved": approved, "question": question})
    return found.status_code, found.text


def test_an_answer_is_to_the_question_that_it_names_and_to_no_other(
    http: TestClient, work: Callable[[], Job], asking: str
) -> None:
    first = http.get(f"{JOBS}/{asking}/question").json()
    code, told = answer(http, asking, "")
    assert (code, first["id"] in told, first["title"] in told) == (409, True, True)
    assert http.get(f"{JOBS}/{asking}").json()["state"] == "waiting"

    assert answer(http, asking, first["id"])[0] == 200
    assert work().state == "waiting"
    second = http.get(f"{JOBS}/{asking}/question").json()
    code, told = answer(http, asking, first["id"])

    assert (second["id"] != first["id"], second["round"]) == (True, first["round"] + 1)
    assert (code, second["id"] in told, second["title"] in told) == (409, True, True)
    assert http.get(f"{JOBS}/{asking}").json()["state"] == "waiting"
    assert answer(http, asking, second["id"])[0] == 200


def test_an_answer_whose_server_died_before_the_queue_heard_of_it_is_repeated(http: TestClient, asking: str) -> None:
    from atunner.graphs.approval import decide

    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    asked = http.get(f"{JOBS}/{asking}/question").json()["id"]
    decide(here.store, here.jobs.get(asking).run, True)

    assert answer(http, asking, "0" * 16)[0] == 409
    assert http.get(f"{JOBS}/{asking}").json()["state"] == "waiting"
    assert answer(http, asking, asked)[0] == 200
    assert http.get(f"{JOBS}/{asking}").json()["state"] == "queued"


def test_a_job_that_still_asks_goes_on_waiting(http: TestClient, work: Callable[[], Job], asking: str) -> None:
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    asked = http.get(f"{JOBS}/{asking}/question").json()
    here.jobs.approve(asking)

    assert work().state == "waiting"
    assert http.get(f"{JOBS}/{asking}/question").json() == asked


def test_a_held_job_asks_no_question(http: TestClient) -> None:
    job = http.post(JOBS, json=HELD).json()["id"]
    code, told = answer(http, job, "0" * 16)

    assert (code, "is held before it begins" in told) == (409, True)


def test_a_page_shows_what_it_asks_and_answers_that(http: TestClient, work: Callable[[], Job], asking: str) -> None:
    place, asked = f"/jobs/{asking}", http.get(f"{JOBS}/{asking}/question").json()
    page = http.get(place).text
    shown = dict(re.findall(r'name="(question)" value="([^"]+)"', page))
    fields = {**shown, "verdict": "refuse", "comment": "no more"}

    assert shown == {"question": asked["id"]}
    assert asked["title"] in page
    assert http.post(f"{place}/approve", data={**fields, "question": "0" * 16}, headers=SAME).status_code == 409
    assert http.post(f"{place}/approve", data={"verdict": "approve"}, headers=SAME).status_code == 409
    assert http.post(f"{place}/approve", data={"comment": "x" * 2001}, headers=SAME).status_code == 422
    assert http.post(f"{place}/approve", data=fields, headers=SAME, follow_redirects=False).status_code == 303
    assert work().state == "done"
    assert "a person ended the search: no more" in http.get(f"{JOBS}/{asking}/run.json").text
