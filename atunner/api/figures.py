"""Numbers and moments as pages write them."""

import json as notation
import time

from pydantic import JsonValue

from atunner.core.device import Fact
from atunner.core.job import Job
from atunner.reports import wording
from atunner.reports.roof import PROBED

STAGES = {
    "ok": "verified",
    "rejected": "refused by the static gate",
    "not_built": "did not build",
    "wrong": "wrong results",
    "crashed": "crashed",
    "timed_out": "timed out",
    "not_verified": "could not be verified",
    "not_measured": "verified, not measured",
}
NAMES = {
    "fp32_tflops": "float32 peak",
    "tf32_tflops": "TF32 tensor peak",
    "fp16_tflops": "float16 tensor peak",
    "dram_gbs": "memory bandwidth",
    "sm_count": "multiprocessors",
    "clock_mhz": "clock",
}


def ago(seconds: float | None) -> str:
    """A time, as how long ago it was."""
    if seconds is None:
        return ""
    gone = max(0.0, time.time() - seconds)
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if gone >= size:
            whole = int(gone // size)
            return f"{whole} {unit}{'s' if whole > 1 else ''} ago"
    return f"{gone:.0f} s ago"


def moment(seconds: float | None) -> str:
    """A time in UTC, for machines and tooltips."""
    return "" if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def took(job: Job) -> str:
    """How long a job has worked."""
    return "" if job.started is None else wording.elapsed((job.finished or time.time()) - job.started)


def count(value: float) -> str:
    """1 234 567, with thin gaps."""
    return f"{value:,.0f}".replace(",", "\u2009")


def money(usd: float) -> str:
    """Dollars; small sums keep two digits that say something."""
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.2g}"


def times(ratio: float | None) -> str:
    """1.23x; large ratios without digits that say nothing."""
    if ratio is None:
        return "-"
    return f"{ratio:.0f}\u00d7" if ratio >= 100 else f"{ratio:.3g}\u00d7" if ratio >= 10 else f"{ratio:.2f}\u00d7"


def json(value: JsonValue) -> str:
    """Indented, for reading."""
    return notation.dumps(value, indent=2, ensure_ascii=False)


def fact(found: Fact) -> str:
    """A device's figure with its unit; a probe is good for three digits, a data sheet for what it says."""
    if found.unit == "bytes":
        return wording.size(found.value)
    return f"{wording.number(found.value, 3 if found.source.startswith(PROBED) else 5)} {found.unit}"


def model(name: str) -> str:
    """A model's name without the address of its server, which is the operator's business."""
    return name.rpartition("#")[2] if "://" in name else name


def stage(status: str) -> str:
    """What became of a candidate, in words."""
    return STAGES.get(status, status.replace("_", " "))


def spoken(name: str) -> str:
    """A fact's name in words."""
    return NAMES.get(name, name.replace("_", " "))
