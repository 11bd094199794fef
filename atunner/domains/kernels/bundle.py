"""A folder that measures a run's best kernels on a GPU machine with one command, and the way back."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Template
from pydantic import Field, JsonValue

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import UserError
from atunner.core.expression import evaluate
from atunner.core.program import PROGRAM_FILE, Problem, Program
from atunner.core.record import RunRecord
from atunner.core.task import Task
from atunner.core.value import Value
from atunner.domains.kernels.bundle_runner import hashing
from atunner.domains.kernels.bundle_runner.truth import REFERENCES
from atunner.operators import operator

RUNNER = "runner"
PACKAGE = "atunner.domains.kernels.bundle_runner"
START = '''"""Measure the kernels of this folder on this machine's GPU: python3 run.py --help"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "runner"))

from atunner.domains.kernels.bundle_runner.main import main  # noqa: E402

sys.exit(main(ROOT, sys.argv[1:]))
'''


def problem_of(task: Task) -> Problem | None:
    """The problem of a kernel task (spec: operator, shape, settings, dtype); None for any other task."""
    spec = task.spec
    name, shape = spec.get("operator"), spec.get("shape")
    if task.domain != "kernels" or not isinstance(name, str) or not isinstance(shape, list):
        return None
    settings = spec.get("settings") or {}
    if not isinstance(settings, dict):
        return None
    chosen = {k: v for k, v in settings.items() if isinstance(v, int | str)}
    extents = tuple(int(e) for e in shape if isinstance(e, int | str))
    return operator(name).problem(extents, chosen, str(spec.get("dtype", "float32")))


class Contents(Value):
    """What a bundle holds. candidates: the baseline first. target: the device that they are meant for."""

    run: str
    task: Task
    target: Device
    candidates: tuple[Candidate, ...] = Field(min_length=2)


def write_bundle(record: RunRecord, folder: Path, top: int = 10) -> Path:
    """Write the baseline and the `top` best CUDA kernels of a run with all that measuring them takes; returns `folder`.

    Raises:
        UserError: the run has no CUDA kernels, the operator has no reference for bundles, or the folder is not ours.
    """
    ranked = [t.candidate for t in record.ranked[:top]]
    if record.baseline is None or not ranked or problem_of(record.task) is None:
        raise UserError(f"Run {record.run} has no verified kernels to bundle. Run it to its end first.")
    if record.device is None:
        raise UserError(f"Run {record.run} has no device, so its kernels have no target.")
    chosen = (record.baseline.candidate, *ranked)
    return write_contents(Contents(run=record.run, task=record.task, target=record.device, candidates=chosen), folder)


def write_contents(contents: Contents, folder: Path) -> Path:
    """Write a bundle of any candidates of one task; returns `folder`.

    Raises:
        UserError: see `write_bundle`.
    """
    problem = _admitted(contents)
    if folder.exists() and not _replaceable(folder):
        raise UserError(f"{folder} exists and is not a bundle. Choose a new folder for the bundle.")
    try:
        return _write(contents, folder, problem)
    except OSError as error:
        raise UserError(f"Cannot write the bundle to {folder}: {error.strerror}. Choose another folder.") from error


def _admitted(contents: Contents) -> Problem:
    problem = problem_of(contents.task)
    if problem is None or problem.operator not in REFERENCES:
        known = ", ".join(sorted(REFERENCES))
        raise UserError(f"A bundle needs a numpy reference, {contents.task.name} has none. Known: {known}.")
    languages = {_program(c).language for c in contents.candidates}
    if languages != {"cuda"}:
        found = ", ".join(sorted(languages))
        raise UserError(f"A bundle measures CUDA kernels, run {contents.run} has {found}.")
    return problem


def _replaceable(folder: Path) -> bool:
    return folder.is_dir() and ((folder / "manifest.json").is_file() or not any(folder.iterdir()))


def _write(contents: Contents, folder: Path, problem: Problem) -> Path:
    written = {"run.py": START, "README.md": _readme(contents), **_runner()}
    for candidate in contents.candidates:
        written[_source_path(candidate)] = candidate.files[_program(candidate).source]
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    manifest = {
        "schema": 1,
        "run": contents.run,
        "task": contents.task.id,
        "target": {"name": contents.target.name, "arch": contents.target.arch},
        "problem": problem.model_dump(mode="json"),
        "candidates": [entry(problem, c) for c in contents.candidates],
        "files": {name: hashing.file_digest(folder / name) for name in sorted(written)},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return folder


def _runner() -> dict[str, str]:
    """The runner's modules under the names by which they import each other."""
    place = PACKAGE.replace(".", "/")
    found = {
        f"{RUNNER}/{place}/{module.name}": module.read_text(encoding="utf-8")
        for module in files(PACKAGE).iterdir()
        if module.name.endswith(".py")
    }
    parents = PACKAGE.split(".")[:-1]
    for depth in range(1, len(parents) + 1):
        found[f"{RUNNER}/{'/'.join(parents[:depth])}/__init__.py"] = '"""Part of a bundle."""\n'
    return found


def _program(candidate: Candidate) -> Program:
    if PROGRAM_FILE not in candidate.files:
        raise UserError(f"Candidate {candidate.id} has no {PROGRAM_FILE}, so it cannot be launched from a bundle.")
    return Program.model_validate_json(candidate.files[PROGRAM_FILE])


def _source_path(candidate: Candidate) -> str:
    return f"kernels/{candidate.id}.cu"


def entry(problem: Problem, candidate: Candidate) -> dict[str, JsonValue]:
    """All that compiling and launching one candidate takes, as plain numbers."""
    program, names = _program(candidate), {**problem.dims, **candidate.params}
    launches: list[JsonValue] = [
        {
            "kernel": g.kernel,
            "grid": list(g.grid),
            "block": list(g.block),
            "shared_bytes": g.shared_bytes,
            "args": [_argument(text, names) for text in g.args],
        }
        for g in program.geometry(names)
    ]
    workspaces: list[JsonValue] = [
        {"name": w.name, "dtype": w.dtype, "elements": int(evaluate(w.elements, names))} for w in program.workspaces
    ]
    return {
        "id": candidate.id,
        "family": candidate.family,
        "params": candidate.params,
        "source": _source_path(candidate),
        "macros": dict(problem.macros(candidate.params)),
        "flags": list(program.flags),
        "deterministic": program.deterministic,
        "workspaces": workspaces,
        "launches": launches,
    }


def _argument(text: str, names: dict[str, Any]) -> dict[str, JsonValue]:
    kind, colon, expression = text.partition(":")
    if not colon:
        return {"buffer": text}
    value = evaluate(expression, names)
    return {"type": kind, "value": float(value) if kind.startswith("float") else int(value)}


def _readme(contents: Contents) -> str:
    template = Template((files(PACKAGE) / "readme.j2").read_text(encoding="utf-8"), keep_trailing_newline=True)
    told = {
        "count": len(contents.candidates) - 1,
        "operator": contents.task.spec["operator"],
        "place": f"{contents.target.name} ({contents.target.arch})",
        "run": contents.run,
    }
    return str(template.render(told))
