"""The files of a run: winning source, launch parameters, record, trials, page and plots."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue, ValidationError

from atunner.core.candidate import Candidate
from atunner.core.errors import UserError
from atunner.core.program import PROGRAM_FILE, Program
from atunner.core.record import RunRecord
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.domains.kernels.bundle import problem_of
from atunner.reports import difference, export, palette, plots, rows, wording
from atunner.reports.html import page

EXTENSIONS = {"cuda": ".cu", "hip": ".hip", "opencl": ".cl", "c": ".c"}


class Paths(Value):
    """Where everything lies. best, launch: None while nothing is verified."""

    folder: Path
    best: Path | None
    launch: Path | None
    report: Path
    run: Path
    trials: Path
    plots: tuple[Path, ...]

    @property
    def places(self) -> tuple[Path, ...]:
        """What to name to the user, in the order of use; the plots by their folder."""
        found = (
            self.best,
            self.launch,
            self.report,
            self.run,
            self.trials,
            self.folder / "plots" if self.plots else None,
        )
        return tuple(place for place in found if place is not None)


def write(record: RunRecord, folder: Path) -> Paths:
    """Write all files; a file is replaced whole or not at all.

    Raises:
        UserError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(record, folder)
    except OSError as error:
        raise UserError(f"Cannot write to {folder}: {error.strerror}. Choose another folder with --output.") from error


def _write(record: RunRecord, folder: Path) -> Paths:
    best, launch = _winner(record, folder)
    return Paths(
        folder=folder,
        best=best,
        launch=launch,
        report=_put(folder / "report.html", page(record)),
        run=_put(folder / "run.json", export.as_json(record)),
        trials=_put(folder / "trials.csv", export.as_csv(record)),
        plots=tuple(_plots(record, folder / "plots")),
    )


def _put(path: Path, content: str | bytes) -> Path:
    new = path.with_name(path.name + ".new")
    new.write_bytes(content.encode() if isinstance(content, str) else content)
    return new.replace(path)


def _winner(record: RunRecord, folder: Path) -> tuple[Path | None, Path | None]:
    trial = record.winner
    if trial is None or not difference.source(trial.candidate)[0]:
        return None, None
    name, text = difference.source(trial.candidate)
    program = program_of(trial.candidate)
    suffix = EXTENSIONS[program.language] if program else Path(name).suffix
    for other in {*EXTENSIONS.values()} - {suffix}:
        (folder / f"best{other}").unlink(missing_ok=True)  # of an earlier result in the same folder
    best = _put(folder / f"best{suffix}", f"{header(record, trial)}\n{_definitions(record, trial.candidate)}{text}")
    launch = _put(folder / "launch.json", json.dumps(launch_parameters(record, trial.candidate), indent=1) + "\n")
    return best, launch


def program_of(candidate: Candidate) -> Program | None:
    """The candidate's launches; None for a candidate that is not a program."""
    text = candidate.files.get(PROGRAM_FILE)
    if text is None:
        return None
    try:
        return Program.model_validate_json(text)
    except ValidationError:
        return None


def header(record: RunRecord, trial: Trial) -> str:
    """A comment of computed facts for the top of the winning source; it cannot end the comment early."""
    lines = [f"ATunner {record.version}, run {record.run}, candidate {trial.candidate.id}", wording.headline(record)]
    lines.extend(_header_facts(record, trial))
    safe = (line.replace("*/", "* /") for line in lines)
    return "/*\n" + "".join(f" * {line}\n" for line in safe) + " */"


def _header_facts(record: RunRecord, trial: Trial) -> Iterator[str]:
    if record.facts is not None:
        tensors = ", ".join(f"{n} {wording.shape(s)}" for n, s in record.facts.tensors.items())
        yield f"Problem: {record.facts.operator}, {record.facts.dtype}, {tensors}"
    yield f"Parameters: {wording.parameters(trial.candidate.params)}"
    taken = rows.resources(trial.profile)
    if taken is not None:
        shared = wording.size(taken.static_shared + taken.dynamic_shared)
        share = f", occupancy {taken.occupancy.fraction:.0%} by {taken.occupancy.limiter}" if taken.occupancy else ""
        yield f"{taken.registers} registers, {shared} shared, {wording.size(taken.spill_bytes)} spilled{share}"
    count = rows.inputs_checked(trial)
    if count is not None:
        yield f"Results were right on {count} inputs."


def _definitions(record: RunRecord, candidate: Candidate) -> str:
    """The problem and the parameters as macros, so that the file compiles as it is; -D still wins."""
    macros = _macros(record, candidate)
    return "".join(f"#ifndef {name}\n#define {name} {value}\n#endif\n" for name, value in macros.items()) + "\n"


def _macros(record: RunRecord, candidate: Candidate) -> dict[str, str]:
    problem = problem_of(record.task)
    return problem.macros(candidate.params) if problem else {k: str(v) for k, v in candidate.params.items()}


def launch_parameters(record: RunRecord, candidate: Candidate) -> dict[str, JsonValue]:
    """All that launching the winner takes: macros, and grid, block, shared bytes and arguments of each launch."""
    program, problem = program_of(candidate), problem_of(record.task)
    told: dict[str, JsonValue] = {
        "run": record.run,
        "candidate": candidate.id,
        "family": candidate.family,
        "params": candidate.params,
        "macros": dict(_macros(record, candidate)),
        "figures": wording.stamp(record),
    }
    if program is None:
        return told
    told |= {"language": program.language, "flags": list(program.flags)}
    if problem is None:
        return told | {"launches": [launch.model_dump(mode="json") for launch in program.launches]}
    names = {**problem.dims, **candidate.params}
    return told | {
        "dims": dict(problem.dims),
        "buffers": [b.model_dump(mode="json") for b in problem.buffers],
        "workspaces": [w.model_dump(mode="json") for w in program.workspaces],
        "launches": [g.model_dump(mode="json") for g in program.geometry(names)],
    }


def _plots(record: RunRecord, folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        shutil.rmtree(folder)
    for name in plots.PLOTS:
        drawn = plots.drawn(record, name, palette.PRINTED)
        if drawn is None:
            continue
        folder.mkdir(exist_ok=True)
        yield _put(folder / f"{name}.svg", plots.svg(drawn[0], name))
        yield _put(folder / f"{name}.png", plots.png(drawn[0]))
