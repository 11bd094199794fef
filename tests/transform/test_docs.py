"""The examples of docs/python-api.md run as they stand."""

from pathlib import Path
from typing import Any

import pytest
from support import need

DOCS = Path(__file__).parents[2] / "docs" / "python-api.md"


def block(mark: str) -> str:
    """The block after a mark."""
    text = DOCS.read_text(encoding="utf-8").split(f"<!-- {mark} -->\n```")[1]
    return text.partition("\n")[2].partition("```")[0]


def ran(mark: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(block(mark), names)
    return names


def test_the_worked_example_runs_and_says_what_the_page_shows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("gcc")
    names = ran("worked")
    assert capsys.readouterr().out.startswith(block("understood"))
    # The kernel as given walks columns one by one: every other tile is far beyond what noise can hide.
    assert names["best"].record.confirmed is not None
    assert names["best"].improved
    assert names["best"].parameters["TILE"] in (16, 32, 64)


def test_the_steps_and_tests_of_the_page_are_sound(home: Path) -> None:
    need("gcc")
    assert [s.id for s in ran("steps")["listed"].tuning_steps] == ["order", "block"]
    names = ran("tests")
    kernel = names["tested"].prepare().task.spec["kernel"]
    assert [t["name"] for t in kernel["tests"]] == ["in the kernel's order", "test 2"]
    assert names["given"].prepare().task.spec["kernel"]["generated"] is True
    assert names["broad"].reading.gaps == ()
