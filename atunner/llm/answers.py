"""From a model's text to a typed answer: thinking tags out, fences off, and the validator's own words on failure."""

import json
import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Answer = TypeVar("Answer", bound=BaseModel)
_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[a-zA-Z]*\n(.*?)(?:```|\Z)", re.DOTALL)


class Malformed(ValueError):
    """The text holds no valid answer; its words go back to the model once."""


def strip_thinking(text: str) -> str:
    """The text without <think>...</think>; an unclosed tag swallows the rest."""
    return _THINKING.sub("", text).strip()


def parse(text: str, kind: type[Answer]) -> Answer:
    """The answer in `text`: bare JSON, JSON in a fence, or the first balanced object.

    Raises:
        Malformed: with what the validator said.
    """
    plain = strip_thinking(text)
    fenced = _FENCE.search(plain)
    for body in filter(None, (plain, fenced.group(1) if fenced else None, _first_object(plain))):
        try:
            content = json.loads(body)
        except json.JSONDecodeError:
            continue
        try:
            return kind.model_validate(content)
        except ValidationError as error:
            raise Malformed("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())) from error
    raise Malformed("no JSON object was found in the answer")


def _first_object(text: str) -> str | None:
    start = text.find("{")
    if start < 0:
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text[start:])
    except json.JSONDecodeError:
        return None
    return text[start : start + end]


def ask_for(kind: type[BaseModel]) -> str:
    """The sentence that asks for the form, with the JSON schema."""
    return f"\nAnswer with one JSON object only, of this schema:\n{json.dumps(kind.model_json_schema())}\n"
