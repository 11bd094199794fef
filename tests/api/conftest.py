"""A server's application in this process, on a database in a file, without a worker unless a test makes one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from service_jobs import LEASE_S, settings_at
from starlette.testclient import TestClient

from atunner.api.app import Serving, create
from atunner.core.job import Job
from atunner.service.perform import perform

BASE = "http://127.0.0.1"


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    app = create(settings_at(tmp_path), Serving(slots=0, lease_s=LEASE_S))
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def work(http: TestClient, tmp_path: Path) -> Callable[[], Job]:
    """Does the next job of the queue, in this process."""
    import threading

    def do() -> Job:
        lease = http.app.state.service.jobs.claim("test")  # type: ignore[attr-defined]  # the application's own state
        return perform(settings_at(tmp_path), lease, threading.Event())

    return do
