"""The submit form's fields and how they become a submission."""

import secrets
from collections.abc import Mapping
from typing import Any

from atunner.core.errors import UserError
from atunner.jobs.submission import Submission

FIELDS = {
    "kind": "operator",
    "operator": "matmul",
    "shape": "",
    "target": "host",
    "settings": "",
    "floor": "1",
    "trials": "64",
    "minutes": "",
    "model": "",
    "priority": "0",
    "labels": "",
    "approval": "",
    "key": "",
}


def submission(values: Mapping[str, str]) -> Submission:
    """The submission of a filled-in form.

    Raises:
        UserError: a field has another form. ValidationError: a field is out of its bounds.
    """
    minutes = _number(values["minutes"], "Minutes")
    budget = {"trials": _whole(values["trials"], "Trials"), "seconds": None if minutes is None else minutes * 60}
    asked = {
        "task": _task(values),
        "budget": budget,
        "model": values["model"].strip(),
        "priority": _whole(values["priority"], "Priority") or 0,
        "labels": _pairs(values["labels"], "Labels"),
        "approval": bool(values["approval"]),
    }
    return Submission.model_validate(asked)


def fresh_key() -> str:
    """A key that makes sending the form twice one job."""
    return f"form-{secrets.token_hex(8)}"


def _task(values: Mapping[str, str]) -> dict[str, Any]:
    if values["kind"] == "toy":
        return {"kind": "toy", "floor": _whole(values["floor"], "Floor") or 0}
    text = values["shape"].strip()
    return {
        "kind": "operator",
        "operator": values["operator"].strip(),
        "shape": [_whole(part, "Shape") for part in text.replace("x", ",").split(",")] if text else None,
        "target": values["target"].strip() or "host",
        "settings": _pairs(values["settings"], "Settings"),
    }


def _pairs(text: str, name: str) -> dict[str, str]:
    found = {}
    for part in text.replace("\n", ",").split(","):
        if part.strip():
            left, equals, right = part.partition("=")
            if not equals:
                raise UserError(f"{name} takes name=value, separated by commas; got {part.strip()[:60]!r}.")
            found[left.strip()] = right.strip()
    return found


def _whole(text: str | None, name: str) -> int | None:
    try:
        return int(text) if text and text.strip() else None
    except ValueError as error:
        raise UserError(f"{name} takes whole numbers; got {str(text)[:60]!r}.") from error


def _number(text: str, name: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError as error:
        raise UserError(f"{name} takes a number; got {text[:60]!r}.") from error
