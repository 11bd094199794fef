"""The briefs of the planner and the coder: task, device, best, bottleneck, history, lessons, what is forbidden."""

from pydantic import Field, JsonValue

from atunner.agents.brief import DATA_RULE, LIMIT, Brief, Section, fit, quoted
from atunner.agents.performance import Diagnosis
from atunner.core.device import Device
from atunner.core.facts import OperatorFacts
from atunner.core.status import Status
from atunner.core.terms import Terms
from atunner.core.tokens import count
from atunner.core.trial import Trial
from atunner.core.value import Value

ROLES = ("planner", "coder")
NEEDED = 2
"""The last rank of sections without which a brief is of no use."""
ORDER = 200
"""Tokens of what is wanted in one step, at most."""
DEVICE_FACTS = (
    *("sm_count", "cores", "simd_bits", "fma_units", "clock_mhz", "fp32_tflops", "dram_gbs"),
    *("l1d_bytes", "l2_bytes", "l3_bytes", "shared_per_block_optin", "registers_per_sm", "max_threads_per_sm"),
)
OPENING = {
    "planner": "You plan how to make one compute kernel faster. You write no code. A judge builds, verifies and "
    "measures what others write from your plan.",
    "coder": "You write one compute kernel. A judge builds it, compares its results with a reference on hidden inputs "
    "and measures it; a wrong or cheating kernel counts for nothing.",
}
FORBIDDEN = (
    "- Keep every kernel's name and its arguments in their order; compute the same result for any input.",
    "- No inline assembler, clocks, files, threads of your own, environment, vendor libraries, extra headers.",
    "- No lower precision than the task's, no skipped work, no state kept between calls.",
)
CONVENTION = (
    "- Each tunable number is a NAME in capitals, used bare in the source and listed in `parameters` with its values.",
    "- Every problem dimension d is the macro DIM_D. Never #define a parameter or a dimension.",
    "- `constraints` are Python expressions over parameter names. `launches` only when grid, block or kernels change.",
)


class Lesson(Value):
    """Something earlier runs or the knowledge base teach. evidence: where it comes from."""

    text: str
    evidence: str


class Inspiration(Value):
    """Another kernel of the same task, to take ideas from."""

    name: str
    source: str


class Material(Value):
    """All that a brief may draw on. trials: in the order recorded. refused: what the last rewrites fell by."""

    facts: OperatorFacts
    device: Device
    provenance: str
    unit: str
    source: str
    file: str
    inspiration: Inspiration | None = None
    launches: str = ""
    best: Trial | None = None
    baseline: Trial | None = None
    diagnosis: Diagnosis | None = None
    trials: tuple[Trial, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    refused: tuple[str, ...] = ()
    parameters: dict[str, tuple[JsonValue, ...]] = Field(default_factory=dict)
    terms: Terms | None = None


def brief(role: str, material: Material, order: str = "", limit: int = LIMIT) -> Brief:
    """What the model in that role is told. order: what is wanted of it in this step."""
    return fit(role, _sections(role, material, order), limit)


def least(role: str, material: Material) -> int:
    """Tokens of a brief with nothing in it but role, task, how it stands, the kernel, the rules and an order."""
    needed = (s for s in _sections(role, material, "") if s.rank <= NEEDED and s.lines)
    return ORDER + sum(count(section.text(section.lines)) for section in needed)


def _sections(role: str, material: Material, order: str) -> tuple[Section, ...]:
    m = material
    opening = {"planner": m.terms.planner, "coder": m.terms.coder} if m.terms else OPENING
    forbidden, convention = (m.terms.forbidden, m.terms.convention) if m.terms else (FORBIDDEN, CONVENTION)
    return (
        Section(title="Your role", lines=(opening[role], DATA_RULE), rank=0),
        Section(title="Task", lines=_task(m), rank=1),
        Section(title="Device", lines=_device(m), rank=5),
        Section(title="Where it stands", lines=_standing(m), rank=2),
        Section(title=f"The kernel to start from ({m.file})", lines=_source(m), rank=2),
        Section(title="Another kernel of this task", lines=_other(m), rank=4),
        Section(
            title="What fell last", lines=tuple(quoted("refusal", r) for r in reversed(m.refused)), rank=3, cut=True
        ),
        Section(title="Evidence", lines=m.terms.evidence if m.terms else (), rank=4, cut=True),
        Section(title="Trials so far", lines=history(m), rank=6, cut=True),
        Section(title="Lessons", lines=tuple(f"- {x.text} ({x.evidence})" for x in m.lessons), rank=7, cut=True),
        Section(title="Rules", lines=forbidden + (convention if role == "coder" else ()), rank=1),
        Section(title="Now", lines=tuple(filter(None, (order,))), rank=0),
    )


def _task(m: Material) -> tuple[str, ...]:
    settings = ", ".join(f"{s.name}={s.value}" for s in m.facts.settings)
    tensors = ", ".join(f"{name}{list(shape)}" for name, shape in m.facts.tensors.items())
    return (
        f"{m.facts.operator} {m.facts.dtype}; {tensors}" + (f"; {settings}" if settings else ""),
        f"{m.facts.flops:.4g} FLOP, at least {m.facts.min_bytes:.4g} bytes, {m.facts.intensity:.3g} FLOP/byte"
        if m.facts.counted
        else "its work is not counted",
        *m.facts.access[:4],
    )


def _device(m: Material) -> tuple[str, ...]:
    known = [f"{n}={m.device.get(n):g}" for n in DEVICE_FACTS if n in m.device.facts]
    return (f"{m.device.name} ({m.device.arch}): {', '.join(known)}",)


def _standing(m: Material) -> tuple[str, ...]:
    lines = [f"{name}: {_figure(trial, m)}" for name, trial in (("best", m.best), ("baseline", m.baseline)) if trial]
    if m.diagnosis:
        lines.append(f"bottleneck: {m.diagnosis.summary}")
        lines += [f"- {e}" for e in m.diagnosis.evidence[:6]]
    return tuple(lines) or ("nothing was tried yet",)


def _figure(trial: Trial, m: Material) -> str:
    value = (
        f"{trial.measurement.value:.5g} {trial.measurement.unit}, {m.provenance}" if trial.measurement else "no figure"
    )
    params = ", ".join(f"{k}={v}" for k, v in trial.candidate.params.items()) or "no parameters"
    return f"{trial.candidate.family or trial.candidate.id} ({params}): {value}"


def _source(m: Material) -> tuple[str, ...]:
    values = "; ".join(f"{n} in {list(v)}" for n, v in m.parameters.items())
    return tuple(
        filter(
            None,
            (
                quoted(m.file, m.source),
                f"its parameters: {values}" if values else "",
                f"its launches: {m.launches}" if m.launches else "",
            ),
        )
    )


def _other(m: Material) -> tuple[str, ...]:
    return (quoted(m.inspiration.name, m.inspiration.source),) if m.inspiration else ()


def history(m: Material) -> tuple[str, ...]:
    """One line a trial with the reason it is told: the newest, the best, then one failure of each kind, then by age."""
    if not m.trials:
        return ()
    good = [t for t in m.trials if t.status is Status.OK and t.measurement]
    best = m.best or min(good, key=lambda t: t.measurement.value if t.measurement else 0.0, default=None)
    newest = m.trials[-1]
    lines = {newest.candidate.id: _told(newest, "newest", m)}
    if best is not None:
        lines.setdefault(best.candidate.id, _told(best, "best", m))
    for trial in reversed(m.trials):
        kinds = {line.split(": ")[0] for line in lines.values()}
        if trial.status is not Status.OK and f"- last {trial.status}" not in kinds:
            lines.setdefault(trial.candidate.id, _told(trial, f"last {trial.status}", m))
    for trial in reversed(m.trials):
        lines.setdefault(trial.candidate.id, _told(trial, "recent", m))
    return tuple(lines.values())


def _told(trial: Trial, why: str, m: Material) -> str:
    if trial.status is Status.OK:
        return f"- {why}: {_figure(trial, m)}"
    said = " ".join(trial.feedback.split())[:160]
    return f"- {why}: {trial.candidate.family or trial.candidate.id} {trial.candidate.params}: {trial.status}: {said!r}"
