"""Editor files: five steps and one default build task, merged by label; what the user wrote survives."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atunner.reports import ir_jsonc
from atunner.reports.ir_vscode import BUILD_ALL, STEPS, Editor, emit

EDITOR = Editor(name="gemm", source="gemm.c", out="gemm-ir", args=("100",), clang="clang-19")
MINE = """\
// my tasks
{
  "version": "2.0.0",
  /* these are mine */
  "tasks": [
    {
      "label": "my build", // a note
      "type": "shell",
      "command": "make",
    },
    {"label": "ATunner: 1 baseline", "type": "shell", "command": "old"}, // stale
  ],
  "inputs": [{"id": "x"}],
}
"""


def written(folder: Path, name: str) -> dict[str, list[dict[str, object]]]:
    found = ir_jsonc.loads((folder / ".vscode" / name).read_text())
    assert isinstance(found, dict)
    return found  # type: ignore[return-value]  # the tests look inside


def test_new_files_have_five_steps_and_one_default_build_task(tmp_path: Path) -> None:
    emit(EDITOR, tmp_path)
    tasks = json.loads((tmp_path / ".vscode" / "tasks.json").read_text())["tasks"]
    (default,) = (task for task in tasks if isinstance(task["group"], dict))

    assert [task["label"] for task in tasks] == [*STEPS, BUILD_ALL]
    assert default["label"] == BUILD_ALL
    assert default["group"] == {"kind": "build", "isDefault": True}
    assert default["dependsOn"] == list(STEPS)
    assert default["dependsOrder"] == "sequence"
    assert all(task["problemMatcher"][0]["owner"] == "clang" for task in tasks[:5])


def test_the_final_binary_is_launched_after_its_build(tmp_path: Path) -> None:
    emit(EDITOR, tmp_path)
    gdb, lldb = json.loads((tmp_path / ".vscode" / "launch.json").read_text())["configurations"]

    assert (gdb["type"], lldb["type"]) == ("cppdbg", "lldb")
    assert gdb["program"] == "${workspaceFolder}/gemm-ir/gemm.opt.final"
    assert gdb["args"] == ["100"]
    assert gdb["preLaunchTask"] == STEPS[3]


def test_the_user_s_own_entries_and_comments_survive(tmp_path: Path) -> None:
    (tmp_path / ".vscode").mkdir()
    path = tmp_path / ".vscode" / "tasks.json"
    path.write_text(MINE)

    emit(EDITOR, tmp_path)
    text, tasks = path.read_text(), written(tmp_path, "tasks.json")

    assert [task["label"] for task in tasks["tasks"]] == ["my build", *STEPS, BUILD_ALL]
    assert all(note in text for note in ("// my tasks", "/* these are mine */", "// a note", "// stale"))
    assert tasks["inputs"] == [{"id": "x"}]
    assert tasks["tasks"][1]["command"] == "atunner"


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".vscode").mkdir()
    (tmp_path / ".vscode" / "tasks.json").write_text(MINE)
    emit(EDITOR, tmp_path)
    once = [(tmp_path / ".vscode" / name).read_text() for name in ("tasks.json", "launch.json")]

    emit(EDITOR, tmp_path)

    assert [(tmp_path / ".vscode" / name).read_text() for name in ("tasks.json", "launch.json")] == once


def test_two_programs_share_one_launch_file(tmp_path: Path) -> None:
    emit(EDITOR, tmp_path)
    emit(EDITOR.model_copy(update={"name": "lu", "source": "lu.c", "out": "lu-ir"}), tmp_path)

    assert len(written(tmp_path, "launch.json")["configurations"]) == 4


@pytest.mark.parametrize("text", ["{ not json", "[]", '{"tasks": 3}', "", '{"tasks": [}'])
def test_a_file_that_cannot_be_read_is_left_and_ours_written_beside_it(tmp_path: Path, text: str) -> None:
    (tmp_path / ".vscode").mkdir()
    path = tmp_path / ".vscode" / "tasks.json"
    path.write_text(text)

    first, _ = emit(EDITOR, tmp_path)

    assert path.read_text() == text
    assert first.path.name == "tasks.atunner.json"
    assert "left as it is" in first.note
    assert len(json.loads(first.path.read_text())["tasks"]) == 6


def test_the_user_s_default_build_task_stays_the_default(tmp_path: Path) -> None:
    (tmp_path / ".vscode").mkdir()
    own = {"label": "mine", "command": "make", "group": {"kind": "build", "isDefault": True}}
    (tmp_path / ".vscode" / "tasks.json").write_text(json.dumps({"version": "2.0.0", "tasks": [own]}))

    first, _ = emit(EDITOR, tmp_path)
    defaults = [t for t in written(tmp_path, "tasks.json")["tasks"] if '"isDefault": true' in json.dumps(t)]

    assert [task["label"] for task in defaults] == ["mine"]
    assert "'mine' stays" in first.note


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2,], /* x */ "b": "// no comment",}', {"a": [1, 2], "b": "// no comment"}),
        ('// c\n{"a": "\\"/*"} // d', {"a": '"/*'}),
        ('\ufeff{"a": 1}', {"a": 1}),
    ],
)
def test_comments_and_last_commas_are_read(text: str, value: object) -> None:
    assert ir_jsonc.loads(text) == value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(
    others=st.lists(st.dictionaries(st.text(), VALUES)),
    more=st.dictionaries(st.text().filter(lambda key: key != "tasks"), VALUES),
    indent=st.sampled_from([None, 2, 4]),
)
def test_an_entry_is_added_and_nothing_else_changes(
    others: list[dict[str, object]], more: dict[str, object], indent: int | None
) -> None:
    others = [{**other, "label": f"own {number}"} for number, other in enumerate(others)]
    text = json.dumps({**more, "tasks": others}, indent=indent)

    merged = ir_jsonc.loads(ir_jsonc.with_entries(text, "tasks", {"new": '{"label": "new"}'}, "label"))

    assert merged == {**more, "tasks": [*others, {"label": "new"}]}


def test_tasks_call_the_atunner_that_wrote_them(tmp_path: Path) -> None:
    emit(EDITOR.model_copy(update={"command": "/opt/venv/bin/atunner"}), tmp_path)
    tasks = json.loads((tmp_path / ".vscode" / "tasks.json").read_text())["tasks"]

    assert {task["command"] for task in tasks if "command" in task} == {"/opt/venv/bin/atunner"}
