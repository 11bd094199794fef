"""Who answers with text: a provider behind LangChain. Whatever goes wrong is one of two errors."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import httpx
from pydantic import BaseModel, Field, JsonValue

from atunner.core.tokens import count
from atunner.core.value import Value
from atunner.llm.answers import ask_for

TOOLS, WANTED = "tools", "tool_calls"
LADDER = ("json_schema", "function_calling", "json_mode", "text")
RETRIED = frozenset({408, 409, 429, *range(500, 600)})
REFUSED = frozenset({400, 404, 415, 422, 501})
LENGTH = re.compile(
    r"max_(completion_)?tokens.* too (large|big|high)|context[ _](length|window|size)|at most \d+ .*tokens", re.I
)
"""How servers say that prompt and answer do not fit: OpenAI, vLLM, llama.cpp."""


class Wanted(Value):
    """A tool that a model wants to be called."""

    name: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Reply(Value):
    """What came back. Token counts are None where the server did not count; then they are estimated from the texts.

    wanted: tools to be called before there is an answer.
    """

    text: str
    wanted: tuple[Wanted, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0


class Unreachable(Exception):
    """No answer: down, refused, over its limits, or too slow.

    again: a retry may help. charged: the provider may have worked on the prompt, and bill it.
    """

    def __init__(self, why: str, again: bool, charged: bool = False) -> None:
        super().__init__(why)
        self.again, self.charged = again, charged


class ModeRefused(Exception):
    """The server does not take this form of asking; a lower rung may do."""


class LengthRefused(Exception):
    """The prompt with the longest answer asked for is more than the model holds; a shorter answer may fit."""


class Speaker(Protocol):
    """Answers a prompt with text."""

    @property
    def ladder(self) -> tuple[str, ...]:
        """Forms of asking, best first."""
        ...

    async def say(self, role: str, prompt: str, kind: type[BaseModel], mode: str, output: int) -> Reply:
        """One answer of at most `output` tokens. Raises Unreachable, ModeRefused or LengthRefused."""
        ...


@runtime_checkable
class Looker(Protocol):
    """A speaker whose model may call tools."""

    async def look(self, role: str, prompt: str, tools: Sequence[dict[str, Any]], output: int) -> Reply:
        """An answer, or the tools that it wants called first. Raises Unreachable; ModeRefused without tools."""
        ...


def asked(prompt: str, kind: type[BaseModel], mode: str) -> str:
    """The text that is sent: modes without a schema of their own carry it in words."""
    return prompt + ask_for(kind) if mode in ("json_mode", "text") else prompt


def overhead(kind: type[BaseModel]) -> int:
    """Tokens that the schema costs in any mode."""
    return count(ask_for(kind))


class ChatSpeaker:
    """A LangChain chat model of OpenAI's or Ollama's form."""

    ladder = LADDER

    def __init__(self, chat: Any, forms: "Forms", limit_s: float) -> None:
        self._chat, self._forms, self._limit_s = chat, forms, limit_s

    async def say(self, role: str, prompt: str, kind: type[BaseModel], mode: str, output: int) -> Reply:
        """One answer, within the time limit as a whole: a server that trickles for ever is cut off."""
        return await self._sent(self._forms.bind(self._chat, kind, mode, output), asked(prompt, kind, mode), mode)

    async def look(self, role: str, prompt: str, tools: Sequence[dict[str, Any]], output: int) -> Reply:
        """An answer, or the tools that the model wants called first."""
        bound = self._forms.equip(self._chat, tools, output)
        return with_wanted(await self._sent(bound, prompt, TOOLS))

    async def _sent(self, bound: Any, text: str, mode: str) -> Reply:
        try:
            message = await asyncio.wait_for(bound.ainvoke(text), self._limit_s)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unreachable(f"no answer within {self._limit_s:g} s", again=False, charged=True) from error
        except (httpx.HTTPError, ConnectionError) as error:
            raise Unreachable(f"connection failed: {type(error).__name__}", again=True) from error
        except self._forms.errors as error:
            return self._forms.refused(error, mode)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise Unreachable(f"the server's answer is not of its API: {type(error).__name__}", again=False) from error
        return read(message)


def with_wanted(reply: Reply) -> Reply:
    """The reply with its wanted tools written down as its text, as the record keeps it."""
    if not reply.wanted:
        return reply
    text = json.dumps({WANTED: [w.model_dump(mode="json") for w in reply.wanted]})
    return reply.model_copy(update={"text": text})


def wanted_in(text: str) -> tuple[Wanted, ...]:
    """The tools that a recorded text wants called."""
    try:
        content = json.loads(text)
        return tuple(Wanted.model_validate(w) for w in content[WANTED])
    except (ValueError, KeyError, TypeError):
        return ()


def read(message: Any) -> Reply:
    """Text and token counts of a LangChain message; a tool call's arguments are its text."""
    usage = message.usage_metadata or {}
    tools = getattr(message, "tool_calls", None)
    content = message.content if isinstance(message.content, str) else json.dumps(message.content)
    details = usage.get("input_token_details") or {}
    return Reply(
        text=json.dumps(tools[0]["args"]) if tools else content,
        wanted=tuple(Wanted(name=str(t["name"]), arguments=t["args"]) for t in tools or ()),
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        cached_tokens=int(details.get("cache_read") or 0),
    )


class Forms(Protocol):
    """How a provider's client is told the form of an answer, and what its errors mean."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its client raises."""
        ...

    def bind(self, chat: Any, kind: type[BaseModel], mode: str, output: int) -> Any:
        """The chat model, bound to a mode and a length."""
        ...

    def equip(self, chat: Any, tools: Sequence[dict[str, Any]], output: int) -> Any:
        """The chat model, bound to tools that it may call."""
        ...

    def refused(self, error: Exception, mode: str) -> Reply:
        """What an error means: Raises Unreachable, ModeRefused or LengthRefused; a truncated answer is an answer."""
        ...


def tool_of(kind: type[BaseModel]) -> dict[str, Any]:
    """The one function whose arguments are the answer."""
    function = {"name": kind.__name__, "description": "Give the answer.", "parameters": kind.model_json_schema()}
    return {"type": "function", "function": function}


def by_status(status: int | None, mode: str, why: str) -> Exception:
    """The error that an HTTP status means; a 4xx on the lowest rung is final. Servers without tools say 4xx or 5xx."""
    if status in REFUSED and LENGTH.search(why):
        return LengthRefused(why)
    if mode == TOOLS and (status in REFUSED or (status or 0) >= 500):
        return ModeRefused(why)
    if status in REFUSED and mode != LADDER[-1]:
        return ModeRefused(why)
    return Unreachable(why, again=status in RETRIED, charged=False)


class OpenAIForms:
    """OpenAI's API, and servers that speak it. limit: the name of the field that bounds the answer."""

    def __init__(self, limit: str) -> None:
        from openai import OpenAIError

        self.errors: tuple[type[Exception], ...] = (OpenAIError,)
        self._limit = limit

    def bind(self, chat: Any, kind: type[BaseModel], mode: str, output: int) -> Any:
        """Bind the response format or the tool; nothing is parsed by the client."""
        more: dict[str, Any] = {"extra_body": {self._limit: output}}
        if mode == "json_schema":
            schema = {"name": kind.__name__, "schema": kind.model_json_schema()}
            more["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif mode == "function_calling":
            choice = {"type": "function", "function": {"name": kind.__name__}}
            more |= {"tools": [tool_of(kind)], "tool_choice": choice}
        elif mode == "json_mode":
            more["response_format"] = {"type": "json_object"}
        return chat.bind(**more)

    def equip(self, chat: Any, tools: Sequence[dict[str, Any]], output: int) -> Any:
        """Bind the tools; whether to call one is the model's choice."""
        return chat.bind(extra_body={self._limit: output}, tools=list(tools), tool_choice="auto")

    def refused(self, error: Exception, mode: str) -> Reply:
        """By status; a time-out may be billed, a cut-off answer is a malformed one."""
        from openai import APIConnectionError, APITimeoutError, LengthFinishReasonError

        if isinstance(error, LengthFinishReasonError):
            usage = error.completion.usage
            text = error.completion.choices[0].message.content or ""
            spent = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
            return Reply(text=text, input_tokens=spent[0], output_tokens=spent[1])
        if isinstance(error, APITimeoutError):
            raise Unreachable("no answer in time", again=False, charged=True) from error
        if isinstance(error, APIConnectionError):
            raise Unreachable("connection failed", again=True) from error
        status = getattr(error, "status_code", None)
        raise by_status(status, mode, f"{type(error).__name__} {status or ''}: {str(error)[:200]}") from error


class OllamaForms:
    """Ollama's own API."""

    def __init__(self) -> None:
        from ollama import ResponseError

        self.errors: tuple[type[Exception], ...] = (ResponseError,)

    def bind(self, chat: Any, kind: type[BaseModel], mode: str, output: int) -> Any:
        """Bind Ollama's format or the tool."""
        more: dict[str, Any] = {"num_predict": output}
        forms: Mapping[str, Any] = {"json_schema": kind.model_json_schema(), "json_mode": "json"}
        if mode in forms:
            more["format"] = forms[mode]
        elif mode == "function_calling":
            return chat.bind_tools([tool_of(kind)]).bind(**more)
        return chat.bind(**more)

    def equip(self, chat: Any, tools: Sequence[dict[str, Any]], output: int) -> Any:
        """Bind the tools."""
        return chat.bind_tools(list(tools)).bind(num_predict=output)

    def refused(self, error: Exception, mode: str) -> Reply:
        """By status."""
        status = getattr(error, "status_code", None)
        raise by_status(status, mode, f"ResponseError {status or ''}: {str(error)[:200]}") from error
