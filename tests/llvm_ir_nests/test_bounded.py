"""Work of a C library that may never come back."""

import ctypes
import os
import signal
import time
from collections.abc import Callable

import pytest

from atunner.tools.bounded import Endless, answer


def test_what_the_work_returns_comes_back() -> None:
    long = "x" * 200_000

    assert answer(lambda: {"rows": [1, 2], "text": long}, 5) == {"rows": [1, 2], "text": long}


def test_work_without_end_is_ended_by_its_processor_time() -> None:
    def spin() -> None:
        while True:
            ctypes.CDLL(None).strlen(b"x")

    with pytest.raises(Endless, match="within 1 s"):
        answer(spin, 1)


@pytest.mark.parametrize("work", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: {}["missing"]])
def test_a_process_that_dies_or_fails_gives_no_answer(work: Callable[[], None]) -> None:
    with pytest.raises(Endless):
        answer(work, 1)


def test_work_that_only_waits_is_ended_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atunner.tools.bounded.WALL", 1)

    with pytest.raises(Endless):
        answer(lambda: time.sleep(600), 1)
