"""Long results as files, written while they are read: memory does not grow with the run."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from atunner.api.context import Service
from atunner.core.record import RunRecord
from atunner.knowledge_base import leaders, watching
from atunner.reports import export

CHUNK = 64 * 1024
LONG = {"trials", "screenings", "notes"}


def in_chunks(parts: Iterable[str]) -> Iterator[str]:
    """The same text in pieces of a size that is worth a write."""
    held: list[str] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= CHUNK:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def as_json(here: Service, head: RunRecord) -> Iterator[str]:
    """The whole record; the same that `RunRecord` reads back."""
    database, run = here.store.database, head.run
    yield head.model_dump_json(exclude=LONG)[:-1]
    yield from _listed("trials", leaders.every_trial(database, run))
    yield from _listed("screenings", leaders.every_screening(database, run))
    yield from _listed("notes", iter(watching.notes_of(database, run)))
    yield "}\n"


def _listed(name: str, values: Iterator[BaseModel]) -> Iterator[str]:
    yield f',"{name}":['
    first = next(values, None)
    if first is not None:
        yield first.model_dump_json()
        yield from (f",\n{value.model_dump_json()}" for value in values)
    yield "]"


def as_csv(here: Service, head: RunRecord) -> Iterator[str]:
    """One line for each trial."""
    ranks = leaders.ranks(here.store.database, head)
    return export.csv_lines(head, ranks, leaders.every_trial(here.store.database, head.run))
