"""A typed client of the service: the same values come out that the server keeps."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import httpx
from pydantic import JsonValue, TypeAdapter, ValidationError

from atunner.core.approval import Asked
from atunner.core.call import ModelCall
from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import ToolError, UserError
from atunner.core.job import ENDED, Job, JobPage, JobState
from atunner.core.record import AgentNote, RunRecord
from atunner.core.value import Value
from atunner.jobs.submission import Submission
from atunner.knowledge_base.candidates import Artefact
from atunner.knowledge_base.runs import RunSummary
from atunner.reports.board import Board
from atunner.reports.compare import Compared

PREFIX = "/api/v1"
LAST_PORT = 65535
TRIES = 30
READ_S = 60.0
Export = Literal["run.json", "trials.csv", "results.t4.json", "report.html", "bundle.tar", "transcript.txt"]
_CALLS, _NOTES = TypeAdapter(list[ModelCall]), TypeAdapter(list[AgentNote])
_ARTEFACTS, _RUNS = TypeAdapter(list[Artefact]), TypeAdapter(list[RunSummary])


class Refused(UserError):
    """The server refused the request; the text is its detail. status: of HTTP."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Told(Value):
    """One event of a job. seq: its number, without gaps."""

    seq: int
    kind: str
    created: str
    body: JsonValue


class Client:
    """Talks to one server. key: an API key, "" for none. transport: how, for tests within one process."""

    def __init__(
        self, server: str, key: str = "", timeout_s: float = 30.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._server = _address(server)
        self._http = httpx.Client(base_url=self._server, headers=headers, timeout=timeout_s, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def submit(self, submission: Submission, key: str | None = None) -> Job:
        """Hand in a job; with an idempotency key it may be repeated until it is answered.

        Raises:
            Refused: the server says what is wrong. ToolError: no answer.
        """
        headers = {"idempotency-key": key} if key else {}
        answer = self._ask("POST", "/jobs", content=submission.model_dump_json(), headers=headers)
        return Job.model_validate(answer.json())

    def jobs(
        self,
        state: JobState | None = None,
        text: str = "",
        limit: int = 50,
        offset: int = 0,
        labels: Mapping[str, str] | None = None,
        sort: str = "-created",
    ) -> JobPage:
        """A page of jobs, newest first. labels: all must fit. sort: created, priority, state, name; "-" reverses."""
        asked: dict[str, Any] = {"text": text, "limit": limit, "offset": offset, "sort": sort}
        asked["label"] = [f"{name}={value}" for name, value in (labels or {}).items()]
        if state is not None:
            asked["state"] = state.value
        return JobPage.model_validate(self._ask("GET", "/jobs", params=asked).json())

    def job(self, job: str) -> Job:
        """One job."""
        return Job.model_validate(self._ask("GET", f"/jobs/{job}").json())

    def cancel(self, job: str) -> Job:
        """End a job."""
        return self._change(job, "cancel")

    def approve(
        self, job: str, approved: bool = True, comment: str = "", steps: Sequence[str] = (), question: str = ""
    ) -> Job:
        """Answer what a job waits for. steps: a plan to follow instead of the one shown.

        question: the id that `question` tells; "" for a job that is held before it begins.

        Raises:
            Refused: it asks another question by now, or none.
        """
        answer = {"approved": approved, "comment": comment, "steps": list(steps), "question": question}
        verdict = json.dumps(answer)
        return Job.model_validate(self._ask("POST", f"/jobs/{job}/approve", content=verdict).json())

    def question(self, job: str) -> Asked:
        """What a waiting job asks a person. Raises Refused when it asks nothing."""
        return Asked.model_validate(self._ask("GET", f"/jobs/{job}/question").json())

    def resume(self, job: str) -> Job:
        """Go on with an ended job's unfinished run, as a new job."""
        return self._change(job, "resume")

    def retry(self, job: str) -> Job:
        """The same request as a new job."""
        return self._change(job, "retry")

    def delete(self, job: str) -> None:
        """Forget an ended job."""
        self._ask("DELETE", f"/jobs/{job}")

    def record(self, job: str) -> RunRecord:
        """The whole record of a job's run."""
        return RunRecord.model_validate_json(self._ask("GET", f"/jobs/{job}/run.json").content)

    def leaderboard(self, job: str, limit: int = 50) -> Board:
        """Verified candidates, best first; and those that failed, with stage and reason."""
        return Board.model_validate(self._ask("GET", f"/jobs/{job}/leaderboard", params={"limit": limit}).json())

    def compare(self, jobs: Sequence[str]) -> Compared:
        """2 to 5 jobs side by side."""
        return Compared.model_validate(self._ask("GET", "/compare", params={"job": list(jobs)}).json())

    def transcript(self, job: str, limit: int = 1000, offset: int = 0) -> list[ModelCall]:
        """The calls of models, in the order made."""
        page = {"limit": limit, "offset": offset}
        return _CALLS.validate_python(self._ask("GET", f"/jobs/{job}/transcript", params=page).json())

    def notes(self, job: str) -> list[AgentNote]:
        """What each agent said in each round."""
        return _NOTES.validate_python(self._ask("GET", f"/jobs/{job}/notes").json())

    def artefacts(self, job: str, limit: int = 1000, offset: int = 0) -> list[Artefact]:
        """The files of the job's candidates, with the hashes of their contents."""
        page = {"limit": limit, "offset": offset}
        return _ARTEFACTS.validate_python(self._ask("GET", f"/jobs/{job}/artefacts", params=page).json())

    def artefact(self, digest: str) -> bytes:
        """The content of a file by its hash.

        Raises:
            Refused: there is none. ToolError: what came has another hash.
        """
        content = self._ask("GET", f"/artefacts/{digest}").content
        if hashlib.sha256(content).hexdigest() != digest:
            raise ToolError(f"What {self._server} gave for artefact {digest[:16]} has another hash. Fetch it again.")
        return content

    def history(self, operator: str = "", target: str = "", limit: int = 50, offset: int = 0) -> list[RunSummary]:
        """Earlier runs, newest first."""
        asked: dict[str, Any] = {"operator": operator, "target": target, "limit": limit, "offset": offset}
        return _RUNS.validate_python(self._ask("GET", "/knowledge/history", params=asked).json())

    def export(self, job: str, form: Export) -> bytes:
        """One of the files: run.json, trials.csv, results.t4.json, report.html, bundle.tar, transcript.txt."""
        return self._ask("GET", f"/jobs/{job}/{form}").content

    def report(self, job: str) -> str:
        """The report as one page."""
        return self._ask("GET", f"/jobs/{job}/report.html").text

    def bundle(self, job: str) -> bytes:
        """The bundle that measures on a GPU, as tar."""
        return self._ask("GET", f"/jobs/{job}/bundle.tar").content

    def candidate(self, job: str, candidate: str) -> Candidate:
        """A candidate with its files."""
        return Candidate.model_validate(self._ask("GET", f"/jobs/{job}/candidates/{candidate}").json())

    def diff(self, job: str, new: str, old: str = "") -> str:
        """A unified diff of two candidates; old: the baseline when left out."""
        return self._ask("GET", f"/jobs/{job}/diff", params={"new": new, **({"old": old} if old else {})}).text

    def logs(self, job: str, after: int = 0) -> str:
        """What happened so far, as lines."""
        return self._ask("GET", f"/jobs/{job}/logs", params={"after": after}).text

    def devices(self) -> list[Device]:
        """The devices of the knowledge base."""
        return TypeAdapter(list[Device]).validate_python(self._ask("GET", "/knowledge/devices").json())

    def events(self, job: str, after: int = 0) -> Iterator[Told]:
        """Every event above `after`, as it comes, to the end of the job; a lost connection is taken up again.

        Raises:
            ToolError: the server cannot be reached for about a minute.
        """
        misses = 0
        while True:
            try:
                for told in self._stream(job, after):
                    after, misses = told.seq, 0
                    yield told
            except httpx.TransportError as error:
                misses += 1
                if misses > TRIES:
                    raise self._lost(error) from error
                time.sleep(min(0.1 * 2**misses, 2.0))
                continue
            if self.job(job).state in ENDED:
                return

    def _stream(self, job: str, after: int) -> Iterator[Told]:
        wait = httpx.Timeout(10.0, read=READ_S)
        headers = {"last-event-id": str(after)}
        with self._http.stream("GET", f"{PREFIX}/jobs/{job}/events", headers=headers, timeout=wait) as answer:
            if answer.status_code >= 400:
                answer.read()
                raise _refused(answer)
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.strip()
                elif "data" in fields:
                    yield Told(seq=int(fields["id"]), **json.loads(fields["data"]))
                    fields = {}

    def wait(self, job: str) -> Job:
        """The job once it has ended."""
        for _ in self.events(job):
            pass
        return self.job(job)

    def _change(self, job: str, verb: str) -> Job:
        return Job.model_validate(self._ask("POST", f"/jobs/{job}/{verb}").json())

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        typed = {"content-type": "application/json"} if "content" in more else {}
        try:
            answer = self._http.request(method, PREFIX + path, headers={**typed, **(headers or {})}, **more)
        except httpx.TransportError as error:
            raise self._lost(error) from error
        if answer.status_code >= 400:
            raise _refused(answer)
        return answer

    def _lost(self, error: Exception) -> ToolError:
        return ToolError(f"No answer from {self._server}: {error}. Is `atunner serve` running there? See --server.")


def _address(server: str) -> str:
    """A server's address without the slash at its end.

    Raises:
        UserError: it has another form.
    """
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL:
        url = httpx.URL("")
    plain = url.scheme in ("http", "https") and url.host and not (url.query or url.fragment)
    if not plain or not 0 < (url.port or 80) <= LAST_PORT:
        raise UserError(f"{server!r} is not a server's address: expected one as http://127.0.0.1:8765.")
    return server.rstrip("/")


def _refused(answer: httpx.Response) -> Refused:
    try:
        problem = answer.json()
        detail = str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError, ValidationError):
        detail = answer.text[:200]
    return Refused(answer.status_code, detail or f"The server answered with status {answer.status_code}.")
