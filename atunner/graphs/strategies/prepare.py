"""A strategy, made and its settings checked before anything is spent."""

from typing import Any

from pydantic import JsonValue

from atunner.core.errors import ATunnerError, UserError
from atunner.graphs.strategies import strategy
from atunner.graphs.strategies.steps import known

WORDS = 300


def prepared(name: str, settings: dict[str, JsonValue]) -> Any:
    """The strategy of that name.

    Raises:
        UserError: there is none, it cannot be made, it is no strategy, or a setting is unknown or wrong.
    """
    factory = strategy(name)
    try:
        made = factory()
    except ATunnerError:
        raise
    except Exception as error:  # a user's own code may raise anything
        said = " ".join(str(error).split())[:WORDS]
        raise UserError(f"The strategy {name!r} could not be made: {type(error).__name__}: {said}") from error
    if not hasattr(made, "ainvoke"):
        raise UserError(
            f"The strategy {name!r} is of type {type(made).__name__}: its factory must return a compiled graph."
        )
    kind = getattr(made, "settings", None)
    if isinstance(kind, type):
        known(settings, kind)
    return made
