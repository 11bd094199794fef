"""The device's samples held against the parent's own clocks: what they hide of a call is a reason for refusal."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from atunner.core.errors import NotMeasured, Rejected
from atunner.core.trial import Check
from atunner.domains.kernels.blocks import Block, Sizes, middle, undisturbed

CLOCKS_AGREE = 0.10
UNEVEN = 1.5
SURE = 3.0
START_US = 200.0
LOOP_US = 0.05
"""What a call may cost beside the candidate: the loop round it and its share of reading the clock."""


def verdict(blocks: Sequence[Block], sizes: Sizes, threads: int) -> tuple[Check, ...]:
    """Hold the samples against the parent's clock.

    Raises:
        Rejected: the clocks disagree, one call does the work of others, or work goes on outside the calls.
        NotMeasured: the parent's clock cannot tell.
    """
    used = undisturbed(blocks)
    hidden = slope(blocks, sizes, threads)
    checks = [_two_clocks(used, hidden), _even(blocks, sizes, threads), _idle(blocks, threads)]
    if threads == 1:
        checks.append(_one_thread(used))
    for check in checks:
        if not check.passed:
            raise Rejected(check.detail)
    sample = middle(used)
    if max(hidden.error, hidden.us - 2 * hidden.error) > allowed_us(used):
        raise NotMeasured(
            f"A call takes {sample:.3g} us; the host's clock differs by {hidden.us:+.2g} us and is known to "
            f"{hidden.error:.2g} us only: too short a call, or too loud a machine, for two clocks to agree."
        )
    return tuple(checks)


@dataclass(frozen=True)
class Hidden:
    """Microseconds a call by which the parent's clock exceeds the samples, its standard error, and which clock."""

    us: float
    error: float
    clock: str
    blocks: int = 0

    @property
    def sure(self) -> float:
        """Standard errors that make a claim: more when the error itself is known from a few blocks only."""
        return SURE + 12.0 / max(1, self.blocks)


def slope(blocks: Sequence[Block], sizes: Sizes, threads: int) -> Hidden:
    """What the samples hide of a call.

    The difference wall - sum(samples) of a block is overhead (waking up, two pipes) plus what the samples hide of each
    call; the two block sizes tell them apart. Waking up late only ever adds, so the lower half of them is taken. On one
    core the kernel's account of the process's CPU time is a second clock, which stands still while others have it;
    there a disturbed block only ever falls short, so the upper half is taken.
    """
    name, spent = "host clock", [b.wall_us for b in blocks]
    if threads == 1 and all(b.cpu_us > 0 for b in blocks):
        name, spent = "CPU clock", [b.cpu_us for b in blocks]
    rest = np.array(spent) - np.array([b.total_us for b in blocks])
    calls = np.array([b.calls for b in blocks])
    return _slope(name, rest[calls == sizes.small], rest[calls == sizes.large], sizes.large - sizes.small)


def _slope(name: str, few: NDArray[np.float64], many: NDArray[np.float64], span: int) -> Hidden:
    late = name == "host clock"
    few, many = (np.sort(v)[: -(-v.size // 2)] if late else np.sort(v)[v.size // 2 :] for v in (few, many))
    if not span or min(few.size, many.size) < 3:
        return Hidden(0.0, float("inf"), name)
    return Hidden(
        float(np.median(many) - np.median(few)) / span, float(np.hypot(_error(few), _error(many))) / span, name
    )


def _error(values: NDArray[np.float64]) -> float:
    """Standard error of the median, from the median absolute deviation: outliers count once."""
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    return 1.2533 * spread / float(np.sqrt(values.size))


def _two_clocks(blocks: Sequence[Block], hidden: Hidden) -> Check:
    sample = middle(blocks)
    passed = hidden.us - hidden.sure * hidden.error <= allowed_us(blocks)
    share = hidden.us / sample
    detail = f"the {hidden.clock} adds {share:+.1%} to the samples (at most {CLOCKS_AGREE:.0%})"
    figures: dict[str, JsonValue] = {"hidden_us": hidden.us, "error_us": hidden.error, "clock": hidden.clock}
    if not passed:
        detail = (
            f"The samples say {sample:.4g} us a call, the {hidden.clock} of the judge {sample + hidden.us:.4g} us: "
            f"they differ by {share:+.0%}, at most {CLOCKS_AGREE:.0%} is accepted."
        )
    return Check(name="two clocks", passed=passed, detail=detail, figures=figures)


def _even(blocks: Sequence[Block], sizes: Sizes, threads: int) -> Check:
    """The CPU time of a quiet block, shared among its calls, against the middle sample: does one work for others?"""
    large = [b for b in blocks if b.calls == sizes.large]
    spent = [(b.cpu_us / threads if b.cpu_us else b.total_us) / b.calls for b in large]
    start = START_US / sizes.large
    whole, single = float(np.quantile(spent, 0.25)), middle(blocks)
    passed = whole <= UNEVEN * single + start
    detail = f"a call's share of a quiet block is {whole:.4g} us, the middle call takes {single:.4g} us"
    return Check(
        name="even calls",
        passed=passed,
        detail=detail if passed else f"Some calls do the work of others: {detail}.",
        figures={"mean_us": whole, "call_us": single},
    )


def _idle(blocks: Sequence[Block], threads: int) -> Check:
    """CPU time in and between the blocks against what undisturbed calls use, with room for starting a block."""
    used = sum(b.cpu_us + b.idle_cpu_us for b in blocks)
    sample = middle(blocks)
    room = sum(1.25 * threads * sample * b.calls + START_US for b in blocks)
    passed = used <= room
    detail = f"CPU time {used / 1e3:.1f} ms, of which the calls explain {room / 1e3:.1f} ms"
    return Check(
        name="idle when done", passed=passed, detail=detail if passed else f"Work goes on outside the calls: {detail}."
    )


def _one_thread(blocks: Sequence[Block]) -> Check:
    timed = [b for b in blocks if b.wall_us > 0]  # 0: to start it takes longer than its calls
    if not timed:
        raise NotMeasured("The host's clock cannot tell the calls from their start: the machine is too loud.")
    share = float(np.median([b.cpu_us / b.wall_us for b in timed]))
    passed = share <= 1.0 + CLOCKS_AGREE
    detail = f"CPU time is {share:.0%} of wall time on one core"
    return Check(name="one thread", passed=passed, detail=detail if passed else f"Hidden threads: {detail}.")


def allowed_us(blocks: Sequence[Block]) -> float:
    """Microseconds that the clocks may differ by."""
    return CLOCKS_AGREE * middle(blocks) + LOOP_US
