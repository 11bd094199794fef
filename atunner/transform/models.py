"""Models as users name them: a spec, or a chat model object of LangChain, by its shape."""

from atunner.core.errors import UserError
from atunner.llm.specs import FORMS, cast


def spec_of(model: object) -> str:
    """The model as --model takes it.

    An object is taken by its shape: a chat model for an OpenAI-compatible server or for Ollama. Its key is not read:
    set OPENAI_API_KEY.

    Raises:
        UserError: it is neither.
    """
    if model is None or model == "none":
        return "none"
    if isinstance(model, str):
        return model if cast(model).specs else "none"
    name = str(getattr(model, "model_name", "") or getattr(model, "model", ""))
    kind = type(model).__name__.lower()
    url = str(getattr(model, "openai_api_base", "") or "")
    if name and url:
        return f"{url.rstrip('/')}#{name}"
    if name and "openai" in kind:
        return f"openai:{name}"
    if name and "ollama" in kind:
        return f"ollama:{name}"
    raise UserError(f"Expected {FORMS}, or a chat model of LangChain for OpenAI or Ollama, got {model!r:.80}.")
