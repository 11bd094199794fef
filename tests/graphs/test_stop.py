"""Ctrl-C while a run is under way."""

import threading

import pytest

from atunner.graphs.thread import _wait


class Ended(threading.Event):
    """The end of a run whose first `interrupts` waits meet Ctrl-C."""

    def __init__(self, interrupts: int) -> None:
        super().__init__()
        self.interrupts = interrupts

    def wait(self, timeout: float | None = None) -> bool:
        if self.interrupts:
            self.interrupts -= 1
            raise KeyboardInterrupt
        return super().wait(timeout)


def test_the_first_interrupt_asks_the_run_to_stop_and_waits_for_it() -> None:
    ended, stop = Ended(1), threading.Event()

    def work() -> None:
        stop.wait(30)
        ended.set()

    _wait(threading.Thread(target=work, daemon=True), ended, stop)

    assert stop.is_set()
    assert ended.is_set()


def test_a_second_interrupt_leaves_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        _wait(threading.Thread(target=int, daemon=True), Ended(2), threading.Event())
