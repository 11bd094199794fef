"""The evidence of a tuned C program: everything needed to check the result again from scratch, in one file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import CandidateError, NotMeasured
from atunner.core.judge import judge
from atunner.core.ports import Domain
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Trial
from atunner.core.value import Value, content_id
from atunner.domains.kernels.evidence import Finding, Merit, Origin
from atunner.domains.llvm_ir.program import Program

SCHEMA = 1


class Validity(Value):
    """Whether it computes what the program computes, and how that was found: every check."""

    status: Status
    checks: tuple[Check, ...]


class ProgramEvidence(Value):
    """One kept result. program: with the inputs and variants that were held out. sha256: of the binary as measured."""

    schema_version: int = SCHEMA
    program: Program
    candidate: Candidate
    baseline: Candidate
    sha256: str
    validity: Validity
    merit: Merit
    origin: Origin

    @property
    def digest(self) -> str:
        """SHA-256 of the content, whole."""
        return content_id(self.model_dump(mode="json"), length=64)


class ProgramBundle(Value):
    """Evidence and its digest, as written."""

    digest: str
    evidence: ProgramEvidence


def bundled(evidence: ProgramEvidence) -> JsonValue:
    """As it is kept: the evidence under its digest."""
    plain: JsonValue = ProgramBundle(digest=evidence.digest, evidence=evidence).model_dump(mode="json")
    return plain


def of_program(text: str) -> ProgramBundle | None:
    """The bundle in a text; None when it is not the evidence of a C program."""
    try:
        return ProgramBundle.model_validate_json(text)
    except ValueError:
        return None


def config(cache: Path, host: Device, sandbox: str) -> dict[str, JsonValue]:
    """How the domain is made to check a bundle. cache: an empty folder, so that nothing from before is believed."""
    return {"cache": str(cache), "device": host.model_dump(mode="json"), "sandbox": sandbox}


def task_of(program: Program) -> Task:
    """The task of an admitted program."""
    return Task(domain="llvm_ir", name=program.name, spec=program.model_dump(mode="json"))


def recheck(bundle: ProgramBundle, domain: Domain[Any]) -> Iterator[Finding]:
    """Look at every statement again: integrity, build, the whole gate and merit.

    The domain is a fresh one, made by `config`.
    """
    evidence = bundle.evidence
    origin, program = evidence.origin, evidence.program
    task = task_of(program)
    layers = ", ".join(origin.environment.sandbox)
    where = f"{origin.provenance} on {origin.environment.device}; sandbox: {layers}"
    yield Finding(name="provenance", passed=None, detail=where)
    same = evidence.digest == bundle.digest
    yield Finding(
        name="integrity", passed=same, detail="content matches its digest" if same else "the content was changed"
    )
    yield _rebuilt(evidence, task, domain)
    yield _valid(judge(domain, task, evidence.candidate))
    yield _worth(evidence, task, domain)


def _rebuilt(evidence: ProgramEvidence, task: Task, domain: Domain[Any]) -> Finding:
    now, then = domain.environment(task).toolchain, evidence.origin.environment.toolchain
    if now != then:
        return Finding(name="artefact", passed=None, detail=f"another toolchain: {then} then, {now} now")
    try:
        found = domain.build(task, evidence.candidate).sha256
    except CandidateError as error:
        return Finding(name="artefact", passed=False, detail=str(error))
    return Finding(name="artefact", passed=found == evidence.sha256, detail=f"rebuilt from source: sha256 {found[:16]}")


def _valid(trial: Trial) -> Finding:
    """What the gate says now: results, held-out inputs and variants, sanitizers."""
    told = ", ".join(check.name for check in trial.checks if not check.name.endswith("after timing"))
    return Finding(name="validity", passed=trial.status is Status.OK, detail=trial.feedback or told)


def _worth(evidence: ProgramEvidence, task: Task, domain: Domain[Any]) -> Finding:
    """Whether the claim holds again; on another machine there is no claim to hold it against."""
    then, here = evidence.merit.comparison, domain.environment(task)
    if then is None:
        return Finding(name="merit", passed=None, detail="the bundle claims no speed-up")
    if here.device != evidence.origin.environment.device:
        detail = f"measured on {evidence.origin.environment.device}, not {here.device}"
        return Finding(name="merit", passed=None, detail=detail)
    try:
        built = [domain.build(task, one) for one in (evidence.baseline, evidence.candidate)]
        now = domain.compare(task, built[0], built[1])
    except NotMeasured as error:
        return Finding(name="merit", passed=not then.better, detail=f"claimed {_ratio(then)}; now {error}")
    except CandidateError as error:
        return Finding(name="merit", passed=False, detail=str(error))
    if now is None:
        return Finding(name="merit", passed=None, detail="nothing can be measured here")
    return Finding(name="merit", passed=now.better == then.better, detail=f"claimed {_ratio(then)}, now {_ratio(now)}")


def _ratio(found: Comparison) -> str:
    return f"{found.ratio:.3f} [{found.low:.3f}, {found.high:.3f}]"
