"""Hashes that tie a result to the bundle it was measured with."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def digest(content: Any) -> str:
    """SHA-256 of the canonical JSON of `content`: sorted keys, no spaces."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def seal(result: dict[str, Any]) -> str:
    """The digest of a result without its own seal, chained to the digest of the manifest that it quotes."""
    rest = {name: value for name, value in result.items() if name != "seal"}
    return digest([digest(result["manifest"]), rest])


def sealed(result: dict[str, Any]) -> dict[str, Any]:
    """The result with its seal."""
    return {**result, "seal": seal(result)}


def damage(root: Path, files: dict[str, str]) -> Iterator[str]:
    """Every file of the manifest that is missing or changed, in words."""
    for name, expected in files.items():
        path = root / name
        if not path.is_file():
            yield f"{name} is missing"
        elif file_digest(path) != expected:
            yield f"{name} was changed"
