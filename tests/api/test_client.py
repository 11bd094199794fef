"""The client against a real server process with its embedded worker, also when that process is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_jobs import WAIT_S, end

from atunner.client import Client, Refused
from atunner.core.errors import ToolError
from atunner.core.job import JobState
from atunner.jobs.submission import Submission
from atunner.tools.tree import descendants, gone

TOY = Submission.model_validate({"task": {"kind": "toy"}, "budget": {"trials": 40}})
HELD = Submission.model_validate({"task": {"kind": "toy"}, "budget": {"trials": 40}, "approval": True})


class Server:
    """`atunner serve` on a free port; the same port when it is started again."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, "ATUNNER_DATA": str(folder), "ATUNNER_CACHE": str(folder)}
        self.port = 0
        self.start()

    def start(self) -> None:
        argv = [str(Path(sys.executable).parent / "atunner"), "serve", "--port", str(self.port), "--lease", "3"]
        self.process = subprocess.Popen(
            argv, env=self.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, line
        self.url = line.split()[2]
        self.port = int(self.url.rpartition(":")[2])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    yield found
    end(found.process)


def run(server: Server, *argv: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).parent / "atunner"), *argv, "--server", server.url]
    return subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=WAIT_S)


@pytest.mark.slow
def test_events_go_on_after_the_server_was_killed(server: Server) -> None:
    with Client(server.url) as client:
        job = client.submit(TOY, "once")
        seen = []
        for told in client.events(job.id):
            seen.append(told.seq)
            if len(seen) == 5:
                below = descendants(server.process.pid)
                server.process.kill()
                server.process.communicate()
                assert gone(below, WAIT_S), "processes of a killed server stay"
                server.start()
        done = client.job(job.id)

        assert client.submit(TOY, "once").id == job.id
        assert seen == list(range(1, len(seen) + 1))
        assert (done.state, done.attempts) in {(JobState.DONE, 1), (JobState.DONE, 2)}
        record = client.record(job.id)
        assert len(record.trials) == len({t.candidate.id for t in record.trials}) == done.progress
        assert record.best is not None
        assert client.candidate(job.id, record.best).id == record.best
        assert "<h1" in client.report(job.id)


def test_the_commands_do_the_same(server: Server) -> None:
    with Client(server.url) as client:
        job = client.submit(HELD)
        client.jobs()
        assert job.id in run(server, "status").stdout
        assert run(server, "cancel", job.id).stdout == f"{job.id} is cancelled\n"
        assert "cancelled" in run(server, "logs", job.id).stdout
        wrong = run(server, "submit", "--operator", "matmull")
        assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
        assert "Did you mean matmul" in wrong.stderr
        with pytest.raises(Refused, match="No job with the id"):
            client.job("0123456789abcdef")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=WAIT_S) in (0, -signal.SIGTERM)


def test_no_server_is_one_line() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(ToolError, match="atunner serve"):
        client.jobs()
