"""`server` is importable beside the tests, and each test has a run to record calls in."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import TOY

from atunner.core.record import RunRecord, RunState
from atunner.core.task import Budget
from atunner.knowledge_base.store import Store

sys.path.insert(0, str(Path(__file__).parent))

RUN = "a-run"


@pytest.fixture
def store() -> Iterator[Store]:
    """A database in memory with one run."""
    with Store("sqlite://") as opened:
        opened.save_run(RunRecord(run=RUN, task=TOY, state=RunState.RUNNING, budget=Budget(trials=1)))
        yield opened
