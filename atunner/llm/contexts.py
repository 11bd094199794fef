"""How many tokens a model holds: what its server tells, or what Ollama is asked to keep."""

from typing import Any

import httpx

from atunner.llm.providers import CONTEXT
from atunner.llm.specs import Spec

WAIT_S = 5.0


def told(spec: Spec, key: str = "") -> int | None:
    """Tokens that the model is known to hold; None where nobody says."""
    if spec.kind == "ollama":
        return CONTEXT
    if spec.kind != "compatible":
        return None
    try:
        return among(listed(asked(spec.url, key)), spec.name) or None
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def asked(base: str, key: str) -> httpx.Response:
    """What a server of OpenAI's form says of its models."""
    return httpx.get(f"{base}/models", headers={"Authorization": f"Bearer {key or 'none'}"}, timeout=WAIT_S)


def listed(answer: httpx.Response) -> dict[str, int]:
    """Models by name, with the context that llama.cpp and vLLM tell (0 when they do not)."""
    try:
        content: Any = answer.json()
        return {str(m["id"]): _context(m) for m in content["data"]} if answer.is_success else {}
    except (ValueError, KeyError, TypeError):
        return {}


def among(models: dict[str, int], name: str) -> int:
    """The context of one of them, 0 where it is not told; a server of one model may take any name for it."""
    return models.get(name) or (next(iter(models.values())) if len(models) == 1 else 0)


def _context(model: dict[str, Any]) -> int:
    meta = model.get("meta")
    said = model.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else 0)
    return said if isinstance(said, int) else 0
