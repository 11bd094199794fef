"""Values, conditions and sizes as users write them in YAML, T1 and sources."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.core.expression import evaluate
from atunner.search.formats.values import values


def value_list(name: str, given: object) -> tuple[JsonValue, ...]:
    """The values of one parameter, from a list or from the text of one such as `[2**i for i in range(5)]`.

    Truth values become 1 and 0, since they end up as macros.

    Raises:
        UserError: not a list of numbers or words, or empty.
    """
    found = list(values(name, given)) if isinstance(given, str) else given
    if isinstance(found, int | float | bool):
        found = [found]
    if not isinstance(found, list | tuple | range) or not all(isinstance(v, int | float | str) for v in found):
        raise UserError(f"The parameter {name!r} needs a list of numbers or words, such as [1, 2, 4]; got {given!r}.")
    if not found:
        raise UserError(f"The parameter {name!r} has no values. Give at least one.")
    plain = [int(v) if isinstance(v, bool) else v for v in found]
    return tuple(dict.fromkeys(plain))


def plain_constraint(text: str) -> str:
    """A condition with `&&`, `||` and `!` of C written as Python."""
    python = text.replace("&&", " and ").replace("||", " or ")
    return re.sub(r"!(?!=)", " not ", python).strip()


def size_of(text: object, what: str, names: Mapping[str, object]) -> int:
    """A size given as a number or as an expression; a parameter stands for its values, as in max(filter_width).

    Raises:
        UserError: it has no whole value above 0.
    """
    largest = {n: max(v) if isinstance(v, tuple) and v else v for n, v in names.items()}
    problem = names.get("ProblemSize")
    plain = str(text)
    if isinstance(problem, tuple):
        plain = re.sub(r"ProblemSize\[(\d)\]", lambda m: str(problem[int(m.group(1))]), plain)
    try:
        value = evaluate(plain, names)
    except UserError:
        value = evaluate(plain, largest)
    if not isinstance(value, int | float) or value != int(value) or value < 1:
        raise UserError(f"{what} is {text!r} = {value!r}; a whole number above 0 is needed.")
    return int(value)
