"""VS Code's tasks and launch configurations for a tuned program: written, or merged into what is there."""

import json
from pathlib import Path

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.core.value import Value
from atunner.reports import ir_jsonc

FOLDER = ".vscode"
BUILD_ALL = "ATunner: all"
STEPS = ("ATunner: 1 baseline", "ATunner: 2 profile", "ATunner: 3 optimize", "ATunner: 4 build", "ATunner: 5 report")
MATCHER: dict[str, JsonValue] = {
    "owner": "clang",
    "fileLocation": ["autoDetect", "${workspaceFolder}"],
    "pattern": {
        "regexp": "^(.*?):(\\d+):(\\d+):\\s+(?:fatal\\s+)?(warning|error|note):\\s+(.*)$",
        "file": 1,
        "line": 2,
        "column": 3,
        "severity": 4,
        "message": 5,
    },
}
"""How clang writes its diagnostics."""

_DEFAULT, _ALSO = '"isDefault": true', '"isDefault": false'


class Editor(Value):
    """What the entries are about. source, out: as the tasks name them, relative to the workspace where they can be.

    args: the program's own. clang, level: as `atunner tune ir` was told, "" for its default. command: how this atunner
    is called, also from an editor whose PATH has no virtual environment.
    """

    name: str
    source: str
    out: str
    args: tuple[str, ...] = ()
    clang: str = ""
    level: str = "exact"
    command: str = "atunner"


class Written(Value):
    """A file that was written. note: what the user should know of it, "" when nothing."""

    path: Path
    note: str = ""


def emit(editor: Editor, workspace: Path) -> tuple[Written, ...]:
    """Write or merge tasks.json and launch.json under the workspace's .vscode.

    Raises:
        UserError: the folder cannot be written.
    """
    folder = workspace / FOLDER
    task_texts = {str(entry["label"]): _text(entry) for entry in tasks(editor)}
    launch_texts = {str(entry["name"]): _text(entry) for entry in launches(editor)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (
            _merged(folder / "tasks.json", ("tasks", "label"), "2.0.0", task_texts),
            _merged(folder / "launch.json", ("configurations", "name"), "0.2.0", launch_texts),
        )
    except OSError as error:
        raise UserError(f"Cannot write {folder}: {error.strerror}.") from error


def tasks(editor: Editor) -> list[dict[str, JsonValue]]:
    """The five steps, and one default build task that runs them in order."""
    final = f"{editor.out}/{editor.name}.opt.final"
    build = ["--clang", editor.clang] if editor.clang else []
    commands: list[list[str]] = [
        ["build", editor.source, "--out", editor.out, *build],
        ["profile", editor.source, "--out", editor.out, *build, *_given(editor)],
        ["optimize", editor.source, "--out", editor.out, "--level", editor.level, *build, *_given(editor)],
        ["build", f"{editor.out}/{editor.name}.opt.ll", "--out", editor.out, *build],
        ["plot", editor.out],
    ]
    steps = [_task(editor, label, ["ir", *words]) for label, words in zip(STEPS, commands, strict=True)]
    whole: dict[str, JsonValue] = {
        "label": BUILD_ALL,
        "detail": f"Baseline, profile, optimise, build and report {editor.source}; the result is {final}",
        "dependsOn": list(STEPS),
        "dependsOrder": "sequence",
        "group": {"kind": "build", "isDefault": True},
        "problemMatcher": [],
    }
    return [*steps, whole]


def _given(editor: Editor) -> list[str]:
    return [f"--args={' '.join(editor.args)}"] if editor.args else []


def _task(editor: Editor, label: str, args: list[str]) -> dict[str, JsonValue]:
    return {
        "label": label,
        "type": "process",
        "command": editor.command,
        "args": [*args],
        "options": {"cwd": "${workspaceFolder}"},
        "group": "build",
        "problemMatcher": [MATCHER],
        "presentation": {"panel": "shared", "clear": False},
    }


def launches(editor: Editor) -> list[dict[str, JsonValue]]:
    """The final binary under gdb (C/C++ extension) and under LLDB (CodeLLDB)."""
    final = f"${{workspaceFolder}}/{editor.out}/{editor.name}.opt.final"
    if Path(editor.out).is_absolute():
        final = f"{editor.out}/{editor.name}.opt.final"
    common: dict[str, JsonValue] = {
        "request": "launch",
        "program": final,
        "args": [*editor.args],
        "cwd": "${workspaceFolder}",
        "preLaunchTask": STEPS[3],
    }
    gdb: dict[str, JsonValue] = {
        "name": f"ATunner: debug {editor.name}.opt.final (gdb)",
        "type": "cppdbg",
        "MIMode": "gdb",
        "stopAtEntry": False,
        **common,
    }
    return [gdb, {"name": f"ATunner: debug {editor.name}.opt.final (lldb)", "type": "lldb", **common}]


def _text(entry: dict[str, JsonValue]) -> str:
    return json.dumps(entry, indent=2)


def _merged(path: Path, where: tuple[str, str], version: str, entries: dict[str, str]) -> Written:
    """A new file, the user's with our entries in it, or one beside a file that cannot be read."""
    name, key = where
    fresh = ir_jsonc.with_entries(json.dumps({"version": version}, indent=2) + "\n", name, entries, key)
    if not path.exists():
        return Written(path=_put(path, fresh))
    try:
        text = path.read_text(encoding="utf-8")
        default = _own_default(text)
        if default and BUILD_ALL in entries:
            entries = {**entries, BUILD_ALL: entries[BUILD_ALL].replace(_DEFAULT, _ALSO)}
        merged = ir_jsonc.with_entries(text, name, entries, key)
        ir_jsonc.loads(merged)
    except ValueError as error:
        beside = _put(path.with_suffix(".atunner.json"), fresh)
        reason = str(error).splitlines()[0]
        return Written(path=beside, note=f"{path} was left as it is, since it cannot be read: {reason}")
    note = f"{default!r} stays the default build task; run {BUILD_ALL!r} from the list of tasks" if default else ""
    return Written(path=_put(path, merged) if merged != text else path, note=note)


def _own_default(text: str) -> str:
    """The label of the user's own default build task, "" when there is none."""
    whole = ir_jsonc.loads(text)
    listed = whole.get("tasks") if isinstance(whole, dict) else None
    for task in listed if isinstance(listed, list) else []:
        group = task.get("group") if isinstance(task, dict) else None
        if isinstance(task, dict) and isinstance(group, dict) and group.get("isDefault") and _kind(group) == "build":
            label = str(task.get("label", "a task without a label"))
            if label != BUILD_ALL:
                return label
    return ""


def _kind(group: dict[str, JsonValue]) -> str:
    return str(group.get("kind", "build"))


def _put(path: Path, text: str) -> Path:
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    return new.replace(path)
