"""Coroutines run from ordinary code: their results, their errors, and Ctrl-C."""

import asyncio
import os
import signal
import threading

import pytest

from atunner.graphs.thread import in_thread


async def _told(value: int) -> int:
    await asyncio.sleep(0)
    if value < 0:
        raise ValueError(f"{value} is below 0")
    return value


async def _interrupted(stop: threading.Event) -> str:
    """Press Ctrl-C once, then work until asked to stop."""
    os.kill(os.getpid(), signal.SIGINT)
    while not stop.is_set():
        await asyncio.sleep(0.01)
    return "ended by itself"


def test_the_result_comes_back() -> None:
    assert in_thread(_told(3), "three") == 3


def test_an_error_is_raised_where_it_was_asked_for() -> None:
    with pytest.raises(ValueError, match="-1 is below 0"):
        in_thread(_told(-1), "minus one")


def test_it_works_where_a_loop_runs() -> None:
    async def notebook() -> int:
        return in_thread(_told(4), "four")

    assert asyncio.run(notebook()) == 4


def test_the_first_interrupt_asks_and_waits() -> None:
    stop = threading.Event()
    assert in_thread(_interrupted(stop), "asked", stop) == "ended by itself"
    assert stop.is_set()


def test_without_a_way_to_ask_an_interrupt_leaves_at_once() -> None:
    never = threading.Event()
    try:
        with pytest.raises(KeyboardInterrupt):
            in_thread(_interrupted(never), "left")
    finally:
        never.set()
