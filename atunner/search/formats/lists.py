"""Values, conditions and sizes as users write them in YAML, T1 and sources."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.core.expression import evaluate
from atunner.search.formats.values import storable, values


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
    storable(name, found)
    plain = [int(v) if isinstance(v, bool) else v for v in found]
    return tuple(dict.fromkeys(plain))


def spread(name: str, said: Mapping[str, object]) -> tuple[JsonValue, ...]:
    """The values of `{from: 8, to: 256, step: 8}` or, each `times` the one before, of `{from: 8, to: 256, times: 2}`.

    Both ends belong to it.

    Raises:
        UserError: an end is missing, or the step leads nowhere.
    """
    wrong = UserError(f"The parameter {name!r} needs from, to and step or times, all above 0; got {dict(said)!r}.")
    numbers = {k: said.get(k) for k in ("from", "to", "step", "times") if k in said}
    if not {"from", "to"} <= numbers.keys() or ("step" in numbers and "times" in numbers):
        raise wrong
    if not all(isinstance(v, int) and not isinstance(v, bool) for v in numbers.values()):
        raise wrong
    whole = {k: int(str(v)) for k, v in numbers.items()}
    at, last, times, step = whole["from"], whole["to"], whole.get("times", 1), whole.get("step", 1)
    if step < 1 or ("times" in whole and (times < 2 or at < 1)) or at > last:
        raise wrong
    if "times" not in whole:
        return values(name, f"range({at}, {last + 1}, {step})")
    storable(name, (at, last, times))
    found = [at]
    while found[-1] * times <= last:
        found.append(found[-1] * times)
    return tuple(found)


def only_when(name: str, condition: str, otherwise: JsonValue) -> str:
    """A parameter that counts only under a condition, as a constraint: elsewhere it has one value."""
    return f"({plain_constraint(condition)}) or {name} == {otherwise!r}"


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
