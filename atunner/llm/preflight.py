"""Is the model there? Asked before anything is spent; a role is lost only when none of its models can be reached."""

from collections.abc import Callable

import httpx

from atunner.core.errors import UserError
from atunner.llm.contexts import WAIT_S, among, asked, listed
from atunner.llm.specs import Cast, Spec, cast

OPENAI = "https://api.openai.com/v1"
DENIED = frozenset({401, 403})
BROKEN = 500
"""What a server's own errors begin at; 404 says no more than that it has no list of models."""
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
    ask: Callable[[Spec, str], str] | None = {"openai": _openai, "compatible": _openai, "ollama": _ollama}.get(
        spec.kind
    )
    return ask(spec, key) if ask else ""


def _openai(spec: Spec, key: str) -> str:
    base = spec.url or OPENAI
    try:
        answer = asked(base, key)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"No server answers at {base} ({type(error).__name__}): start it, or use --model none."
    if answer.status_code in DENIED:
        raise UserError(f"{base} refuses the key ({answer.status_code}): set OPENAI_API_KEY to a valid one.")
    if answer.status_code >= BROKEN:
        return f"{base} answers with an error of its own ({answer.status_code}): see its log, or use --model none."
    there = listed(answer)
    # A server of one model may take any name for it; one that lists several, or is known to look, does not.
    looks = spec.kind == "openai" or len(there) > 1 or '"vllm"' in answer.text
    if looks and there and spec.name not in there:
        return f"{base} has no model {spec.name!r}. It has {', '.join(sorted(there)[:12])}."
    context = among(there, spec.name)
    if 0 < context < NEEDED:
        return f"{spec.text} holds {context} tokens and a brief needs {NEEDED}: give the server a larger context."
    return ""


def _ollama(spec: Spec, key: str) -> str:
    from ollama import Client, ResponseError

    try:
        models = [str(m.model) for m in Client(timeout=WAIT_S).list().models]
    except (httpx.HTTPError, ConnectionError, ResponseError) as error:
        return f"Ollama does not answer ({type(error).__name__}): start it with ollama serve, or use --model none."
    if spec.name not in {*models, *(m.removesuffix(":latest") for m in models)}:
        return f"Ollama has no model {spec.name!r}; it has {', '.join(models) or 'none'}: ollama pull {spec.name}."
    return ""
