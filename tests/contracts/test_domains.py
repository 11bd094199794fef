"""The contract of the domain table: what the loop relies on, for the domains that need no files of a user."""

import pytest
from pydantic import JsonValue
from support import need

from atunner.core.judge import judge
from atunner.core.ports import Domain
from atunner.core.status import Provenance, Status
from atunner.core.task import Task
from atunner.domains import BUILT_IN
from atunner.executors.work import resolve
from atunner.knowledge_base.devices import device

TASKS = {
    "toy": Task(domain="toy", name="toy"),
    "kernels": Task(name="matmul", spec={"operator": "matmul", "shape": [33, 17, 20]}),
}


@pytest.fixture(scope="module", params=sorted(TASKS))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "tuple[Domain[object], Task]":
    if request.param == "kernels":
        need("gcc")
    folder = tmp_path_factory.mktemp(request.param)
    config: dict[str, JsonValue] = {
        "cache": str(folder),
        "device": device("host").model_dump(mode="json"),
        "workers": 1,
    }
    domain = resolve(BUILT_IN[request.param], config)
    return domain, domain.admit(TASKS[request.param])


def test_an_admitted_task_is_admitted_again_unchanged(case: "tuple[Domain[object], Task]") -> None:
    domain, task = case

    assert domain.admit(task).spec == task.spec
    assert domain.unreachable(task) == ""


def test_the_baseline_passes_the_judge_with_a_figure_of_the_domains_provenance(
    case: "tuple[Domain[object], Task]",
) -> None:
    domain, task = case
    trial = judge(domain, task, domain.baseline(task))

    assert trial.status is Status.OK, trial.feedback
    assert trial.checks
    assert trial.measurement is not None
    assert trial.measurement.provenance is domain.provenance(task)


def test_every_family_has_a_space_and_realises_the_same_point_alike(case: "tuple[Domain[object], Task]") -> None:
    domain, task = case
    families = domain.families(task)

    assert len({f.name for f in families}) == len(families) >= 2
    assert all(f.techniques for f in families)
    for family in families:
        point = {p.name: p.values[0] for p in family.space.parameters}
        one, other = (domain.realise(task, family.name, point) for _ in range(2))
        assert (one.id, one.family, one.params) == (other.id, family.name, point)


def test_screenings_come_in_the_order_asked(case: "tuple[Domain[object], Task]") -> None:
    domain, task = case
    asked = [domain.baseline(task)]

    assert [s.candidate.id for s in domain.screen(task, asked)] == [c.id for c in asked]


def test_facts_and_environment_are_the_same_each_time(case: "tuple[Domain[object], Task]") -> None:
    domain, task = case

    assert domain.facts(task) == domain.facts(task)
    assert domain.facts(task).flops > 0
    assert domain.environment(task).id == domain.environment(task).id
    assert domain.provenance(task) in set(Provenance)
