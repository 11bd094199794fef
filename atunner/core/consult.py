"""One question, two ways to answer it: a model where there is one, the built-in expert otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, JsonValue

from atunner.core.ports import Model, Tool

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

    def call(self, name: str, **arguments: JsonValue) -> JsonValue:
        """Call a tool by name; a call beyond the limit, or to a tool that is not here, answers None and is kept too."""
        said = f"{name}({', '.join(f'{k}={v}' for k, v in arguments.items())})"
        if name not in self._tools or len(self.calls) >= self._limit:
            self.calls.append(f"{said}: refused")
            return None
        self.calls.append(said)
        return self._tools[name](**arguments)


async def consult(
    model: Model | None, role: str, prompt: str, kind: type[Answer], rules: Callable[[], Answer]
) -> Spoken[Answer]:
    """The model's answer if it gives a valid one, else the expert's; `by` says which."""
    if model is not None:
        answer = await model.ask(role, prompt, kind)
        if answer is not None:
            return Spoken(answer, f"model:{model.name}")
    return Spoken(rules(), "rules")
