"""Constraints of a space, evaluated over many configurations at once with Python's own semantics."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

from pydantic import JsonValue

from atunner.core.errors import UnknownName, UserError
from atunner.core.expression import FUNCTIONS, compiled

Constraint = str | Callable[..., object]
_FAULTS = (ArithmeticError, TypeError, ValueError, KeyError, AttributeError, IndexError)


@dataclass(frozen=True)
class Rule:
    """One constraint bound to the parameters it reads. text: how it is named to the user."""

    text: str
    names: tuple[str, ...]
    test: Callable[[Iterable[tuple[JsonValue, ...]]], list[bool]]

    def holds(self, rows: Sequence[tuple[JsonValue, ...]]) -> list[bool]:
        """Whether the rule is true for each row; a row has the values of `names`, in that order.

        Raises:
            UserError: the rule cannot be computed for one of the rows; names the rule and the values.
        """
        try:
            return self.test(rows)
        except _FAULTS as error:
            raise self._fault(rows, error) from error

    def _fault(self, rows: Sequence[tuple[JsonValue, ...]], error: Exception) -> UserError:
        for row in rows:
            try:
                self.test([row])
            except _FAULTS as found:
                at = ", ".join(f"{n}={v!r}" for n, v in zip(self.names, row, strict=True))
                return UserError(f"The constraint {self.text!r} fails at {at}: {found}. Guard it or change the values.")
        return UserError(f"The constraint {self.text!r} fails: {error}.")


def rule(constraint: Constraint, known: Sequence[str]) -> Rule:
    """Bind a constraint to the parameters named in `known`.

    A text is an expression over the names. A callable takes the parameters that its signature names, or, when its
    single argument has another name, one mapping with all of them.

    Raises:
        UserError: not an expression, or it reads something that is not a parameter.
    """
    return _expression(constraint, known) if isinstance(constraint, str) else _callable(constraint, known)


def _expression(text: str, known: Sequence[str]) -> Rule:
    _, free = compiled(text)
    for name in sorted(free - set(known)):
        raise UserError(f"The constraint {text!r}: {UnknownName('parameter', name, known)}")
    names = tuple(n for n in known if n in free)
    code = _loop(text.strip(), names)

    def test(rows: Iterable[tuple[JsonValue, ...]]) -> list[bool]:
        result: list[bool] = eval(code, {"__builtins__": {}, **FUNCTIONS, "bool": bool, "_rows": rows})
        return result

    return Rule(text=text, names=names, test=test)


@lru_cache(maxsize=1024)
def _loop(text: str, names: tuple[str, ...]) -> CodeType:
    target = f"({', '.join(names)},)" if names else "()"
    return compile(f"[bool({text}) for {target} in _rows]", "<constraint>", "eval")


def _callable(function: Callable[..., Any], known: Sequence[str]) -> Rule:
    text = getattr(function, "__name__", repr(function))
    wanted = tuple(inspect.signature(function).parameters)
    if len(wanted) == 1 and wanted[0] not in known:
        return Rule(
            text=text,
            names=tuple(known),
            test=lambda rows: [bool(function(dict(zip(known, row, strict=True)))) for row in rows],
        )
    for name in wanted:
        if name not in known:
            raise UserError(f"The constraint {text!r}: {UnknownName('parameter', name, known)}")
    return Rule(text=text, names=wanted, test=lambda rows: [bool(function(*row)) for row in rows])
