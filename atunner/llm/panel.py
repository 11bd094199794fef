"""Several models behind one port."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel

from atunner.core.consult import Toolbox
from atunner.core.ports import Room, Voice
from atunner.llm.chat import ChatModel

Answer = TypeVar("Answer", bound=BaseModel)
USUAL = (4000, 2000)
"""Tokens in and out of a usual call, to compare models by their prices."""


class CastModel:
    """Several models behind one port: by role, and the next one where the first gives no answer.

    contexts: tokens that each holds, by name, where that is known.
    """

    def __init__(
        self, name: str, of: Callable[[str], Sequence[ChatModel]], contexts: Mapping[str, int] | None = None
    ) -> None:
        self.name, self.contexts, self._of = name, dict(contexts or {}), of

    def voices(self, role: str) -> tuple[Voice, ...]:
        """Who can play the role, each with what a usual call of it costs."""
        return tuple(Voice(name=m.name, usd=m.listed and m.listed.usd(*USUAL)) for m in self._of(role))

    def room(self, role: str, answer: type[BaseModel]) -> Room | None:
        """The least room of the models that play the role, so that each of them can be asked."""
        known = (model.room(answer) for model in self._of(role))
        return min((room for room in known if room is not None), key=lambda room: room.tokens, default=None)

    def only(self, voice: str) -> "CastModel":
        """The model of that name alone, in whatever roles it plays."""
        return CastModel(voice, lambda role: [m for m in self._of(role) if m.name == voice])

    async def ask_with(self, role: str, prompt: str, answer: type[Answer], tools: Toolbox) -> Answer | None:
        """The first valid answer, tools called first by those models that can."""
        for model in self._of(role):
            found = await model.ask_with(role, prompt, answer, tools)
            if found is not None:
                return found
        return None

    async def ask(self, role: str, prompt: str, answer: type[Answer]) -> Answer | None:
        """The first valid answer; None when no model plays this role or none answered."""
        for model in self._of(role):
            found = await model.ask(role, prompt, answer)
            if found is not None:
                return found
        return None
