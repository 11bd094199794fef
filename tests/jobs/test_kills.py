"""Server and workers killed on a seeded schedule, on every database: nothing is lost, doubled, stuck or done again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kills import Town, repeated
from postgres_server import fresh_database, postgres_server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'atunner.sqlite'}"
        return
    with postgres_server() as server:
        yield fresh_database(server)


@pytest.mark.parametrize(
    ("seed", "kills", "jobs"),
    [
        pytest.param(5, 20, 200, marks=pytest.mark.timeout(3000)),
        pytest.param(6, 300, 5000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)]),
    ],
)
def test_kills_lose_double_and_repeat_nothing(tmp_path: Path, url: str, seed: int, kills: int, jobs: int) -> None:
    outcome = Town(tmp_path, url, seed, kills, jobs).run(limit_s=600.0 + jobs)

    print(f"seed {seed}: {outcome}")  # noqa: T201 - the seed, to repeat it
    assert outcome.good, outcome
    assert outcome.jobs == jobs
    assert outcome.attempts > jobs, "no kill hit a job at work"


def test_a_measurement_that_is_repeated_is_noticed() -> None:
    assert repeated("begun r 1\nbegun r 1\nrecorded r 1\n") == 0
    assert repeated("begun r 1\nrecorded r 1\nbegun r 1\n") == 1
