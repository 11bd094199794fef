"""Progress to where it is wanted: a function in the run's thread, or a coroutine in the caller's loop."""

import asyncio
import inspect
from typing import Any

from atunner.graphs.events import Event, Watch


def on_loop(watch: Any, loop: asyncio.AbstractEventLoop) -> Watch:
    """A watch that calls `watch` in `loop`, in the order of events; a coroutine function is awaited there."""
    if not inspect.iscoroutinefunction(watch) and not inspect.iscoroutinefunction(type(watch).__call__):
        return lambda event: _told(loop, watch, event)
    line: asyncio.Lock = asyncio.Lock()

    async def awaited(event: Event) -> None:
        async with line:
            await watch(event)

    return lambda event: _started(loop, awaited, event)


def _told(loop: asyncio.AbstractEventLoop, watch: Any, event: Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(watch, event)


def _started(loop: asyncio.AbstractEventLoop, watch: Any, event: Event) -> None:
    if not loop.is_closed():
        asyncio.run_coroutine_threadsafe(watch(event), loop)
