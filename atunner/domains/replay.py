"""A recording instead of a device: figures are looked up, stamped simulated, and nothing is compiled."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import CandidateError, NotMeasured, UserError
from atunner.core.facts import OperatorFacts
from atunner.core.measurement import Environment, Measurement
from atunner.core.metric import check_of, computable, goals, metrics_of, only_time
from atunner.core.profile import Profile
from atunner.core.space import Family
from atunner.core.statistics import MINIMUM_GAIN, paired_ratio
from atunner.core.status import Provenance, Status
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Screening, Trial
from atunner.core.value import canonical
from atunner.tools.recording import Entry, Recording, read_recording


class Known:
    """A recording by configuration."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Entries by the canonical text of their parameters."""
        return {canonical(dict(e.params)): e for e in self.recording.entries}

    def entry(self, params: Params) -> Entry:
        """The entry of a configuration. Raises NotMeasured."""
        found = self.entries.get(canonical(dict(params)))
        if found is None:
            raise NotMeasured("this configuration is not in the recording")
        return found


class Replay:
    """The Domain port over one cache file; `spec.recording` names it, `spec.digest` holds it to what was read."""

    def __init__(self, config: dict[str, JsonValue] | None = None) -> None:
        self.config = config or {}

    def admit(self, task: Task) -> Task:
        """Read the file and choose the baseline: `spec.baseline`, else the first configuration that worked."""
        recording = _known(str(task.spec.get("recording", ""))).recording
        working = [e.params for e in recording.entries if e.failure is None]
        if not working:
            raise UserError(f"Every configuration of {Path(recording.file).name} failed; there is nothing to replay.")
        _can_be_replayed(task, recording, working[0])
        asked = task.spec.get("baseline")
        spec = {
            **task.spec,
            "recording": recording.file,
            "digest": recording.digest,
            "operator": recording.kernel,
            "shape": list(recording.sizes),
            "device": recording.device,
            "baseline": asked if asked in working else working[0],
        }
        return task.model_copy(update={"spec": spec})

    def unreachable(self, task: Task) -> str:
        """A recording is always within reach."""
        return ""

    def provenance(self, task: Task) -> Provenance:
        """Simulated."""
        return Provenance.SIMULATED

    def facts(self, task: Task) -> OperatorFacts:
        """What a recording tells of its problem: next to nothing."""
        known = self._known(task).recording
        note = "a recording does not say what is computed: its flops and bytes are not known"
        return OperatorFacts(
            operator=known.kernel, dtype="float32", settings=(), tensors={}, flops=0, min_bytes=0, notes=(note,)
        )

    def families(self, task: Task) -> tuple[Family, ...]:
        """The recorded kernel with the values that were recorded."""
        known = self._known(task).recording
        return (Family(name=known.kernel, summary=f"recorded on {known.device}", space=known.space),)

    def baseline(self, task: Task) -> Candidate:
        """The chosen baseline."""
        chosen = task.spec["baseline"]
        params = chosen if isinstance(chosen, dict) else {}
        return self.realise(task, "", params).model_copy(update={"origin": "baseline"})

    def realise(self, task: Task, family: str, params: Params) -> Candidate:
        """The parameters alone: there is no source."""
        return Candidate(params=params, family=str(task.spec["operator"]), origin="search")

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """Whether it is recorded. Raises NotMeasured."""
        self._known(task).entry(candidate.params)
        return (Check(name="recorded", passed=True, detail=str(task.spec["recording"])),)

    def build(self, task: Task, candidate: Candidate) -> Candidate:
        """Fails as it failed then."""
        failure = self._known(task).entry(candidate.params).failure
        if failure is not None:
            raise _failed(failure)
        return candidate

    def verify(self, task: Task, built: Candidate) -> tuple[Check, ...]:
        """Nothing is run; what the recording tuner checked is not known. What else it measured, where that is asked."""
        if only_time(task):
            return ()
        entry = self._known(task).entry(built.params)
        return (check_of(metrics_of(task), _measured(entry), self._names(task, entry)),)

    def measure(self, task: Task, built: Candidate) -> Measurement:
        """The recorded samples of the time, or the one figure of another objective."""
        known, metric = self._known(task), task.objective.metric
        entry = known.entry(built.params)
        samples = entry.samples
        if metric != "time":
            found = check_of(metrics_of(task), _measured(entry), self._names(task, entry)).figures
            if metric not in found:
                raise NotMeasured(f"no {metric} was recorded of this configuration")
            samples = (float(str(found[metric])),)
        return Measurement(
            unit=task.objective.unit,
            samples=samples,
            provenance=Provenance.SIMULATED,
            source=f"recording of {known.recording.device} ({Path(known.recording.file).name})",
            environment=self.environment(task).id,
        )

    def profile(self, task: Task, built: Candidate) -> Profile:
        """A recording has none."""
        raise NotMeasured("a recording has no profile")

    def compare(self, task: Task, baseline: Candidate, candidate: Candidate) -> Comparison | None:
        """The recorded samples side by side; both stay simulated. None for figures that no ratio can be taken of."""
        first, second = self.measure(task, baseline), self.measure(task, candidate)
        count = min(len(first.samples), len(second.samples))
        if min(*first.samples, *second.samples) <= 0:
            return None
        over, under = (first, second) if task.objective.minimise else (second, first)
        ratio = paired_ratio(over.samples[:count], under.samples[:count])
        return Comparison(
            ratio=ratio.value,
            low=ratio.low,
            high=ratio.high,
            minimum_gain=MINIMUM_GAIN,
            baseline=first,
            candidate=second,
        )

    def yardstick(self, task: Task, candidate: Candidate) -> Comparison | None:
        """No library was recorded."""
        return None

    def evidence(self, task: Task, trial: Trial, comparison: Comparison | None, baseline: Candidate) -> JsonValue:
        """The recording is the evidence."""
        return None

    def screen(self, task: Task, candidates: Sequence[Candidate]) -> list[Screening]:
        """Whether each is recorded and worked."""
        return [self._screened(task, candidate) for candidate in candidates]

    def environment(self, task: Task) -> Environment:
        """The recording itself."""
        known = self._known(task).recording
        return Environment(device=f"{known.device} (recorded)", extra={"recording": known.digest})

    def _names(self, task: Task, entry: Entry) -> dict[str, JsonValue]:
        """What a metric may name beside the recorded figures: the sizes of the problem and the parameters."""
        return {**_sizes(self._known(task).recording), **entry.params}

    def _screened(self, task: Task, candidate: Candidate) -> Screening:
        try:
            self.build(task, candidate)
        except CandidateError as error:
            return Screening(candidate=candidate, reason=f"{error.status}: {error}")
        return Screening(candidate=candidate)

    def _known(self, task: Task) -> Known:
        known = _known(str(task.spec["recording"]))
        if known.recording.digest != task.spec.get("digest"):
            raise UserError(f"{known.recording.file} has changed since the run began. Put it back, or start anew.")
        return known


def _measured(entry: Entry) -> dict[str, float]:
    return {"time": entry.value or 0.0, **entry.figures}


def _sizes(recording: Recording) -> dict[str, JsonValue]:
    numbers = [size for size in recording.sizes if isinstance(size, int)]
    return {f"problem_size_{axis}": size for axis, size in zip("xyz", numbers, strict=False)}


def _can_be_replayed(task: Task, recording: Recording, working: Params) -> None:
    """Refuse what was not recorded. Raises UserError: no such figure, or a metric has a name that is not known."""
    entry = next(e for e in recording.entries if e.params == working)
    metrics, measured = metrics_of(task), _measured(entry)
    known = [*measured, *(m.name for m in metrics)]
    for goal in goals(task):
        if goal.metric not in known:
            raise UserError(f"{Path(recording.file).name} has no {goal.metric}; recorded are {', '.join(known)}.")
    told = ", ".join(f"{n}={v}" for n, v in working.items())
    computable(metrics, {**_sizes(recording), **working}, measured, f"the first configuration ({told})")


@lru_cache(maxsize=4)
def _known(file: str) -> Known:
    return Known(read_recording(Path(file)))


def _failed(failure: Status) -> CandidateError:
    kind = next(k for k in CandidateError.__subclasses__() if k.status is failure)
    return kind(f"it was recorded as {failure}")
