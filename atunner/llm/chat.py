"""Models behind the Model port: the ladder of answer modes, one repair turn, fallbacks, budget and record."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel

from atunner.core.call import CallLog, ModelCall
from atunner.core.consult import Toolbox
from atunner.core.ports import Room
from atunner.core.tokens import count
from atunner.core.value import content_id
from atunner.llm.answers import Malformed, parse
from atunner.llm.prices import Price
from atunner.llm.purse import Held, Purse
from atunner.llm.speakers import (
    LADDER,
    TOOLS,
    LengthRefused,
    Looker,
    ModeRefused,
    Reply,
    Speaker,
    Unreachable,
    asked,
    overhead,
    wanted_in,
)
from atunner.llm.tooling import CALLS, TURNS, Bench, Remembered, forms_of

Answer = TypeVar("Answer", bound=BaseModel)
REPAIR = "\nYour answer was not valid: {why}\nYour answer was:\n{answer}\nAnswer again, with valid JSON only.\n"
QUOTED = 2000
RETRIES = 2
ANSWER = 2048
"""Tokens that a brief leaves for its answer at most; a quarter of a small context."""
SHORTEST = 256
"""Tokens below which no shorter answer is asked for of a model that says it cannot hold so many."""
STRIKES = 3
"""After so many calls in a row without any answer, a model is not asked again by this process."""
UNANSWERED = frozenset({"failed", "budget"})
HIDDEN = "[key removed]"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Manner:
    """How a model is asked. output: tokens of an answer at most. context: tokens that it can hold, None if unknown.

    secrets: texts that are removed from everything that is recorded. retry_s: the first pause before a retry.
    listed: the price by which it is compared with others, where that is not what it costs here. remembered: what a tool
    answered in another run that this one repeats.
    """

    output: int = 8192
    context: int | None = None
    secrets: tuple[str, ...] = ()
    retry_s: float = 0.5
    listed: Price | None = None
    remembered: Remembered = lambda key: None
    sleep: Sleep = field(default=asyncio.sleep)

    def clean(self, text: str) -> str:
        """The text without any secret."""
        for secret in filter(None, self.secrets):
            text = text.replace(secret, HIDDEN)
        return text


class ChatModel:
    """Asks a speaker for typed answers. Every call is recorded before its answer is used; the mode that worked stays.

    name: its spec, as on the command line. price, context: None when unknown.
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
        self.context = self._manner.context
        self._rung = self._strikes = 0
        self._longest = self._manner.output
        self._equipped = isinstance(speaker, Looker)

    def room(self, answer: type[BaseModel]) -> Room | None:
        """How much of its context a prompt may take, None where the context is not known."""
        if (context := self.context) is None:
            return None
        left = max(SHORTEST, min(ANSWER, context // 4))
        return Room(model=self.name, tokens=max(0, context - left - overhead(answer)), context=context)

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

    async def ask_with(self, role: str, prompt: str, answer: type[Answer], tools: Toolbox) -> Answer | None:
        """A valid answer, tools called first where the model wants them; one that cannot is asked without them."""
        text, bench = prompt, Bench(self._run, self._log, self._manner.clean, self._manner.remembered)
        for turn in range(TURNS):
            if not self._equipped or not tools.left:
                break
            call = await self._call(role, text, answer, turn, tools)
            if call is not None and call.outcome == "refused":
                break
            if call is not None and call.outcome == "too_long":
                text = prompt
                break
            if call is None or call.answer is None:
                return None
            wanted = wanted_in(call.answer)
            if not wanted:
                found = _parsed(call.answer, answer)
                # A model that neither calls a tool nor answers does not know what to do with them.
                self._equipped = found is not None
                if found is not None:
                    return found
                break
            text += "".join([await bench.used(role, prompt, one, tools) for one in wanted[:CALLS]])
        return await self.ask(role, text, answer)

    async def _call(
        self, role: str, prompt: str, kind: type[BaseModel], attempt: int, tools: Toolbox | None = None
    ) -> ModelCall | None:
        """The recorded call of this content, or a new one; a recorded one without an answer is made again."""
        again, how = 0, [] if tools is None else [TOOLS]
        while True:
            key = content_id([role, self.name, kind.__name__, prompt, attempt, *how, *([again] if again else [])])
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
            mode="" if tools is None else TOOLS,
            attempt=attempt,
            model=self.name,
            prompt=self._manner.clean(prompt),
            created=datetime.now(UTC).isoformat(),
        )
        return await self._paid(call, prompt, kind, tools)

    async def _paid(self, call: ModelCall, prompt: str, kind: type[BaseModel], tools: Toolbox | None) -> ModelCall:
        """The call, held in the purse while it flies and recorded when it has ended."""
        needed = count(prompt) + (overhead(kind) if tools is None else count(json.dumps(forms_of(tools))))
        output = self._longest
        if self._manner.context is not None:
            output = min(output, self._manner.context - needed)
        held = await self._purse.hold(needed, output, self.price) if output > 0 else None
        if held is None:
            outcome = "budget" if output > 0 else "too_long"
            return self._kept(call.model_copy(update={"outcome": outcome, "reason": f"{needed} tokens to read"}))
        try:
            sent = (
                self._sent(call, prompt, kind, held) if tools is None else self._looked(call, prompt, kind, held, tools)
            )
            return self._kept(await sent)
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
                output = min(held.output, self._longest)
                reply = await self._speaker.say(call.role, prompt, kind, mode, output)
            except LengthRefused as error:
                if not self._shorter(output):
                    return self._failed(call, str(error), "too_long", began, 0)
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

    async def _looked(
        self, call: ModelCall, prompt: str, kind: type[BaseModel], held: Held, tools: Toolbox
    ) -> ModelCall:
        """One try with tools; a server that knows none refuses, and is remembered for it."""
        began = time.monotonic()
        if not isinstance(self._speaker, Looker):
            return self._failed(call, "its speaker knows no tools", "refused", began, 0)
        while True:
            try:
                output = min(held.output, self._longest)
                reply = await self._speaker.look(call.role, prompt, forms_of(tools), output)
            except LengthRefused as error:
                if not self._shorter(output):
                    return self._failed(call, str(error), "too_long", began, 0)
            except ModeRefused as error:
                self._equipped = self._speaker.ladder != LADDER
                return self._failed(call, str(error), "refused", began, 0)
            except Unreachable as error:
                charged = held.tokens - held.output if error.charged else 0
                return self._failed(call, str(error), "failed", began, charged)
            else:
                return self._read(call, prompt, kind, reply, began)

    def _shorter(self, refused: int) -> bool:
        """Ask for answers of half the length from now on; False where they would be too short."""
        self._longest = max(SHORTEST, min(self._longest, refused // 2))
        return self._longest < refused

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
            if not reply.wanted:
                parse(text, kind)
        except Malformed as error:
            update |= {"outcome": "malformed", "reason": str(error)[:500]}
        return call.model_copy(update=update)


def _parsed(text: str, kind: type[Answer]) -> Answer | None:
    try:
        return parse(text, kind)
    except Malformed:
        return None
