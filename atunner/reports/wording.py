"""The words of every report: numbers, stamps and the one-sentence result, all computed from the record."""

from pydantic import JsonValue

from atunner.core.candidate import Params
from atunner.core.measurement import Measurement
from atunner.core.metric import FROM_ENERGY, metrics_of
from atunner.core.record import RunRecord
from atunner.core.status import Provenance
from atunner.core.trial import Comparison

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
NO_FIGURE = "-"


def number(value: float, digits: int = 3) -> str:
    """`digits` significant digits or all before the point: 0.0123, 12.3, 1234; exponents beyond 0.001 and a million."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"
    return f"{value:.{digits}g}"


def scaled(value: float, unit: str, step: float = 1000.0) -> str:
    """With a prefix: 173408256, "FLOP" -> 173 MFLOP."""
    prefixes = ("", "k", "M", "G", "T", "P")
    level = 0
    while abs(value) >= step and level < len(prefixes) - 1:
        value, level = value / step, level + 1
    return f"{number(value)} {prefixes[level]}{unit}"


def size(octets: float) -> str:
    """Bytes in binary units: 13631488 -> 13 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(octets) < 1024:
            return f"{number(octets)} {unit}"
        octets /= 1024
    return f"{number(octets)} TiB"


def duration(value: float, unit: str) -> str:
    """A time in the unit that reads best; any other unit is left as it is."""
    if unit not in SECONDS:
        return f"{number(value)} {unit}".rstrip()
    seconds = value * SECONDS[unit]
    for name in ("s", "ms", "us"):
        if seconds >= SECONDS[name]:
            return f"{number(seconds / SECONDS[name])} {name}"
    return f"{number(seconds / SECONDS['ns'])} ns"


def elapsed(seconds: float) -> str:
    """Wall time for people: 8 s, 2 min 05 s, 1 h 02 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def shape(extents: tuple[int, ...]) -> str:
    """1x3x224x224."""
    return "x".join(str(e) for e in extents)


def parameters(params: Params) -> str:
    """NAME=VALUE, in the order of the candidate; "none" for a candidate without parameters."""
    return " ".join(f"{name}={plain(value)}" for name, value in params.items()) or "none"


def plain(value: JsonValue) -> str:
    """A parameter's value as sources write it: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def target(record: RunRecord) -> str:
    """The device that the figures are for, with its architecture: A100 (sm_80)."""
    device = record.device
    if device is None:
        return record.task.target
    name = device.name if record.task.target in {"", "host"} else record.task.target
    return f"{name} ({device.arch})"


def stamp(record: RunRecord) -> str:
    """Where this run's figures come from; it stands beside every one of them."""
    if record.provenance is Provenance.PREDICTED:
        return f"predicted for {target(record)}"
    if record.provenance is Provenance.SIMULATED:
        return f"simulated from {source(record) or 'a recording'}"
    place = record.environment.device if record.environment else target(record)
    arch = record.environment.toolchain.get("arch", "") if record.environment else ""
    elsewhere = bool(arch) and record.device is not None and arch != record.device.arch
    return f"measured on {place} ({arch}), tuned for {target(record)}" if elsewhere else f"measured on {place}"


def source(record: RunRecord) -> str:
    """The model, device or recording behind the figures, "" while there is none."""
    found = next((t.measurement for t in record.ranked if t.measurement), None)
    return found.source if found else ""


def model_error(record: RunRecord) -> str:
    """The known error of the model behind predicted figures, in the model's own words."""
    found = next((t.measurement for t in record.ranked if t.measurement and t.measurement.error), None)
    return found.error if found else ""


def relative(record: RunRecord, measurement: Measurement | None) -> float | None:
    """`measurement` over the baseline's: 0.5 is half of its cost. None across provenances or units."""
    base = record.baseline.measurement if record.baseline else None
    if base is None or measurement is None or base.value == 0:
        return None
    if (base.provenance, base.unit) != (measurement.provenance, measurement.unit):
        return None
    return measurement.value / base.value


def interval(comparison: Comparison) -> str:
    """The ratio with its interval, and what the statistics say of it."""
    text = f"{comparison.ratio:.2f}x (95 % interval {comparison.low:.2f} to {comparison.high:.2f})"
    if comparison.better:
        return text
    return f"{text}, slower" if comparison.high < 1.0 else f"{text}, not better (within noise)"


BASES = {"user_kernels": "the kernel as given", "replay": "the first recorded configuration that worked"}
"""What a run's baseline is called, by its domain; elsewhere it is naive."""


def base(record: RunRecord) -> str:
    """What everything is compared with."""
    return BASES.get(record.task.domain, "the naive baseline")


def base_short(record: RunRecord) -> str:
    """The same in a table's cell."""
    return {"user_kernels": "as given", "replay": "first"}.get(record.task.domain, "naive")


def headline(record: RunRecord) -> str:
    """The result of the run in one or two sentences."""
    winner = record.winner
    if winner is None:
        return "No candidate was verified, so there is no result."
    name = f"{winner.candidate.family or 'candidate'} ({parameters(winner.candidate.params)})"
    if record.provenance is Provenance.MEASURED:
        return f"{_measured(record, name)} {disturbed(record)}".rstrip()
    cost = relative(record, winner.measurement)
    objective = record.task.objective
    kept = base_cost(record) if objective.minimise else f"the {objective.metric} of {base(record)}"
    share = f": {number(cost)} {'of' if objective.minimise else 'times'} {kept}" if cost is not None else ""
    return f"Best score: {name}{share}, {stamp(record)}. Nothing was measured."


def disturbed(record: RunRecord) -> str:
    """What disturbed the baseline's figure so much that nothing of it could be left out; "" when nothing did."""
    timed = record.confirmed.checks if record.confirmed else record.baseline.checks if record.baseline else ()
    for check in timed:
        if check.name.startswith("disturbed ") and not check.figures.get("dropped_us", True):
            found = {name: n for name, n in check.figures.items() if name not in ("of", "dropped_us")}
            if found:
                said = ", ".join(f"{n} {name}" for name, n in sorted(found.items()))
                what = "the comparison with the baseline" if record.confirmed else "the baseline's figure"
                return f"Others had the machine during {what} ({said} of {check.figures['of']}): take it with care."
    return ""


def base_cost(record: RunRecord) -> str:
    """The cost of what everything is compared with."""
    name = base(record)
    return f"{name}'s cost" if name.endswith("baseline") else f"the cost of {name}"


def better(record: RunRecord) -> str:
    """What a confirmed winner is: faster, or better in a figure that says something else."""
    metric = record.task.objective.metric
    other = metric in FROM_ENERGY or metric in {m.name for m in metrics_of(record.task)}
    return f"better in {metric}" if other else "faster"


def _measured(record: RunRecord, name: str) -> str:
    if record.confirmed is None and record.baseline and record.best == record.baseline.candidate.id:
        return f"Nothing tried is better than {base(record)}, {stamp(record)}."
    if record.confirmed is None:
        return f"Best so far: {name}, {stamp(record)}; not confirmed, so no ratio is published."
    ratio = interval(record.confirmed)
    if not record.confirmed.better:
        return f"{name} against {base(record)}: {ratio}, {stamp(record)} in a new process."
    return f"{name} is {better(record)} than {base(record)}: {ratio}, {stamp(record)} in a new process."
