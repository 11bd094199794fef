"""Answers that another run recorded: through ladder, purse and record like any others, and free."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from atunner.core.call import ModelCall
from atunner.core.value import content_id
from atunner.llm.speakers import TOOLS, ModeRefused, Reply, Unreachable, wanted_in

Diverged = Callable[[str, int], None]
MODE = "replay"
ANSWERED = frozenset({"ok", "malformed"})


class ReplaySpeaker:
    """Gives the answers of one model in a recorded run again: to the same prompt the same, else the next of the role.

    What failed then fails again, unless a later process of that run got an answer to the same prompt.
    diverged: called once, with the role and the number of the call whose prompt was not recorded.
    """

    ladder = (MODE,)

    def __init__(self, calls: Sequence[ModelCall], diverged: Diverged) -> None:
        self._left: dict[str, list[ModelCall]] = {}
        for call in calls:
            self._left.setdefault(call.role, []).append(call)
        self._told, self._diverged = False, diverged
        self._asked: dict[str, int] = {}

    async def say(self, role: str, prompt: str, kind: type[BaseModel], mode: str, output: int) -> Reply:
        """The recorded answer. Raises what the call met then; ModeRefused when the record has no more."""
        number = self._asked[role] = self._asked.get(role, 0) + 1
        call = self._take(role, content_id(prompt), number)
        if call is None:
            raise ModeRefused(f"the recorded run has no answer {number} of {role}")
        if call.answer is None:
            raise ModeRefused(call.reason) if call.outcome == "refused" else Unreachable(call.reason, again=False)
        return Reply(
            text=call.answer,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cached_tokens=call.cached_tokens,
        )

    async def look(self, role: str, prompt: str, tools: Sequence[dict[str, Any]], output: int) -> Reply:
        """The tools that were wanted then. Raises ModeRefused where none were."""
        same = [c for c in self._left.get(role, []) if c.mode == TOOLS and c.prompt_hash == content_id(prompt)]
        if not same or same[0].answer is None:
            raise ModeRefused(same[0].reason if same else "no tool was called here then")
        reply = await self.say(role, prompt, BaseModel, MODE, output)
        return reply.model_copy(update={"wanted": wanted_in(reply.text)})

    def _take(self, role: str, prompt: str, number: int) -> ModelCall | None:
        left = self._left.get(role, [])
        same = [c for c in left if c.prompt_hash == prompt]
        if not same and not self._told:
            self._told = True
            self._diverged(role, number)
        call = next((c for c in same if c.outcome in ANSWERED), None) or next(iter(same or left), None)
        if call is not None:
            self._left[role] = _without(left, call)
        return call


def _without(left: list[ModelCall], call: ModelCall) -> list[ModelCall]:
    at = left.index(call)
    before = [c for c in left[:at] if c.prompt_hash != call.prompt_hash or c.outcome in ANSWERED]
    return [*before, *left[at + 1 :]]
