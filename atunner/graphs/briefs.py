"""What any role would be told about a task: planner, coder and the six agents, before a run or at its end."""

from typing import Any

from atunner.agents import codegen, evaluation, fusion, hardware, operator, performance
from atunner.agents.brief import Brief
from atunner.agents.briefing import ROLES as WRITERS
from atunner.agents.briefing import brief as writers_brief
from atunner.agents.briefing import least as writers_least
from atunner.agents.codegen import FamilyRecord, Recalled, Situation
from atunner.agents.performance import Diagnosis
from atunner.core.device import Device
from atunner.core.diagnosis import Bottleneck, Finding
from atunner.core.errors import UnknownName
from atunner.core.ports import Domain
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.task import Budget, Spent, Task
from atunner.core.trial import Trial
from atunner.graphs.strategies.material import of_task

AGENTS = ("operator", "hardware", "performance", "fusion", "codegen", "evaluation")
ROLES = (*WRITERS, *AGENTS)
UNKNOWN = Finding(bottleneck=Bottleneck.UNKNOWN, evidence=("no candidate was judged yet",))


class Briefing:
    """One task and what is known of it. record: a run of it, None before the first."""

    def __init__(
        self,
        domain: Domain[Any],
        device: Device,
        task: Task,
        recalled: tuple[Recalled, ...] = (),
        record: RunRecord | None = None,
    ) -> None:
        self._domain, self._device, self._task, self._recalled, self._record = domain, device, task, recalled, record
        self._facts = domain.facts(task)
        present = domain.provenance(task) is not Provenance.PREDICTED
        self._view = hardware.rules(device, self._facts, present)

    def of(self, role: str, limit: int) -> Brief:
        """The brief of a role. Raises UnknownName."""
        if role in WRITERS:
            return writers_brief(role, self._material(), "", limit)
        made = {
            "operator": lambda: operator.prompt(self._facts, limit),
            "hardware": lambda: hardware.prompt(self._view, self._device, self._facts, limit),
            "performance": lambda: self._performance(limit),
            "fusion": lambda: fusion.prompt(self._fusion(), self._facts, limit),
            "codegen": lambda: codegen.prompt(self._situation(), frozenset(self._diagnosis().techniques), limit),
            "evaluation": lambda: self._evaluation(limit),
        }
        if role not in made:
            raise UnknownName("role", role, ROLES)
        return made[role]()

    def least(self, role: str) -> int:
        """Tokens of the smallest brief of a planner or coder that is of use."""
        return writers_least(role, self._material())

    def _material(self) -> Any:
        return of_task(self._domain, self._device, self._task, self._recalled, self._record)

    def _fusion(self) -> fusion.FusionView:
        return fusion.rules(self._facts, self._device, self._view.bound_us)

    def _diagnosis(self) -> Diagnosis:
        found: Diagnosis | None = self._material().diagnosis
        return found or performance.rules(UNKNOWN)

    def _performance(self, limit: int) -> Brief:
        """Of the best candidate so far; before a run, of the baseline that nobody has judged yet."""
        winner = (self._record.winner or self._record.baseline) if self._record else None
        trial = winner or Trial(candidate=self._domain.baseline(self._task), status=Status.NOT_MEASURED)
        said = self._diagnosis()
        finding = Finding(bottleneck=said.bottleneck, evidence=said.evidence, headroom=said.headroom)
        return performance.prompt(trial, said, finding, limit)

    def _situation(self) -> Situation:
        return Situation(
            operator=operator.rules(self._facts),
            hardware=self._view,
            diagnosis=self._diagnosis(),
            fusion=self._fusion(),
            records=tuple(self._known(family.name, family) for family in self._domain.families(self._task)),
            recalled=self._recalled,
            round=0,
            points=32,
        )

    def _known(self, name: str, family: Any) -> FamilyRecord:
        mine = [t for t in self._record.trials if t.candidate.family == name] if self._record else []
        good = [t for t in mine if t.measurement]
        best = min(good, key=lambda t: t.measurement.value if t.measurement else 0.0, default=None)
        found = FamilyRecord(family=family, tried=len(mine), failed=len(mine) - len(good))
        if best is None or best.measurement is None:
            return found
        return found.model_copy(update={"best": best.measurement.value, "best_params": best.candidate.params})

    def _evaluation(self, limit: int) -> Brief:
        record = self._record
        base = record.baseline.measurement if record and record.baseline else None
        best = record.winner.measurement if record and record.winner else None
        standing = evaluation.Standing(
            round=max((n.round for n in record.notes), default=0) if record else 0,
            budget=record.budget if record else Budget(trials=128),
            spent=record.spent if record else Spent(),
            best=best.value if best else None,
            baseline=base.value if base else None,
            ratio=self._task.objective.ratio(base.value, best.value) if base and best else None,
        )
        return evaluation.prompt(standing, evaluation.rules(standing), limit)
