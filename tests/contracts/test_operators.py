"""The contract of the operator table: every entry is tested before anyone writes a test for it."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

from atunner.core.candidate import Params
from atunner.core.errors import UnknownName, UserError
from atunner.core.expression import evaluate
from atunner.core.program import PROGRAM_FILE, Problem, Program
from atunner.core.space import Space
from atunner.operators import KernelFamily, Operator, known, operator

NAMES = known()
CASES = [
    (name, language, family)
    for name in NAMES
    for language, kernels in operator(name).kernels.items()
    for family in (kernels.baseline, *kernels.families)
]


def named(value: object) -> str:
    return getattr(value, "name", str(value))


def usual(of: Operator) -> Problem:
    return of.problem(of.default_shape, {}, "float32")


def sampled(space: Space, count: int) -> Iterator[Params]:
    """Valid points drawn with a seed, not more than `count`."""
    generator = random.Random(7)
    for _ in range(200 * count):
        params = {p.name: generator.choice(p.values) for p in space.parameters}
        if all(evaluate(c, params) for c in space.constraints):
            yield params
            count -= 1
        if not count:
            return


@pytest.mark.parametrize("name", NAMES)
def test_the_default_shape_gives_a_problem_and_says_what_shapes_mean(name: str) -> None:
    entry = operator(name)
    problem = usual(entry)

    assert entry.name == problem.operator == name
    assert entry.summary
    assert entry.shape_help
    assert {b.role for b in problem.buffers} == {"input", "output"}
    assert all(n == n.lower() and extent >= 0 for n, extent in problem.dims.items())
    assert problem == Problem.model_validate_json(problem.model_dump_json())


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_positive_and_complete(name: str) -> None:
    problem = usual(operator(name))
    facts = operator(name).facts(problem, frozenset())

    assert facts.flops > 0
    assert facts.min_bytes == sum(b.elements * np.dtype(b.dtype).itemsize for b in problem.buffers)
    assert facts.intensity > 0
    assert facts.tensors == {b.name: b.shape for b in problem.buffers}
    assert facts.access
    assert set(facts.reuse) == set(facts.tensors)
    assert facts.epilogues
    assert all(e.legality and e.saved_bytes >= 0 for e in facts.epilogues)
    assert all(s.assumed and s.how.startswith("--set ") for s in facts.settings)


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_the_facts_name_can_be_given(name: str) -> None:
    entry = operator(name)
    settings = {s.name: s.value for s in entry.facts(usual(entry), frozenset()).settings}

    problem = entry.problem(entry.default_shape, settings, "float32")

    assert problem == usual(entry)
    assert not any(s.assumed for s in entry.facts(problem, frozenset(settings)).settings)


@pytest.mark.parametrize("name", NAMES)
def test_derived_problems_are_legal_small_and_have_references(name: str) -> None:
    entry = operator(name)
    derived = entry.derived(usual(entry))

    assert 3 <= len(derived) <= 5
    assert len(set(map(str, derived))) == len(derived)
    for small in derived:
        assert small.operator == name
        assert small.dims.keys() == usual(entry).dims.keys()
        inputs = entry.inputs(small, 5, 1.0)
        reference = entry.reference(small, inputs)
        tolerance = entry.tolerance(small, inputs, reference)
        for buffer in small.buffers:
            assert buffer.elements <= 20_000
            if buffer.role == "input":
                assert inputs[buffer.name].shape == buffer.shape
                assert inputs[buffer.name].dtype == np.dtype(buffer.dtype)
            else:
                assert reference[buffer.name].shape == tolerance[buffer.name].shape == buffer.shape
                assert reference[buffer.name].dtype == np.float64
                assert np.isfinite(reference[buffer.name]).all()
                assert (tolerance[buffer.name] > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_a_function_of_the_seed(name: str) -> None:
    entry = operator(name)
    problem = entry.derived(usual(entry))[-1]
    one, same, other = (entry.inputs(problem, seed, 1.0) for seed in (3, 3, 4))

    for key, array in one.items():
        assert array.tobytes() == same[key].tobytes()
        assert array.tobytes() != other[key].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_language_has_a_baseline_without_parameters_and_three_families(name: str) -> None:
    kernels = operator(name).kernels

    assert {"cuda", "c"} <= kernels.keys()
    for language, kernel_set in kernels.items():
        assert kernel_set.baseline.space(usual(operator(name))) == Space()
        assert len({f.name for f in kernel_set.families}) == len(kernel_set.families) >= 3
        assert {f.program.language for f in (kernel_set.baseline, *kernel_set.families)} == {language}


@pytest.mark.parametrize(("name", "language", "family"), CASES, ids=named)
def test_families_realise_candidates_with_stable_ids(name: str, language: str, family: KernelFamily) -> None:
    space = family.space(usual(operator(name)))
    params = next(sampled(space, 1))

    one, same = family.realise(params), family.realise(dict(reversed(params.items())), origin="expert")

    assert one.id == same.id
    assert one.family == family.name
    assert Program.model_validate_json(one.files[PROGRAM_FILE]) == family.program
    assert all(launch.kernel in one.files[family.program.source] for launch in family.program.launches)
    if space.parameters:
        assert one.id != family.realise(params | {"OTHER": 1}).id


@pytest.mark.parametrize(("name", "language", "family"), CASES, ids=named)
def test_points_are_legal_launches_and_name_known_buffers(name: str, language: str, family: KernelFamily) -> None:
    entry = operator(name)
    problem = usual(entry)
    points = list(sampled(family.space(problem), 25))

    assert points
    program = family.program
    for params in points:
        assert all(p == p.upper() for p in params)
        for size in (problem, *entry.derived(problem)):
            names = size.dims | params
            for geometry in program.geometry(names):
                assert 1 <= geometry.threads <= 1024
                assert 1 <= geometry.grid[0] < 2**31
                assert max(geometry.grid[1:]) < 2**16
                assert geometry.block[2] <= 64
                assert 0 <= geometry.shared_bytes <= 227 * 1024
                assert set(geometry.args) <= {b.name for b in (*size.buffers, *program.workspaces)}
            assert all(evaluate(w.elements, names) >= 1 for w in program.workspaces)
    if language == "c":
        assert all(g.blocks == g.threads == 1 for g in program.geometry(problem.dims | points[0]))


@pytest.mark.parametrize("wrong", ["zero", "negative", "absurd", "no axis"])
@pytest.mark.parametrize("name", NAMES)
def test_illegal_shapes_are_told_in_one_line(name: str, wrong: str) -> None:
    entry = operator(name)
    shape = entry.default_shape
    shapes = {
        "zero": (*shape[:-1], 0),
        "negative": (-1, *shape[1:]),
        "absurd": (10**9,) * len(shape),
        "no axis": (),
    }

    with pytest.raises(UserError) as raised:
        entry.problem(shapes[wrong], {}, "float32")

    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_settings_and_dtypes_are_told_in_one_line(name: str) -> None:
    entry = operator(name)

    with pytest.raises(UserError, match="no setting 'colour'") as setting:
        entry.problem(entry.default_shape, {"colour": 1}, "float32")
    with pytest.raises(UserError, match=r"no dtype 'float65'.*Known: float32") as dtype:
        entry.problem(entry.default_shape, {}, "float65")

    assert "\n" not in str(setting.value) + str(dtype.value)


def test_an_unknown_operator_is_told_with_the_nearest_names() -> None:
    with pytest.raises(UnknownName, match=r"No operator named 'softmx'. Did you mean softmax\?"):
        operator("softmx")
