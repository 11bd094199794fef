"""One question, two ways to answer it: a model where there is one, the built-in expert otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, JsonValue

from atunner.core.ports import Holding, Model, Tool

Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class Spoken(Generic[Answer]):
    """An agent's answer and who gave it: "rules" or "model:NAME". tools: the calls made for it, in words."""

    answer: Answer
    by: str
    tools: tuple[str, ...] = ()


class Toolbox:
    """The bounded list of tools one agent was handed; every call is kept."""

    def __init__(self, *tools: Tool, limit: int = 16) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._limit = limit
        self.calls: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """What may be called."""
        return tuple(self._tools)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools themselves, to bind to a model that can call them."""
        return tuple(self._tools.values())

    def call(self, name: str, /, **arguments: JsonValue) -> JsonValue:
        """Call a tool by name; a call beyond the limit, or to a tool that is not here, answers None and is kept too."""
        said = f"{name}({', '.join(f'{k}={v}' for k, v in arguments.items())})"
        if name not in self._tools or len(self.calls) >= self._limit:
            self.calls.append(f"{said}: refused")
            return None
        self.calls.append(said)
        return self._tools[name](**arguments)

    def remember(self, name: str, /, **arguments: JsonValue) -> None:
        """Count a call whose answer is on record, so that it is not made again."""
        self.calls.append(f"{name}({', '.join(f'{k}={v}' for k, v in arguments.items())})")

    @property
    def left(self) -> int:
        """How many calls may still be made."""
        return max(0, self._limit - len(self.calls))


@runtime_checkable
class Equipped(Protocol):
    """A model that may call tools before it answers."""

    async def ask_with(self, role: str, prompt: str, answer: type[Answer], tools: Toolbox) -> Answer | None:
        """The answer; a model that cannot call tools is asked without them."""
        ...


def fitting(model: Model | None, role: str, kind: type[Answer], limit: int) -> int:
    """Tokens of a prompt: `limit`, or what the model has room for where that is known and less."""
    room = model.room(role, kind) if isinstance(model, Holding) else None
    return limit if room is None else max(0, min(limit, room.tokens))


async def put(model: Model, role: str, prompt: str, kind: type[Answer], tools: Toolbox | None = None) -> Answer | None:
    """Put a question to a model, with tools where there are some and it can call them."""
    if tools is not None and tools.names and isinstance(model, Equipped):
        return await model.ask_with(role, prompt, kind, tools)
    return await model.ask(role, prompt, kind)


async def consult(
    model: Model | None,
    role: str,
    prompt: str,
    kind: type[Answer],
    rules: Callable[[], Answer],
    tools: Toolbox | None = None,
) -> Spoken[Answer]:
    """The model's answer if it gives a valid one, else the expert's; `by` says which, `tools` what was called."""
    answer = None if model is None else await put(model, role, prompt, kind, tools)
    calls = tuple(tools.calls) if tools is not None else ()
    if model is None or answer is None:
        return Spoken(rules(), "rules", calls)
    return Spoken(answer, f"model:{model.name}", calls)
