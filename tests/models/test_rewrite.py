"""A rewrite's parameters agree with its source, and what was mended is said."""

import pytest

from atunner.agents.rewrite import Inconsistent, Rewrite, written
from atunner.core.candidate import Candidate
from atunner.core.program import PROGRAM_FILE, Launch, Program
from atunner.llm.answers import parse

PROGRAM = Program(language="c", source="k.c", launches=(Launch(kernel="k", args=("a",)),))
PARENT = Candidate(
    files={"k.c": "void k(){ f(TILE); }", PROGRAM_FILE: PROGRAM.model_dump_json()}, params={"TILE": 8}, family="t"
)
KNOWN = {"TILE": (4, 8, 16)}


@pytest.mark.parametrize(
    ("source", "parameters", "values", "note"),
    [
        ("f(TILE)", {"TILE": (2, 4)}, {"TILE": (2, 4)}, ""),
        ("f(TILE)", {}, {"TILE": (4, 8, 16)}, "TILE was missing"),
        ("f(TILE)", {"TILES": (2, 4)}, {"TILE": (2, 4)}, "TILES was renamed to TILE"),
        ("f(UNROLL_K)", {"UNROLLK": (1, 2)}, {"UNROLL_K": (1, 2)}, "UNROLLK was renamed to UNROLL_K"),
        ("f(TILE)", {"TILE": ()}, {"TILE": (4, 8, 16)}, "TILE had no values and has its parent's"),
        ("f(TILE)", {"TILE": tuple(range(14))}, {"TILE": tuple(range(12))}, "2 of TILE's values were left out"),
        ("f(TILE)", {"TILE": (2,), "OTHER": (1, 2)}, {"TILE": (2,)}, "OTHER has no effect"),
        ("#define TILE 32\nf(TILE)", {"TILE": (2, 4)}, {"TILE": (32, 2, 4)}, "#define of TILE"),
        ("f(TILE) /* OTHER */", {"TILE": ("2", 4), "OTHER": (1,)}, {"TILE": (2, 4)}, "OTHER has no effect"),
    ],
)
def test_names_and_values_are_mended_and_it_is_said(
    source: str, parameters: dict[str, tuple[int | str, ...]], values: dict[str, object], note: str
) -> None:
    found = written(Rewrite(source=source, parameters=parameters), PARENT, KNOWN, "model:m")

    assert {p.name: p.values for p in found.family.space.parameters} == values
    assert note in " ".join(found.notes)
    assert bool(found.notes) == bool(note)
    assert "#define" not in found.files["k.c"]


def test_parameters_beyond_the_most_are_held_and_not_dropped() -> None:
    parameters: dict[str, tuple[int | str, ...]] = {f"P_{n}": (1, 2) for n in range(10)}
    found = written(Rewrite(source=" ".join(parameters), parameters=parameters), PARENT, KNOWN, "model:m")

    assert [len(p.values) for p in found.family.space.parameters] == [2] * 8 + [1] * 2
    assert [n.split()[0] for n in found.notes] == ["P_8", "P_9"]


def test_a_name_without_values_is_told_to_the_model() -> None:
    with pytest.raises(Inconsistent, match="parameter WIDTH has no values"):
        written(Rewrite(source="f(WIDTH)", parameters={"WIDTH": ()}), PARENT, KNOWN, "model:m")


def test_the_parents_point_is_where_it_starts_if_it_is_legal() -> None:
    answer = Rewrite(source="f(TILE, N_X)", parameters={"TILE": (4, 8), "N_X": (1, 2)}, constraints=("TILE * N_X > 8",))
    found = written(answer, PARENT, KNOWN, "model:m")

    assert found.family.space.holds(found.start)
    assert written(answer.model_copy(update={"constraints": ()}), PARENT, KNOWN, "m").start == {"TILE": 8, "N_X": 1}


@pytest.mark.parametrize("constraint", ["TILE > 99", "WHAT > 1", "__import__('os')", "TILE >"])
def test_a_constraint_that_cannot_hold_is_refused(constraint: str) -> None:
    with pytest.raises(Inconsistent):
        written(Rewrite(source="f(TILE)", constraints=(constraint,)), PARENT, KNOWN, "model:m")


def test_the_launch_stays_unless_the_answer_changes_it() -> None:
    launch = Launch(kernel="k", grid=("cdiv(n, TILE)",), block=("TILE",), args=("a",))
    kept = written(Rewrite(source="f(TILE)"), PARENT, KNOWN, "m")
    changed = written(Rewrite(source="f(TILE)", launches=(launch,)), PARENT, KNOWN, "m")

    assert Program.model_validate_json(kept.files[PROGRAM_FILE]).launches == PROGRAM.launches
    assert Program.model_validate_json(changed.files[PROGRAM_FILE]).launches == (launch,)


def test_code_may_stand_in_a_fence_beside_the_json() -> None:
    text = '```json\n{"name": "n", "parameters": {"T": [1]}}\n```\nand\n```c\nint f(void) { return T; }\n```'
    assert parse(text, Rewrite).source == "int f(void) { return T; }\n"
