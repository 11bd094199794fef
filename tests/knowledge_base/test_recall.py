"""What earlier runs teach: the nearest task first, one provenance, one kind of processor."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import MATMUL, ok, run_record

from atunner.core.record import RunState
from atunner.core.status import Provenance
from atunner.core.task import Objective, Task
from atunner.core.trial import Trial
from atunner.knowledge_base import Store, devices, open_store
from atunner.knowledge_base.similar import distance, features, mismatches

NUMBERS = count()


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store("sqlite://") as opened:
        yield opened


def matmul(size: int, target: str = "host", operator: str = "matmul") -> Task:
    spec = {"operator": operator, "shape": [size, size, size], "dtype": "float32"}
    return MATMUL.model_copy(update={"spec": spec, "target": target, "name": operator})


def learn(store: Store, task: Task, *trials: Trial) -> None:
    device = devices.named(task.target)
    record = run_record(f"run-{next(NUMBERS)}", task)
    store.save_run(record.model_copy(update={"device": device, "trials": trials, "state": RunState.DONE}))


def tiles(trials: list[Trial]) -> list[object]:
    return [trial.candidate.params["tile"] for trial in trials]


def test_the_nearest_shape_comes_first_and_its_best_before_the_rest(store: Store) -> None:
    learn(store, matmul(4096), ok(1, us=5), ok(2, us=4))
    learn(store, matmul(500), ok(3, us=9), ok(4, us=3), ok(5, us=6), ok(6, us=8))

    assert tiles(store.recall(matmul(512), limit=4)) == [4, 5, 6, 2]


def test_the_same_device_comes_before_a_nearer_shape(store: Store) -> None:
    learn(store, matmul(512, "H100"), ok(1, provenance=Provenance.PREDICTED))
    learn(store, matmul(4096, "A100-SXM4-40GB"), ok(2, provenance=Provenance.PREDICTED))
    learn(store, matmul(4096, "A100"), ok(3, provenance=Provenance.PREDICTED))

    assert tiles(store.recall(matmul(512, "A100"), limit=3)) == [3, 2, 1]


def test_provenances_are_never_mixed(store: Store) -> None:
    learn(store, matmul(512, "A100"), ok(1, provenance=Provenance.PREDICTED))
    learn(store, matmul(4096, "A100"), ok(2, provenance=Provenance.MEASURED))

    assert tiles(store.recall(matmul(512, "A100"), limit=9)) == [2]
    assert tiles(store.recall(matmul(512, "A100"), 9, Provenance.PREDICTED)) == [1]


def test_code_for_another_kind_of_processor_is_not_recalled(store: Store) -> None:
    learn(store, matmul(512, "A100"), ok(1))

    assert store.recall(matmul(512), limit=5) == []


def test_other_operators_and_objectives_are_not_recalled(store: Store) -> None:
    learn(store, matmul(512, operator="softmax"), ok(1))
    learn(store, matmul(512).model_copy(update={"objective": Objective(metric="energy", unit="J")}), ok(2))

    assert store.recall(matmul(512), limit=5) == []


def test_history_is_relative_to_the_best_of_each_run(store: Store) -> None:
    learn(store, matmul(512), ok(1, us=10), ok(2, us=5), ok(3, us=20))

    past = store.history(matmul(1024))

    assert [(p.params["tile"], p.relative) for p in past] == [(1, 2.0), (2, 1.0), (3, 4.0)]
    assert {p.family for p in past} == {"tiled"}
    assert all(p.same_device for p in past)


def test_a_shape_in_words_counts_as_numbers() -> None:
    words = Task(name="x", spec={"shape": "1,3,224,224"})

    assert features(words).numbers == features(Task(name="x", spec={"shape": [1, 3, 224, 224]})).numbers


SIZES = st.lists(st.integers(1, 10_000), min_size=1, max_size=4)


@given(SIZES, SIZES, SIZES)
def test_distance_is_a_metric(a: list[int], b: list[int], c: list[int]) -> None:
    x, y, z = (features(Task(name="t", spec={"shape": list(shape)})) for shape in (a, b, c))

    assert distance(x, x) == 0
    assert distance(x, y) == distance(y, x)
    if len(a) == len(b) == len(c):
        assert distance(x, z) <= distance(x, y) + distance(y, z) + 1e-9


def test_words_that_differ_are_counted() -> None:
    one, other = (features(Task(name="t", spec={"dtype": d, "layout": "nchw"})) for d in ("float32", "float16"))

    assert mismatches(one, other) == 1
