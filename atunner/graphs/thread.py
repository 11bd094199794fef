"""Coroutines run from ordinary code, whatever event loop the caller has."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def in_thread(work: Coroutine[Any, Any, T], name: str, stop: threading.Event | None = None) -> T:
    """Do `work` in an event loop in a thread of its own, so that a notebook's loop does not matter; its result.

    stop: set by the first Ctrl-C; what is at work ends by itself then. A second one, or one without `stop`, leaves at
    once: the thread is a daemon, so nothing waits for it. What `work` raises is raised here, also a SystemExit that
    ended the loop.
    """
    done: Future[asyncio.Task[T]] = Future()
    ended = threading.Event()

    def body() -> None:
        try:
            done.set_result(asyncio.run(_finished(work)))
        except SystemExit as error:
            done.set_exception(error)
        finally:
            ended.set()

    _wait(threading.Thread(target=body, name=name, daemon=True), ended, stop)
    return done.result().result()


async def _finished(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """The work as a task that has ended; how it ended is the caller's to ask."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task})
    return task


def _wait(thread: threading.Thread, ended: threading.Event, stop: threading.Event | None) -> None:
    """Start the thread and wait for its end; the first Ctrl-C sets `stop`, a second one leaves.

    An event and not Thread.join: a join that is interrupted takes a thread that runs for one that has ended.
    """
    try:
        if thread.ident is None:
            thread.start()
        while not ended.wait(0.2):
            pass
    except KeyboardInterrupt:
        if stop is None or stop.is_set():
            raise
        stop.set()
        _wait(thread, ended, stop)
