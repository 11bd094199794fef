"""The worker loop: claims jobs, keeps their leases, and ends the work of a job that is no longer its own."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from atunner.core.errors import ToolError
from atunner.core.job import Jobs, Lease, LostLease
from atunner.core.value import Value

IDLE_S, BUSY_S = 0.5, 0.1


class Pace(Value):
    """slots: jobs at once (1 keeps measurements alone on the machine). beat_s: between heartbeats, a third of a lease
    at most. grace_s: how long a job may take to stop by itself when the worker is told to stop.
    """

    slots: int = 1
    beat_s: float = 1.0
    grace_s: float = 20.0


class Work(Protocol):
    """One job at work in processes of its own, which write its results and its end themselves."""

    @property
    def code(self) -> int | None:
        """The exit code; None while at work, negative when a signal ended it."""
        ...

    def drain(self) -> None:
        """Ask it to stop at the next candidate and to give its job back."""
        ...

    def kill(self) -> None:
        """End all its processes now; repeating it is safe."""
        ...


class _Held:
    def __init__(self, lease: Lease, work: Work, beat: float) -> None:
        self.lease, self.work, self.beat = lease, work, beat


class Worker:
    """Works on jobs of one queue until told to stop. Its name is random, never that of a machine or pod."""

    def __init__(self, jobs: Jobs, start: Callable[[Lease], Work], pace: Pace | None = None) -> None:
        self.name = f"worker-{secrets.token_hex(4)}"
        self._jobs, self._start, self._pace = jobs, start, pace or Pace()
        self._held: list[_Held] = []
        self._log = structlog.get_logger(worker=self.name)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then give every job back."""
        try:
            while not stop.is_set():
                self._guarded(self._step)
                stop.wait(BUSY_S if self._held else IDLE_S)
            self._drain()
        finally:
            for held in self._held:
                held.work.kill()

    def _guarded(self, act: Callable[[], None]) -> None:
        """A queue that is away for a while costs time, not jobs."""
        try:
            act()
        except ToolError as error:
            self._log.warning("queue not reached", error=str(error))
            self._overdue()

    def _step(self) -> None:
        for held in list(self._held):
            self._look(held)
        while len(self._held) < self._pace.slots:
            lease = self._jobs.claim(self.name)
            if lease is None:
                return
            self._held.append(_Held(lease, self._start(lease), time.monotonic()))
            self._log.info("claimed", job=lease.job.id, attempt=lease.job.attempts)

    def _look(self, held: _Held) -> None:
        code = held.work.code
        if code is not None:
            self._held.remove(held)
            held.work.kill()
            self._settle(held.lease, code)
        elif time.monotonic() - held.beat >= self._pace.beat_s:
            self._beat(held)

    def _beat(self, held: _Held) -> None:
        try:
            held.lease = self._jobs.heartbeat(held.lease)
            held.beat = time.monotonic()
        except LostLease as error:
            if held.work.code is None:
                self._log.info("lease lost", job=held.lease.job.id, reason=str(error))
                held.work.kill()
                self._held.remove(held)

    def _overdue(self) -> None:
        """Work whose lease may have passed to another must not go on measuring beside it."""
        for held in list(self._held):
            if held.lease.until < time.time():
                held.work.kill()
                self._held.remove(held)

    def _settle(self, lease: Lease, code: int) -> None:
        """What ended well has said so itself; death by a signal lets the lease expire, which counts as an attempt."""
        if code != 1:
            return
        reason = "the run ended with an unexpected error; the worker's standard error has the traceback"
        try:
            self._jobs.fail(lease, reason)
        except LostLease:
            self._log.info("ended already", job=lease.job.id)

    def _drain(self) -> None:
        for held in self._held:
            held.work.drain()
        end = time.monotonic() + self._pace.grace_s
        while self._held and time.monotonic() < end:
            self._guarded(self._watch)
            time.sleep(BUSY_S / 2)
        for held in list(self._held):
            held.work.kill()
            self._guarded(lambda lease=held.lease: self._release(lease))  # type: ignore[misc]  # bound now
            self._held.remove(held)

    def _watch(self) -> None:
        for held in list(self._held):
            self._look(held)

    def _release(self, lease: Lease) -> None:
        try:
            self._jobs.release(lease)
        except LostLease:
            self._log.info("ended already", job=lease.job.id)
