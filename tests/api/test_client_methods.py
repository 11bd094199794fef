"""Every method of the client against a server in this process: what comes out is what the server keeps."""

import hashlib
import json
from collections.abc import Callable
from typing import get_args

import httpx
import pytest
from starlette.testclient import TestClient

from atunner import Client
from atunner.client import Export, Refused
from atunner.core.call import ModelCall
from atunner.core.job import Job, JobState
from atunner.jobs.submission import Submission

TOY = Submission.model_validate({"task": {"kind": "toy"}, "budget": {"trials": 24}, "labels": {"team": "a"}})
HELD = TOY.model_copy(update={"approval": True, "labels": {}})


@pytest.fixture
def client(http: TestClient) -> Client:
    def answer(request: httpx.Request) -> httpx.Response:
        got = http.request(request.method, str(request.url), headers=dict(request.headers), content=request.content)
        kept = {
            name: value for name, value in got.headers.items() if name not in ("content-encoding", "content-length")
        }
        return httpx.Response(got.status_code, headers=kept, content=got.content)

    return Client("http://127.0.0.1", transport=httpx.MockTransport(answer))


def test_what_a_job_found(client: Client, http: TestClient, work: Callable[[], Job]) -> None:
    job = client.submit(TOY, "k").id
    run = str(work().run)
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    here.store.keep_call(run, ModelCall(key="1", role="coder", model="ollama:m", prompt="why?", answer="so"))
    record, board = client.record(job), client.leaderboard(job, 3)
    files = client.artefacts(job)

    assert (board.run, len(board.rows), board.total) == (run, 3, len(record.trials))
    assert [call.prompt for call in client.transcript(job)] == ["why?"]
    assert client.notes(job) == list(record.notes)
    assert {file.candidate for file in files} <= {t.candidate.id for t in record.trials}
    for file in files[:2]:
        assert hashlib.sha256(client.artefact(file.id)).hexdigest() == file.id
    assert [past.run for past in client.history()] == [run]
    assert client.history(operator="nothing") == []
    assert "state" in client.logs(job)
    assert client.candidate(job, board.rows[0].candidate).id == board.rows[0].candidate


@pytest.mark.parametrize("form", [f for f in get_args(Export) if f != "bundle.tar"])
def test_every_export(client: Client, work: Callable[[], Job], form: str) -> None:
    job = client.submit(TOY).id
    work()
    content = client.export(job, form)  # type: ignore[arg-type]  # one of them

    assert content
    if form.endswith(".json"):
        json.loads(content)


def test_a_job_without_a_gpu_kernel_has_no_bundle(client: Client, work: Callable[[], Job]) -> None:
    job = client.submit(TOY).id
    work()
    with pytest.raises(Refused, match="no verified GPU kernel"):
        client.export(job, "bundle.tar")


def test_two_jobs_side_by_side(client: Client, work: Callable[[], Job]) -> None:
    first, second = client.submit(TOY).id, client.submit(TOY).id
    work()
    work()

    assert len(client.compare([first, second]).runs) == 2
    with pytest.raises(Refused):
        client.compare([first])
    with pytest.raises(Refused, match="different runs"):
        client.compare([first, first])


def test_jobs_are_changed_and_found(client: Client) -> None:
    held, labelled = client.submit(HELD), client.submit(TOY)

    assert [j.id for j in client.jobs(labels={"team": "a"}).jobs] == [labelled.id]
    assert [j.id for j in client.jobs(JobState.WAITING).jobs] == [held.id]
    assert client.approve(held.id).state is JobState.QUEUED
    assert client.cancel(held.id).state is JobState.CANCELLED
    again = client.retry(held.id)
    client.delete(held.id)
    assert (again.request.parent, client.jobs().total) == (held.id, 2)
    with pytest.raises(Refused, match="asks nothing"):
        client.question(labelled.id)
