"""The fusion agent: what could be merged with this operator, and what that asks of the kernel."""

from atunner.agents.brief import AGENT_LIMIT, Brief, problem, told
from atunner.core.consult import Spoken, Toolbox, consult, fitting
from atunner.core.device import Device
from atunner.core.facts import OperatorFacts
from atunner.core.ports import Model
from atunner.core.value import Value


class Opportunity(Value):
    """One operation that could be fused. saved_us: at the device's DRAM bandwidth. blocker: "" if legal."""

    name: str
    route: str
    saved_bytes: int
    saved_us: float
    share: float
    blocker: str = ""


class FusionView(Value):
    """The fusion agent's answer.

    keep_single_pass: a fusion worth having needs the result in registers when it is final, so families that finish
    an output in a second pass (split reductions) lose it and should give way when nothing else decides.
    """

    opportunities: tuple[Opportunity, ...]
    keep_single_pass: bool
    summary: str


WORTH_FUSING = 0.05


def rules(facts: OperatorFacts, device: Device, bound_us: float) -> FusionView:
    """Saved time = saved bytes / DRAM bandwidth; worth having from 5 % of the operator's own roofline bound."""
    bandwidth = device.get("dram_gbs") * 1e9
    found = []
    for epilogue in facts.epilogues:
        saved_us = epilogue.saved_bytes / bandwidth * 1e6
        found.append(
            Opportunity(
                name=epilogue.name,
                route=epilogue.route,
                saved_bytes=epilogue.saved_bytes,
                saved_us=saved_us,
                share=saved_us / bound_us if bound_us else 0.0,
                blocker=epilogue.blocker,
            )
        )
    found.sort(key=lambda o: (bool(o.blocker), -o.saved_bytes))
    legal = [o for o in found if not o.blocker and o.share >= WORTH_FUSING]
    keep = any(o.route == "epilogue" for o in legal)
    return FusionView(opportunities=tuple(found), keep_single_pass=keep, summary=_summary(legal))


def _summary(legal: list[Opportunity]) -> str:
    if not legal:
        return "nothing is worth fusing: no legal neighbour would save 5 % of the operator's own bound"
    best = legal[0]
    return (
        f"{best.name} ({best.route}) would save {best.saved_bytes / 1e6:.3g} MB, "
        f"{best.saved_us:.3g} us at the DRAM roof; "
        f"{len(legal)} legal in all"
    )


OPENING = "You are the fusion agent: you say what could be merged with an operator."
NOW = "Answer with the computed view; keep_single_pass says whether the result should stay in registers until final."


def prompt(view: FusionView, facts: OperatorFacts, limit: int = AGENT_LIMIT) -> Brief:
    """What a model is told."""
    parts = {
        "The rules say": (f"{view.summary}; keep_single_pass: {str(view.keep_single_pass).lower()}",),
        "The problem": problem(facts),
        "Opportunities, computed": [o.model_dump_json() for o in view.opportunities],
    }
    return told("fusion", OPENING, parts, NOW, limit)


async def examine(
    model: Model | None, tools: Toolbox, facts: OperatorFacts, device: Device, bound_us: float
) -> Spoken[FusionView]:
    """Say what could be merged. Bytes and times stay computed; a model may change the verdict only."""
    view = rules(facts, device, bound_us)
    limit = fitting(model, "fusion", FusionView, AGENT_LIMIT)
    spoken = await consult(model, "fusion", prompt(view, facts, limit).text, FusionView, lambda: view, tools)
    update = {"keep_single_pass": spoken.answer.keep_single_pass, "summary": spoken.answer.summary}
    return Spoken(view.model_copy(update=update), spoken.by, spoken.tools)
