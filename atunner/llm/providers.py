"""Chat models by provider; LangChain is imported when a model is asked for, not before."""

from typing import Any

from atunner.core.errors import UserError

LIMIT_S = 120.0


def chat(provider: str, name: str, url: str = "", key: str = "") -> Any:
    """A LangChain chat model. The key never leaves it: it is in no state, log or prompt.

    Raises:
        UserError: OpenAI is asked for and no key is set.
    """
    if provider == "ollama":
        from langchain_ollama import ChatOllama

        return ChatOllama(model=name, client_kwargs={"timeout": LIMIT_S})
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    if provider == "openai" and not key:
        raise UserError("openai needs a key: set OPENAI_API_KEY, or use --model none.")
    secret = SecretStr(key or "none")
    if url:
        return ChatOpenAI(model=name, base_url=url, api_key=secret, timeout=LIMIT_S, max_retries=2)
    return ChatOpenAI(model=name, api_key=secret, timeout=LIMIT_S, max_retries=2)
