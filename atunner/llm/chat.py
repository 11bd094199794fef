"""Models behind the Model port: the ladder of answer modes, one repair turn, fallbacks, budget and record."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel

from atunner.core.call import CallLog, ModelCall
from atunner.core.ports import Voice
from atunner.core.tokens import count
from atunner.core.value import content_id
from atunner.llm.answers import Malformed, parse
from atunner.llm.prices import Price
from atunner.llm.purse import Held, Purse
from atunner.llm.speakers import ModeRefused, Reply, Speaker, Unreachable, asked, overhead

Answer = TypeVar("Answer", bound=BaseModel)
REPAIR = "\nYour answer was not valid: {why}\nYour answer was:\n{answer}\nAnswer again, with valid JSON only.\n"
QUOTED = 2000
RETRIES = 2
STRIKES = 3
"""After so many calls in a row without any answer, a model is not asked again by this process."""
USUAL = (4000, 2000)
"""Tokens in and out of a usual call, to compare models by their prices."""
UNANSWERED = frozenset({"failed", "budget"})
HIDDEN = "[key removed]"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Manner:
    """How a model is asked. output: tokens of an answer at most. context: tokens that it can hold, None if unknown.

    secrets: texts that are removed from everything that is recorded. retry_s: the first pause before a retry.
    listed: the price by which it is compared with others, where that is not what it costs here.
    """

    output: int = 8192
    context: int | None = None
    secrets: tuple[str, ...] = ()
    retry_s: float = 0.5
    listed: Price | None = None
    sleep: Sleep = field(default=asyncio.sleep)

    def clean(self, text: str) -> str:
        """The text without any secret."""
        for secret in filter(None, self.secrets):
            text = text.replace(secret, HIDDEN)
        return text


class ChatModel:
    """Asks a speaker for typed answers. Every call is recorded before its answer is used; the mode that worked stays.

    name: its spec, as on the command line. price: None when unknown.
    """

    def __init__(
        self,
        speaker: Speaker,
        name: str,
        run: str,
        log: CallLog,
        purse: Purse,
        price: Price | None = None,
        manner: Manner = Manner(),
    ) -> None:
        self.name, self.price, self.listed = name, price, manner.listed or price
        self._speaker, self._run, self._log, self._purse, self._manner = speaker, run, log, purse, manner
        self._rung = self._strikes = 0

    async def ask(self, role: str, prompt: str, answer: type[Answer]) -> Answer | None:
        """A valid answer, or None: refused, malformed after one repair, out of reach, over budget; all recorded."""
        text = prompt
        for attempt in range(2):
            call = await self._call(role, text, answer, attempt)
            if call is None or call.answer is None:
                return None
            try:
                return parse(call.answer, answer)
            except Malformed as error:
                text = prompt + REPAIR.format(why=error, answer=call.answer[:QUOTED])
        return None

    async def _call(self, role: str, prompt: str, kind: type[BaseModel], attempt: int) -> ModelCall | None:
        """The recorded call of this content, or a new one; a recorded one without an answer is made again."""
        again = 0
        while True:
            key = content_id([role, self.name, kind.__name__, prompt, attempt, *([again] if again else [])])
            known = self._log.call(self._run, key)
            if known is None:
                break
            if known.outcome not in UNANSWERED:
                return known
            again += 1
        if self._strikes >= STRIKES:
            return None
        call = ModelCall(
            key=key,
            role=role,
            node=f"{role}:{kind.__name__}",
            attempt=attempt,
            model=self.name,
            prompt=self._manner.clean(prompt),
            created=datetime.now(UTC).isoformat(),
        )
        return await self._paid(call, prompt, kind)

    async def _paid(self, call: ModelCall, prompt: str, kind: type[BaseModel]) -> ModelCall:
        """The call, held in the purse while it flies and recorded when it has ended."""
        needed = count(prompt) + overhead(kind)
        output = self._manner.output
        if self._manner.context is not None:
            output = min(output, self._manner.context - needed)
        held = self._purse.take(needed, output, self.price) if output > 0 else None
        if held is None:
            outcome = "budget" if output > 0 else "too_long"
            return self._kept(call.model_copy(update={"outcome": outcome, "reason": f"{needed} tokens to read"}))
        try:
            return self._kept(await self._sent(call, prompt, kind, held))
        finally:
            self._purse.give_back(held)

    def _kept(self, call: ModelCall) -> ModelCall:
        self._log.keep_call(self._run, call)
        if call.outcome == "failed":
            self._strikes += 1
        elif call.answer is not None:
            self._strikes = 0
        return call

    async def _sent(self, call: ModelCall, prompt: str, kind: type[BaseModel], held: Held) -> ModelCall:
        """Down the ladder until a mode is taken; retried where that can help."""
        began, retries = time.monotonic(), 0
        while True:
            mode = self._speaker.ladder[self._rung]
            try:
                reply = await self._speaker.say(call.role, prompt, kind, mode, held.output)
            except ModeRefused as error:
                if self._rung + 1 == len(self._speaker.ladder):
                    return self._failed(call, str(error), "refused", began, 0)
                self._rung += 1
            except Unreachable as error:
                if error.again and retries < RETRIES:
                    await self._manner.sleep(self._manner.retry_s * 2**retries)
                    retries += 1
                    continue
                charged = held.tokens - held.output if error.charged else 0
                return self._failed(call, str(error), "failed", began, charged)
            else:
                return self._read(call.model_copy(update={"mode": mode}), prompt, kind, reply, began)

    def _failed(self, call: ModelCall, why: str, outcome: str, began: float, charged: int) -> ModelCall:
        """A call without an answer. charged: input tokens that the provider may bill all the same."""
        return call.model_copy(
            update={
                "outcome": outcome,
                "reason": self._manner.clean(why),
                "seconds": time.monotonic() - began,
                "input_tokens": charged,
                "estimated": bool(charged),
                "usd": None if self.price is None else self.price.usd(charged, 0),
            }
        )

    def _read(self, call: ModelCall, prompt: str, kind: type[BaseModel], reply: Reply, began: float) -> ModelCall:
        text = self._manner.clean(reply.text)
        counted = reply.input_tokens is not None and reply.output_tokens is not None
        read = reply.input_tokens if counted else count(asked(prompt, kind, call.mode))
        written = reply.output_tokens if counted else count(reply.text)
        tokens = (max(0, read or 0), max(0, written or 0), max(0, reply.cached_tokens))
        update: dict[str, object] = {"answer": text, "seconds": time.monotonic() - began, "estimated": not counted}
        update |= {"input_tokens": tokens[0], "output_tokens": tokens[1], "cached_tokens": tokens[2]}
        update["usd"] = None if self.price is None else self.price.usd(*tokens)
        try:
            parse(text, kind)
        except Malformed as error:
            update |= {"outcome": "malformed", "reason": str(error)[:500]}
        return call.model_copy(update=update)


class CastModel:
    """Several models behind one port: by role, and the next one where the first gives no answer."""

    def __init__(self, name: str, of: Callable[[str], Sequence[ChatModel]]) -> None:
        self.name, self._of = name, of

    def voices(self, role: str) -> tuple[Voice, ...]:
        """Who can play the role, each with what a usual call of it costs."""
        return tuple(Voice(name=m.name, usd=m.listed and m.listed.usd(*USUAL)) for m in self._of(role))

    def only(self, voice: str) -> "CastModel":
        """The model of that name alone, in whatever roles it plays."""
        return CastModel(voice, lambda role: [m for m in self._of(role) if m.name == voice])

    async def ask(self, role: str, prompt: str, answer: type[Answer]) -> Answer | None:
        """The first valid answer; None when no model plays this role or none answered."""
        for model in self._of(role):
            found = await model.ask(role, prompt, answer)
            if found is not None:
                return found
        return None
