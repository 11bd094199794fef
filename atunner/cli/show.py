"""How a run is shown while it works and when it is done."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from atunner.cli.common import print_json
from atunner.core.record import RunRecord
from atunner.domains.kernels.bundle import write_bundle
from atunner.graphs.events import Watch
from atunner.reports.progress import Progress
from atunner.reports.terminal import show
from atunner.reports.write import write
from atunner.search.formats.run_results import as_t4

TUNED = ("user_kernels", "replay")
"""Domains of `atunner tune`: their results are written as T4; a bundle needs an operator that ships."""


@contextmanager
def progress(as_json: bool) -> Iterator[Watch]:
    """Progress on standard error: a panel, lines in a pipe, JSON lines beside --json; SIGTERM stops as Ctrl-C does."""
    view = Progress.json(sys.stderr) if as_json else Progress.on(Console(stderr=True))
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with view:
            yield view
    finally:
        signal.signal(signal.SIGTERM, before)


def folder_of(record: RunRecord, output: Path) -> Path:
    """Where a run's files lie: --output, else atunner-runs/RUN."""
    return Path("atunner-runs") / record.run if output == Path() else output


def named(output: Path) -> Path | None:
    """--output where it was given; a run that is resumed writes there again."""
    return None if output == Path() else output


def finish(record: RunRecord, output: Path, as_json: bool) -> int:
    """Write all files, then print the report, or the record as JSON."""
    folder = folder_of(record, output)
    places = list(write(record, folder).places)
    if record.task.domain in TUNED:
        places.append(_t4(record, folder))
    elif record.facts is not None and record.ranked and _is_cuda(record):
        places.append(write_bundle(record, folder / "bundle"))
    places += evidence_beside(record, folder)
    if as_json:
        print_json(record)
    else:
        show(record, places, Console(width=None if sys.stdout.isatty() else 132))
    return 0


def evidence_beside(record: RunRecord, folder: Path) -> list[Path]:
    """evidence.json of a confirmed winner: `atunner verify` checks it again from scratch."""
    path = folder / "evidence.json"
    for note in record.notes:
        if note.agent == "evidence":
            path.write_text(json.dumps(note.answer, indent=1), encoding="utf-8")
    return [path] if path.exists() else []


def _t4(record: RunRecord, folder: Path) -> Path:
    """The trials in the community's results format, beside the other files."""
    path = folder / "results.t4.json"
    path.write_text(as_t4(record), encoding="utf-8")
    return path


def _is_cuda(record: RunRecord) -> bool:
    return any(name.endswith(".cu") for t in record.ranked[:1] for name in t.candidate.files)
