"""Frozen values and the identity of content."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, JsonValue


class Value(BaseModel):
    """A frozen record: equal content is equal value, unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical(content: JsonValue) -> str:
    """JSON with sorted keys and no spaces: one text for one content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def content_id(content: Mapping[str, JsonValue] | JsonValue, length: int = 16) -> str:
    """First `length` hex digits of the SHA-256 of the canonical JSON of `content`."""
    text = canonical(dict(content) if isinstance(content, Mapping) else content)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
