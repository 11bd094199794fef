"""What models may still cost in a run: recorded calls and calls in flight, tokens and dollars."""

import asyncio
import threading
from dataclasses import dataclass

from atunner.core.call import CallLog
from atunner.llm.prices import Price

LEAST_OUTPUT = 48
"""Tokens below which an answer is not worth asking for."""


@dataclass(frozen=True)
class Bounds:
    """Of one run; None is unlimited."""

    tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Held:
    """A call in flight: what it may cost at most. output: the tokens that it may answer with."""

    tokens: int
    usd: float
    output: int


class Purse:
    """One run's purse, shared by all its models. Earlier processes' calls are read from the record each time."""

    def __init__(self, run: str, log: CallLog, bounds: Bounds) -> None:
        self._run, self._log, self._bounds = run, log, bounds
        self._flying: list[Held] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()

    def take(self, input_tokens: int, output: int, price: Price | None) -> Held | None:
        """Hold what a call may cost, its answer shortened to what is left; None when even a short one is too dear."""
        with self._lock:
            spent = self._log.call_totals(self._run)
            if self._bounds.tokens is not None:
                flying = sum(h.tokens for h in self._flying)
                output = min(output, self._bounds.tokens - spent.tokens - flying - input_tokens)
            if self._bounds.usd is not None and price is not None:
                left = self._bounds.usd - spent.usd - sum(h.usd for h in self._flying)
                output = min(output, _affordable(left - price.usd(input_tokens, 0), price, output))
            if output < LEAST_OUTPUT:
                return None
            held = Held(input_tokens + output, price.usd(input_tokens, output) if price else 0.0, output)
            self._flying.append(held)
            return held

    async def hold(self, input_tokens: int, output: int, price: Price | None) -> Held | None:
        """As `take`, once the calls in flight have come back where only they are in the way of a whole answer."""
        while True:
            loop = asyncio.get_running_loop()
            with self._lock:
                waiter = loop.create_future() if self._flying else None
                if waiter is not None:
                    self._waiting.append(waiter)
            held = self.take(input_tokens, output, price)
            if waiter is None or (held is not None and held.output == output):
                return held
            if held is not None:
                with self._lock:
                    self._flying.remove(held)
            await waiter

    def give_back(self, held: Held) -> None:
        """The call has ended and is recorded."""
        with self._lock:
            self._flying.remove(held)
            waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.get_loop().call_soon_threadsafe(_wake, waiter)


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _affordable(left: float, price: Price, wanted: int) -> int:
    if left < 0:
        return 0
    return wanted if price.output == 0 else int(left / price.usd(0, 1))
