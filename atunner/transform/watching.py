"""Progress to where it is wanted: a function in the run's thread, or a coroutine in the caller's loop."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from atunner.graphs.events import Event, Watch, called, told_of

LOOK_S = 0.5
"""How often a run that waits for a callback looks whether it should still wait."""


def on_loop(watch: Any, name: str, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> Watch:
    """A watch that calls `watch` in `loop`, one event after the other, and awaits what it returns.

    What it raises ends the run as in `guarded`. Once `stop` is set or the loop has ended, nothing is told any more.

    Raises:
        UserError: it cannot be called.
    """
    called(watch, name)

    async def told(event: Event) -> SystemExit | None:
        try:
            answer = watch(event)
            if inspect.isawaitable(answer):
                await answer
        except SystemExit as error:  # raised in a task it would end the caller's loop
            return error
        return None

    def over() -> bool:
        return stop.is_set() or loop.is_closed()

    def call(event: Event) -> None:
        left = None if over() else _ended(asyncio.run_coroutine_threadsafe(told(event), loop), over)
        if left is not None:
            raise left

    return told_of(call, name)


def _ended(call: Future[SystemExit | None], over: Callable[[], bool]) -> SystemExit | None:
    """Wait for the call's answer, as long as there is a loop that can give it."""
    while not over():
        try:
            return call.result(LOOK_S)
        except CancelledError:
            return None
        except TimeoutError:
            if call.done():
                return call.result()
    call.cancel()
    return None
