"""The submit form's fields and how they become a submission."""

import secrets
import shlex
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from atunner.core import wrong
from atunner.core.errors import UserError
from atunner.core.value import Value
from atunner.jobs.submission import Submission

FIELDS = {
    "kind": "operator",
    "operator": "matmul",
    "shape": "",
    "dtype": "float32",
    "target": "host",
    "settings": "",
    "compiler": "",
    "description": "",
    "description_name": "kernel.yaml",
    "source": "",
    "source_name": "",
    "reference": "",
    "reference_name": "reference.py",
    "problem_size": "",
    "kernel_target": "host",
    "program": "",
    "program_name": "program.c",
    "header": "",
    "header_name": "",
    "level": "exact",
    "args": "",
    "inputs": "",
    "cflags": "",
    "function": "",
    "floor": "1",
    "trials": "64",
    "minutes": "",
    "tokens": "",
    "usd": "",
    "model": "",
    "strategy": "expert",
    "strategy_options": "",
    "approve": "",
    "target_ratio": "",
    "search": "auto",
    "seed": "0",
    "priority": "0",
    "labels": "",
    "approval": "",
    "key": "",
}
PLACES = {
    "seconds": "minutes",
    "files": "source",
    "ir": "program",
    "main": "description_name",
    "problem_size": "problem_size",
}
"""Fields of a submission that have another name in the form."""

TITLES = {
    "cflags": "Flags",
    "approve": "Ask a person about",
    "target_ratio": "Enough gain",
    "args": "Arguments",
    "program_name": "Program file",
    "source_name": "Source file",
}
PROGRAM_PLACES = {"files": "program_name", "kernel": "function"}
EXPECTED = {
    "model": "none, openai:NAME or ollama:NAME; other servers are the operator's business",
    "strategy_options": "name=value, a name of small letters, digits and _",
    "labels": "name=value of letters, digits and . _ / : @ + -",
    "settings": "name=value of letters, digits and . _ + -",
    "source_name": "a file name with its ending, as blur.c, saxpy.cu, kernel.yaml or t1.json",
    "program_name": "names that end in .c, or .h for a header",
    "cflags": "-D and -std, as -DN=400 -std=c11",
    "function": "the name of a C function",
}
"""What a field takes, for people who do not read patterns."""


class Kind(Value):
    """A kind of task that the form can submit."""

    name: str
    title: str
    summary: str


class Mistake(Value):
    """What is wrong, and in which field of the form ("" when it is none in particular). missing: not filled in yet."""

    field: str
    message: str
    missing: bool = False


class _Wrong(UserError):
    """A mistake in one field."""

    def __init__(self, field: str, message: str, missing: bool = False) -> None:
        super().__init__(message)
        self.field, self.missing = field, missing


KINDS = (
    Kind(name="operator", title="Operator", summary="Optimise a known operator for a GPU or for this machine."),
    Kind(name="kernel", title="Your kernel", summary="Tune a kernel of your own: source, T1 or YAML."),
    Kind(name="ir", title="C program", summary="Make a C program faster by flags, passes and rewritten loops."),
    Kind(name="toy", title="Toy", summary="A problem with a known answer, solved in seconds without a compiler."),
)


def kinds() -> dict[str, Kind]:
    """The kinds that this server accepts, by name."""
    accepted = {str(get_args(kind.model_fields["kind"].annotation)[0]) for kind in _accepted()}
    return {kind.name: kind for kind in KINDS if kind.name in accepted}


def _accepted() -> tuple[Any, ...]:
    return get_args(Submission.model_fields["task"].annotation)


def submission(values: Mapping[str, str]) -> Submission:
    """The submission of a filled-in form.

    Raises:
        UserError: a field has another form. ValidationError: a field is out of its bounds.
    """
    minutes = _number(values, "minutes")
    asked = {
        "task": _task(values),
        "budget": {
            "trials": _whole(values, "trials"),
            "seconds": None if minutes is None else minutes * 60,
            "tokens": _whole(values, "tokens"),
            "usd": _number(values, "usd"),
        },
        "model": values["model"].strip(),
        "strategy": values["strategy"].strip() or "expert",
        "strategy_options": _pairs(values, "strategy_options"),
        "approve": values["approve"].strip(),
        "target_ratio": _number(values, "target_ratio"),
        "search": values["search"].strip() or "auto",
        "seed": _whole(values, "seed") or 0,
        "priority": _whole(values, "priority") or 0,
        "labels": _pairs(values, "labels"),
        "approval": bool(values["approval"]),
    }
    return Submission.model_validate(asked)


def mistake(error: ValidationError | UserError) -> Mistake:
    """An error as the form tells it."""
    if isinstance(error, ValidationError):
        return _invalid(error)
    if isinstance(error, _Wrong):
        return Mistake(field=error.field, message=str(error), missing=error.missing)
    return Mistake(field="", message=str(error))


def _invalid(error: ValidationError) -> Mistake:
    first = error.errors()[0]
    names = [str(part) for part in first["loc"] if not isinstance(part, int)]
    places = {**PLACES, **PROGRAM_PLACES} if "ir" in names else PLACES
    field = next((places.get(n, n) for n in reversed(names[1:] or names) if places.get(n, n) in FIELDS), "")
    if first["type"] == "value_error" and names == ["budget"]:
        field = "trials"
    said = wrong.said(first)
    if first["type"] == "string_pattern_mismatch":
        said = f"takes {EXPECTED.get(field, 'letters, digits and . _ + -')}; got {str(first['input'])[:60]!r}"
        return Mistake(field=field, message=f"{_title(field)} {said}.")
    return Mistake(field=field, message=f"{_title(field)}: {said[:1].lower()}{said[1:]}." if field else f"{said}.")


def fresh_key() -> str:
    """A key that makes sending the form twice one job."""
    return f"form-{secrets.token_hex(8)}"


def _task(values: Mapping[str, str]) -> dict[str, Any]:
    makers: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
        "operator": _operator,
        "kernel": _kernel,
        "ir": _program,
        "toy": lambda given: {"floor": _whole(given, "floor")} if given["floor"].strip() else {},
    }
    kind = values["kind"]
    if kind not in kinds():
        raise _Wrong("kind", f"No kind of task named {kind[:40]!r}. Known: {', '.join(kinds())}.")
    return {"kind": kind, **makers[kind](values)}


def _operator(values: Mapping[str, str]) -> dict[str, Any]:
    return {
        "operator": values["operator"].strip(),
        "shape": _extents(values, "shape") or None,
        "dtype": values["dtype"].strip() or "float32",
        "target": values["target"].strip() or "host",
        "settings": _pairs(values, "settings"),
        "compiler": values["compiler"].strip(),
    }


def _kernel(values: Mapping[str, str]) -> dict[str, Any]:
    files = {}
    for part in ("description", "source", "reference"):
        if values[part].strip():
            name = values[f"{part}_name"].strip()
            if not name:
                raise _Wrong(f"{part}_name", f"Name the {part}: its ending says what it is, as blur.c or blur.yaml.")
            files[name] = values[part].replace("\r\n", "\n")
    if not files:
        raise _Wrong(
            "source", "Paste the source of a kernel, or a T1 or YAML description with its source.", missing=True
        )
    described = values["description_name"].strip() if values["description"].strip() else ""
    return {
        "files": files,
        "main": described or (values["source_name"].strip() if values["source"].strip() else next(iter(files))),
        "problem_size": _extents(values, "problem_size"),
        "target": values["kernel_target"].strip() or "host",
        "compiler": values["compiler"].strip(),
    }


def _program(values: Mapping[str, str]) -> dict[str, Any]:
    if not values["program"].strip():
        raise _Wrong(
            "program", "Paste a C program that prints its whole result when run with the argument dump.", missing=True
        )
    files = {values["program_name"].strip(): values["program"].replace("\r\n", "\n")}
    if values["header"].strip():
        files[values["header_name"].strip()] = values["header"].replace("\r\n", "\n")
    return {
        "files": files,
        "level": values["level"].strip() or "exact",
        "args": _words(values, "args"),
        "inputs": [_split(line, "inputs") for line in values["inputs"].splitlines() if line.strip()],
        "cflags": _words(values, "cflags"),
        "kernel": values["function"].strip(),
    }


def _words(values: Mapping[str, str], field: str) -> list[str]:
    return _split(values[field], field)


def _split(text: str, field: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise _Wrong(field, f"{_title(field)}: a quotation is not closed; got {text[:60]!r}.") from error


def _extents(values: Mapping[str, str], field: str) -> list[int]:
    text = values[field].strip().lower()
    try:
        return [int(part) for part in text.replace("x", ",").split(",")] if text else []
    except ValueError as error:
        said = f"{_title(field)} takes whole numbers separated by commas, as 256,256,256; got {text[:60]!r}."
        raise _Wrong(field, said) from error


def _pairs(values: Mapping[str, str], field: str) -> dict[str, str]:
    found = {}
    for part in values[field].replace("\n", ",").split(","):
        if part.strip():
            left, equals, right = part.partition("=")
            if not equals or not left.strip() or not right.strip():
                said = f"{_title(field)} takes name=value, separated by commas; got {part.strip()[:60]!r}."
                raise _Wrong(field, said)
            found[left.strip()] = right.strip()
    return found


def _whole(values: Mapping[str, str], field: str) -> int | None:
    text = values[field].strip()
    try:
        return int(text) if text else None
    except ValueError as error:
        raise _Wrong(field, f"{_title(field)} takes whole numbers; got {text[:60]!r}.") from error


def _number(values: Mapping[str, str], field: str) -> float | None:
    text = values[field].strip()
    try:
        return float(text) if text else None
    except ValueError as error:
        raise _Wrong(field, f"{_title(field)} takes a number; got {text[:60]!r}.") from error


def _title(field: str) -> str:
    return TITLES.get(field, field.replace("_", " ").capitalize())
