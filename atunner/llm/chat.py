"""One chat model behind the Model port: the ladder of answer modes, one repair turn, budget and record."""

import json
import time
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from ollama import ResponseError
from openai import BadRequestError, OpenAIError
from pydantic import BaseModel

from atunner.core.call import CallLog, ModelCall
from atunner.core.value import content_id
from atunner.llm.answers import Malformed, ask_for, parse

Answer = TypeVar("Answer", bound=BaseModel)
LADDER = ("json_schema", "function_calling", "json_mode", "text")
REFUSED = (BadRequestError, NotImplementedError, ResponseError)
UNREACHABLE = (OpenAIError, httpx.HTTPError, ConnectionError, TimeoutError)
REPAIR = "\nYour answer was not valid: {why}\nYour answer was:\n{answer}\nAnswer again, with valid JSON only.\n"


class ChatModel:
    """Asks a LangChain chat model for typed answers. Every call is recorded before its answer is used.

    tokens: at most so many for the whole run, calls of earlier processes included. The mode that worked is remembered.
    """

    def __init__(self, chat: Any, name: str, run: str, log: CallLog, tokens: int | None = None) -> None:
        self.name = name
        self._chat, self._run, self._log, self._tokens = chat, run, log, tokens
        self._rung = 0

    async def ask(self, role: str, prompt: str, answer: type[Answer]) -> Answer | None:
        """A valid answer, or None: refused, malformed after one repair, out of reach, over budget; all recorded."""
        text = prompt
        for attempt in range(2):
            call = await self._call(role, text, answer, attempt)
            if call.answer is None:
                return None
            try:
                return parse(call.answer, answer)
            except Malformed as error:
                text = prompt + REPAIR.format(why=error, answer=call.answer[:2000])
        return None

    async def _call(self, role: str, prompt: str, kind: type[BaseModel], attempt: int) -> ModelCall:
        key = content_id([role, self.name, kind.__name__, prompt, attempt])
        known = self._log.call(self._run, key)
        if known is not None:
            return known
        call = await self._ask_once(key, role, prompt, kind)
        self._log.keep_call(self._run, call)
        return call

    async def _ask_once(self, key: str, role: str, prompt: str, kind: type[BaseModel]) -> ModelCall:
        call = ModelCall(
            key=key, role=role, node=role, model=self.name, prompt=prompt, created=datetime.now(UTC).isoformat()
        )
        if self._tokens is not None and self._log.call_totals(self._run).tokens >= self._tokens:
            return call.model_copy(update={"outcome": "budget"})
        began = time.monotonic()
        while self._rung < len(LADDER):
            mode = LADDER[self._rung]
            try:
                message = await self._send(mode, prompt, kind)
            except UNREACHABLE as error:
                if isinstance(error, REFUSED):
                    self._rung += 1
                    continue
                seconds = time.monotonic() - began
                return call.model_copy(update={"outcome": "failed", "mode": mode, "seconds": seconds})
            except REFUSED:
                self._rung += 1
                continue
            return call.model_copy(update={"mode": mode, "seconds": time.monotonic() - began, **_read(message)})
        self._rung = len(LADDER) - 1
        return call.model_copy(update={"outcome": "refused", "seconds": time.monotonic() - began})

    async def _send(self, mode: str, prompt: str, kind: type[BaseModel]) -> Any:
        if mode == "text":
            return await self._chat.ainvoke(prompt + ask_for(kind))
        if mode == "json_mode":
            bound = self._chat.with_structured_output(kind, method=mode, include_raw=True)
            return (await bound.ainvoke(prompt + ask_for(kind)))["raw"]
        bound = self._chat.with_structured_output(kind, method=mode, include_raw=True)
        return (await bound.ainvoke(prompt))["raw"]


def _read(message: Any) -> dict[str, Any]:
    """Text and token counts of a LangChain message; a tool call's arguments are its text."""
    usage = message.usage_metadata or {}
    tools = getattr(message, "tool_calls", None)
    content = message.content if isinstance(message.content, str) else json.dumps(message.content)
    text = json.dumps(tools[0]["args"]) if tools else content
    return {
        "answer": text,
        "input_tokens": usage.get("input_tokens", 0),
        "output_tokens": usage.get("output_tokens", 0),
    }
