"""Laws of the values: identity is content, budgets are bounds, expressions are arithmetic and nothing else."""

import importlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atunner.core import plugins
from atunner.core.candidate import Candidate
from atunner.core.errors import (
    ATunnerError,
    CandidateError,
    Interrupted,
    ToolError,
    UnknownName,
    UserError,
)
from atunner.core.expression import evaluate
from atunner.core.program import Buffer, Launch, Problem, Program
from atunner.core.space import Parameter, Space
from atunner.core.status import Status
from atunner.core.task import Budget, Objective, Spent, Task

TABLES = {
    "domains": "atunner.domains",
    "executors": "atunner.executors",
    "operators": "atunner.operators",
    "searchers": "atunner.search",
    "strategies": "atunner.graphs.strategies",
}
JSON = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8)
PARAMS = st.dictionaries(st.text(min_size=1, max_size=6), JSON, max_size=5)
FILES = st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=20), max_size=3)
FIGURES = st.integers(0, 10**6)
SPENT = st.builds(Spent, trials=FIGURES, seconds=FIGURES, tokens=FIGURES, usd=FIGURES)


@given(FILES, PARAMS)
def test_a_candidate_is_its_files_and_parameters_in_any_order(files: dict[str, str], params: dict[str, object]) -> None:
    one = Candidate(files=files, params=params)
    other = Candidate(files=dict(reversed(files.items())), params=dict(reversed(params.items())), origin="model:m")

    assert one.id == other.id
    assert Candidate.model_validate_json(one.model_dump_json()) == one
    assert one.model_copy(update={"params": {**params, "another": 1}}).id != one.id


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_tasks_name_is_not_its_identity_but_its_target_is(name: str, target: str) -> None:
    task = Task(name="matmul", spec={"shape": [1, 2, 3]})

    assert task.model_copy(update={"name": name}).id == task.id
    assert (task.model_copy(update={"target": target}).id == task.id) == (target == "host")


@given(SPENT, SPENT, SPENT)
def test_what_is_spent_adds_up(a: Spent, b: Spent, c: Spent) -> None:
    assert a.plus(b) == b.plus(a)
    assert a.plus(b).plus(c) == a.plus(b.plus(c))
    assert a.plus(Spent()) == a


@given(SPENT, st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_budget_is_over_exactly_when_a_bound_is_reached(spent: Spent, trials: int, seconds: int) -> None:
    over = spent.over(Budget(trials=trials, seconds=seconds))

    assert (over is None) == (spent.trials < trials and spent.seconds < seconds)
    assert spent.over(Budget(trials=10**9)) is None


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({}, "needs trials or seconds"),
        ({"tokens": 5}, "needs trials or seconds"),
        ({"trials": 0}, "trials: expected more than 0; got '0'"),
        ({"trials": "many"}, "trials: expected a whole number; got 'many'"),
        ({"seconds": -1.0}, "seconds: expected more than 0.0; got '-1.0'"),
        ({"trials": 1, "usd": 0.0}, "usd: expected more than 0.0; got '0.0'"),
        ({"trials": 1, "usd": math.nan}, "usd: expected a finite number; got 'nan'"),
        ({"trails": 1}, "Known: trials, seconds, tokens, usd"),
    ],
)
def test_a_budget_without_a_bound_or_with_none_left_is_refused_in_words(bounds: dict[str, float], said: str) -> None:
    with pytest.raises(UserError) as refused:
        Budget.model_validate(bounds)
    assert said in str(refused.value)

    with pytest.raises(UserError):
        Budget(**bounds)  # type: ignore[arg-type]  # as a user of Python may call it


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_an_objective_has_one_direction(old: float, new: float) -> None:
    least, most = Objective(), Objective(minimise=False)

    assert least.ratio(old, new) == pytest.approx(1 / most.ratio(old, new))
    if old != new:
        assert least.better(new, old) != most.better(new, old)
    assert least.ratio(old, 0.0) == most.ratio(0.0, new) == 1.0


@given(st.integers(-1000, 1000), st.integers(1, 1000))
def test_expressions_are_the_arithmetic_of_python(a: int, b: int) -> None:
    names = {"a": a, "b": b}

    assert evaluate("a * b + a // b - a % b", names) == a * b + a // b - a % b
    assert evaluate("cdiv(a, b)", names) == math.ceil(a / b)
    assert evaluate("a < b and not a == b or min(a, b) > 3", names) == ((a < b and a != b) or min(a, b) > 3)
    assert evaluate("a if a > b else b", names) == max(a, b)


@pytest.mark.parametrize(
    "text",
    [
        "a.__class__", "().__class__.__bases__", "__import__('os')", "open('x')", "[x for x in a]", "lambda: 1",
        "a[0]", "(b := 3)", "f'{a}'", "a ** b", "2 ** 999999", "eval('1')", "min(a, key=abs)", "min(*a)", "a; b",
        "", "a b", "a.real", "{1: 2}", "abs.__call__(1)",
    ],
)  # fmt: skip
def test_an_expression_that_is_more_than_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(UserError) as error:
        evaluate(text, {"a": 1, "b": 2})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["a // 0", "nope + 1", "log2(0)", "a + 'x'"])
def test_arithmetic_that_fails_is_the_users_error(text: str) -> None:
    with pytest.raises(UserError):
        evaluate(text, {"a": 1})


def test_a_programs_geometry_follows_its_expressions() -> None:
    launch = Launch(kernel="k", grid=("cdiv(n, TILE)", "m"), block=("TILE",), shared_bytes="TILE * 4", args=("x",))
    program = Program(language="cuda", source="k.cu", launches=(launch,))
    (geometry,) = program.geometry({"n": 100, "m": 3, "TILE": 32})

    assert (geometry.grid, geometry.block, geometry.shared_bytes) == ((4, 3, 1), (32, 1, 1), 128)
    assert (geometry.blocks, geometry.threads) == (12, 32)
    with pytest.raises(UserError, match="Unknown name"):
        program.geometry({"n": 100, "m": 3})


def test_a_problem_becomes_macros() -> None:
    problem = Problem(operator="o", dims={"n": 7}, buffers=(Buffer(name="x", shape=(7, 2), role="input"),))

    assert problem.macros({"TILE": 4}) == {"DIM_N": "7", "TILE": "4"}
    assert problem.buffers[0].elements == 14


@given(st.integers(0, 20), st.integers(0, 20))
def test_a_space_holds_what_its_values_and_constraints_allow(x: int, y: int) -> None:
    axis = tuple(range(16))
    space = Space(parameters=(Parameter(name="x", values=axis), Parameter(name="y", values=axis)), constraints=("x<y",))

    assert space.holds({"x": x, "y": y}) == (x < y < 16)
    assert not space.holds({"x": x})
    assert not space.holds({"x": x, "y": y, "z": 1})
    assert {v for p in space.narrowed({"x": (3, 99)}).parameters if p.name == "x" for v in p.values} == {3}


def everyone(kind: type[ATunnerError]) -> list[type[ATunnerError]]:
    return [kind, *(deeper for below in kind.__subclasses__() for deeper in everyone(below))]


def test_three_kinds_of_error_with_three_exit_codes() -> None:
    assert [k.exit_code for k in (ToolError, UserError, Interrupted)] == [3, 2, 130]
    assert {k.status for k in everyone(CandidateError)[1:]} == set(Status) - {Status.OK}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "module"), TABLES.items())
def test_every_entry_of_every_table_loads(kind: str, module: str) -> None:
    table = importlib.import_module(module).BUILT_IN

    assert table
    for name in table:
        assert plugins.load(kind, name, table) is not None
    assert plugins.names(kind, table) == sorted(table)


@pytest.mark.parametrize(("kind", "one"), [("strategies", "strategy"), ("searchers", "searcher")])
def test_an_unknown_name_says_what_is_near_and_what_there_is(kind: str, one: str) -> None:
    with pytest.raises(UnknownName) as error:
        plugins.load(kind, "alpah", {"alpha": "x:y", "omega": "x:z"})
    assert str(error.value) == f"No {one} named 'alpah'. Did you mean alpha? Known: alpha, omega."


@pytest.mark.parametrize("text", ["raise RuntimeError('two\\nlines')", "import sys; sys.exit('two\\nlines')"])
def test_an_installed_plug_in_that_cannot_be_loaded_is_named(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "theirs-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[atunner.searchers]\ntheirs = their_plug_in:made\n")
    (tmp_path / "their_plug_in.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    says = r"^The searcher 'theirs' of an installed package cannot be loaded: \w+: two lines\.$"
    with pytest.raises(UserError, match=says):
        plugins.load("searchers", "theirs", {})
