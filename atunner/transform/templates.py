"""Prompt templates of users, taken by their shape: a text, or an object with `template` or `format`."""

from atunner.core.errors import UserError
from atunner.graphs.strategies.explicit import VARIABLES

_MARK = "\x00{}\x00"


def template_text(template: object, step: str) -> str:
    """The text of a template with {names}; what is partly filled in stays filled in.

    Raises:
        UserError: it is no template, or it names a variable that has no value.
    """
    if isinstance(template, str):
        return template
    plain = getattr(template, "template", None)
    shaped = getattr(template, "template_format", "f-string") == "f-string"
    if isinstance(plain, str) and shaped and not getattr(template, "partial_variables", None):
        return plain
    form = getattr(template, "format", None)
    if not callable(form):
        raise UserError(
            f"The template of step {step!r} is of type {type(template).__name__}; give a text, or an object with "
            "`template` or `format`."
        )
    return _formatted(form, step)


def _formatted(form: object, step: str) -> str:
    """The template with marks in the place of the variables, then the marks turned to {names}."""
    marks = {name: _MARK.format(name) for name in VARIABLES}
    try:
        made = str(form(**marks))  # type: ignore[operator]  # callable, as the caller made sure
    except (KeyError, ValueError, TypeError) as error:
        said = " ".join(str(error).split())[:160]
        known = ", ".join(VARIABLES)
        raise UserError(f"The template of step {step!r} cannot be filled in: {said}. Known: {known}.") from error
    escaped = made.replace("{", "{{").replace("}", "}}")
    for name, mark in marks.items():
        escaped = escaped.replace(mark, "{" + name + "}")
    return escaped
