"""The contract of the store, on every database."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import MATMUL, ok, run_record, wrong

from atunner.core.call import ModelCall
from atunner.core.candidate import Candidate
from atunner.core.measurement import Environment, Measurement
from atunner.core.record import AgentNote, RunState
from atunner.core.status import Provenance, Status
from atunner.core.task import Spent
from atunner.core.trial import Check, Comparison, Screening, Trial
from atunner.knowledge_base import Store, open_store
from atunner.knowledge_base.runs import RunEnded, UnknownRun


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        opened.save_run(run_record())
        yield opened


def test_a_trial_is_read_back_as_it_was(store: Store) -> None:
    trial = wrong(1).model_copy(
        update={"checks": (Check(name="shape 7x3", passed=False, figures={"worst": math.inf}),)}
    )

    store.record("run-1", trial)

    assert store.trial("run-1", trial.candidate.id) == trial
    assert store.trial("run-1", "no such candidate") is None


def test_a_second_trial_of_a_candidate_changes_nothing(store: Store) -> None:
    store.record("run-1", ok(1, us=10.0))
    store.record("run-1", ok(1, us=99.0))

    assert [t.measurement and t.measurement.value for t in store.trials("run-1")] == [10.0]


def test_trials_come_in_the_order_recorded(store: Store) -> None:
    trials = [ok(3), wrong(1), ok(2), ok(7)]
    for trial in trials:
        store.record("run-1", trial)

    assert store.trials("run-1") == trials


def test_files_that_candidates_share_are_stored_once(store: Store) -> None:
    for number in range(5):
        store.record("run-1", ok(number))

    with store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM files").scalar() == 1


def test_nothing_is_recorded_for_a_run_that_is_not_there(store: Store) -> None:
    with pytest.raises(UnknownRun, match=r"No run named 'run-7'\. Latest: run-1"):
        store.record("run-7", ok(1))


def test_screenings_are_kept_once_and_in_order(store: Store) -> None:
    screenings = [Screening(candidate=ok(n).candidate, score=None if n == 2 else n / 3) for n in range(4)]
    store.screened("run-1", screenings[:3])
    store.screened("run-1", screenings)

    assert store.screenings("run-1") == screenings


def test_a_whole_run_comes_back(store: Store) -> None:
    base, best = ok(0, us=30.0), ok(1, us=10.0)
    assert base.measurement is not None
    assert best.measurement is not None
    gain = Comparison(
        ratio=3.0, low=2.9, high=3.1, minimum_gain=0.01, baseline=base.measurement, candidate=best.measurement
    )
    record = run_record("run-2").model_copy(
        update={
            "state": RunState.DONE,
            "stop_reason": "budget: trials",
            "environment": Environment(device="cpu", toolchain={"gcc": "12"}),
            "spent": Spent(trials=2, seconds=1.5),
            "baseline": base,
            "trials": (base, best),
            "screenings": (Screening(candidate=ok(9).candidate, score=1.0),),
            "notes": (AgentNote(round=1, agent="codegen", by="rules", summary="tile", answer={"family": "tiled"}),),
            "confirmed": gain,
            "best": best.candidate.id,
            "created": "2026-01-02T03:04:05.000+00:00",
            "finished": "2026-01-02T03:05:05.000+00:00",
            "version": "0.1.0",
        }
    )

    store.save_run(record)

    assert store.load("run-2") == record
    assert store.head("run-2").baseline == base


def test_a_run_that_ended_stays_as_it_ended(store: Store) -> None:
    store.set_state("run-1", RunState.DONE, "target reached")
    store.set_state("run-1", RunState.DONE, "again")

    with pytest.raises(RunEnded, match="is done, and stays so"):
        store.set_state("run-1", RunState.FAILED)
    with pytest.raises(RunEnded):
        store.save_run(run_record())
    assert store.load("run-1").stop_reason == "target reached"


def test_what_was_spent_never_sinks(store: Store) -> None:
    store.set_spent("run-1", Spent(trials=5, usd=0.5))
    store.set_spent("run-1", Spent(trials=3, seconds=2.0))
    store.save_run(run_record())

    assert store.head("run-1").spent == Spent(trials=5, usd=0.5, seconds=2.0)


def test_an_agent_says_one_thing_a_round(store: Store) -> None:
    first = AgentNote(round=1, agent="fusion", by="rules", summary="first")
    store.note("run-1", first)
    store.note("run-1", first.model_copy(update={"summary": "second"}))

    assert store.load("run-1").notes == (first,)


def test_events_are_numbered_without_gaps_and_a_key_is_used_once(store: Store) -> None:
    numbers = [store.event("run-1", "round", {"n": n}, key=f"round-{n % 3}") for n in range(6)]

    assert numbers == [1, 2, 3, 1, 2, 3]
    assert [e.body for e in store.events("run-1", after=1)] == [{"n": 1}, {"n": 2}]


def test_model_calls_are_kept_once_and_summed(store: Store) -> None:
    call = ModelCall(key="k", model="m", input_tokens=100, output_tokens=20, usd=0.01, answer="{}", created="now")
    store.keep_call("run-1", call)
    store.keep_call("run-1", call.model_copy(update={"answer": "other"}))
    store.keep_call("run-1", call.model_copy(update={"key": "k2", "usd": None}))

    assert store.call("run-1", "k") == call
    assert store.call("run-1", "k3") is None
    assert store.call_totals("run-1") == Spent(tokens=240, usd=0.01)


def test_runs_are_listed_newest_first_with_their_best(store: Store) -> None:
    best = ok(1, us=4.0)
    store.save_run(run_record("run-2").model_copy(update={"best": best.candidate.id, "trials": (best, wrong(2))}))

    newest, oldest = store.runs()

    assert (newest.run, newest.trials, newest.ok, newest.best, newest.unit) == ("run-2", 2, 1, 4.0, "us")
    assert (oldest.run, oldest.best) == ("run-1", None)
    assert store.runs(states=[RunState.DONE]) == []


def test_an_environment_is_found_by_its_id(store: Store) -> None:
    here = Environment(device="cpu", clocks={"governor": "performance"})

    assert store.environment(store.keep_environment(here)) == here
    assert store.environment("another") is None


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(st.sampled_from(["a.cu", "b.h"]), ANY_TEXT, min_size=1),
    feedback=st.text(max_size=20),
    samples=st.lists(st.floats(allow_nan=False), min_size=1, max_size=4),
)
def test_whatever_is_written_is_read(store: Store, files: dict[str, str], feedback: str, samples: list[float]) -> None:
    figure = Measurement(unit="us", samples=tuple(samples), source="x\0y", provenance=Provenance.SIMULATED)
    candidate = Candidate(files=files, params={"s": feedback, "f": samples[0]})
    trial = Trial(candidate=candidate, status=Status.OK, feedback=feedback, measurement=figure)
    before = store.trial("run-1", candidate.id)

    store.record("run-1", trial)

    assert store.trial("run-1", candidate.id) == (before or trial)


def test_a_task_is_found_again_by_what_it_asks(store: Store) -> None:
    assert store.head("run-1").task == MATMUL
