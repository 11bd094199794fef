"""A profile as the two files of the seed: plain text as perf prints it, and a bullet list for people and models."""

from collections.abc import Iterator

from atunner.domains.llvm_ir.evidence.program_profile import ProgramProfile, derived, forecast_line
from atunner.domains.llvm_ir.evidence.readings import CLOCK, USER_TIME, Reading, Readings

NAMES = {
    "cycles": "CPU cycles",
    "branch-misses": "branch misses",
    "cache-references": "cache references",
    "cache-misses": "cache misses",
    "L1-dcache-loads": "L1 data cache loads",
    "L1-dcache-load-misses": "L1 data cache load misses",
    "dTLB-load-misses": "data TLB load misses",
    "page-faults": "page faults",
    USER_TIME: "user time",
    CLOCK: "CPU time",
}
MOST_LINES = 10


def as_text(profile: ProgramProfile) -> str:
    """As `perf stat` prints it, so that `readings.parse` reads it again; the rest stands in comment lines."""
    lines = [
        f"# {profile.program}, built with {profile.build}",
        "",
        f" Performance counter stats for '{profile.program}':",
        "",
    ]
    lines += [_counted(reading) for reading in profile.readings.readings if reading.event != USER_TIME]
    user = profile.readings.get(USER_TIME)
    lines += ["", f"{user:17.9f} seconds user"] if user is not None else []
    return "\n".join([*lines, "", *(f"# {line}" for line in _details(profile))]) + "\n"


def as_markdown(profile: ProgramProfile) -> str:
    """A bullet list: counters, rates, hot function and lines, what the compiler missed, the inner loop."""
    lines = [f"# Profile of {profile.program}", "", f"Built with `{profile.build}`.", "", *bullets(profile.readings)]
    lines += [f"- {line}" for line in _heat(profile)]
    if profile.ir is not None:
        ir = profile.ir
        lines.append(f"- IR: {ir.lines} lines, {ir.instructions} instructions")
        if ir.hot_instructions:
            lines.append(
                f"- IR of {profile.hot.function}: {ir.hot_lines} lines, {ir.hot_instructions} instructions, "
                f"{ir.hot_vector} of them on vectors"
            )
    lines += [f"- {remark.said}" for remark in profile.remarks]
    if profile.forecast is not None:
        lines.append(f"- {forecast_line(profile.forecast)}")
    lines += [f"- note: {note}" for note in profile.notes]
    return "\n".join(lines) + "\n"


def bullets(found: Readings) -> list[str]:
    """Counters and rates, one bullet each; n/a with its reason."""
    lines = [f"- {NAMES.get(r.event, r.event)}: {_value(r)}" for r in found.readings]
    return lines + [f"- {name}: {value:.3g}" for name, value in derived(found).items()]


def _value(reading: Reading) -> str:
    if reading.value is None:
        return f"n/a ({reading.reason})"
    if reading.event in {USER_TIME, CLOCK}:
        return f"{1000 * reading.value:.3f} ms"
    return f"{reading.value:,.0f}"


def _counted(reading: Reading) -> str:
    if reading.value is None:
        return f"{'<not supported>':>18}      {reading.event}:u      # {reading.reason}"
    if reading.event == CLOCK:
        return f"{1000 * reading.value:18.2f} msec {reading.event}:u"
    return f"{reading.value:18,.0f}      {reading.event}:u"


def _heat(profile: ProgramProfile) -> Iterator[str]:
    hot = profile.hot
    if hot.function:
        yield f"hot function: `{hot.function}`, {hot.share:.1%} by {hot.source}"
    for line in hot.lines[:MOST_LINES]:
        yield f"{line.share:.1%} at {line.file}:{line.line}: `{line.text}`"


def _details(profile: ProgramProfile) -> Iterator[str]:
    """What perf report and annotate say, short."""
    yield from _heat(profile)
    sampled = (one for one in profile.hot.instructions if one.share)
    hottest = sorted(sampled, key=lambda one: -one.share)[:MOST_LINES]
    for one in sorted(hottest, key=lambda one: one.address):
        yield f"{one.share:6.1%} {one.address:8x}: {one.text}  (line {one.line})"
    for remark in profile.remarks:
        yield remark.said
    if profile.forecast is not None:
        yield forecast_line(profile.forecast)
    yield from profile.notes
