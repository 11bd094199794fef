"""The queue over HTTP: what is accepted, what is refused and in which words, and what a job found."""

import csv
import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from atunner.core.job import Job

JOBS = "/api/v1/jobs"
TOY: dict[str, Any] = {"task": {"kind": "toy", "floor": 2}, "budget": {"trials": 24}}
MATMUL = {"task": {"kind": "operator", "operator": "matmul", "shape": [8, 8, 8]}, "budget": {"trials": 4}}


def submit(http: TestClient, asked: dict[str, Any] = TOY, **headers: str) -> str:
    answer = http.post(JOBS, json=asked, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_one_key_is_one_job_however_many_ask_at_once(http: TestClient) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: submit(http, TOY, **{"Idempotency-Key": "k-1"}), range(50)))

    assert len(set(answers)) == 1
    assert http.get(JOBS).json()["total"] == 1


def test_a_key_used_for_another_request_is_a_conflict(http: TestClient) -> None:
    submit(http, TOY, **{"Idempotency-Key": "k"})
    answer = http.post(JOBS, json=MATMUL, headers={"Idempotency-Key": "k"})

    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert "was used for another request" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"task": {"kind": "operator", "operator": "matmull"}}, "Did you mean matmul"),
        ({"task": {"kind": "operator", "operator": "matmul", "target": "A1OO"}}, "No device named"),
        ({"task": {"kind": "operator", "operator": "matmul", "shape": [1, 2]}}, "matmul"),
        ({"task": {"kind": "toy", "floor": 1 << 70}}, "floor"),
        ({**TOY, "budget": {}}, "a budget needs trials or seconds"),
        ({**TOY, "budget": {"trials": 0}}, "budget.trials: expected at least 2; got '0'"),
        ({**TOY, "budget": {"trials": 1}}, "budget.trials: expected at least 2; got '1'"),
        ({**TOY, "budget": {"trials": "many"}}, "budget.trials: expected a whole number; got 'many'"),
        ({**TOY, "budget": {"seconds": "long"}}, "budget.seconds: expected a number; got 'long'"),
        ({**TOY, "budget": 7}, "budget: expected an object with fields; got '7'"),
        ({**TOY, "approval": "perhaps"}, "approval: expected true or false; got 'perhaps'"),
        ({**TOY, "approve": "all"}, "approve: expected '', 'plan' or 'candidate'; got 'all'"),
        ({**TOY, "strategy": None}, "strategy: expected a text; got null"),
        ({**TOY, "labels": []}, "labels: expected an object with fields"),
        ({**TOY, "priority": 101}, "priority: expected at most 100; got '101'"),
        ({"task": {"kind": "ir", "files": {"a.c": "/* main */ int f(void) { return 1; }"}}}, "a.c has none"),
        ({**TOY, "strategy": "magic"}, "No strategy named"),
        ({**TOY, "search": "magic"}, "No searcher named"),
        ({**TOY, "model": "http://169.254.169.254/#x"}, "model"),
        ({**TOY, "model": "openai:gpt\r\nx: y"}, "model"),
        ({**TOY, "labels": {"a\x00": "b"}}, "labels"),
        ({**TOY, "surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_request_is_told_what_was_expected(http: TestClient, asked: dict[str, Any], said: str) -> None:
    answer = http.post(JOBS, json=asked)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert said in answer.text
    assert http.get(JOBS).json()["total"] == 0


def test_jobs_are_listed_by_filter_order_and_page(http: TestClient) -> None:
    ids = [submit(http, {**TOY, "priority": n, "labels": {"team": "a" if n % 2 else "b"}}) for n in range(6)]
    by_priority = http.get(JOBS, params={"sort": "-priority", "limit": 2, "offset": 1}).json()
    labelled = http.get(JOBS, params={"label": "team=a", "sort": "priority"}).json()
    http.post(f"{JOBS}/{ids[0]}/cancel")

    assert ([j["id"] for j in by_priority["jobs"]], by_priority["total"]) == ([ids[4], ids[3]], 6)
    assert [j["id"] for j in labelled["jobs"]] == [ids[1], ids[3], ids[5]]
    assert [j["id"] for j in http.get(JOBS, params={"state": "cancelled"}).json()["jobs"]] == [ids[0]]


def test_a_finished_job_gives_all_its_results(http: TestClient, work: Callable[[], Job]) -> None:
    job = submit(http)
    assert work().state == "done"
    board = http.get(f"{JOBS}/{job}/leaderboard").json()
    best = board["rows"][0]
    record = http.get(f"{JOBS}/{job}/run.json").json()
    rows = list(csv.DictReader(io.StringIO(http.get(f"{JOBS}/{job}/trials.csv").text)))
    diff = http.get(f"{JOBS}/{job}/diff", params={"new": best["candidate"]})
    report = http.get(f"{JOBS}/{job}/report.html")

    assert board["provenance"] == "simulated"
    assert best["value"] <= min(row["value"] for row in board["rows"])
    assert (len(record["trials"]), len(rows)) == (24, 24)
    assert http.get(f"{JOBS}/{job}/candidates/{best['candidate']}").json()["params"] == best["params"]
    assert diff.status_code == 200
    assert "<script" not in report.text
    assert "sandbox" in report.headers["content-security-policy"]
    assert {n["agent"] for n in http.get(f"{JOBS}/{job}/notes").json()} >= {"operator", "hardware", "codegen"}
    assert http.get(f"{JOBS}/{job}/bundle.tar").status_code == 409
    assert http.get(f"{JOBS}/{job}/candidates/{'0' * 16}").status_code == 404


def test_events_are_replayed_from_where_a_client_stopped(http: TestClient, work: Callable[[], Job]) -> None:
    job = submit(http)
    work()
    whole = events(http.get(f"{JOBS}/{job}/events").text)
    rest = events(http.get(f"{JOBS}/{job}/events", headers={"Last-Event-ID": "5"}).text)

    assert [seq for seq, _ in whole] == list(range(1, len(whole) + 1))
    assert rest == whole[5:]
    assert whole[-1][1]["body"]["state"] == "done"
    assert "the budget of trials is spent" in http.get(f"{JOBS}/{job}/logs").text


def events(text: str) -> list[tuple[int, dict[str, Any]]]:
    blocks = [dict(line.split(": ", 1) for line in b.splitlines()) for b in text.split("\n\n") if "data" in b]
    return [(int(b["id"]), json.loads(b["data"])) for b in blocks]


def test_a_cancelled_job_can_be_gone_on_with(http: TestClient, work: Callable[[], Job], tmp_path: Any) -> None:
    from service_jobs import settings_at

    from atunner.service.perform import perform

    job = submit(http)
    lease = http.app.state.service.jobs.claim("test")  # type: ignore[attr-defined]  # the application's own state
    stop = threading.Event()
    stop.set()
    perform(settings_at(tmp_path), lease, stop)
    http.post(f"{JOBS}/{job}/cancel")
    again = http.post(f"{JOBS}/{job}/resume").json()
    done = work()

    assert http.get(f"{JOBS}/{job}").json()["state"] == "cancelled"
    assert (done.id, done.run, done.state) == (again["id"], http.get(f"{JOBS}/{job}").json()["run"], "done")
    assert http.post(f"{JOBS}/{done.id}/resume").status_code == 409
    assert http.post(f"{JOBS}/{done.id}/retry").json()["request"]["parent"] == done.id


def test_a_job_that_failed_before_its_run_began_says_so_and_names_no_other(http: TestClient) -> None:
    job = submit(http)
    jobs = http.app.state.service.jobs  # type: ignore[attr-defined]  # the application's own state
    lease = jobs.claim("test")
    jobs.attach(lease, "never-begun")
    jobs.fail(lease, "its program prints nothing")
    told = http.post(f"{JOBS}/{job}/resume")

    assert told.status_code == 409
    assert told.json()["detail"] == f"Job {job} is failed and recorded nothing: its program prints nothing. Use retry."


def test_a_waiting_job_is_to_be_approved_or_cancelled_first(http: TestClient) -> None:
    job = http.post(JOBS, json={"task": {"kind": "toy"}, "approval": True}).json()["id"]

    assert http.post(f"{JOBS}/{job}/retry").json()["detail"] == (
        f"Job {job} is waiting. Approve it, or cancel it first."
    )


def test_only_ended_jobs_are_deleted(http: TestClient) -> None:
    job = submit(http)

    assert http.delete(f"{JOBS}/{job}").status_code == 409
    assert http.post(f"{JOBS}/{job}/cancel").json()["state"] == "cancelled"
    assert http.delete(f"{JOBS}/{job}").status_code == 204
    assert http.get(f"{JOBS}/{job}").status_code == 404


def test_a_held_job_waits_for_approval(http: TestClient) -> None:
    job = submit(http, {**TOY, "approval": True})

    assert http.get(f"{JOBS}/{job}").json()["state"] == "waiting"
    assert http.post(f"{JOBS}/{job}/approve", json={"approved": True}).json()["state"] == "queued"
    assert http.get(f"{JOBS}/{job}/leaderboard").status_code == 409


def test_the_server_tells_of_itself_and_of_what_it_knows(http: TestClient) -> None:
    submit(http)
    figures = http.get("/metrics").text

    assert http.get("/healthz").json() == http.get("/readyz").json() == {"status": "ok"}
    assert http.get("/info").json()["jobs"]["queued"] == 1
    assert 'atunner_jobs{state="queued"} 1.0' in figures
    assert http.get("/api/v1/knowledge/devices/A100").json()["arch"] == "sm_80"
    assert http.get("/api/v1/knowledge/devices/nothing").status_code == 404
    assert "matmul" in {o["name"] for o in http.get("/api/v1/knowledge/operators").json()}
    assert http.get("/api/v1/knowledge/techniques").json()


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (JOBS, "DELETE", "GET, POST"),
        (f"{JOBS}/0123456789abcdef", "PUT", "DELETE, GET"),
        (f"{JOBS}/0123456789abcdef/cancel", "GET", "POST"),
        ("/healthz", "POST", "GET"),
    ],
)
def test_another_method_is_told_all_that_there_are(http: TestClient, path: str, method: str, allowed: str) -> None:
    answer = http.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert f"takes {allowed}, not {method}" in answer.json()["detail"]
