"""Each strategy on a domain with a known answer: what a model writes is judged like anything else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedModel, ToyRun
from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import NotBuilt, UnknownName, UserError
from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.core.task import Budget, Task
from atunner.domains.toy import Toy
from atunner.graphs.strategies import strategy
from atunner.graphs.strategies.autonomous import autonomous
from atunner.graphs.strategies.evolve import evolve
from atunner.graphs.strategies.expert import expert
from atunner.graphs.strategies.explicit import Explicit, TuningStep, explicit, next_step, shipped
from atunner.graphs.strategies.one_prompt import one_prompt
from atunner.graphs.strategies.steps import known


class Written(Toy):
    """The toy, whose file is its algorithm: "fast" is better than any that ships, "broken" does not build."""

    def baseline(self, task: Task) -> Candidate:
        return self.realise(task, "high", {"x": 15, "y": 15}).model_copy(update={"origin": "baseline"})

    def screen(self, task: Task, candidates: Any) -> Any:
        found = super().screen(task, candidates)
        broken = {c.id for c in candidates if "broken" in c.files["family.txt"]}
        return [s.model_copy(update={"reason": "NOT_BUILT: broken"}) if s.candidate.id in broken else s for s in found]

    def build(self, task: Task, candidate: Candidate) -> Candidate:
        if "broken" in candidate.files["family.txt"]:
            raise NotBuilt("broken")
        return candidate

    def measure(self, task: Task, built: Candidate) -> Any:
        found = super().measure(task, built)
        gain = 200.0 if built.files["family.txt"].startswith("fast") else 1.0
        return found.model_copy(update={"samples": tuple(s / gain for s in found.samples)})


DOMAIN = f"{__name__}:Written"
XY: dict[str, JsonValue] = {"x": list(range(16)), "y": list(range(16))}
FAST: dict[str, JsonValue] = {"name": "Fast", "source": "fast x y", "parameters": XY}
BROKEN: dict[str, JsonValue] = {"name": "Broken", "source": "broken x y", "parameters": XY}
PLAN: dict[str, JsonValue] = {"steps": ["write a poem", "make it fast"]}


def planner(prompt: str) -> JsonValue:
    """A plan, then a view of each step."""
    if "Plan at most" in prompt:
        return PLAN
    return {"is_tuning": "poem" not in prompt}


class Inline(ToyRun):
    """A run with a strategy and a model."""

    def __init__(self, folder: Path, answers: dict[str, Any], trials: int = 120) -> None:
        import sys

        sys.modules.setdefault(__name__, sys.modules[Inline.__module__])
        super().__init__(folder, DOMAIN, budget=Budget(trials=trials))
        self.model = ScriptedModel(answers)
        self.change(model=self.model, rounds=8, patience=8)

    def play(self, made: Any) -> RunRecord:
        import asyncio

        from atunner.graphs.drive import drive

        asyncio.run(drive(self.deps, self.start, made, self.folder))
        return self.store.load(self.deps.run)


STEPS = [
    TuningStep(id="one", prompt_template="Do it to {kernel_string}", skip_evaluation=True),
    TuningStep(id="two", prompt_template="And again to {kernel_string}", depends_on=("one",)),
]
STRATEGIES: dict[str, Callable[[], Any]] = {
    "evolve": evolve,
    "one_prompt": one_prompt,
    "autonomous": autonomous,
    "explicit": lambda: explicit(STEPS),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_model_that_knows_the_answer_wins_and_is_named(name: str, tmp_path: Path) -> None:
    record = Inline(tmp_path, {"coder": FAST, "planner": planner}).play(STRATEGIES[name]())

    assert record.winner is not None
    assert record.winner.candidate.files["family.txt"] == "fast x y"
    assert record.winner.candidate.origin == "model:scripted"
    assert record.winner.measurement is not None
    assert record.winner.measurement.value < 1.0
    assert record.confirmed is not None


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("answer", [BROKEN, {"nonsense": 1}, {"source": "still x", "parameters": {"x": []}}])
def test_a_useless_model_costs_no_trial_and_the_search_goes_on(name: str, answer: JsonValue, tmp_path: Path) -> None:
    useless = Inline(tmp_path, {"coder": answer, "planner": planner}, trials=96).play(STRATEGIES[name]())
    (tmp_path / "alone").mkdir()
    alone = Inline(tmp_path / "alone", {}, trials=96).play(expert())

    assert len(useless.trials) == len(alone.trials)
    assert useless.winner is not None
    assert alone.winner is not None
    assert useless.winner.measurement == alone.winner.measurement


def test_a_refusal_is_told_to_the_coder(tmp_path: Path) -> None:
    run = Inline(tmp_path, {"coder": BROKEN})
    run.play(one_prompt())
    asked = [prompt for role, prompt in run.model.asked if role == "coder"]

    assert len(asked) == 3
    assert "NOT_BUILT: broken" not in asked[0]
    assert "NOT_BUILT: broken" in asked[1]


def test_a_poem_is_not_a_tuning_step(tmp_path: Path) -> None:
    run = Inline(tmp_path, {"coder": FAST, "planner": planner})
    record = run.play(autonomous())
    applied = [prompt for role, prompt in run.model.asked if role == "coder"]

    assert applied
    assert not any("write a poem" in prompt for prompt in applied)
    assert any(note.agent == "planner" for note in record.notes)


def test_planning_stops_at_its_limit(tmp_path: Path) -> None:
    run = Inline(tmp_path, {"coder": BROKEN, "planner": planner}, trials=2000)
    run.change(rounds=12, strategy={"max_replanning": 1, "retries": 0})
    run.play(autonomous())
    plans = [p for role, p in run.model.asked if role == "planner" and "Plan at most" in p]

    assert len(plans) == 2
    assert "refused" in plans[1]
    assert "not a tuning step" in plans[1]


def test_a_step_too_big_is_broken_down_once(tmp_path: Path) -> None:
    def big(prompt: str) -> JsonValue:
        if "Plan at most" in prompt or "Break this" in prompt:
            return {"steps": ["small a", "small b"] if "Break" in prompt else ["huge"]}
        return {"is_tuning": True, "too_big": True}

    run = Inline(tmp_path, {"coder": FAST, "planner": big})
    run.change(strategy={"with_replanning": False})
    run.play(autonomous())
    broken = [p for role, p in run.model.asked if "Break this" in p]
    applied = [p.rpartition("The step:\n")[2].strip() for role, p in run.model.asked if role == "coder"]

    assert len(broken) == 1
    assert applied[:2] == ["small a", "small b"]


def test_dependants_of_a_step_that_brought_nothing_are_skipped() -> None:
    a, b, c = (
        TuningStep(id="a", prompt_template="{kernel_string}"),
        TuningStep(id="b", prompt_template="{kernel_string}", depends_on=("a",)),
        TuningStep(id="c", prompt_template="{kernel_string}"),
    )
    outcomes = {"a": "nothing"}
    found = next_step([b, a, c], outcomes)

    assert found is not None
    assert found.id == "c"
    assert outcomes == {"a": "nothing", "b": "skipped"}


def test_the_step_that_is_needed_runs_first() -> None:
    a = TuningStep(id="a", prompt_template="{kernel_string}")
    b = TuningStep(id="b", prompt_template="{kernel_string}", depends_on=("a",))
    found = next_step([b, a], {})

    assert found is not None
    assert found.id == "a"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"id": "a", "prompt_template": "{kernel_string}", "depends_on": ["a"]}], "depends on itself"),
        ([{"id": "a", "prompt_template": "{kernel_string}", "depends_on": ["b"]}], "No step named 'b'"),
        ([{"id": "a", "prompt_template": "no variable"}], "lacks {kernel_string}"),
        ([{"id": "a", "prompt_template": "{kernel_string} {secret}"}], "'secret', which has no value"),
        ([{"id": "a", "prompt_template": "{kernel_string"}], "braces"),
        (
            [{"id": "a", "prompt_template": "{kernel_string:>9q}"}],
            "formats 'kernel_string'; write {kernel_string} alone",
        ),
        ([{"id": "a", "prompt_template": "{kernel_string!z}"}], "formats 'kernel_string'"),
        ([{"id": "a", "prompt_template": "{kernel_string}"}] * 2, "Two steps"),
        (
            [
                {"id": "a", "prompt_template": "{kernel_string}", "depends_on": ["b"]},
                {"id": "b", "prompt_template": "{kernel_string}", "depends_on": ["a"]},
            ],
            "wait for each other",
        ),
    ],
)
def test_unsound_steps_are_refused_in_one_line(steps: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(UserError, match=said.replace("{", r"\{").replace("}", r"\}")) as error:
        explicit([TuningStep.model_validate(s) for s in steps])
    assert "\n" not in str(error.value)


def test_a_command_line_gives_steps_as_the_text_of_a_list() -> None:
    text = '[{"id": "a", "prompt_template": "Tile {kernel_string}"}, {"id": "b", "prompt_template": "{kernel_string}"}]'
    found: Explicit = known({"steps": text}, Explicit)

    assert [s.id for s in found.steps or ()] == ["a", "b"]


def test_a_template_of_langchain_is_taken_by_its_shape() -> None:
    class Template:
        template = "Tile {kernel_string}"
        input_variables = ("kernel_string",)

    assert TuningStep(id="a", prompt_template=Template()).prompt_template == "Tile {kernel_string}"  # type: ignore[arg-type]  # by shape


def test_strategies_are_found_by_name_or_by_module_and_factory() -> None:
    assert strategy("atunner.graphs.strategies.expert:expert") is expert
    assert strategy("one_prompt") is one_prompt
    with pytest.raises(UnknownName, match="autonomous"):
        strategy("autonomus")
    with pytest.raises(UserError, match="module:factory"):
        strategy("no.such.module:thing")


def test_an_unknown_setting_of_a_strategy_is_named(tmp_path: Path) -> None:
    run = Inline(tmp_path, {"coder": FAST})
    run.change(strategy={"max_replaning": 1})
    with pytest.raises(UserError, match="max_replanning"):
        run.play(autonomous())


def test_a_rewrite_that_computes_something_wrong_costs_one_trial(tmp_path: Path) -> None:
    params: Params = {"x": [7], "y": [5]}
    answer = {"name": "wrong first", "source": "fast x y", "parameters": params}
    record = Inline(tmp_path, {"coder": answer}).play(one_prompt())
    mine = [t for t in record.trials if t.candidate.origin == "model:scripted"]

    assert [t.status for t in mine] == [Status.WRONG]


def test_the_example_of_the_docs_is_a_strategy() -> None:
    text = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    (block,) = [b.split("```")[0] for b in text.split("```python\n") if "def mine" in b]
    exec(block, names)

    assert "walk" in names["mine"]().get_graph().nodes


@pytest.mark.parametrize("language", ["cuda", "opencl", "c", "llvm_ir"])
def test_the_steps_that_ship_are_sound(language: str) -> None:
    steps = shipped(language)

    assert len(steps) >= 3
    assert all("kernel_string" in s.variables for s in steps)
    assert len({s.prompt_template for s in steps}) == len(steps)
