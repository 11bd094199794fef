"""The hardware agent: what the device can do for this problem."""

from enum import StrEnum

from atunner.agents.brief import AGENT_LIMIT, Brief, problem, told
from atunner.core.consult import Spoken, Toolbox, consult, fitting
from atunner.core.device import Device
from atunner.core.facts import OperatorFacts
from atunner.core.ports import Model
from atunner.core.value import Value


class Regime(StrEnum):
    """Which roof the problem is under at its minimal traffic."""

    MEMORY = "memory"
    COMPUTE = "compute"


class HardwareView(Value):
    """The hardware agent's answer. bound_us: roofline. fits: the nearest memory that holds all tensors.

    parallel_slots: resident threads (GPU) or SIMD lanes over all cores (CPU) to fill. present: on this machine.
    """

    regime: Regime
    bound_us: float
    ridge: float
    fits: str
    parallel_slots: int
    present: bool
    summary: str


def rules(device: Device, facts: OperatorFacts, present: bool) -> HardwareView:
    """Roofline (Williams, Waterman, Patterson 2009) with the device's dense fp32 peak and DRAM bandwidth."""
    peak, bandwidth = device.get("fp32_tflops") * 1e12, device.get("dram_gbs") * 1e9
    compute_us, memory_us = facts.flops / peak * 1e6, facts.min_bytes / bandwidth * 1e6
    ridge = peak / bandwidth
    regime = Regime.COMPUTE if facts.intensity >= ridge else Regime.MEMORY
    slots = _slots(device)
    fits = _fits(device, facts.min_bytes)
    here = "present on this machine" if present else "not on this machine"
    summary = f"{device.name} ({device.arch}), {here}: ridge at {ridge:.3g} FLOP/byte, "
    summary += (
        f"problem at {facts.intensity:.3g}, so {regime} is the roof; bound {max(compute_us, memory_us):.4g} us; "
        f"tensors fit in {fits}"
        if facts.counted
        else "the problem's work is not counted, so no roof is known"
    )
    return HardwareView(
        regime=regime,
        bound_us=max(compute_us, memory_us),
        ridge=ridge,
        fits=fits,
        parallel_slots=slots,
        present=present,
        summary=summary,
    )


def _slots(device: Device) -> int:
    if device.kind == "gpu":
        return int(device.get("sm_count") * device.get("max_threads_per_sm"))
    return int(device.get("cores") * device.get("simd_bits") // 32)


def _fits(device: Device, size: float) -> str:
    for level in ("l1d_bytes", "l2_bytes", "l3_bytes"):
        if level in device.facts and size <= device.get(level):
            return level.removesuffix("_bytes").upper()
    return "DRAM"


OPENING = "You are the hardware agent: you say which roof of a device matters for a problem."
NOW = "Answer with the computed view; you may correct `regime` if caches change it, and say why in `summary`."


def prompt(view: HardwareView, device: Device, facts: OperatorFacts, limit: int = AGENT_LIMIT) -> Brief:
    """What a model is told."""
    known = [
        f"{name}: {fact.value:g} {fact.unit}".rstrip() + f" ({fact.source})" for name, fact in device.facts.items()
    ]
    parts = {
        "The computed view": (view.model_dump_json(),),
        "The problem": problem(facts),
        f"The device: {device.name} ({device.kind}, {device.arch})": known,
        "Notes on the device": device.notes,
    }
    return told("hardware", OPENING, parts, NOW, limit)


async def examine(
    model: Model | None, tools: Toolbox, device: Device, facts: OperatorFacts, present: bool
) -> Spoken[HardwareView]:
    """Say which roof matters. Numbers stay computed: a model may only change the regime and the summary."""
    view = rules(device, facts, present)
    limit = fitting(model, "hardware", HardwareView, AGENT_LIMIT)
    spoken = await consult(
        model, "hardware", prompt(view, device, facts, limit).text, HardwareView, lambda: view, tools
    )
    kept = view.model_copy(update={"regime": spoken.answer.regime, "summary": spoken.answer.summary})
    return Spoken(kept, spoken.by, spoken.tools)
