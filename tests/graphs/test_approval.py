"""A person is asked before a plan is followed or a kernel built, and nothing goes on without an answer."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from fakes import TOY, ScriptedModel, ToyRun
from pydantic import JsonValue

from atunner import wiring
from atunner.cli.app import run
from atunner.core.approval import Question
from atunner.core.errors import UserError
from atunner.core.record import RunRecord, RunState
from atunner.core.task import Budget
from atunner.graphs.approval import decide, pending
from atunner.graphs.deps import Options
from atunner.graphs.drive import drive
from atunner.graphs.strategies.autonomous import autonomous
from atunner.graphs.strategies.evolve import evolve
from atunner.graphs.strategies.expert import expert
from atunner.graphs.strategies.explicit import TuningStep, explicit
from atunner.graphs.strategies.one_prompt import one_prompt
from atunner.settings import Settings

KERNEL: JsonValue = {"name": "Fast", "summary": "a fast one", "source": "fast x y", "parameters": {"x": [1], "y": [4]}}
STEPS = [TuningStep(id=name, prompt_template=f"{name} {{kernel_string}}") for name in ("one", "two")]


def planner(prompt: str) -> JsonValue:
    return {"steps": ["tile it", "unroll it"]} if "Plan at most" in prompt else {"is_tuning": True}


class Asked(ToyRun):
    """A run that asks, driven again in a new event loop each time, as a new process would."""

    def __init__(self, folder: Path, what: str) -> None:
        super().__init__(folder, budget=Budget(trials=80))
        self.model = ScriptedModel({"coder": KERNEL, "planner": planner})
        self.change(model=self.model, approve=what, rounds=4, patience=9)

    def go_on(self, made: Any) -> Question | None:
        asyncio.run(drive(self.deps, self.start, made, self.folder))
        return pending(self.store, self.deps.run)

    def decide(self, approved: bool, **more: Any) -> None:
        decide(self.store, self.deps.run, approved, **more)

    def to_the_end(self, made: Any, approved: bool = True, **more: Any) -> RunRecord:
        while self.go_on(made) is not None:
            self.decide(approved, **more)
        return self.store.load(self.deps.run)

    def told(self, role: str = "coder") -> list[str]:
        return [prompt for asked, prompt in self.model.asked if asked == role]


STRATEGIES = {
    "autonomous": autonomous,
    "evolve": evolve,
    "expert": expert,
    "explicit": lambda: explicit(STEPS),
    "one_prompt": one_prompt,
}


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("what", ["plan", "candidate"])
def test_what_is_approved_changes_nothing(name: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "free").mkdir()
    asked, free = Asked(tmp_path, what), Asked(tmp_path / "free", "")
    record, alone = asked.to_the_end(STRATEGIES[name]()), free.to_the_end(STRATEGIES[name]())

    assert record.state is RunState.DONE
    assert [t.candidate.id for t in record.trials] == [t.candidate.id for t in alone.trials]
    assert len(asked.model.asked) == len(free.model.asked)


@pytest.mark.parametrize("name", ["autonomous", "explicit", "one_prompt", "evolve"])
def test_a_kernel_is_shown_before_it_is_built_and_a_refused_one_never_is(name: str, tmp_path: Path) -> None:
    run = Asked(tmp_path, "candidate")
    question = run.go_on(STRATEGIES[name]())

    assert question is not None
    assert question.source == "fast x y"
    assert "a fast one" in question.lines
    assert run.store.head(run.deps.run).state is RunState.WAITING
    record = run.to_the_end(STRATEGIES[name](), False, comment="no thanks")
    assert record.state is RunState.DONE
    assert not any(t.candidate.origin.startswith("model:") for t in record.trials)
    assert {n.by for n in record.notes if n.agent == "approval"} == {"person"}


def test_a_refusal_is_told_to_the_coder(tmp_path: Path) -> None:
    run = Asked(tmp_path, "candidate")
    run.to_the_end(one_prompt(), False, comment="use no padding")

    assert len(run.told()) == 3
    assert "a person refused it: use no padding" in run.told()[-1]


def test_nothing_is_written_before_the_plan_is_approved_and_other_steps_may_be_given(tmp_path: Path) -> None:
    run = Asked(tmp_path, "plan")
    question = run.go_on(autonomous())

    assert question is not None
    assert question.lines == ("tile it", "unroll it")
    assert run.told() == []
    run.decide(True, steps=("transpose it",))
    run.to_the_end(autonomous())
    assert "transpose it" in run.told()[0]


def test_a_refused_plan_is_made_again_with_the_comment(tmp_path: Path) -> None:
    run = Asked(tmp_path, "plan")
    run.go_on(autonomous())
    run.decide(False, comment="no tiling")
    second = run.go_on(autonomous())
    plans = [p for p in run.told("planner") if "Plan at most" in p]

    assert second is not None
    assert "May plan 2" in second.title
    assert len(plans) == 2
    assert "refused by a person: no tiling" in plans[1]
    assert run.told() == []


def test_only_the_approved_steps_are_walked(tmp_path: Path) -> None:
    run = Asked(tmp_path, "plan")
    assert run.go_on(explicit(STEPS)) is not None
    run.decide(True, steps=("two",))
    run.to_the_end(explicit(STEPS))

    assert {"two the kernel" in p for p in run.told()} == {True}


def test_a_refused_round_ends_the_search_and_what_was_found_is_confirmed(tmp_path: Path) -> None:
    run = Asked(tmp_path, "plan")
    run.go_on(expert())
    run.decide(True)
    run.go_on(expert())
    run.decide(False, comment="enough")
    record = run.to_the_end(expert())

    assert record.stop_reason == "a person ended the search: enough"
    assert record.confirmed is not None
    assert len(record.trials) == 25


def test_driving_on_without_an_answer_asks_the_same_question_again(tmp_path: Path) -> None:
    run = Asked(tmp_path, "candidate")
    first, second = run.go_on(one_prompt()), run.go_on(one_prompt())

    assert first == second is not None
    assert len(run.told()) == 1


def test_what_does_not_wait_cannot_be_answered(tmp_path: Path) -> None:
    run = Asked(tmp_path, "candidate")
    with pytest.raises(UserError, match="waits for no approval"):
        run.decide(True)
    run.go_on(one_prompt())
    with pytest.raises(UserError, match="only where a plan is approved"):
        run.decide(True, steps=("a",))


def test_a_step_without_words_is_refused(tmp_path: Path) -> None:
    run = Asked(tmp_path, "plan")
    asked = run.go_on(autonomous())
    with pytest.raises(UserError, match="A step needs words"):
        run.decide(True, steps=("tile it", " "))
    assert pending(run.store, run.deps.run) == asked


class Terminal(io.StringIO):
    """Somebody who types these lines at a terminal and then leaves."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run of this folder that waits for a plan's approval."""
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    options = Options(approve="plan", search="random", slice=8)
    with wiring.Session(Settings(workers=1)) as session:
        asked = wiring.Request(TOY, Budget(trials=20), options, executor="inline")
        name = session.start(asked).run
        assert session.question(name) is not None
        with pytest.raises(UserError, match="No thing to approve named 'everything'"):
            session.start(wiring.Request(TOY, Budget(trials=20), Options(approve="everything")))
    return name


def test_what_a_run_waits_for_is_asked_again_at_a_terminal(
    waiting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    assert run(["resume", waiting]) == 130
    assert f"Nothing was answered. {waiting} waits for approval" in capsys.readouterr().err

    monkeypatch.setattr("sys.stdin", Terminal("n\nstop here\n"))
    assert run(["resume", waiting, "--json"]) == 0
    assert "stop here" in capsys.readouterr().out


def test_the_command_line_waits_answers_and_goes_on(waiting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["resume", waiting]) == 4
    assert f"waits for approval: May round 0 be searched so? Answer with: atunner approve {waiting}" in (
        capsys.readouterr().err
    )
    assert run(["show", waiting]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"atunner approve {waiting}, then:" in told
    assert "Only the baseline was judged so far." in told
    assert run(["approve", waiting, "--show"]) == 0
    assert "May round 0 be searched so?" in capsys.readouterr().out
    assert run(["approve", waiting, "--reject", "--comment", "x" * 2001]) == 2
    assert "A comment has at most 2000 characters; got 2001." in capsys.readouterr().err
    assert run(["approve", waiting, "--reject", "--comment", "stop here"]) == 0
    assert "atunner resume" in capsys.readouterr().out
    assert run(["approve", waiting]) == 2
    assert f"was answered; go on with: atunner resume {waiting}" in capsys.readouterr().err
    assert run(["resume", waiting, "--json"]) == 0
    assert "stop here" in capsys.readouterr().out
