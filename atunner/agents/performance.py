"""The performance agent: the one thing that limits the best candidate now, and what follows from it."""

from atunner.agents.brief import AGENT_LIMIT, Brief, quoted, told
from atunner.core.consult import Spoken, Toolbox, consult, fitting
from atunner.core.device import Device
from atunner.core.diagnosis import Bottleneck, Finding, Subject
from atunner.core.diagnosis import diagnose as find
from atunner.core.facts import OperatorFacts
from atunner.core.ports import Model
from atunner.core.profile import Profile
from atunner.core.roofline import bound, ceilings
from atunner.core.status import Provenance
from atunner.core.trial import Trial
from atunner.core.value import Value

MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6, "ns": 1e-3}


class Diagnosis(Value):
    """The performance agent's answer. headroom: figure over roofline bound, None when nothing was measured."""

    bottleneck: Bottleneck
    evidence: tuple[str, ...]
    headroom: float | None = None
    techniques: tuple[str, ...] = ()
    summary: str


FOLLOWS: dict[Bottleneck, tuple[str, tuple[str, ...]]] = {
    Bottleneck.MEMORY: (
        "move fewer bytes, in wider accesses",
        ("shared_memory_tiling", "vectorized_loads", "packing"),
    ),
    Bottleneck.COMPUTE: (
        "do more arithmetic for each instruction issued",
        ("register_blocking", "loop_unrolling", "vectorization"),
    ),
    Bottleneck.LATENCY: ("keep more work in flight", ("double_buffering", "thread_coarsening", "split_k")),
    Bottleneck.LAUNCH: ("make more, smaller blocks", ("split_k", "split_rows", "split_reduction")),
    Bottleneck.SHARED_MEMORY: ("take more from registers", ("register_blocking", "bank_conflict_padding")),
    Bottleneck.OCCUPANCY: ("use less of what limits the resident warps", ("thread_coarsening",)),
    Bottleneck.AT_LIMIT: ("nothing is left to gain", ()),
    Bottleneck.UNKNOWN: ("let measurements alone decide", ()),
}


def rules(finding: Finding) -> Diagnosis:
    """What follows from a finding."""
    advice, techniques = FOLLOWS[finding.bottleneck]
    first = finding.evidence[0] if finding.evidence else "no evidence"
    return Diagnosis(
        bottleneck=finding.bottleneck,
        evidence=finding.evidence,
        headroom=finding.headroom,
        techniques=techniques,
        summary=f"{finding.bottleneck}: {first}; so {advice}",
    )


def at_limit(diagnosis: Diagnosis | None) -> bool:
    """Whether the roofline leaves nothing to gain."""
    return diagnosis is not None and diagnosis.bottleneck is Bottleneck.AT_LIMIT


OPENING = "You are the performance agent: you name the one thing that limits the best candidate so far."
NOW = "Name the one bottleneck, keep the evidence lines that support it, and the techniques that follow."


def prompt(trial: Trial, expert: Diagnosis, finding: Finding, limit: int = AGENT_LIMIT) -> Brief:
    """What a model is told."""
    candidate = trial.candidate
    values = ", ".join(f"{name}={value}" for name, value in candidate.params.items()) or "no parameters"
    parts = {
        "Evidence, computed": finding.evidence,
        "The best candidate": (quoted("candidate", f"{candidate.family or 'no name'}: {values}"),),
        "The rules say": (expert.summary,),
        "Techniques that treat this": expert.techniques,
    }
    return told("performance", OPENING, parts, NOW, limit)


async def diagnose(
    model: Model | None, tools: Toolbox, trial: Trial, facts: OperatorFacts, device: Device
) -> Spoken[Diagnosis]:
    """Name one bottleneck of `trial`. Evidence and headroom stay computed; a model may weigh them otherwise."""
    finding = find(_subject(trial, facts, device))
    expert = rules(finding)
    found = tools.call("techniques", bottleneck=str(finding.bottleneck))
    named = tuple(str(t) for t in found) if isinstance(found, list) else ()
    expert = expert.model_copy(update={"techniques": tuple(dict.fromkeys((*expert.techniques, *named)))})
    limit = fitting(model, "performance", Diagnosis, AGENT_LIMIT)
    spoken = await consult(
        model, "performance", prompt(trial, expert, finding, limit).text, Diagnosis, lambda: expert, tools
    )
    kept = spoken.answer.model_copy(update={"headroom": expert.headroom, "evidence": expert.evidence})
    if kept.bottleneck is Bottleneck.AT_LIMIT and expert.bottleneck is not Bottleneck.AT_LIMIT:
        kept = expert
    return Spoken(kept, spoken.by, spoken.tools)


def _subject(trial: Trial, facts: OperatorFacts, device: Device) -> Subject:
    figure = trial.measurement
    measured = figure is not None and figure.provenance is Provenance.MEASURED and figure.unit in MICROSECONDS
    return Subject(
        profile=trial.profile or Profile(notes=("no profile",)),
        device=device,
        bound=bound(ceilings(device, facts.dtype), facts.flops, facts.min_bytes),
        time_us=figure.value * MICROSECONDS[figure.unit] if figure and measured else None,
    )
