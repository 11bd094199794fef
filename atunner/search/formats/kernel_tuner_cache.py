"""Kernel Tuner's cache files: history of another device, or a recording to replay."""

import json
from dataclasses import dataclass

from pydantic import JsonValue

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.core.space import Parameter, Space
from atunner.search.prior import Source


@dataclass(frozen=True)
class Entry:
    """One recorded configuration. value: ms, None when it failed. cost_ms: to compile, verify and measure it."""

    params: Params
    value: float | None
    cost_ms: float


@dataclass(frozen=True)
class Cache:
    """A cache file: which kernel on which device, its tunables, and what was recorded."""

    kernel: str
    device: str
    space: Space
    entries: tuple[Entry, ...]

    @property
    def source(self) -> Source:
        """As history for a search."""
        return Source(self.device, tuple((e.params, e.value) for e in self.entries))


def read(text: str) -> Cache:
    """Read a cache file; one that was cut off while it was open (no closing braces) is read to its last entry.

    Raises:
        UserError: not JSON, or an entry or field is missing; says where.
    """
    content = _parsed(text)
    try:
        names = [str(n) for n in content["tune_params_keys"]]
        parameters = tuple(Parameter(name=n, values=tuple(content["tune_params"][n])) for n in names)
        entries = tuple(_entry(key, e, names) for key, e in content["cache"].items())
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"A damaged cache file: the field {error} is missing or of another type.") from error
    if not entries:
        raise UserError("A cache file without entries. Record some configurations first.")
    kernel, device = str(content.get("kernel_name", "")), str(content.get("device_name", ""))
    return Cache(kernel, device, Space(parameters=parameters), entries)


def _parsed(text: str) -> dict[str, dict[str, list[JsonValue]]]:
    whole = text.strip()
    for candidate in (whole, whole.rstrip(",") + "}}"):
        try:
            found = json.loads(candidate)
        except json.JSONDecodeError as error:
            wrong = error
            continue
        if isinstance(found, dict):
            return found
        raise UserError("Not a cache file: an object was expected at the top.")
    raise UserError(f"A damaged cache file: line {wrong.lineno}, column {wrong.colno}: {wrong.msg}. Remove that entry.")


def _entry(key: str, entry: object, names: list[str]) -> Entry:
    if not isinstance(entry, dict) or any(n not in entry for n in names):
        raise UserError(f"A damaged cache file: the entry {key!r} has not all parameters. Remove it.")
    time = entry.get("time")
    value = float(time) if isinstance(time, int | float) and not isinstance(time, bool) else None
    parts = (entry.get(k) for k in ("compile_time", "verification_time", "benchmark_time"))
    cost = sum(float(p) for p in parts if isinstance(p, int | float))
    return Entry({n: entry[n] for n in names}, value, cost)
