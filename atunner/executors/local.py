"""Worker processes on this machine."""

import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from atunner.core.ports import Domain, Fault, Outcome, WorkItem
from atunner.executors.work import do, resolve
from atunner.tools.lifeline import die_with_parent
from atunner.tools.scratch import Folder, use

_domain: Domain[Any] | None = None


def _begin(path: str, config: dict[str, JsonValue], folder: str) -> None:
    """Runs once in each worker: the domain is resolved there, from its name; `folder` takes its temporary files."""
    global _domain
    use(Path(folder))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    starter = parent_process()
    die_with_parent(None if starter is None else starter.pid)
    _domain = resolve(path, config)


def _work(item: str) -> str:
    if _domain is None:
        raise RuntimeError("the worker was not begun")
    return do(_domain, WorkItem.model_validate_json(item)).model_dump_json()


@contextmanager
def _unnamed_main() -> Iterator[None]:
    """Start processes without the user's script: a spawned process would import it again, and with it run it again."""
    main = sys.modules["__main__"]
    kept: dict[str, Any] = {name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in main.__dict__}
    main.__dict__["__spec__"] = None
    try:
        yield
    finally:
        del main.__dict__["__spec__"]
        main.__dict__.update(kept)


class LocalExecutor:
    """A few spawned workers; a worker that dies or hangs is replaced, and its item alone is lost.

    workers: processes. limit_s: for one item, from when it can start.
    """

    def __init__(self, path: str, config: dict[str, JsonValue], workers: int = 2, limit_s: float = 600.0) -> None:
        self._path, self._config, self._workers, self._limit_s = path, config, workers, limit_s
        self._pool: ProcessPoolExecutor | None = None

    def map(self, items: Sequence[WorkItem]) -> list[Outcome]:
        """One outcome for each item, in order; what a dead or hung worker took along is tried once more, alone."""
        if not items:
            return []
        with _unnamed_main():
            futures = [self._start().submit(_work, item.model_dump_json()) for item in items]
        first = [self._collect(future) for future in futures]
        return [self._alone(item) if o.fault is Fault.DIED else o for item, o in zip(items, first, strict=True)]

    def close(self) -> None:
        """End all workers, also those at work."""
        if self._pool is not None:
            for process in list(getattr(self._pool, "_processes", {}).values()):
                process.terminate()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
            self._folder.remove()

    def _alone(self, item: WorkItem) -> Outcome:
        with _unnamed_main():
            future = self._start().submit(_work, item.model_dump_json())
        return self._collect(future)

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._folder = Folder()
            given = (self._path, self._config, str(self._folder.path))
            self._pool = ProcessPoolExecutor(self._workers, get_context("spawn"), initializer=_begin, initargs=given)
        return self._pool

    def _collect(self, future: Future[str]) -> Outcome:
        try:
            return Outcome.model_validate_json(future.result(timeout=self._limit_s))
        except TimeoutError:
            self.close()
            return Outcome(fault=Fault.TIMED_OUT, message=f"no answer within {self._limit_s:g} s")
        except (BrokenProcessPool, CancelledError):
            self.close()
            return Outcome(fault=Fault.DIED, message="the worker process died")
