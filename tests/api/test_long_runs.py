"""Results of a long run: the same as from its whole record, and without reading it whole."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from seeded import seed
from sqlalchemy import event
from starlette.testclient import TestClient

from atunner.api.context import MOST_TRIALS
from atunner.core.record import RunRecord
from atunner.core.task import Spent
from atunner.knowledge_base.leaders import BATCH
from atunner.reports import compare, export
from atunner.reports.board import Board, board

JOBS = "/api/v1/jobs"
TRIALS = 2 * BATCH + 10


@pytest.fixture
def long(http: TestClient) -> tuple[str, RunRecord]:
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    job = seed(here.store.database, TRIALS)
    return job.id, here.store.load(str(job.run))


@pytest.fixture
def read(http: TestClient) -> Iterator[list[int]]:
    """How many rows each query of trials gave."""
    counts: list[int] = []
    engine: Any = http.app.state.service.store.database._engine  # type: ignore[attr-defined]  # to look at it

    def looked(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if "trials.body" in statement:
            rows = connection.connection.cursor().execute(statement, parameters).fetchall()
            counts.append(len(rows))

    event.listen(engine, "before_cursor_execute", looked)
    yield counts
    event.remove(engine, "before_cursor_execute", looked)


def test_the_leaderboard_is_that_of_the_whole_record(http: TestClient, long: tuple[str, RunRecord]) -> None:
    job, record = long
    for limit in (1, 7, TRIALS):
        told = http.get(f"{JOBS}/{job}/leaderboard", params={"limit": limit}).json()
        assert Board.model_validate(told) == board(record, limit)


def test_files_are_those_of_the_whole_record(http: TestClient, long: tuple[str, RunRecord]) -> None:
    job, record = long

    assert RunRecord.model_validate_json(http.get(f"{JOBS}/{job}/run.json").content) == record
    assert http.get(f"{JOBS}/{job}/trials.csv").text == export.as_csv(record)


def test_a_comparison_is_that_of_the_whole_records(http: TestClient, long: tuple[str, RunRecord]) -> None:
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    job, record = long
    other = seed(here.store.database, 40, "another")
    told = http.get("/api/v1/compare", params={"job": [job, other.id]}).json()

    whole = compare.compare([record, here.store.load("another")])
    assert compare.Compared.model_validate(told) == whole


def test_what_is_asked_for_is_read_and_no_more(http: TestClient, long: tuple[str, RunRecord], read: list[int]) -> None:
    job, record = long
    best = record.ranked[0].candidate.id
    for path in ("leaderboard", "notes", f"candidates/{best}", f"diff?new={best}", "run.json", "trials.csv"):
        read.clear()
        assert http.get(f"{JOBS}/{job}/{path}").status_code == 200
        assert max(read) <= (BATCH if "." in path else 50), path


def test_a_bundle_is_made_of_the_best_alone(http: TestClient, long: tuple[str, RunRecord], read: list[int]) -> None:
    answer = http.get(f"{JOBS}/{long[0]}/bundle.tar")

    assert (answer.status_code, "no verified GPU kernel" in answer.text) == (409, True)
    assert max(read) <= 50


@pytest.mark.parametrize("path", ["report.html", "results.t4.json"])
def test_what_needs_the_whole_run_reads_one_at_a_time_and_none_too_long(
    http: TestClient, long: tuple[str, RunRecord], path: str
) -> None:
    here = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    job, record = long
    alone: list[bool] = []

    def looked(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if "trials.body" in statement and "trials.candidate =" not in statement:  # the baseline by its name, before
            alone.append(here.reading.locked())

    event.listen(here.store.database._engine, "before_cursor_execute", looked)
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: http.get(f"{JOBS}/{job}/{path}").status_code, range(4)))
    event.remove(here.store.database._engine, "before_cursor_execute", looked)
    assert codes == [200] * 4
    assert alone
    assert all(alone)
    assert not here.reading.locked()

    here.store.set_spent(record.run, Spent(trials=MOST_TRIALS + 1))
    refused = http.get(f"{JOBS}/{job}/{path}")
    assert (refused.status_code, "run.json or trials.csv" in refused.text) == (409, True)
