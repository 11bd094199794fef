"""Is the model there? Asked before anything is spent; a role is lost only when none of its models can be reached."""

from collections.abc import Callable
from typing import Any

import httpx

from atunner.core.errors import UserError
from atunner.llm.specs import Cast, Spec, cast

OPENAI = "https://api.openai.com/v1"
WAIT_S = 5.0
DENIED = frozenset({401, 403})
NEEDED = 2048
"""Tokens of context without which no brief fits."""


def check(text: str, key: str = "") -> None:
    """Ask each server whether it is there, takes the key and has the model; asking costs no tokens.

    Raises:
        UserError: a key is refused, or some role has no model that can be reached.
    """
    chosen: Cast = cast("" if text == "none" else text)
    found = {spec: _trouble(spec, key) for spec in chosen.specs}
    for role, specs in chosen.roles.items():
        troubles = [found[spec] for spec in specs]
        if all(troubles):
            part = "" if role == "*" else f"{role}: "
            raise UserError(part + " ".join(dict.fromkeys(troubles)))


def _trouble(spec: Spec, key: str) -> str:
    """What keeps a model from answering, in one sentence; "" when nothing is known to."""
    asked: Callable[[Spec, str], str] | None = {"openai": _openai, "compatible": _openai, "ollama": _ollama}.get(
        spec.kind
    )
    return asked(spec, key) if asked else ""


def _openai(spec: Spec, key: str) -> str:
    base = spec.url or OPENAI
    try:
        answer = httpx.get(f"{base}/models", headers={"Authorization": f"Bearer {key or 'none'}"}, timeout=WAIT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"No server answers at {base} ({type(error).__name__}): start it, or use --model none."
    if answer.status_code in DENIED:
        raise UserError(f"{base} refuses the key ({answer.status_code}): set OPENAI_API_KEY to a valid one.")
    listed = _listed(answer)
    # A server of one model may take any name for it; one that lists several, or is known to look, does not.
    looks = spec.kind == "openai" or len(listed) > 1 or '"vllm"' in answer.text
    if looks and listed and spec.name not in listed:
        return f"{base} has no model {spec.name!r}. It has {', '.join(sorted(listed)[:12])}."
    context = listed.get(spec.name) or (next(iter(listed.values())) if len(listed) == 1 else 0)
    if 0 < context < NEEDED:
        return f"{spec.text} holds {context} tokens and a brief needs {NEEDED}: give the server a larger context."
    return ""


def _listed(answer: httpx.Response) -> dict[str, int]:
    """Models by name, with the context that llama.cpp and vLLM tell (0 when they do not)."""
    try:
        content: Any = answer.json()
        return {str(m["id"]): _context(m) for m in content["data"]} if answer.is_success else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _context(model: dict[str, Any]) -> int:
    meta = model.get("meta")
    told = model.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else 0)
    return told if isinstance(told, int) else 0


def _ollama(spec: Spec, key: str) -> str:
    from ollama import Client, ResponseError

    try:
        models = [str(m.model) for m in Client(timeout=WAIT_S).list().models]
    except (httpx.HTTPError, ConnectionError, ResponseError) as error:
        return f"Ollama does not answer ({type(error).__name__}): start it with ollama serve, or use --model none."
    if spec.name not in {*models, *(m.removesuffix(":latest") for m in models)}:
        return f"Ollama has no model {spec.name!r}; it has {', '.join(models) or 'none'}: ollama pull {spec.name}."
    return ""
