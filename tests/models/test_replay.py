"""A run of fifty calls once more: the same trials, hashes and result, and the first difference by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from atunner import domains
from atunner.cli.app import run as command
from atunner.core.call import ModelCall
from atunner.core.candidate import Candidate
from atunner.core.errors import UserError
from atunner.core.measurement import Measurement
from atunner.core.record import RunRecord, RunState
from atunner.core.status import Provenance
from atunner.core.task import Budget, Task
from atunner.domains.toy import Toy
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.settings import Settings
from atunner.wiring import Session

MARKS = "+-*/<>()=!%&"
XY: dict[str, JsonValue] = {"x": list(range(9)), "y": list(range(9))}
TOY = Task(domain="toy", name="toy", spec={"floor": 1})


class Broken(Toy):
    """The toy on a day when nothing may be built or measured."""

    def build(self, task: Task, candidate: Candidate) -> Candidate:
        raise AssertionError("a replay builds nothing")

    def measure(self, task: Task, built: Candidate) -> Measurement:
        raise AssertionError("a replay measures nothing")

    def screen(self, task: Task, candidates: Any) -> Any:
        raise AssertionError("a replay compiles nothing")


class Otherwise(Toy):
    """The toy on another day: what was good is bad."""

    def measure(self, task: Task, built: Candidate) -> Measurement:
        found = super().measure(task, built)
        return found.model_copy(update={"samples": tuple(300 - s for s in found.samples)})


def coder(number: int) -> JsonValue:
    """Good, wrong, unparsable and alike kernels in turn."""
    if number % 7 == 3:
        return "I would rather not."
    source = "".join(MARKS[(number * k) % len(MARKS)] for k in range(1, 30)) + " x y"
    return {"name": f"k{number}", "source": source, "parameters": {"x": [7, 2], "y": [5]} if number % 5 == 4 else XY}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replay")


@pytest.fixture(scope="module")
def session(folder: Path) -> Session:
    return Session(Settings(data=folder / "data", cache=folder / "cache", workers=1))


@pytest.fixture(scope="module")
def first(session: Session, folder: Path) -> RunRecord:
    """A run with a scripted model in every role, once for all tests."""
    script = {"coder": [coder(n) for n in range(40)], "planner": [{"steps": ["one", "two"]}, {"is_tuning": True}]}
    file = folder / "script.json"
    file.write_text(json.dumps(script))
    options = Options(search="local", slice=6, rounds=20, patience=20, strategy={"children": 3})
    request = Request(TOY, Budget(trials=110, tokens=400_000), options, f"scripted:{file}", "evolve", "inline")
    return session.start(request)


def hashes(calls: list[ModelCall]) -> list[tuple[str, str, str, str, int]]:
    return [(c.role, c.prompt_hash, c.answer_hash, c.outcome, c.input_tokens) for c in calls]


def told(record: RunRecord) -> list[Any]:
    return [(t.candidate, t.status, t.feedback, t.measurement and t.measurement.samples) for t in record.trials]


def test_a_replay_is_the_same_run_and_says_simulated(
    first: RunRecord, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(domains.BUILT_IN, "toy", f"{__name__}:Broken")
    second = session.start(session.again(first.run))
    calls = session.store.calls(first.run)

    assert len(calls) >= 50
    assert hashes(calls) == hashes(session.store.calls(second.run))
    assert told(first) == told(second)
    assert (first.best, first.stop_reason) == (second.best, second.stop_reason)
    assert first.confirmed is not None
    assert second.confirmed is not None
    assert first.confirmed.ratio == second.confirmed.ratio
    assert second.provenance is Provenance.SIMULATED
    figures = [t.measurement for t in second.trials if t.measurement] + [second.confirmed.candidate]
    assert {m.provenance for m in figures} == {Provenance.SIMULATED}
    assert all(m.source.startswith(f"replay of {first.run}") for m in figures)
    assert [n.summary for n in second.notes if n.agent == "replay"] == [
        f"the {len(calls)} calls and {len(first.trials)} trials are those of {first.run}"
    ]
    assert sum(c.usd or 0.0 for c in session.store.calls(second.run)) == 0.0
    assert {c.mode for c in session.store.calls(second.run) if c.answer is not None} == {"replay"}


def test_remeasuring_names_the_first_difference(
    first: RunRecord, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = session.start(session.again(first.run, remeasure=True))
    monkeypatch.setitem(domains.BUILT_IN, "toy", f"{__name__}:Otherwise")
    other = session.start(session.again(first.run, remeasure=True))
    (note,) = [n for n in other.notes if n.agent == "replay"]

    assert told(same) == told(first)
    assert same.provenance is first.provenance
    assert f"differs from {first.run}: call" in note.summary
    assert "asks what was not asked then" in note.points[0]
    assert "and was" in note.points[1]


def test_a_point_that_was_not_tried_has_no_figure_and_is_named(first: RunRecord, session: Session) -> None:
    again = session.again(first.run)
    request = Request(TOY, Budget(trials=40), Options(search="random", seed=9), again.model, "evolve", "inline")
    second = session.start(request)
    (note,) = [n for n in second.notes if n.agent == "replay"]

    assert second.state is RunState.DONE
    assert note.points
    assert all(t.measurement is None or t.candidate.id in {u.candidate.id for u in first.trials} for t in second.trials)


def test_another_task_and_a_replay_of_a_replay_are_refused(first: RunRecord, session: Session) -> None:
    other = Request(TOY.model_copy(update={"spec": {"floor": 2}}), Budget(trials=9), model=f"replay:{first.run}")
    with pytest.raises(UserError, match="was of another task"):
        session.start(other)
    second = session.start(session.again(first.run))
    with pytest.raises(UserError, match="is itself a replay"):
        session.start(session.again(second.run))
    with pytest.raises(UserError, match="No run named"):
        session.again("no-such-run")
    with pytest.raises(UserError, match="name no other model beside it"):
        session.start(Request(TOY, Budget(trials=9), model=f"replay:{first.run}+scripted:x"))


def test_to_remeasure_needs_a_run_to_take_answers_from(session: Session) -> None:
    with pytest.raises(UserError, match="give replay:RUN as the model, got 'none'"):
        session.start(Request(TOY, Budget(trials=9), model="none", remeasure=True))


def test_a_replay_hears_what_a_person_said_then(session: Session, folder: Path) -> None:
    file = folder / "asked.json"
    file.write_text(
        json.dumps({"coder": [{"name": f"k{n}", "source": "+-*/"[n] * 9 + "x y", "parameters": XY} for n in range(4)]})
    )
    options = Options(search="random", slice=6, approve="candidate")
    record = session.start(Request(TOY, Budget(trials=24), options, f"scripted:{file}", "one_prompt", "inline"))
    answers = iter((False, True))
    while record.state is RunState.WAITING:
        session.approve(record.run, next(answers))
        record = session.resume(record.run)
    again = session.start(session.again(record.run))

    assert again.state is RunState.DONE
    assert told(again) == told(record)
    assert len({t.candidate.family for t in record.trials if t.candidate.origin.startswith("model:")}) == 1


def test_a_run_without_a_model_can_be_replayed_from_the_command_line(
    session: Session, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = session.start(Request(TOY, Budget(trials=20), Options(search="random"), executor="inline"))
    monkeypatch.setenv("ATUNNER_DATA", str(folder / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(folder / "cache"))
    monkeypatch.chdir(tmp_path)

    assert command(["replay", record.run, "--json"]) == 0
    captured = capsys.readouterr()
    assert "the 0 calls and 20 trials are those of" in captured.err
    assert json.loads(captured.out)["best"] == record.best


def test_a_resumed_run_keeps_its_prices_and_what_it_recalled(session: Session, tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text('- {model: "local", input: 0, output: 0, date: "2026-01-01", source: test}\n')
    options = Options(search="random", approve="plan", slice=6)
    record = session.start(Request(TOY, Budget(trials=12), options, executor="inline", prices=own))
    kept = session._asked(session.store.head(record.run))

    assert kept.prices == own
    assert kept.options.approve == "plan"
