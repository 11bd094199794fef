"""The Model port over LangChain chat models: none, openai:NAME, ollama:NAME, URL#NAME."""

from atunner.core.call import CallLog
from atunner.core.errors import UserError
from atunner.llm.chat import ChatModel
from atunner.llm.providers import chat


def model(spec: str, run: str, log: CallLog, tokens: int | None = None, key: str = "") -> ChatModel | None:
    """The model that `spec` names, recording its calls for `run`; None for "none".

    Raises:
        UserError: the spec has another form, or no key is set where one is needed.
    """
    if spec in ("", "none"):
        return None
    provider, _, name = spec.partition(":")
    if spec.startswith(("http://", "https://")):
        url, _, name = spec.partition("#")
        if not name:
            raise UserError(f"Expected URL#NAME, got {spec!r}: name the model after a '#', as in {spec}#my-model.")
        return ChatModel(chat("compatible", name, url=url, key=key), name, run, log, tokens)
    if provider in ("openai", "ollama") and name:
        return ChatModel(chat(provider, name, key=key), name, run, log, tokens)
    raise UserError(f"Expected none, openai:NAME, ollama:NAME or URL#NAME as the model, got {spec!r}.")
