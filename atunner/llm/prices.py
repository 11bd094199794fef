"""What tokens cost: a dated data file, the user's own file over it, and None where nobody knows."""

from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from atunner.core import wrong
from atunner.core.errors import UserError
from atunner.core.value import Value
from atunner.tools.text import text_of

LOCAL = "local"
MILLION = 1e6
FORM = "must be lines of the form - {model: SPEC, input: USD, output: USD, date: YYYY-MM-DD, source: TEXT}"


def _as_text(value: object) -> object:
    """A date that YAML read as one, as it was written."""
    return value.isoformat() if isinstance(value, date) else value


class Price(Value):
    """US dollars for a million tokens. model: a spec such as openai:gpt-4.1 or URL#NAME. date: when it was listed."""

    model: str
    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    date: Annotated[str, BeforeValidator(_as_text)]
    source: str

    def usd(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """Dollars of one call; cached tokens are among the input tokens."""
        cached = self.input if self.cached is None else self.cached
        fresh = max(0, input_tokens - cached_tokens)
        return (fresh * self.input + cached_tokens * cached + output_tokens * self.output) / MILLION


def price(spec: str, own: Path | None = None) -> Price | None:
    """The price of a model, the user's file first; local models are free; None when it is unknown.

    Raises:
        UserError: the user's file cannot be read or has another form.
    """
    table = _shipped() | (_read(own) if own is not None else {})
    if spec in table:
        return table[spec]
    return table[LOCAL] if spec.startswith(("ollama:", "gguf:", "scripted:", "replay:")) else None


@lru_cache
def _shipped() -> dict[str, Price]:
    return _parse((files("atunner.llm") / "prices.yaml").read_text(encoding="utf-8"), "prices.yaml")


def _read(path: Path) -> dict[str, Price]:
    return _parse(text_of(path, f"prices {path}"), str(path))


def _parse(text: str, name: str) -> dict[str, Price]:
    try:
        listed = TypeAdapter(list[Price]).validate_python(YAML(typ="safe").load(text))
    except YAMLError as error:
        raise UserError(f"Prices in {name} {FORM}: {str(error).splitlines()[0]}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"line {at + 1} of the list, " if isinstance(at, int) else f"{at}: " for at in first["loc"])
        raise UserError(f"Prices in {name} {FORM}: {where}{wrong.said(first)}.") from error
    return {p.model: p for p in listed}
