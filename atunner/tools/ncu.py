"""Nsight Compute's counters through its command line: every form of its CSV, read by the names in the header."""

import csv
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence

from atunner.core.errors import ToolError
from atunner.core.profile import Counters
from atunner.core.value import Value
from atunner.tools.process import run

SOURCE = "ncu"
DURATION = "gpu__time_duration.sum"
COMPUTE = "sm__throughput.avg.pct_of_peak_sustained_elapsed"
MEMORY = "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed"
METRICS = (
    DURATION,
    COMPUTE,
    MEMORY,
    "dram__throughput.avg.pct_of_peak_sustained_elapsed",
    "dram__bytes_read.sum",
    "dram__bytes_write.sum",
    "lts__t_sector_hit_rate.pct",
    "l1tex__t_sector_hit_rate.pct",
    "sm__warps_active.avg.pct_of_peak_sustained_active",
    "smsp__issue_active.avg.pct_of_peak_sustained_active",
    "l1tex__data_bank_conflicts_pipe_lsu.sum",
    "smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio",
    "smsp__average_warps_issue_stalled_short_scoreboard_per_issue_active.ratio",
    "smsp__average_warps_issue_stalled_barrier_per_issue_active.ratio",
    "smsp__average_warps_issue_stalled_lg_throttle_per_issue_active.ratio",
    "smsp__average_warps_issue_stalled_mio_throttle_per_issue_active.ratio",
    "smsp__average_warps_issue_stalled_math_pipe_throttle_per_issue_active.ratio",
    "launch__registers_per_thread",
    "launch__waves_per_multiprocessor",
)
"""What is asked for; a version that lacks one of them says n/a, and that metric is left out."""

DISPLAYED = {
    "Duration [ns]": DURATION,
    "Compute (SM) Throughput [%]": COMPUTE,
    "SM [%]": COMPUTE,
    "Memory Throughput [%]": MEMORY,
    "Memory [%]": MEMORY,
}
"""Names on the details page, with the unit that tells two of one name apart -> the metric behind them."""

SCALES = {
    **{"nsecond": (1.0, "ns"), "ns": (1.0, "ns"), "usecond": (1e3, "ns"), "us": (1e3, "ns"), "µs": (1e3, "ns")},
    **{"msecond": (1e6, "ns"), "ms": (1e6, "ns"), "second": (1e9, "ns"), "s": (1e9, "ns")},
    **{f"{p}byte{rest}": (f, f"byte{rest}") for p, f in (("K", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12))
       for rest in ("", "/second", "/s", "/block")},
}  # fmt: skip
PERMISSION = (
    "Nsight Compute may not read the counters: the driver keeps them for administrators (ERR_NVGPUCTRPERM). "
    "Run as root, or load the driver with NVreg_RestrictProfilingToAdminUsers=0."
)
NOT_MEASURED = {"", "n/a", "nan", "no data"}


class CountersRefused(ToolError):
    """Nsight Compute ran and gave no counters; its message is one line."""


class Launch(Value):
    """One profiled kernel, or all its launches in a summary. values: by metric name; display names carry a unit.

    rules: what Nsight Compute's own rules say, as "name (type): text".
    """

    kernel: str
    values: dict[str, float]
    rules: tuple[str, ...] = ()


def available() -> bool:
    """Whether ncu is on PATH."""
    return shutil.which("ncu") is not None


def collect(argv: Sequence[str], timeout_s: float = 300.0) -> Counters:
    """Profile the program `argv` and return the counters of its longest kernel.

    Raises:
        CountersRefused: no permission, or nothing was profiled. ToolError: ncu is missing or hangs.
    """
    options = ("--csv", "--print-units", "base", "--metrics", ",".join(METRICS), "--target-processes", "all")
    return counters(parse(run("ncu", *options, *argv, timeout_s=timeout_s).output))


def counters(launches: Sequence[Launch]) -> Counters:
    """The counters of the launch that took longest; a note names it, and its rules follow."""
    longest = max(launches, key=lambda launch: launch.values.get(DURATION, 0.0))
    total = sum(launch.values.get(DURATION, 0.0) for launch in launches)
    share = f", {longest.values.get(DURATION, 0.0) / total:.0%} of the time profiled" if total else ""
    note = f"counters of {longest.kernel}, one of {len(launches)} launches{share}"
    return Counters(source=SOURCE, values=longest.values, notes=(note, *longest.rules))


def parse(text: str) -> tuple[Launch, ...]:
    """Everything that ncu printed with --csv: details page, raw page or summary, program output before it or not.

    Raises:
        CountersRefused: no permission for counters, an error of ncu, or no kernel.
    """
    if "ERR_NVGPUCTRPERM" in text:
        raise CountersRefused(PERMISSION)
    table = _table(text)
    if table is None:
        raise CountersRefused(_complaint(text))
    header, rows = table
    found = _details(header, rows) if "Metric Name" in header else _raw(header, rows)
    if not found:
        raise CountersRefused(_complaint(text))
    return found


def number(text: str) -> float | None:
    """A value as ncu prints it, thousands separators included; None for what was not measured."""
    plain = text.strip().strip("()").lower()
    if plain in NOT_MEASURED:
        return None
    try:
        return float(plain.replace(",", "").replace("'", "").replace("\u202f", ""))
    except ValueError:
        return None


def _complaint(text: str) -> str:
    said = [line for line in text.splitlines() if line.startswith(("==ERROR==", "==WARNING=="))]
    reason = said[0].split("==", 2)[-1].strip() if said else "it printed no table"
    return f"Nsight Compute gave no counters: {reason.rstrip('.')}."


def _table(text: str) -> tuple[list[str], list[list[str]]] | None:
    """The header and the rows under it that have its length; None without a header."""
    header: list[str] | None = None
    rows: list[list[str]] = []
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("=="))
    for row in csv.reader(io.StringIO(lines)):
        if header is None:
            if "Kernel Name" in row and len(row) > 2:
                header = [cell.strip() for cell in row]
        elif len(row) == len(header):
            rows.append(row)
    return None if header is None else (header, rows)


def _details(header: list[str], rows: list[list[str]]) -> tuple[Launch, ...]:
    """One row for each metric of each launch; a row without a metric is a rule's."""
    values: dict[tuple[str, str], dict[str, float]] = {}
    rules: dict[tuple[str, str], list[str]] = {}
    for cells in rows:
        row = dict(zip(header, cells, strict=True))
        key = row.get("ID", ""), row["Kernel Name"]
        launch, said = values.setdefault(key, {}), rules.setdefault(key, [])
        if not row["Metric Name"]:
            said += _rule(row)
            continue
        measured = number(row.get("Metric Value", row.get("Average", "")))
        if measured is not None:
            _keep(launch, row["Metric Name"], row.get("Metric Unit", ""), measured)
    return tuple(Launch(kernel=k[1], values=v, rules=tuple(rules[k])) for k, v in values.items() if v)


def _rule(row: Mapping[str, str]) -> Iterator[str]:
    if row.get("Rule Name") and row.get("Rule Description"):
        text = " ".join(row["Rule Description"].split())
        yield f"{row['Rule Name']} ({row.get('Rule Type', '')}): {text}"


def _raw(header: list[str], rows: list[list[str]]) -> tuple[Launch, ...]:
    """One row for each launch and one column for each metric; the first row has the units."""
    if not rows:
        return ()
    kernel = header.index("Kernel Name")
    units, launches = (rows[0], rows[1:]) if not rows[0][kernel].strip() else ([""] * len(header), rows)
    found = []
    for cells in launches:
        values: dict[str, float] = {}
        for name, unit, cell in zip(header, units, cells, strict=True):
            measured = number(cell) if "__" in name else None
            if measured is not None:
                _keep(values, name, unit, measured)
        found.append(Launch(kernel=cells[kernel], values=values))
    return tuple(launch for launch in found if launch.values)


def _keep(values: dict[str, float], name: str, unit: str, measured: float) -> None:
    """Times in ns and sizes in bytes; a display name keeps its unit, since two sections may use it for two things."""
    factor, base = SCALES.get(unit.strip(), (1.0, unit.strip()))
    shown = name if "__" in name else f"{name} [{base}]"
    values[shown] = measured * factor
    if shown in DISPLAYED:
        values.setdefault(DISPLAYED[shown], measured * factor)
