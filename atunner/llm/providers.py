"""Chat models by provider; LangChain is imported when a model is asked for, not before."""

from atunner.core.errors import UserError
from atunner.llm.speakers import ChatSpeaker, OllamaForms, OpenAIForms
from atunner.llm.specs import Spec

CONTEXT = 16384
"""Tokens of context that Ollama is asked to keep; its own default is too small for a kernel."""


def chat_speaker(spec: Spec, key: str, limit_s: float) -> ChatSpeaker:
    """A provider's model. The key never leaves its client: it is in no state, log or prompt.

    Raises:
        UserError: OpenAI is asked for and no key is set.
    """
    if spec.kind == "ollama":
        from langchain_ollama import ChatOllama

        chat = ChatOllama(model=spec.name, num_ctx=CONTEXT, client_kwargs={"timeout": limit_s})
        return ChatSpeaker(chat, OllamaForms(), limit_s)
    from langchain_openai import ChatOpenAI
    from openai import DefaultAsyncHttpxClient
    from pydantic import SecretStr

    if spec.kind == "openai" and not key:
        raise UserError("openai needs a key: set OPENAI_API_KEY, or use --model none.")
    # A client of its own: LangChain's cached one stays bound to the event loop of the first run in this process.
    chat_openai = ChatOpenAI(
        model=spec.name,
        base_url=spec.url or None,
        api_key=SecretStr(key or "none"),
        timeout=limit_s,
        max_retries=0,
        http_async_client=DefaultAsyncHttpxClient(timeout=limit_s, verify=not spec.url.startswith("http://")),
    )
    return ChatSpeaker(chat_openai, OpenAIForms("max_tokens" if spec.url else "max_completion_tokens"), limit_s)
