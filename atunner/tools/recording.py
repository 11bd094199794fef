"""Kernel Tuner's cache files: every configuration tried on one device, with its figure or why it failed."""

import gzip
import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.core.space import Parameter, Space
from atunner.core.statistics import median
from atunner.core.status import Status
from atunner.core.value import Value

FAILURES = {
    "InvalidConfig": Status.REJECTED,
    "CompilationFailedConfig": Status.NOT_BUILT,
    "RuntimeFailedConfig": Status.CRASHED,
}
COSTS = ("compile_time", "verification_time", "benchmark_time")
BOOKKEEPING = (*COSTS, "time", "strategy_time", "framework_time", "timestamp")
OBSERVED = ("energy", "power")
"""What Kernel Tuner's observers measure, each under a name of its own (nvml_energy, ps_energy)."""
OTHERS = {
    "results": "A T4 results file: it has no search space, so that nothing can be replayed from it.",
    "ConfigurationSpace": "A T1 file: it describes a kernel and has no results; give it as FILE.",
}
"""What other files of auto-tuners are known by."""
UNIT = "ms"


class Entry(Value):
    """One configuration. samples: recorded times in ms, empty when it failed; failure: how.

    cost_ms: to compile, verify and measure it. figures: what else was recorded of it, in units of its own; what an
    observer calls nvml_energy or ps_power is the energy and the power.
    """

    params: Params
    samples: tuple[float, ...] = ()
    failure: Status | None = None
    cost_ms: float = 0.0
    figures: dict[str, float] = Field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """The median of the samples, None when it failed."""
        return median(self.samples) if self.samples else None


class Recording(Value):
    """A cache file. sizes: of the problem, in its order. complete: False while the tuner still writes it."""

    kernel: str
    device: str
    sizes: tuple[JsonValue, ...] = ()
    space: Space
    entries: tuple[Entry, ...]
    complete: bool = True
    file: str = ""
    digest: str = ""


def read_recording(path: Path) -> Recording:
    """Read a cache file, gzipped or plain.

    Raises:
        UserError: it cannot be read, or as `parse`.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read the cache file {path}: {error}.") from error
    try:
        found = parse(text)
    except UserError as error:
        raise UserError(f"{path.name}: {error}") from error
    return found.model_copy(update={"file": str(path.resolve()), "digest": hashlib.sha256(raw).hexdigest()})


def parse(text: str) -> Recording:
    """Read the text of a cache file; one that was cut off while it was open is read to its last entry.

    Raises:
        UserError: not JSON, or an entry or field is missing; says where.
    """
    content, complete = _parsed(text)
    other = next((said for field, said in OTHERS.items() if field in content and "cache" not in content), "")
    if other:
        raise UserError(f"{other} A cache file, as Kernel Tuner writes it, has tune_params and cache.")
    try:
        names = [str(n) for n in content["tune_params_keys"]]
        entries = tuple(_entry(key, e, names) for key, e in content["cache"].items())
        values = {n: dict.fromkeys([*content["tune_params"][n], *(e.params[n] for e in entries)]) for n in names}
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"A damaged cache file: the field {error} is missing or of another type. Record anew."
        ) from error
    if not entries:
        raise UserError("A cache file without entries. Record some configurations first.")
    sizes = content.get("problem_size", [])
    return Recording(
        kernel=str(content.get("kernel_name", "")) or "kernel",
        device=str(content.get("device_name", "")) or "an unnamed device",
        sizes=tuple(sizes) if isinstance(sizes, list) else (sizes,),
        space=Space(parameters=tuple(Parameter(name=n, values=tuple(values[n])) for n in names)),
        entries=entries,
        complete=complete,
    )


def _parsed(text: str) -> tuple[dict[str, Any], bool]:
    """The document; one that is still written lacks its last two braces, and may end within an entry."""
    whole = text.strip()
    closed, cut = whole.rstrip(",") + "}}", whole[: whole.rfind("},") + 1] + "}}"
    wrong: list[json.JSONDecodeError] = []
    for candidate, complete in ((whole, True), (closed, False), (cut, False)):
        try:
            found = json.loads(candidate)
        except json.JSONDecodeError as error:
            wrong.append(error)
            continue
        if isinstance(found, dict):
            return found, complete
        raise UserError("Not a cache file: an object was expected at the top.")
    # What was added to close the file must not be blamed: the first damage is where the text itself stops making sense.
    first = wrong[0]
    place = f"line {first.lineno}, column {first.colno}: {first.msg}"
    raise UserError(f"A damaged cache file: {place}. Mend that place, or record anew.")


def _entry(key: str, entry: object, names: list[str]) -> Entry:
    if not isinstance(entry, dict) or any(n not in entry for n in names):
        raise UserError(f"A damaged cache file: the entry {key!r} has not all parameters. Remove it.")
    params, time = {n: entry[n] for n in names}, entry.get("time")
    cost = sum(float(entry[k]) for k in COSTS if isinstance(entry.get(k), int | float))
    if not isinstance(time, int | float) or isinstance(time, bool):
        return Entry(params=params, failure=FAILURES.get(str(time), Status.CRASHED), cost_ms=cost)
    samples = tuple(float(t) for t in entry.get("times") or [time])
    if any(not 0 < s < math.inf for s in samples):
        raise UserError(f"A damaged cache file: the entry {key!r} has the time {min(samples)}. Remove it.")
    return Entry(params=params, samples=samples, cost_ms=cost, figures=_figures(entry, {*names, *BOOKKEEPING}))


def _figures(entry: Mapping[str, object], known: set[str]) -> dict[str, float]:
    """Numbers of an entry that are neither parameters nor times of the tuner's own work."""
    found = {n: float(v) for n, v in entry.items() if n not in known and isinstance(v, int | float)}
    for plain in OBSERVED:
        observed = next((v for n, v in found.items() if re.fullmatch(rf"[a-z]+_{plain}", n)), None)
        if plain not in found and observed is not None:
            found[plain] = observed
    return found
