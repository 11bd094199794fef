"""The typed profile of one program: counters, hot lines, remarks, the inner loop's forecast and its IR in counts."""

from collections.abc import Iterator

from atunner.core.profile import Counters, Profile
from atunner.core.value import Value
from atunner.domains.llvm_ir.evidence.hot import Hot
from atunner.domains.llvm_ir.evidence.inner_loop import Forecast
from atunner.domains.llvm_ir.evidence.readings import USER_TIME, Readings
from atunner.domains.llvm_ir.evidence.remarks import Remark

HOT_SHARE = 0.2
"""Below this share no function is worth editing alone."""


class IrCounts(Value):
    """IR in numbers: of the module, and of its hot function."""

    lines: int
    instructions: int
    opcodes: dict[str, int]
    hot_lines: int = 0
    hot_instructions: int = 0
    hot_vector: int = 0


class ProgramProfile(Value):
    """Everything known of how one build of a program runs. notes: what could not be had, and why."""

    program: str
    build: str
    readings: Readings = Readings()
    hot: Hot = Hot()
    remarks: tuple[Remark, ...] = ()
    forecast: Forecast | None = None
    ir: IrCounts | None = None
    notes: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether hardware counters were read."""
        return self.readings.get("cycles") is not None

    def as_profile(self) -> Profile:
        """For the trial's record and the agents: figures by name, and one line for each finding."""
        source = "perf" if self.counted else "user time only"
        missing = tuple(f"{name}: n/a ({why})" for name, why in self.readings.missing.items())
        counters = Counters(source=source, values=self.readings.values, notes=missing)
        return Profile(counters=counters, notes=tuple(findings(self)))


def derived(readings: Readings) -> dict[str, float]:
    """Rates computed from counters; only those whose counters are there."""
    pairs = {
        "instructions per cycle": ("instructions", "cycles", 1.0),
        "branch misses (%)": ("branch-misses", "branches", 100.0),
        "L1 data misses (%)": ("L1-dcache-load-misses", "L1-dcache-loads", 100.0),
        "cache misses per 1000 instructions": ("cache-misses", "instructions", 1000.0),
        "data TLB misses per 1000 instructions": ("dTLB-load-misses", "instructions", 1000.0),
    }
    found = {name: (readings.share(part, whole), scale) for name, (part, whole, scale) in pairs.items()}
    return {name: share * scale for name, (share, scale) in found.items() if share is not None}


def findings(profile: ProgramProfile) -> Iterator[str]:
    """The profile as lines, what matters most first."""
    yield from _heat(profile)
    for name, value in derived(profile.readings).items():
        yield f"{name}: {value:.3g}"
    if not profile.counted:
        user = profile.readings.get(USER_TIME)
        yield "no hardware counters here" + (f"; {1000 * user:.3g} ms user time" if user is not None else "")
    for remark in profile.remarks:
        yield remark.said
    if profile.forecast is not None:
        yield forecast_line(profile.forecast)
    yield from profile.notes


def forecast_line(forecast: Forecast) -> str:
    """What llvm-mca expects of the inner loop, in one line."""
    jumps = f", its {forecast.loop.jumps} inner branches taken as straight" if forecast.loop.jumps > 0 else ""
    return (
        f"llvm-mca (a model, not a measurement): the inner loop's {forecast.instructions} instructions take "
        f"{forecast.cycles:.3g} cycles a round, its ports {forecast.throughput:.3g}; {forecast.limit}{jumps}"
    )


def _heat(profile: ProgramProfile) -> Iterator[str]:
    hot = profile.hot
    if hot.function:
        yield f"hot function: {hot.function}, {hot.share:.1%} by {hot.source}"
        if hot.share < HOT_SHARE:
            yield f"no function has {HOT_SHARE:.0%} of the time; editing one alone cannot gain much"
    for line in hot.lines[:8]:
        yield f"{line.share:.1%} at {line.file}:{line.line}: {line.text}"
