"""The declaration of a constrained discrete parameter space; `atunner.search` builds and walks it."""

from collections.abc import Mapping

from pydantic import Field, JsonValue

from atunner.core.expression import evaluate
from atunner.core.value import Value


class Parameter(Value):
    """One tunable: its name and its legal values, in their natural order."""

    name: str
    values: tuple[JsonValue, ...]


class Space(Value):
    """Parameters and constraints; a constraint is a Python expression over parameter names that must be true."""

    parameters: tuple[Parameter, ...] = ()
    constraints: tuple[str, ...] = ()

    def holds(self, params: Mapping[str, JsonValue]) -> bool:
        """Whether these are values of just this space's parameters and keep every constraint."""
        if params.keys() != {p.name for p in self.parameters}:
            return False
        legal = all(params[p.name] in p.values for p in self.parameters)
        return legal and all(bool(evaluate(text, params)) for text in self.constraints)

    def narrowed(self, allowed: dict[str, tuple[JsonValue, ...]]) -> "Space":
        """The same space with some parameters cut to the values in `allowed` (kept in their order)."""
        cut = tuple(
            Parameter(name=p.name, values=tuple(v for v in p.values if v in allowed[p.name]))
            if p.name in allowed
            else p
            for p in self.parameters
        )
        return Space(parameters=cut, constraints=self.constraints)


class Advice(Value):
    """Where a domain's own expert would search next: points of one family, first those in `starts`.

    allowed: parameter -> the values to hold it to, for what a searcher adds to the starts.
    """

    family: str
    points: int = Field(gt=0)
    starts: tuple[dict[str, JsonValue], ...] = ()
    allowed: dict[str, tuple[JsonValue, ...]] = Field(default_factory=dict)
    reason: str = ""


class Family(Value):
    """An algorithm with tunable parameters. techniques: names from the knowledge base that it uses."""

    name: str
    summary: str
    space: Space
    techniques: tuple[str, ...] = ()
