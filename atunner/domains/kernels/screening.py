"""Candidates before they cost a trial: the gate, a build, and for CUDA the predicted cost by their machine code."""

from collections.abc import Sequence

from atunner.core.candidate import Candidate
from atunner.core.errors import CandidateError
from atunner.core.profile import Profile, StaticFacts
from atunner.core.trial import Check, Screening
from atunner.domains.kernels.backends.cuda import CudaBuilt
from atunner.domains.kernels.ranking import Prediction, predict
from atunner.domains.kernels.subject import Config, Subject


def screen(subject: Subject, config: Config, candidates: Sequence[Candidate]) -> list[Screening]:
    """Compile all, side by side; for CUDA inspect the machine code at once and predict relative costs."""
    passed = [_or_reason(subject, candidate) for candidate in candidates]
    ready = [candidate for candidate, found in zip(candidates, passed, strict=True) if found is None]
    screened = iter(_by_machine_code(subject, config, ready) if subject.language == "cuda" else map(_plain, ready))
    return [next(screened) if found is None else found for found in passed]


def gated(subject: Subject, candidate: Candidate) -> tuple[Check, ...]:
    """What the static gate of the subject's language says. Raises Rejected."""
    found: tuple[Check, ...] = subject.backend.check(subject.problem, candidate)
    return found


def predicted(subject: Subject, config: Config, kernels: tuple[StaticFacts, ...]) -> Prediction:
    """The relative cost on the target of a candidate whose kernels have these facts."""
    facts = subject.operator.facts(subject.problem, subject.given)
    return predict(kernels, facts.flops, facts.min_bytes, config.device)


def _or_reason(subject: Subject, candidate: Candidate) -> Screening | None:
    """Why the gate, or for C the compiler, refuses it; None when it does not."""
    try:
        gated(subject, candidate)
        if subject.language == "c":
            _build_ahead(subject, candidate)
    except CandidateError as error:
        return refused(candidate, error)
    return None


def _build_ahead(subject: Subject, candidate: Candidate) -> None:
    """Fill the build cache for every problem that the judge will ask for; candidates are built side by side."""
    for problem in (subject.problem, *subject.operator.derived(subject.problem)):
        subject.backend.build(problem, candidate)


def _by_machine_code(subject: Subject, config: Config, candidates: Sequence[Candidate]) -> list[Screening]:
    built = subject.backend.build_all(subject.problem, candidates, config.workers) if candidates else []
    facts = iter(subject.backend.facts_all([one for one in built if isinstance(one, CudaBuilt)]))
    return [
        refused(candidate, one) if isinstance(one, CandidateError) else _scored(candidate, next(facts), subject, config)
        for candidate, one in zip(candidates, built, strict=True)
    ]


def _scored(candidate: Candidate, kernels: tuple[StaticFacts, ...], subject: Subject, config: Config) -> Screening:
    found = predicted(subject, config, kernels)
    profile = Profile(kernels=kernels, notes=(f"predicted limiter: {found.limiter}",))
    if not found.fits:
        return Screening(candidate=candidate, reason="a block does not fit on a multiprocessor", profile=profile)
    return Screening(candidate=candidate, score=found.cost, profile=profile)


def _plain(candidate: Candidate) -> Screening:
    return Screening(candidate=candidate)


def refused(candidate: Candidate, error: CandidateError) -> Screening:
    """A candidate that costs no trial, and why."""
    return Screening(candidate=candidate, reason=f"{error.status}: {str(error)[:500]}")
