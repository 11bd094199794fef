"""Answers written down beforehand; they go through ladder, purse and record like any others."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue

from atunner.core.errors import UserError
from atunner.llm.speakers import ModeRefused, Reply, wanted_in
from atunner.tools.text import text_of

Lines = Mapping[str, Sequence[JsonValue]]


class ScriptedSpeaker:
    """Answers each role with its lines in order, the last one again and again; a line is JSON or a text as it is."""

    ladder = ("text",)

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._next: dict[str, int] = {}

    async def say(self, role: str, prompt: str, kind: type[BaseModel], mode: str, output: int) -> Reply:
        """The next line of this role. Raises ModeRefused when it has none."""
        lines = self._lines.get(role) or self._lines.get("*") or ()
        if not lines:
            raise ModeRefused(f"nothing is scripted for {role}")
        at = self._next.get(role, 0)
        self._next[role] = at + 1
        line = lines[min(at, len(lines) - 1)]
        return Reply(text=line if isinstance(line, str) else json.dumps(line))

    async def look(self, role: str, prompt: str, tools: Sequence[dict[str, Any]], output: int) -> Reply:
        """The next line where it is of the form {"tool_calls": [{"name": ..., "arguments": {...}}]}."""
        lines, at = self._lines.get(role) or self._lines.get("*") or (), self._next.get(role, 0)
        text = json.dumps(lines[at]) if at < len(lines) else ""
        found = wanted_in(text)
        if not found:
            raise ModeRefused(f"no tool call is scripted for {role} here")
        self._next[role] = at + 1
        return Reply(text=text, wanted=found)


def script(path: Path) -> ScriptedSpeaker:
    """A script from a JSON file: {"coder": [ANSWER, ...], "*": [...]}.

    Raises:
        UserError: the file cannot be read or has another form.
    """
    try:
        content = json.loads(text_of(path, f"the script {path}"))
    except json.JSONDecodeError as error:
        raise UserError(f"The script {path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not all(isinstance(v, list) for v in content.values()):
        raise UserError(f'The script {path} must be of the form {{"ROLE": [ANSWER, ...]}}.')
    return ScriptedSpeaker(content)
