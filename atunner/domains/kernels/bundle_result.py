"""What comes back from a bundle: read, checked again from the raw samples, and put into the run's record."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from atunner.core.candidate import Candidate
from atunner.core.errors import UserError
from atunner.core.measurement import Environment, Measurement
from atunner.core.program import PROGRAM_FILE
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Check, Comparison, Trial
from atunner.core.value import Value
from atunner.domains.kernels.bundle_runner import hashing, statistics

SCHEMA = 1


class Returned(Value):
    """One contender. comparison: only where status is OK. inputs: how many its results were right on."""

    status: Status
    feedback: str = ""
    inputs: int = 0
    comparison: Comparison | None = None

    @property
    def measurement(self) -> Measurement | None:
        """The candidate's own samples."""
        return self.comparison.candidate if self.comparison else None


class BundleResult(Value):
    """A result file. returned: by candidate id. sources: candidate id -> SHA-256 of the source that was measured.

    same: the baseline against itself, which gives the noise. torch: PyTorch in the place of a candidate, a yardstick.
    """

    run: str
    task: str
    environment: Environment
    baseline: str
    same: Returned
    returned: dict[str, Returned]
    sources: dict[str, str]
    torch: Returned | None = None
    best: str | None = None
    confirmed: Comparison | None = None


def read_result(file: Path) -> BundleResult:
    """The content of a bundle's result.json.

    Raises:
        UserError: no such file, not a result, hashes that do not match, or figures that its samples do not give.
    """
    raw = _loaded(file)
    try:
        if hashing.seal(raw) != raw["seal"]:
            raise UserError(f"{file} was changed after it was measured: its hash does not match. Measure again.")
        return _result(file, raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{file} is not the result of a bundle ({error}). Give the result.json that it wrote."
        ) from error


def _loaded(file: Path) -> dict[str, Any]:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}. Give the result.json of a bundle.") from error
    except ValueError as error:
        raise UserError(f"{file} is not JSON. Give the result.json that a bundle wrote.") from error
    if not isinstance(raw, dict) or not {"seal", "manifest", "results"} <= raw.keys():
        raise UserError(f"{file} is not the result of a bundle. Give the result.json that it wrote.")
    if raw.get("schema") != SCHEMA:
        raise UserError(
            f"{file} has version {raw.get('schema')!r}, this ATunner reads {SCHEMA}. Export the bundle again."
        )
    return raw


def _result(file: Path, raw: dict[str, Any]) -> BundleResult:
    manifest, found = raw["manifest"], raw["results"]
    same = found["baseline"]
    if same["status"] != Status.OK:
        raise UserError(f"{file}: the baseline was not measured ({same['status']}: {same['feedback']}).")
    gain = statistics.minimum_gain([(a, b) for a, b in same["pairs"]])
    environment = _environment(raw)
    known = {c["id"]: c for c in manifest["candidates"]}
    baseline = manifest["candidates"][0]["id"]
    returned = {i: _returned(file, found[i], gain, environment) for i in known if i != baseline and i in found}
    confirmed = _returned(file, raw["confirmed"], gain, environment) if raw["confirmed"] else None
    return BundleResult(
        run=manifest["run"],
        task=manifest["task"],
        environment=environment,
        baseline=baseline,
        same=_returned(file, same, gain, environment),
        returned=returned,
        sources={i: manifest["files"][c["source"]] for i, c in known.items()},
        torch=_returned(file, found["torch"], gain, environment) if "torch" in found else None,
        best=raw["best"] if confirmed and confirmed.comparison else None,
        confirmed=confirmed.comparison if confirmed else None,
    )


def _environment(raw: dict[str, Any]) -> Environment:
    told = dict(raw["environment"])
    device, arch = str(told.pop("device")), str(told.pop("arch"))
    clocks = {name: str(told.pop(name)) for name in ("clock_mhz", "memory_clock_mhz") if name in told}
    return Environment(
        device=device,
        driver=str(told.pop("driver", told.get("cuda", ""))),
        toolchain={"compiler": str(raw["compiler"]), "arch": arch, "torch": str(raw["torch"])},
        clocks=clocks,
        sandbox=("process for each contender",),
        extra={name: str(value) for name, value in sorted(told.items()) if name != "compute processes"},
    )


def _returned(file: Path, one: dict[str, Any], gain: float, environment: Environment) -> Returned:
    status = Status(one["status"])
    if status is not Status.OK:
        return Returned(status=status, feedback=str(one["feedback"]))
    pairs = [(float(a), float(b)) for a, b in one["pairs"]]
    found = statistics.ratio(pairs)
    for name in ("ratio", "low", "high"):
        if not math.isclose(one[name], getattr(found, name), rel_tol=1e-6):
            raise UserError(f"{file}: {name} is not what its samples give. Measure again.")
    comparison = Comparison(
        ratio=found.ratio,
        low=found.low,
        high=found.high,
        minimum_gain=gain,
        baseline=_measurement(one["samples"]["baseline"], environment),
        candidate=_measurement(one["samples"]["candidate"], environment),
    )
    return Returned(status=status, inputs=int(one["inputs"]), comparison=comparison)


def _measurement(samples: list[float], environment: Environment) -> Measurement:
    return Measurement(
        unit="us", samples=tuple(float(s) for s in samples), source=environment.device, environment=environment.id
    )


def as_measured(record: RunRecord, result: BundleResult) -> RunRecord:
    """The same run, ranked by what was measured; candidates outside the bundle keep their prediction, unranked.

    Raises:
        UserError: the result is of another run, another task, or of other sources than the run has.
    """
    if result.task != record.task.id or result.run != record.run:
        raise UserError(f"The result is of run {result.run}, not of {record.run}. Import it into run {result.run}.")
    baseline, base = record.baseline, result.same.comparison
    if baseline is None or base is None or baseline.candidate.id != result.baseline:
        raise UserError(f"The result's baseline is not that of run {record.run}. Export the bundle again.")
    candidates = {t.candidate.id: t.candidate for t in (*record.trials, baseline)}
    for name, expected in result.sources.items():
        if name not in candidates or _source_digest(candidates[name]) != expected:
            raise UserError(f"Candidate {name} of the result is not in run {record.run}. Export the bundle again.")
    trials = tuple(_trial(t, result.returned.get(t.candidate.id)) for t in record.trials)
    return record.model_copy(
        update={
            "provenance": Provenance.MEASURED,
            "environment": result.environment,
            "baseline": baseline.model_copy(update={"measurement": base.candidate}),
            "trials": trials,
            "best": result.best,
            "confirmed": result.confirmed,
        }
    )


def _source_digest(candidate: Candidate) -> str:
    name = json.loads(candidate.files[PROGRAM_FILE])["source"]
    return hashlib.sha256(candidate.files[name].encode()).hexdigest()


def _trial(trial: Trial, returned: Returned | None) -> Trial:
    if returned is None:
        return trial
    if returned.status is not Status.OK:
        return trial.model_copy(
            update={
                "status": returned.status,
                "feedback": f"on the GPU: {returned.feedback}",
                "measurement": None,
                "comparison": None,
            }
        )
    check = Check(
        name="float64 reference on the GPU", passed=True, detail="in the bundle", figures={"inputs": returned.inputs}
    )
    return trial.model_copy(
        update={
            "measurement": returned.measurement,
            "comparison": returned.comparison,
            "checks": (*trial.checks, check),
        }
    )
