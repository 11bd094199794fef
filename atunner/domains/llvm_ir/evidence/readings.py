"""What `perf stat` said, in any of its three forms; what it could not count is n/a with the reason, never zero."""

import json
import re
from collections.abc import Iterator

from atunner.core.value import Value

GENERIC = (
    "cycles",
    "instructions",
    "branches",
    "branch-misses",
    "cache-references",
    "cache-misses",
    "stalled-cycles-frontend",
    "stalled-cycles-backend",
    "L1-dcache-loads",
    "L1-dcache-load-misses",
    "L1-icache-loads",
    "L1-icache-load-misses",
    "dTLB-loads",
    "dTLB-load-misses",
    "iTLB-loads",
    "iTLB-load-misses",
    "LLC-loads",
    "LLC-load-misses",
)
"""Hardware events that mean the same on every machine, in the order shown."""

SOFTWARE = ("task-clock", "page-faults", "context-switches", "cpu-migrations")
CLOCK = "task-clock"
USER_TIME = "user-time"
"""Seconds in user mode; not a perf event, but perf prints it."""

MOST_PER_CYCLE = 8
_WHOLE_S = {"": 1.0, "msec": 1e-3, "nsec": 1e-9, "usec": 1e-6, "sec": 1.0}
_NUMBER = r"[\d.,\u202f\u00a0 ]*\d"
_EVENT = r"[A-Za-z_][-\w./=]*(?::[a-zA-Z]+)?"
_HUMAN = re.compile(
    rf"^\s*(?P<value>{_NUMBER}|<not supported>|<not counted>)\s+(?:(?P<unit>msec|nsec)\s+)?"
    rf"(?P<event>{_EVENT})(?P<rest>.*)$"
)
_SHARE = re.compile(r"\((\d+[.,]\d+)%\)\s*$")
_USER = re.compile(rf"^\s*({_NUMBER}) seconds user\s*$")


class Reading(Value):
    """One event. value: None when there is no figure to trust; then `reason` says why. running: percent of the run."""

    event: str
    value: float | None = None
    reason: str = ""
    running: float = 100.0


class Readings(Value):
    """All events of one program, in the order shown."""

    readings: tuple[Reading, ...] = ()

    def get(self, event: str) -> float | None:
        """The figure of an event, None when it is n/a or was not asked for."""
        return next((r.value for r in self.readings if r.event == event), None)

    def share(self, part: str, whole: str) -> float | None:
        """One event over another, None when either is n/a."""
        above, below = self.get(part), self.get(whole)
        return above / below if above is not None and below else None

    @property
    def values(self) -> dict[str, float]:
        """The figures that there are."""
        return {r.event: r.value for r in self.readings if r.value is not None}

    @property
    def missing(self) -> dict[str, str]:
        """Event -> why it is n/a."""
        return {r.event: r.reason for r in self.readings if r.value is None}


def parse(text: str) -> Readings:
    """Read CSV (`-x,`), JSON lines (`-j`) or the text for people; the events that cannot be trusted become n/a."""
    return trusted(list(_raw(text)))


def join(runs: list[Readings]) -> Readings:
    """Groups of events counted in runs of their own, as one; the first figure of an event counts."""
    found: dict[str, Reading] = {}
    for run in runs:
        for reading in run.readings:
            if reading.event not in found or found[reading.event].value is None:
                found[reading.event] = reading
    order = {name: place for place, name in enumerate((*GENERIC, *SOFTWARE, USER_TIME))}
    return Readings(readings=tuple(sorted(found.values(), key=lambda r: (order.get(r.event, 99), r.event))))


def trusted(raw: list[Reading]) -> Readings:
    """The readings of one run after every rule; see `_judged`."""
    cycles = next((r.value for r in raw if r.event == "cycles"), None)
    return join([Readings(readings=tuple(_judged(reading, cycles) for reading in raw))])


def _judged(reading: Reading, cycles: float | None) -> Reading:
    """A reading, or why it is n/a: vendor event, counted part of the time, zero, or more than 8 a cycle."""
    value, name = reading.value, reading.event
    if value is None or name in SOFTWARE or name == USER_TIME:
        return reading
    reason = ""
    if name not in GENERIC:
        reason = "vendor event: listed by perf, but its figures are not to be trusted"
    elif reading.running < 99.5:
        reason = f"counted during {reading.running:g} % of the run only (more events than counters)"
    elif value == 0:
        reason = "perf read 0, so the event does not count here"
    elif cycles and value > MOST_PER_CYCLE * cycles:
        reason = f"perf read {value:.3g}, more than {MOST_PER_CYCLE} a cycle"
    return reading.model_copy(update={"value": None, "reason": reason}) if reason else reading


def _raw(text: str) -> Iterator[Reading]:
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        found = _json(bare) if bare.startswith("{") else _csv(bare) or _human(line)
        if found is not None:
            yield found


def _json(line: str) -> Reading | None:
    try:
        found = json.loads(line)
        return _reading(
            str(found["event"]), str(found["counter-value"]), str(found.get("unit", "")), str(found["pcnt-running"])
        )
    except (ValueError, KeyError, TypeError):
        return None


def _csv(line: str) -> Reading | None:
    fields = line.split(",")
    if len(fields) < 5 or not re.fullmatch(_EVENT, fields[2]):
        return None
    return _reading(fields[2], fields[0], fields[1], fields[4])


def _human(line: str) -> Reading | None:
    user = _USER.match(line)
    if user:
        return Reading(event=USER_TIME, value=_number(user[1], whole=False))
    found = _HUMAN.match(line)
    if found is None or found["event"] in {"seconds", "Performance"}:
        return None
    share = _SHARE.search(found["rest"])
    unit = found["unit"] or ""
    counted = found["value"]
    value = counted if counted.startswith("<") else str(_number(counted, whole=not unit))
    return _reading(found["event"], value, unit, share[1].replace(",", ".") if share else "100")


def _number(text: str, *, whole: bool) -> float:
    """A number with or without separators of thousands, whatever they are in the user's language."""
    bare = re.sub(r"[\u202f\u00a0 ]", "", text)
    if whole:
        return float(re.sub(r"[.,]", "", bare))
    head, mark, tail = bare.rpartition("." if bare.rfind(".") > bare.rfind(",") else ",")
    return float(re.sub(r"[.,]", "", head) + "." + tail) if mark else float(bare)


def _reading(event: str, value: str, unit: str, running: str) -> Reading | None:
    name, _, modifier = event.partition(":")
    if modifier and not set(modifier) <= set("uPpS"):
        return None  # a kernel's share of an event is no figure of the program
    try:
        share = float(running)
    except ValueError:
        share = 100.0
    if value.startswith("<"):
        return Reading(event=name, reason=f"perf: {value.strip('<>')}", running=share)
    try:
        return Reading(event=name, value=float(value) * _WHOLE_S.get(unit, 1.0), running=share)
    except ValueError:
        return Reading(event=name, reason=f"perf printed {value!r}")
