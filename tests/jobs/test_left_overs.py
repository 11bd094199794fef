"""What a server leaves in the folder for temporary files, however it ends: nothing, or what the next start removes."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_jobs import WAIT_S, end, settings_at, toy, until

from atunner.core.job import ENDED
from atunner.knowledge_base.jobs import JobStore
from atunner.tools import scratch

pytestmark = pytest.mark.timeout(1200)
ATUNNER = str(Path(sys.executable).with_name("atunner"))
LONG = {"search": "random", "rounds": 1_000_000, "patience": 1_000_000}


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Of a short name, as sockets need one."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def environment(tmp_path: Path, temporary: Path) -> dict[str, str]:
    own = {name: str(tmp_path) for name in ("ATUNNER_DATA", "ATUNNER_CACHE")}
    return {**os.environ, **own, "ATUNNER_DATABASE": "", "ATUNNER_MODEL": "none", "TMPDIR": str(temporary)}


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    argv = [ATUNNER, "serve", "--port", "0"]
    process = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    end(process)


def at_work(folder: Path, **options: object) -> None:
    """A job with worker processes of its own has begun to judge."""
    jobs = JobStore(settings_at(folder).database_url)
    request = toy(trials=1_000_000, **{**LONG, **options})
    job = jobs.submit(request.model_copy(update={"options": {**request.options, "executor": "local"}}))
    until(lambda: jobs.get(job.id).progress > 2)
    jobs.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_leaves_no_temporary_files(
    tmp_path: Path, temporary: Path, server: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    at_work(tmp_path)
    assert list(temporary.iterdir())

    server.send_signal(number)

    assert server.wait(timeout=WAIT_S) == 0
    assert list(temporary.iterdir()) == []


def test_the_next_start_removes_what_a_killed_server_left(
    tmp_path: Path, temporary: Path, environment: dict[str, str], server: "subprocess.Popen[str]"
) -> None:
    (temporary / "atunner-of-another").mkdir()
    at_work(tmp_path)
    end(server)
    assert len(list(temporary.iterdir())) > 1

    subprocess.run([ATUNNER, "--version"], env=environment, check=True, capture_output=True)

    assert [folder.name for folder in temporary.iterdir()] == ["atunner-of-another"]


def test_jobs_that_ended_leave_no_temporary_files_in_a_server(
    tmp_path: Path, temporary: Path, server: "subprocess.Popen[str]"
) -> None:
    jobs = JobStore(settings_at(tmp_path).database_url)
    done = jobs.submit(toy(trials=12))
    until(lambda: jobs.get(done.id).state in ENDED)
    jobs.close()

    until(lambda: not list(temporary.glob("atunner-*/atunner-*")))
    assert server.poll() is None


def test_where_there_is_no_room_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    scratch.begin()

    assert tempfile.gettempdir() == str(tmp_path / "gone")


def test_a_folder_in_use_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = scratch.Folder()

    scratch.clear(tmp_path)
    assert folder.path.exists()

    monkeypatch.setattr(tempfile, "tempdir", str(folder.path))
    assert scratch.shared() == tmp_path
    folder.remove()
    assert not folder.path.exists()
