"""Strategies of users: the docs' example runs, settings are checked before a run, and the service takes only names."""

import asyncio
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import ToyRun
from langgraph.graph import START
from pydantic import JsonValue, ValidationError

from atunner.agents.codegen import Move, Proposal
from atunner.core.errors import UserError
from atunner.core.task import Budget
from atunner.graphs.drive import drive
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import strategy_graph
from atunner.graphs.strategies.explicit import TuningStep, explicit
from atunner.graphs.strategies.prepare import prepared
from atunner.jobs.submission import Submission

DOCS = Path(__file__).parents[2] / "docs" / "strategies.md"


def broken() -> Any:
    raise RuntimeError("two\nlines")


def left() -> Any:
    sys.exit("two\nlines")


def nameless() -> Any:
    return explicit([TuningStep(id="", prompt_template="{kernel_string}")])


@pytest.fixture
def own() -> Iterator[str]:
    """A module of a user's, with the example of the docs in it."""
    module = types.ModuleType("my_strategy")
    text = DOCS.read_text(encoding="utf-8").split("<!-- own -->")[1]
    exec(re.split(r"```(?:python)?\n", text)[1], module.__dict__)
    module.__dict__.update(broken=broken, left=left, nameless=nameless, number=lambda: 3)
    sys.modules["my_strategy"] = module
    yield "my_strategy"
    del sys.modules["my_strategy"]


def test_the_example_of_the_docs_runs_to_its_end(own: str, tmp_path: Path) -> None:
    run = ToyRun(tmp_path, budget=Budget(trials=80))
    asyncio.run(drive(run.deps, run.start, prepared(f"{own}:greedy", {}), run.folder))
    record = run.store.load(run.deps.run)

    assert record.confirmed is not None
    assert record.winner is not None
    assert record.winner.measurement is not None
    assert record.winner.measurement.value < 20


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("evolv", {}, "No strategy named 'evolv'. Did you mean evolve?"),
        ("no_such_module:made", {}, "Give module:factory"),
        ("my_strategy:missing", {}, "Give module:factory"),
        ("my_strategy:broken", {}, "could not be made: RuntimeError: two lines"),
        ("my_strategy:left", {}, "could not be made: SystemExit: two lines."),
        ("my_strategy:nameless", {}, "could not be made: TuningStep: id: expected at least 1 character"),
        ("my_strategy:number", {}, "is of type int: its factory must return"),
        ("evolve", {"islands": 0}, "islands is wrong: expected at least 1; got '0'"),
        ("expert", {"tries": 2}, "No strategy setting 'tries'. Known: none, this strategy has no settings"),
        ("evolve", {"isands": 2}, "No strategy setting 'isands'. Known: brief_tokens, children"),
        ("autonomous", {"max_replanning": "often"}, "max_replanning is wrong"),
        ("explicit", {"language": "cobol"}, "steps ship for c, cuda, llvm_ir, opencl, not for 'cobol'"),
        ("one_prompt", {"tries": {}}, "tries is wrong"),
        ("one_prompt", {"tries": "0"}, "tries is wrong: expected at least 1; got '0'"),
        ("autonomous", {"brief_tokens": 10}, "brief_tokens is wrong: expected at least 200"),
        ("explicit", {"steps": "tile it"}, "steps is wrong: expected a JSON list of steps"),
        ("explicit", {"steps": "[]"}, "steps is wrong"),
        ("explicit", {"steps": '[{"id": "a", "prompt_template": "no variable"}]'}, "lacks {kernel_string}"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_is_spent(
    name: str, settings: dict[str, JsonValue], says: str, own: str
) -> None:
    with pytest.raises(UserError, match=re.escape(says)) as error:
        prepared(name, settings)
    assert "\n" not in str(error.value)


def test_a_family_that_does_not_exist_is_named(tmp_path: Path) -> None:
    async def propose(state: TuningState, runtime: Any) -> dict[str, Any]:
        return {"proposal": Proposal(moves=(Move(family="Nosuch", points=3, reason="?"),), summary="?")}

    graph = strategy_graph()
    graph.add_node("propose", propose)
    graph.add_edge(START, "propose")
    run = ToyRun(tmp_path, budget=Budget(trials=8))
    with pytest.raises(UserError, match=r"No family of the task named 'Nosuch'\. Known: "):
        asyncio.run(drive(run.deps, run.start, graph.compile(), run.folder))


@pytest.mark.parametrize(
    ("text", "factory", "says"),
    [
        ("def made(:", "made", "Cannot load the strategy 'beside:made': SyntaxError"),
        (
            "raise RuntimeError('two\\nlines')",
            "made",
            "Cannot load the strategy 'beside:made': RuntimeError: two lines.",
        ),
        ("import sys; sys.exit(0)", "made", "Cannot load the strategy 'beside:made': SystemExit: 0."),
        ("def made(): return 3", "made", "is of type int"),
        ("", "", "Expected module:factory as the strategy, as in my_strategy:greedy; got 'beside:'"),
    ],
)
def test_a_file_in_the_working_folder_is_found_and_its_faults_are_one_line(
    text: str, factory: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "beside", raising=False)
    with pytest.raises(UserError, match=re.escape(says)) as error:
        prepared(f"beside:{factory}", {})
    sys.modules.pop("beside", None)

    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["os:system", "my_strategy:greedy", "../evil", ""])
def test_the_service_takes_no_module(name: str) -> None:
    with pytest.raises(ValidationError):
        Submission.model_validate({"task": {"kind": "toy"}, "strategy": name})
    assert Submission.model_validate({"task": {"kind": "toy"}, "strategy": "evolve"}).strategy == "evolve"
