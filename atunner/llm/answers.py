"""From a model's text to a typed answer: thinking tags out, fences off, and the validator's own words on failure."""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Answer = TypeVar("Answer", bound=BaseModel)
_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```([a-zA-Z+]*)[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
SOURCE = "source"
"""The field that may come as a code fence beside the JSON: code inside JSON strings is where small models fail."""
MOST_CHARACTERS = 400_000
MOST_OBJECTS = 20


class Malformed(ValueError):
    """The text holds no valid answer; its words go back to the model once."""


def strip_thinking(text: str) -> str:
    """The text without <think>...</think>; an unclosed tag swallows the rest."""
    return _THINKING.sub("", text).strip()


def parse(text: str, kind: type[Answer]) -> Answer:
    """The answer in `text`: bare JSON, JSON in a fence, or the first object that fits; code may stand in its own fence.

    Raises:
        Malformed: with what the validator said of the first object.
    """
    plain = strip_thinking(text[:MOST_CHARACTERS])
    first: ValidationError | None = None
    for content in _objects(plain):
        try:
            return kind.model_validate(_with_source(content, plain, kind))
        except ValidationError as error:
            first = first or error
    if first is None:
        raise Malformed("no JSON object was found in the answer")
    raise Malformed("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in first.errors()[:8])) from first


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects in the order they stand, the whole text first; a broken start is skipped."""
    found, at, decoder = 0, text.find("{"), json.JSONDecoder()
    while at >= 0 and found < MOST_OBJECTS:
        try:
            content, end = decoder.raw_decode(text, at)
            found += 1
            if isinstance(content, dict):
                yield content
        except (json.JSONDecodeError, RecursionError):
            found, end = found + 1, at + 1
        at = text.find("{", end)


def _with_source(content: dict[str, Any], text: str, kind: type[BaseModel]) -> dict[str, Any]:
    """The object with its `source` from the longest code fence, where the type wants one and the object has none."""
    if SOURCE not in kind.model_fields or content.get(SOURCE):
        return content
    fences = [body for language, body in _FENCE.findall(text) if language.lower() != "json"]
    return {**content, SOURCE: max(fences, key=len)} if fences else content


def ask_for(kind: type[BaseModel]) -> str:
    """The sentence that asks for the form, with the JSON schema."""
    code = " The source may stand after it in one code fence instead." if SOURCE in kind.model_fields else ""
    return f"\nAnswer with one JSON object only, of this schema:\n{json.dumps(kind.model_json_schema())}\n{code}\n"
