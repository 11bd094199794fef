"""The evidence of one kept result: everything needed to check it again from scratch, in one file."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from pydantic import Field, JsonValue, ValidationError

from atunner.core import wrong
from atunner.core.candidate import Candidate
from atunner.core.errors import ATunnerError, CandidateError, UserError
from atunner.core.judge import judge
from atunner.core.measurement import Environment, Measurement
from atunner.core.program import Problem
from atunner.core.status import Provenance, Status
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Trial
from atunner.core.value import Value, content_id
from atunner.domains.kernels.backends import Backend
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.stages import Stages, Terms
from atunner.operators import Operator

B = TypeVar("B")
B_contra = TypeVar("B_contra", contravariant=True)

SCHEMA = 1
FILE = "evidence.json"


class Artefact(Value):
    """What was built: how, and the SHA-256 of the result; the same bytes were verified, measured and kept.

    built_for: where it is not the problem that was verified: machine code for a device that is not here, whose source
    was checked on the CPU at smaller problems.
    """

    argv: tuple[str, ...] = ()
    sha256: str = ""
    built_for: Problem | None = None


class Validity(Value):
    """Whether it computes the right thing, and how that was found: every check with its version."""

    status: Status
    checks: tuple[Check, ...]
    secret: int
    problem: Problem
    hidden: tuple[Problem, ...] = ()


class Merit(Value):
    """What it is worth: raw samples, and the comparison with the baseline."""

    measurement: Measurement | None = None
    comparison: Comparison | None = None


class Origin(Value):
    """Where the figures come from. target: the device that the kernel is for, when it is not this processor."""

    provenance: Provenance
    environment: Environment
    target: str = ""


class Evidence(Value):
    """One kept result. Validity, merit and provenance are apart: a doubt about one leaves the others as they are."""

    schema_version: int = SCHEMA
    operator: str
    candidate: Candidate
    baseline: Candidate | None = None
    artefact: Artefact = Artefact()
    validity: Validity
    merit: Merit
    origin: Origin
    extra: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the content, whole."""
        return content_id(self.model_dump(mode="json"), length=64)


class Bundle(Value):
    """Evidence and its digest, as written."""

    digest: str
    evidence: Evidence


class Finding(Value):
    """One statement of the bundle, looked at again. passed None: it cannot be looked at here, and why."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class Meant:
    """What a kernel is made for, where that is not what it was checked on."""

    target: str = ""
    problem: Problem | None = None


NOTHING_ELSE = Meant()


def gather(
    stages: Stages[B],
    trial: Trial,
    comparison: Comparison | None = None,
    baseline: Candidate | None = None,
    meant: Meant = NOTHING_ELSE,
) -> Evidence:
    """The evidence of a trial that `stages` judged; the seeds are revealed in it.

    Raises:
        UserError: the trial is not OK; there is nothing to be kept.
    """
    if trial.status is not Status.OK:
        raise UserError(f"Only a verified result has evidence; this one is {trial.status}.")
    terms = stages.terms
    built = stages.backend.build(meant.problem or terms.problem, trial.candidate)
    measured = trial.measurement.provenance if trial.measurement else Provenance.PREDICTED
    return Evidence(
        operator=terms.problem.operator,
        candidate=trial.candidate,
        baseline=baseline,
        artefact=_artefact(built).model_copy(update={"built_for": meant.problem}),
        validity=Validity(
            status=trial.status,
            checks=trial.checks,
            secret=terms.oracle.secret,
            problem=terms.problem,
            hidden=tuple(terms.hidden),
        ),
        merit=Merit(measurement=trial.measurement, comparison=comparison or trial.comparison),
        origin=Origin(provenance=measured, environment=stages.backend.environment(), target=meant.target),
    )


def write(evidence: Evidence, folder: Path) -> Path:
    """Write evidence.json into `folder`; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(Bundle(digest=evidence.digest, evidence=evidence).model_dump_json(indent=1), encoding="utf-8")
    return path


def text_of(path: Path) -> str:
    """What stands in a file, or in the evidence.json of a folder. Raises UserError when there is none."""
    try:
        return (path / FILE if path.is_dir() else path).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"No evidence at {path}: expected {FILE}, which a confirmed gain leaves; {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not an evidence bundle: it is no text.") from error


def read(path: Path) -> Bundle:
    """The bundle in a file, or in the evidence.json of a folder.

    Raises:
        UserError: there is none, or it is not one.
    """
    try:
        return Bundle.model_validate_json(text_of(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        why = f"{place}: {wrong.said(first)}" if place else wrong.said(first)
        raise UserError(f"{path} is not an evidence bundle: {' '.join(why.split())[:200]}.") from error


Asking = Callable[[Operator, int | None], Oracle]
"""What makes an oracle of an operator and a secret."""


def recheck(bundle: Bundle, operator: Operator, backend: Backend[B], asking: Asking = Oracle) -> Iterator[Finding]:
    """Look at every statement again: integrity, build, correctness with the old and with new seeds, and merit."""
    evidence = bundle.evidence
    same = evidence.digest == bundle.digest
    yield _told(evidence)
    yield Finding(
        name="integrity", passed=same, detail="content matches its digest" if same else "the content was changed"
    )
    yield from _rebuilt(evidence, backend)
    for name, secret in (("validity, revealed seeds", evidence.validity.secret), ("validity, new seeds", None)):
        yield _valid(name, evidence, Stages(backend, _terms(evidence, asking(operator, secret))))
    yield from _clean(evidence, Stages(backend, _terms(evidence, asking(operator, None))))
    yield _worth(evidence, Stages(backend, _terms(evidence, asking(operator, None))))


def _told(evidence: Evidence) -> Finding:
    """Where the figures come from, as the bundle says; nothing of it can be looked at again."""
    origin = evidence.origin
    where = f"{origin.provenance} on {origin.environment.device}"
    if origin.target:
        where = f"{origin.provenance} for {origin.target}"
    return Finding(name="provenance", passed=None, detail=f"{where}; sandbox: {', '.join(origin.environment.sandbox)}")


def _terms(evidence: Evidence, oracle: Oracle) -> Terms:
    return Terms(oracle, evidence.validity.problem, evidence.validity.hidden)


def _rebuilt(evidence: Evidence, backend: Backend[B]) -> Iterator[Finding]:
    try:
        built = backend.build(evidence.artefact.built_for or evidence.validity.problem, evidence.candidate)
    except CandidateError as error:
        yield Finding(name="artefact", passed=False, detail=str(error))
        return
    now, then = backend.environment().toolchain, evidence.origin.environment.toolchain
    found = _artefact(built)
    if now != then:
        yield Finding(name="artefact", passed=None, detail=f"another toolchain: {then} then, {now} now")
        return
    passed = found.sha256 == evidence.artefact.sha256
    yield Finding(name="artefact", passed=passed, detail=f"rebuilt from source: sha256 {found.sha256[:16]}")


def _valid(name: str, evidence: Evidence, stages: Stages[B]) -> Finding:
    trial = judge(stages, Task(name="verify"), evidence.candidate)
    if trial.status is Status.NOT_MEASURED:
        return Finding(name=name, passed=True, detail=f"correct; no figure here: {trial.feedback}")
    detail = trial.feedback or "; ".join(c.detail for c in trial.checks if c.name == "correctness")
    return Finding(name=name, passed=trial.status is Status.OK, detail=detail)


@runtime_checkable
class Sanitizing(Protocol[B_contra]):
    """A backend whose compiler or device has sanitizers."""

    def sanitize(self, built: B_contra, feed: Feed) -> tuple[Check, ...]:
        """One check for each of them. Raises Wrong."""
        ...


def _clean(evidence: Evidence, stages: Stages[B]) -> Iterator[Finding]:
    """What sanitizers say; nothing where there are none."""
    backend, terms = stages.backend, stages.terms
    if not isinstance(backend, Sanitizing):
        return
    try:
        built = backend.build(terms.problem, evidence.candidate)
        checks = backend.sanitize(built, Feed(terms.oracle, terms.problem, secrets.randbits(63)))
    except CandidateError as error:
        yield Finding(name="sanitizers", passed=False, detail=str(error))
        return
    if checks:
        yield Finding(name="sanitizers", passed=True, detail="; ".join(check.detail for check in checks))


def _worth(evidence: Evidence, stages: Stages[B]) -> Finding:
    """Whether the claim holds again; on another device there is no claim to hold it against."""
    then = evidence.merit.comparison
    if evidence.origin.provenance is Provenance.PREDICTED:
        detail = f"predicted for {evidence.origin.target}; nothing was measured, so there is nothing to hold it against"
        return Finding(name="merit", passed=None, detail=detail)
    if then is None or evidence.baseline is None:
        return Finding(name="merit", passed=None, detail="the bundle claims no speed-up")
    here = stages.backend.environment().device
    if here != evidence.origin.environment.device:
        return Finding(
            name="merit", passed=None, detail=f"measured on {evidence.origin.environment.device}, not {here}"
        )
    task = Task(name="verify")
    try:
        now = stages.compare(task, stages.build(task, evidence.baseline), stages.build(task, evidence.candidate))
    except ATunnerError as error:
        return Finding(name="merit", passed=None, detail=str(error))
    detail = f"claimed {_ratio(then)}, now {_ratio(now)}"
    return Finding(name="merit", passed=now.better == then.better, detail=detail)


def _ratio(found: Comparison) -> str:
    return f"{found.ratio:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _artefact(built: object) -> Artefact:
    """Command line and digest of what a backend built, where it has them."""
    return Artefact(argv=tuple(getattr(built, "argv", ())), sha256=str(getattr(built, "digest", "")))
