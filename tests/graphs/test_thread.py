"""Coroutines run from ordinary code: their results, their errors, and Ctrl-C."""

import asyncio
import sys

import pytest

from atunner.graphs.thread import in_thread
from atunner.tools.process import run

# In a process of its own: Ctrl-C would end the whole test run.
PRESSED = """
import asyncio, os, signal, threading
from atunner.graphs.thread import in_thread

signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts the tests in the background has it ignored
stop = {stop}
left = threading.Event()

async def work():
    os.kill(os.getpid(), signal.SIGINT)
    while not (stop or left).is_set():
        await asyncio.sleep(0.01)
    return "it ended by itself"

try:
    print(in_thread(work(), "work", stop))
except KeyboardInterrupt:
    print("KeyboardInterrupt, and it goes on")
"""


async def _told(value: int) -> int:
    await asyncio.sleep(0)
    if value < 0:
        raise ValueError(f"{value} is below 0")
    return value


def test_the_result_comes_back() -> None:
    assert in_thread(_told(3), "three") == 3


def test_an_error_is_raised_where_it_was_asked_for() -> None:
    with pytest.raises(ValueError, match="-1 is below 0"):
        in_thread(_told(-1), "minus one")


def test_an_exit_in_a_task_of_the_work_is_raised_here_too() -> None:
    async def inner() -> None:
        sys.exit(7)

    async def outer() -> None:
        await asyncio.create_task(inner())

    with pytest.raises(SystemExit, match="7"):
        in_thread(outer(), "exit")


def test_it_works_where_a_loop_runs() -> None:
    async def notebook() -> int:
        return in_thread(_told(4), "four")

    assert asyncio.run(notebook()) == 4


@pytest.mark.parametrize(
    ("stop", "ends"), [("threading.Event()", "it ended by itself"), ("None", "KeyboardInterrupt, and it goes on")]
)
def test_the_first_interrupt_asks_where_it_can_and_leaves_where_it_cannot(stop: str, ends: str) -> None:
    assert run(sys.executable, "-c", PRESSED.format(stop=stop), timeout_s=120).output.strip() == ends
