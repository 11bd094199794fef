"""Tools that a model calls before it answers: bounded, recorded like its own calls, and answered from the record."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from atunner.core.call import CallLog, ModelCall
from atunner.core.consult import Toolbox
from atunner.core.errors import ATunnerError
from atunner.core.value import content_id
from atunner.llm.speakers import TOOLS, Wanted

TURNS, CALLS = 4, 3
"""How often a model may look before it answers, and how many tools it may call at once."""
TOLD = 6000
"""Characters of what a tool said."""
TOOL = "tool:"
Remembered = Callable[[str], ModelCall | None]


@dataclass(frozen=True)
class Bench:
    """Where the tools of one model's calls are used. clean: takes secrets out of what is kept.

    remembered: what a tool answered in another run that this one repeats.
    """

    run: str
    log: CallLog
    clean: Callable[[str], str]
    remembered: Remembered

    async def used(self, role: str, prompt: str, wanted: Wanted, tools: Toolbox) -> str:
        """What a tool said, as data."""
        key = content_id(["tool", role, wanted.name, wanted.arguments, content_id(prompt)])
        known = self.log.call(self.run, key) or self.remembered(key)
        if known is not None:
            tools.remember(wanted.name, **wanted.arguments)
            said = known.answer or ""
        else:
            said = await _called(wanted, tools)
        call = ModelCall(
            key=key,
            role=role,
            node=f"{role}:tool",
            model=f"{TOOL}{wanted.name}",
            prompt=self.clean(json.dumps(wanted.arguments)),
            answer=self.clean(said[:TOLD]),
            mode=TOOLS,
            created=datetime.now(UTC).isoformat(),
        )
        self.log.keep_call(self.run, call)
        mark = content_id([wanted.name, call.answer], 8)
        return f"\n<data {mark} {wanted.name}>\n{call.answer}\n</data {mark}>\n"


async def _called(wanted: Wanted, tools: Toolbox) -> str:
    try:
        return json.dumps(await asyncio.to_thread(tools.call, wanted.name, **wanted.arguments))
    except ATunnerError as error:
        return json.dumps({"error": str(error)})


def forms_of(tools: Toolbox) -> list[dict[str, Any]]:
    """The tools as functions with JSON schemas; a tool says what it takes in `parameters`."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": {"type": "object", "properties": dict(getattr(tool, "parameters", {}))},
            },
        }
        for tool in tools.tools
    ]
