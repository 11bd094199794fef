"""What is wrong with a value that has not the form of its field: what was expected, and what came."""

from collections.abc import Mapping
from typing import Any

SHOWN = 60

EXPECTED = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of at most 64 bits",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} entries",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object with fields",
    "model_type": "an object with fields",
    "model_attributes_type": "an object with fields",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "path_type": "a path",
    "none_required": "null",
}
"""The kinds of mistake that Pydantic tells apart, with what was expected instead."""


def said(error: Mapping[str, Any]) -> str:
    """One entry of a ValidationError's list in our words; what a rule of ours found is told as it is."""
    expected = EXPECTED.get(str(error["type"]))
    if expected is None:
        text = str(error["msg"]).removeprefix("Value error, ")
        return f"{text[:1].lower()}{text[1:]}{got(error.get('input'))}"
    return f"expected {expected.format_map(error.get('ctx') or {})}{got(error.get('input'))}"


def got(value: object) -> str:
    """A plain value as it came, the type of anything with parts of its own."""
    if isinstance(value, str | int | float):
        return f"; got {str(value)[:SHOWN]!r}"
    return "; got null" if value is None else ""
