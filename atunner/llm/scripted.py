"""Answers written down beforehand, and answers that another run recorded: both go through ladder, purse and record."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, JsonValue

from atunner.core.call import ModelCall
from atunner.core.errors import UserError
from atunner.core.value import content_id
from atunner.llm.speakers import ModeRefused, Reply

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


def script(path: Path) -> ScriptedSpeaker:
    """A script from a JSON file: {"coder": [ANSWER, ...], "*": [...]}.

    Raises:
        UserError: the file cannot be read or has another form.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Cannot read the script {path}: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        raise UserError(f"The script {path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not all(isinstance(v, list) for v in content.values()):
        raise UserError(f'The script {path} must be of the form {{"ROLE": [ANSWER, ...]}}.')
    return ScriptedSpeaker(content)


class ReplaySpeaker:
    """Gives a recorded run's answers again, role by role in their order; the first prompt that differs is told.

    diverged: called once, with the role and the number of the call whose prompt is another than was recorded.
    """

    ladder = ("text",)

    def __init__(self, calls: Sequence[ModelCall], diverged: Callable[[str, int], None]) -> None:
        self._calls: dict[str, list[ModelCall]] = {}
        for call in calls:
            if call.outcome in ("ok", "malformed"):
                self._calls.setdefault(call.role, []).append(call)
        self._told, self._diverged = False, diverged
        self._at: dict[str, int] = {}

    async def say(self, role: str, prompt: str, kind: type[BaseModel], mode: str, output: int) -> Reply:
        """The recorded answer. Raises ModeRefused when the record has no more."""
        at = self._at.get(role, 0)
        self._at[role] = at + 1
        recorded = self._calls.get(role, [])
        if at >= len(recorded) or recorded[at].answer is None:
            raise ModeRefused(f"the recorded run has no answer {at + 1} of {role}")
        call = recorded[at]
        if not self._told and content_id(prompt) != call.prompt_hash:
            self._told = True
            self._diverged(role, at + 1)
        cached = call.cached_tokens
        return Reply(
            text=call.answer or "",
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cached_tokens=cached,
        )
